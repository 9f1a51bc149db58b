//! Text for the kernel: no NUL, no more bytes than it takes.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::{Found, refuse};

/// Bytes of a path with its NUL (`include/uapi/linux/limits.h`, `PATH_MAX`).
const PATH_BYTES: usize = 4096;
/// Bytes of an argument or a variable with its NUL, beyond which execve(2) fails with E2BIG (`MAX_ARG_STRLEN`, 32 pages).
const ARGUMENT_BYTES: usize = 131_072;

/// Refuses a NUL anywhere: no string of a configuration could reach the kernel as it stands.
pub(super) fn check(value: &impl Serialize, at: &str) -> Found {
    // In JSON a NUL can only be written so; the slow search for its place is left to those who have one.
    let text = match serde_json::to_string(value) {
        Ok(text) => text,
        Err(error) => return refuse(at, error.to_string(), "text in UTF-8"),
    };
    if !text.contains("\\u0000") {
        return Ok(());
    }
    match serde_json::from_str(&text).ok().and_then(|value: Value| find(&value, at)) {
        Some(place) => refuse(place, "a NUL", "no string for the kernel may have one; remove it"),
        None => Ok(()),
    }
}

/// The place of the first NUL.
fn find(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| at.to_owned()),
        Value::Array(values) => {
            values.iter().enumerate().find_map(|(place, value)| find(value, &format!("{at}[{place}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            if name.contains('\0') { Some(at.replace('\0', "\\0")) } else { find(value, &at) }
        }),
        _ => None,
    }
}

/// A path that the kernel can take: not empty, not too long.
pub(super) fn path(path: &Path, at: &str) -> Found {
    let bytes = path.as_os_str().len();
    if bytes == 0 {
        return refuse(at, "an empty path", "a path");
    }
    if bytes >= PATH_BYTES {
        return refuse(
            at,
            format!("a path of {bytes} bytes"),
            format!("the kernel takes {}", PATH_BYTES - 1),
        );
    }
    Ok(())
}

/// The same, from the root on; `clause` says who asks for it.
pub(super) fn absolute_path(which: &Path, at: &str, clause: &str) -> Found {
    path(which, at)?;
    if which.is_absolute() {
        Ok(())
    } else {
        refuse(at, which.display().to_string(), format!("an absolute path ({clause})"))
    }
}

/// Arguments or variables for execve(2).
pub(super) fn arguments(list: &[String], at: &str) -> Found {
    match list.iter().position(|one| one.len() >= ARGUMENT_BYTES) {
        None => Ok(()),
        Some(place) => {
            let accepted = format!("execve(2) takes {} bytes for one", ARGUMENT_BYTES - 1);
            refuse(format!("{at}[{place}]"), "a longer string", accepted)
        }
    }
}

/// Variables: `name=value` (config.md, "Process": as IEEE 1003.1's `environ`); runc refuses others too.
pub(super) fn environment(list: &[String], at: &str) -> Found {
    arguments(list, at)?;
    let wrong = |one: &&String| one.split_once('=').is_none_or(|(name, _)| name.is_empty());
    match list.iter().enumerate().find(|(_, one)| wrong(one)) {
        None => Ok(()),
        Some((place, one)) => {
            refuse(format!("{at}[{place}]"), format!("{one:?}"), "`name=value` with a name")
        }
    }
}
