//! `linux.resources.pids`: how many processes and threads there may be. The file is the same in both versions.

use oci_spec::runtime::LinuxPids;

use super::Manager;
use crate::Problem;

/// Less than 0 is no limit; 0 is "not given", as runc before 1.4 and crun read it.
pub(super) fn apply(manager: &Manager, pids: &LinuxPids) -> Result<(), Problem> {
    const AT: &str = "linux.resources.pids.limit";
    match pids.limit() {
        0 => Ok(()),
        limit if limit < 0 => manager.controller("pids", AT)?.set(AT, "pids.max", "max"),
        limit => manager.controller("pids", AT)?.set(AT, "pids.max", limit),
    }
}
