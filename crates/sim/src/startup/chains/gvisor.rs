//! gVisor: a kernel in user space between the program and the machine's own.
//!
//! **Law.** `containerd` starts a shim, the shim calls `runsc`. That starts two processes in namespaces of their own: the gofer, which
//! opens files on behalf of the sandbox, and the Sentry, which has the whole system call interface, its own tables of
//! processes, memory and (netstack) network. The Sentry boots, builds the container's mounts over the gofer, and loads the
//! program itself: no `execve` of the machine's kernel ever starts it.
//! **Source.** gVisor `runsc/sandbox/sandbox.go` (`New`, `createGoferProcess`, `createSandboxProcess`), `runsc/boot/loader.go`,
//! `pkg/sentry/loader`; gvisor.dev, "Architecture guide".

use crate::startup::chain::{Chain, Step, unknown};

pub(super) fn chain() -> Chain {
    Chain::of(&[&[
        unknown("request", "containerd"),
        Step::Pull,
        unknown("shim", "containerd-shim-runsc"),
        unknown("config", "runsc"),
        unknown("limits", "runsc"),
        unknown("gofer", "runsc"),
        unknown("sentry", "runsc"),
        unknown("network", "sentry"),
        unknown("rootfs", "gofer"),
        unknown("load", "sentry"),
    ]])
}
