//! Processes of a node: containerd and CRI-O, the kubelet above them, gVisor and Kata below.

use catamaran_report::process::{INIT, PROGRAM, RunsAs};

use super::{Row, program, runtime};

const ROOT: RunsAs = RunsAs::Root;

/// **Source.** As for Docker's containerd, and the chain (`chains/cri.rs`); CNI specification, section 2 (whoever runs the
/// containers executes the plugin). What ends with `pause` depends on who manages the pod.
pub(super) fn containerd(oci: &str) -> Vec<Row> {
    let mut rows = vec![
        Row::daemon("containerd", ROOT).kills(&[]).stops(&[]),
        Row::start("cni plugin", "containerd", ROOT),
        Row::beside("containerd-shim", INIT, ROOT).kills(&["pause", PROGRAM]),
        Row::beside("pause", "containerd-shim", ROOT),
    ];
    rows.extend(runtime(oci, "containerd-shim", ROOT));
    rows.push(program("containerd-shim", ROOT));
    rows
}

/// **Source.** CRI-O `internal/oci/runtime_oci.go` (each container's `conmon` is a process of its own, so that CRI-O can be
/// restarted). What CRI-O does about a `conmon` that is gone has changed between its versions.
pub(super) fn crio(oci: &str) -> Vec<Row> {
    let mut rows = vec![
        Row::daemon("crio", ROOT).kills(&[]),
        Row::start("cni plugin", "crio", ROOT),
        Row::beside("conmon", INIT, ROOT),
    ];
    rows.extend(runtime(oci, "conmon", ROOT));
    rows.push(program("conmon", ROOT));
    rows
}

/// **Source.** The kubelet is a client of the runtime by CRI and nobody's parent; Kubernetes docs, "Container runtimes".
pub(super) fn kubernetes(oci: &str) -> Vec<Row> {
    let mut rows = vec![Row::daemon("kubelet", ROOT).kills(&[]).stops(&[])];
    rows.extend(containerd(oci));
    rows
}

/// **Source.** As for its chain: the Sentry is the program's kernel.
pub(super) fn gvisor() -> Vec<Row> {
    vec![
        Row::daemon("containerd", ROOT).kills(&[]).stops(&[]),
        Row::beside("containerd-shim-runsc", INIT, ROOT),
        Row::start("runsc", "containerd-shim-runsc", ROOT),
        Row::beside("gofer", "containerd-shim-runsc", ROOT),
        Row::beside("sentry", "containerd-shim-runsc", ROOT).kills(&[PROGRAM]),
        program("sentry", ROOT),
    ]
}

/// **Source.** As for its chain: the monitor is the machine of the program.
pub(super) fn kata() -> Vec<Row> {
    vec![
        Row::daemon("containerd", ROOT).kills(&[]).stops(&[]),
        Row::start("cni plugin", "containerd-shim-kata", ROOT),
        Row::beside("containerd-shim-kata", INIT, ROOT),
        Row::beside("virtiofsd", "containerd-shim-kata", ROOT),
        Row::beside("hypervisor", "containerd-shim-kata", ROOT).kills(&["kata-agent", PROGRAM]),
        Row::beside("kata-agent", "hypervisor", ROOT).kills(&[PROGRAM]),
        program("kata-agent", ROOT),
    ]
}
