//! The container's program: found before the container is said to be created, so that a wrong name is heard of at once.

use std::ffi::CString;

use catamaran_oci_init::order::Process;
use rustix::fs::{Access, AtFlags, CWD, FileType, accessat, stat};
use rustix::io::Errno;

use super::user;
use crate::failure::{Done, During as _, Failure};

/// Where a program is looked for if the environment does not say (execvp(3)).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: CString,
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: Vec<CString>,
}

pub(crate) fn find(process: &Process) -> Done<Program> {
    let name = process.args.first().ok_or_else(|| Failure("process.args: no program is named".to_owned()))?;
    let path = if name.contains('/') { by_path(name)? } else { by_name(name, &process.env)? };
    let mut environment = process.env.clone();
    if !environment.iter().any(|pair| pair.starts_with("HOME=")) {
        environment.push(format!("HOME={}", user::home(process.uid)));
    }
    let text = |words: &[String], at: &str| -> Done<Vec<CString>> {
        words.iter().map(|word| CString::new(word.as_str()).during(|| at.to_owned())).collect()
    };
    Ok(Program {
        path: CString::new(path).during(|| "process.args".to_owned())?,
        arguments: text(&process.args, "process.args")?,
        environment: text(&environment, "process.env")?,
    })
}

fn by_path(path: &str) -> Done<String> {
    match usable(path) {
        Ok(()) => Ok(path.to_owned()),
        // Docker and podman tell exit codes 126 and 127 apart by these words.
        Err(Errno::NOENT) => Err(Failure(format!("exec: {path:?}: stat {path}: no such file or directory"))),
        Err(Errno::ACCESS | Errno::ISDIR) => Err(Failure(format!("exec: {path:?}: permission denied"))),
        Err(error) => Err(Failure::new(format!("exec: {path:?}"), error)),
    }
}

fn by_name(name: &str, environment: &[String]) -> Done<String> {
    let folders =
        environment.iter().rev().find_map(|pair| pair.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    let mut refused = false;
    for folder in folders.split(':') {
        let folder = if folder.is_empty() { "." } else { folder };
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        match usable(&path) {
            Ok(()) => return Ok(path),
            Err(Errno::ACCESS) => refused = true,
            Err(_) => {}
        }
    }
    if refused && !name.is_empty() {
        return Err(Failure(format!("exec: {name:?}: permission denied")));
    }
    Err(Failure(format!("exec: {name:?}: executable file not found in $PATH")))
}

fn usable(path: &str) -> Result<(), Errno> {
    if FileType::from_raw_mode(stat(path)?.st_mode) == FileType::Directory {
        return Err(Errno::ISDIR);
    }
    accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)
}
