//! rkt: three stages that replace one another, and no daemon.
//!
//! **Law.** Stage 0 is `rkt run` itself: it fetches and verifies the images (ACI), unpacks them into the tree store, lays out the
//! pod's folder, and *becomes* stage 1 (`execve`: no process stays behind that one could ask). Stage 1 isolates the pod:
//! `systemd-nspawn` makes namespaces and group, and starts a systemd in them. Stage 2 is the application, a unit of that
//! systemd.
//! **Source.** rkt `Documentation/devel/architecture.md` ("Stages", "Execution with rkt"), `stage0/run.go` (`syscall.Exec`),
//! `stage1/init/init.go`. The project ended in 2020 (TL-17).

use crate::startup::chain::{Chain, Step, kernel, unknown};

pub(super) fn chain() -> Chain {
    Chain::of(&[&[
        unknown("request", "rkt stage0"),
        Step::Pull,
        unknown("tree-store", "rkt stage0"),
        unknown("pod", "rkt stage0"),
        unknown("become-stage1", "rkt stage0"),
        unknown("network", "rkt stage1"),
        kernel("clone"),
        unknown("rootfs", "systemd-nspawn"),
        kernel("pivot-root"),
        unknown("init", "systemd"),
        unknown("limits", "systemd"),
        unknown("confine", "rkt stage2"),
        kernel("exec"),
    ]])
}
