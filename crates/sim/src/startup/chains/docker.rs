//! Docker: a client, two daemons, a shim for each container, and an OCI runtime.
//!
//! **Law.** `docker run` asks `dockerd` over its socket; where the image is not there `dockerd` fetches it. It mounts the layers with
//! a writable one on top (overlay2) and asks `containerd` for a task. That starts a shim, which stays with the container; the
//! shim calls the runtime, which ends when the container runs. Once that has made the root, it calls a hook (`libnetwork-setkey`),
//! through which `dockerd` lets libnetwork put a veth pair of the bridge `docker0` into the namespace, with rules of translation.
//! Rootless, `dockerd` itself sits in a user namespace that `rootlesskit` made, with a network
//! of user space (slirp4netns, pasta).
//! **Source.** moby `daemon/create.go`, `daemon/start.go`, `libnetwork/drivers/bridge`; containerd `core/runtime/v2/shim.go`,
//! `cmd/containerd-shim-runc-v2`; the whole: LVM-07 (Docker 1.13, as root, image at hand, runc). Rootless, or with another runtime,
//! nobody measured it.

use super::oci;
use crate::platform::figures::LVM_07;
use crate::startup::chain::{Chain, Step, unknown};

const DAEMONS: &[Step] = &[
    unknown("request", "docker"),
    Step::Pull,
    unknown("create", "dockerd"),
    unknown("mount", "dockerd"),
    unknown("task", "containerd"),
    unknown("shim", "containerd-shim"),
];

const ROOTLESS: &[Step] = &[
    unknown("request", "docker"),
    Step::Pull,
    unknown("create", "dockerd in rootlesskit"),
    unknown("mount", "dockerd in rootlesskit"),
    unknown("task", "containerd"),
    unknown("shim", "containerd-shim"),
];

pub(super) fn chain(runtime: Option<&str>, rootless: bool) -> Chain {
    let (daemons, network) = if rootless { (ROOTLESS, "rootlesskit") } else { (DAEMONS, "dockerd") };
    let (before, after) = oci::around_hooks(runtime);
    let chain = Chain::of(&[daemons, before, &[unknown("network", network)], after]);
    if rootless || runtime.is_some_and(|name| name != "runc") { chain } else { chain.taking(LVM_07, 0) }
}
