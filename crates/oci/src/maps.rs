//! Maps of a container's user namespace (user_namespaces(7)): written by ourselves where we may, by newuidmap(1) and newgidmap(1)
//! otherwise.

use std::process::Command;

use oci_spec::runtime::LinuxIdMapping;
use rustix::process::{getegid, geteuid};

use crate::Problem;
use crate::order::namespaces::map;

/// Writes both maps of the process.
pub(crate) fn write(pid: i32, users: &[LinuxIdMapping], groups: &[LinuxIdMapping]) -> Result<(), Problem> {
    if geteuid().is_root() {
        put(pid, "uid_map", &map(users))?;
        return put(pid, "gid_map", &map(groups));
    }
    if is_own(users, geteuid().as_raw()) {
        put(pid, "uid_map", &map(users))?;
    } else {
        by_helper("newuidmap", pid, users)?;
    }
    if is_own(groups, getegid().as_raw()) {
        // Without privileges one's own group may only be mapped by who can't drop groups any more.
        put(pid, "setgroups", "deny")?;
        put(pid, "gid_map", &map(groups))
    } else {
        by_helper("newgidmap", pid, groups)
    }
}

/// Whether it is the one map that everybody may write: of oneself.
pub(crate) fn is_own(mappings: &[LinuxIdMapping], own: u32) -> bool {
    matches!(mappings, [one] if one.host_id() == own && one.size() == 1)
}

fn put(pid: i32, file: &str, text: &str) -> Result<(), Problem> {
    let path = format!("/proc/{pid}/{file}");
    std::fs::write(&path, text).map_err(|error| Problem::system(format!("write {text:?} to {path}"), error))
}

fn by_helper(program: &str, pid: i32, mappings: &[LinuxIdMapping]) -> Result<(), Problem> {
    let failed = |why: String| {
        Problem::system(
            format!("{program} for the user namespace"),
            format!(
                "{why}; install the package `uidmap` and give the user numbers in /etc/subuid and /etc/subgid"
            ),
        )
    };
    let numbers = mappings.iter().flat_map(|one| [one.container_id(), one.host_id(), one.size()]);
    let output = Command::new(program)
        .arg(pid.to_string())
        .args(numbers.map(|number| number.to_string()))
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
