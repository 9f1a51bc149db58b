//! containerd and CRI-O under the Container Runtime Interface, and the kubelet above them.
//!
//! **Law.** A pod's sandbox comes first: namespaces that its containers share, held by a process that sleeps (`pause`), and its network,
//! which a CNI plugin makes. Then the image is fetched, the container is created in the sandbox and started. containerd starts
//! one shim for the pod, which mounts the layers; CRI-O starts a `conmon` for each container, and by default no pause process where the pod has its
//! process namespaces per container. The kubelet admits the pod, makes its groups and volumes, and asks by CRI; which node it
//! is, somebody else has decided before.
//! **Source.** Kubernetes `staging/src/k8s.io/cri-api` (`RunPodSandbox`, `PullImage`, `CreateContainer`, `StartContainer`),
//! `pkg/kubelet/kuberuntime/kuberuntime_manager.go` (`SyncPod`); containerd `internal/cri/server/sandbox_run.go`,
//! `container_create.go`; CRI-O `server/sandbox_run_linux.go`, `internal/oci/runtime_oci.go`, `drop_infra_ctr` of `crio.conf(5)`;
//! CNI specification, `ADD`.

use super::oci;
use crate::startup::chain::{Chain, Step, unknown};

const CONTAINERD: &[Step] = &[
    unknown("sandbox", "containerd"),
    unknown("network", "cni plugin"),
    unknown("shim", "containerd-shim"),
    unknown("pause", "containerd-shim"),
    Step::Pull,
    unknown("create", "containerd"),
    unknown("mount", "containerd-shim"),
    unknown("task", "containerd-shim"),
];

const CRIO: &[Step] = &[
    unknown("sandbox", "crio"),
    unknown("network", "cni plugin"),
    Step::Pull,
    unknown("create", "crio"),
    unknown("mount", "crio"),
    unknown("conmon", "crio"),
    unknown("call", "conmon"),
];

const KUBELET: &[Step] =
    &[unknown("admit", "kubelet"), unknown("pod-groups", "kubelet"), unknown("volumes", "kubelet")];

pub(super) fn containerd(runtime: Option<&str>) -> Chain {
    Chain::of(&[CONTAINERD, oci::runtime(runtime)])
}

/// CRI-O takes crun unless it is told otherwise (since 1.31).
pub(super) fn crio(runtime: Option<&str>) -> Chain {
    Chain::of(&[CRIO, oci::runtime(runtime.or(Some("crun")))])
}

/// The node's part: the kubelet on containerd.
pub(super) fn kubernetes(runtime: Option<&str>) -> Chain {
    Chain::of(&[KUBELET, CONTAINERD, oci::runtime(runtime)])
}
