//! Guests: under a hypervisor of type 1 and type 2, a minimal monitor, and a container in a guest.
//!
//! **Law.** The monitor lays out memory and devices; firmware finds the kernel (a minimal monitor jumps to it at once); the kernel starts
//! its drivers and then its first process. Of type 1 the hypervisor is beneath all; of type 2 it is a program of a
//! desktop's or server's operating system with a driver of its own, and its firmware goes through a machine's full self-test
//! and boot loader. Kata puts a guest under a container: the shim starts a monitor, whose guest has an agent as its first process,
//! which makes the container inside; the layers reach it through virtio-fs.
//! **Source.** FC-BS-07 (QEMU with qboot under KVM, a minimal kernel, 1 vCPU, 256 MiB), FC-S3 and FC-BS-02 (Firecracker); how
//! firmware, kernel and init share FC-BS-07 was not published. Kata `docs/design/architecture/README.md`,
//! `src/runtime-rs`, `src/agent`; its monitor is QEMU by default. For type 2 no figure was found.

use crate::platform::figures::{FC_BS_02, FC_BS_07, FC_S3};
use crate::startup::chain::{Chain, Step, published, unknown};

/// Typical of the times to the socket that FC-S3 gives.
const TYPICAL: usize = 3;

pub(super) fn vm() -> Chain {
    Chain::of(&[&[published("boot", "hypervisor", FC_BS_07, 0)]])
}

pub(super) fn hosted() -> Chain {
    Chain::of(&[&[
        unknown("vmm", "hypervisor"),
        unknown("driver", "kernel"),
        unknown("firmware", "firmware"),
        unknown("boot-loader", "boot loader"),
        unknown("kernel", "guest kernel"),
        unknown("init", "guest init"),
        unknown("exec", "guest kernel"),
    ]])
}

pub(super) fn microvm() -> Chain {
    Chain::of(&[&[
        published("vmm", "monitor", FC_S3, TYPICAL),
        published("boot", "guest kernel", FC_BS_02, 0),
    ]])
}

pub(super) fn kata() -> Chain {
    Chain::of(&[&[
        unknown("request", "containerd"),
        Step::Pull,
        unknown("shim", "containerd-shim-kata"),
        unknown("network", "cni plugin"),
        published("boot", "hypervisor", FC_BS_07, 0),
        unknown("agent", "kata-agent"),
        unknown("share", "virtiofsd"),
        unknown("create", "kata-agent"),
        unknown("exec", "guest kernel"),
    ]])
}

/// A guest that is emulated, which nobody publishes: the stages by which a native start goes.
pub(crate) const EMULATED: &[Step] = &[
    unknown("vmm", "hypervisor"),
    unknown("firmware", "guest"),
    unknown("kernel", "guest"),
    unknown("init", "guest"),
    unknown("exec", "guest"),
];
