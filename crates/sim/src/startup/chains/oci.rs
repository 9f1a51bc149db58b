//! OCI runtimes: from `create` and `start` to the program of the container.
//!
//! **Law.** A runtime reads `config.json`, makes the group, starts a child in new namespaces, puts it into the group, mounts what
//! the container is to have, turns its root (`pivot_root`), takes privileges away, and waits on a FIFO until `start` opens
//! it; then it executes the program. runc is written in Go, and starts itself anew (`runc init`, from a sealed copy of its
//! own file) before namespaces are entered, as Go's threads cannot. crun does the same in one C process. youki forks twice: an
//! intermediate process makes the namespaces, its child becomes the container.
//! **Source.** OCI runtime-spec `runtime.md` ("Lifecycle"); runc `libcontainer/process_linux.go`, `libcontainer/nsenter/nsexec.c`,
//! `libcontainer/exec_fifo`; crun `src/libcrun/container.c`, `linux.c`; youki `crates/libcontainer/src/process`. Clone,
//! pivot and exec are system calls, and as long as those of our own container on the same machine; what a runtime does
//! itself was published nowhere that we know.

use crate::startup::chain::{Step, kernel, unknown};

const RUNC: &[Step] = &[
    unknown("config", "runc"),
    unknown("limits", "runc"),
    unknown("re-exec", "runc init"),
    kernel("clone"),
    unknown("join", "runc"),
    unknown("rootfs", "runc init"),
    kernel("pivot-root"),
    unknown("confine", "runc init"),
    unknown("start", "runc"),
    kernel("exec"),
];

const CRUN: &[Step] = &[
    unknown("config", "crun"),
    unknown("limits", "crun"),
    kernel("clone"),
    unknown("join", "crun"),
    unknown("rootfs", "crun"),
    kernel("pivot-root"),
    unknown("confine", "crun"),
    unknown("start", "crun"),
    kernel("exec"),
];

const YOUKI: &[Step] = &[
    unknown("config", "youki"),
    unknown("intermediate", "youki"),
    unknown("limits", "youki intermediate"),
    kernel("clone"),
    unknown("rootfs", "youki init"),
    kernel("pivot-root"),
    unknown("confine", "youki init"),
    unknown("start", "youki"),
    kernel("exec"),
];

/// Runtimes that an engine can be told to use.
pub(crate) const RUNTIMES: [&str; 3] = ["runc", "crun", "youki"];

/// What a runtime does; runc where an engine is not told which.
pub(super) fn runtime(name: Option<&str>) -> &'static [Step] {
    match name {
        Some("crun") => CRUN,
        Some("youki") => YOUKI,
        _ => RUNC,
    }
}
