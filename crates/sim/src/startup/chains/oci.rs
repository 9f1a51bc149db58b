//! OCI runtimes: from `create` and `start` to the program of the container.
//!
//! **Law.** A runtime reads `config.json`, makes the group and puts a child of its into it, which gets new namespaces, mounts what
//! the container is to have, turns its root (`pivot_root`), takes privileges away, and waits on a FIFO until `start` opens
//! it; then it executes the program. runc is written in Go, and starts itself anew (`runc init`, from a sealed copy of its
//! own file) before namespaces are entered, as Go's threads cannot; it puts that into the groups before it lets it go on to its
//! namespaces. crun, in C, makes a child in new namespaces at once, and its group while that waits. youki forks twice: an
//! intermediate process makes the group, enters it and makes the process that becomes the container and gets itself its
//! namespaces.
//! **Source.** OCI runtime-spec `runtime.md` ("Lifecycle"); runc `libcontainer/process_linux.go`, `libcontainer/nsenter/nsexec.c`,
//! `libcontainer/exec_fifo`; crun `src/libcrun/container.c`, `linux.c`; youki `crates/libcontainer/src/process`. Clone,
//! pivot and exec are system calls, and as long as those of our own container on the same machine; what a runtime does
//! itself was published nowhere that we know.

use crate::startup::chain::{Step, kernel, unknown};

const RUNC: &[Step] = &[
    unknown("config", "runc"),
    unknown("re-exec", "runc init"),
    unknown("limits", "runc"),
    kernel("clone"),
    unknown("rootfs", "runc init"),
    kernel("pivot-root"),
    unknown("confine", "runc init"),
    unknown("start", "runc"),
    kernel("exec"),
];

const CRUN: &[Step] = &[
    unknown("config", "crun"),
    kernel("clone"),
    unknown("limits", "crun"),
    unknown("rootfs", "crun"),
    kernel("pivot-root"),
    unknown("confine", "crun"),
    unknown("start", "crun"),
    kernel("exec"),
];

const YOUKI: &[Step] = &[
    unknown("config", "youki"),
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

/// The same before and after the hooks that an engine has a runtime call (`createRuntime`, "Lifecycle"): the root is made, and not
/// turned yet.
pub(super) fn around_hooks(name: Option<&str>) -> (&'static [Step], &'static [Step]) {
    let steps = runtime(name);
    let is_root = |step: &Step| matches!(step, Step::Stage { name: "rootfs", .. });
    steps.split_at(steps.iter().position(is_root).map_or(0, |at| at + 1))
}
