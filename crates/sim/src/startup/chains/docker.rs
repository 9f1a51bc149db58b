//! Docker: a client, two daemons, a shim for each container, and an OCI runtime.
//!
//! **Law.** `docker run` asks `dockerd` over its socket; where the image is not there `dockerd` fetches it. It mounts the layers with
//! a writable one on top (overlay2), lets libnetwork make a veth pair on the bridge `docker0` with rules of translation, and
//! asks `containerd` for a task. That starts a shim, which stays with the container; the shim calls the runtime, which ends
//! when the container runs. Rootless, `dockerd` itself sits in a user namespace that `rootlesskit` made, with a network
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
    unknown("network", "dockerd"),
    unknown("task", "containerd"),
    unknown("shim", "containerd"),
];

const ROOTLESS: &[Step] = &[
    unknown("request", "docker"),
    Step::Pull,
    unknown("create", "dockerd in rootlesskit"),
    unknown("mount", "dockerd in rootlesskit"),
    unknown("network", "rootlesskit"),
    unknown("task", "containerd"),
    unknown("shim", "containerd"),
];

pub(super) fn chain(runtime: Option<&str>, rootless: bool) -> Chain {
    let chain = Chain::of(&[if rootless { ROOTLESS } else { DAEMONS }, oci::runtime(runtime)]);
    if rootless || runtime.is_some_and(|name| name != "runc") { chain } else { chain.taking(LVM_07, 0) }
}
