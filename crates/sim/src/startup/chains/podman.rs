//! Podman: the same without a daemon: the client does the work itself, and `conmon` stays with the container.
//!
//! **Law.** `podman run` fetches the image where it is not there, mounts its layers, makes the network (netavark on a bridge), and
//! starts `conmon`, which calls the OCI runtime (crun by default), holds the container's terminal and waits for its end.
//! Rootless, it first enters a user namespace whose users `newuidmap` and `newgidmap` map, mounts layers there (overlay, or
//! fuse-overlayfs on kernels before 5.11), and has the network done in user space (pasta, before 5.0 slirp4netns).
//! **Source.** podman `libpod/container_internal.go` (`init`, `start`), `libpod/oci_conmon_common.go`, `pkg/rootless`;
//! containers/conmon; `podman(1)`.

use super::oci;
use crate::startup::chain::{Chain, Step, unknown};

const ROOTFUL: &[Step] = &[
    unknown("request", "podman"),
    Step::Pull,
    unknown("create", "podman"),
    unknown("mount", "podman"),
    unknown("network", "netavark"),
    unknown("conmon", "podman"),
    unknown("call", "conmon"),
];

const ROOTLESS: &[Step] = &[
    unknown("request", "podman"),
    unknown("user-namespace", "newuidmap"),
    Step::Pull,
    unknown("create", "podman"),
    unknown("mount", "podman"),
    unknown("network", "pasta"),
    unknown("conmon", "podman"),
    unknown("call", "conmon"),
];

pub(super) fn chain(runtime: Option<&str>, rootless: bool) -> Chain {
    Chain::of(&[if rootless { ROOTLESS } else { ROOTFUL }, oci::runtime(runtime.or(Some("crun")))])
}
