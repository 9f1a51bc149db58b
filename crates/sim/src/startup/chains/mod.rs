//! The chains of the platforms, one file for each family.

mod cri;
mod docker;
mod guests;
mod gvisor;
mod lxc;
mod oci;
mod podman;
mod rkt;

use catamaran_scenario::Platform;
use catamaran_scenario::plan::PlatformSettings;

pub(super) use guests::EMULATED;
pub(crate) use oci::RUNTIMES;

use super::chain::Chain;

/// What starts the containers of a platform unless it is told otherwise; none where that is the runner itself.
pub(super) fn own_runtime(platform: Platform) -> Option<&'static str> {
    match platform {
        Platform::Runc | Platform::Docker | Platform::Containerd | Platform::Kubernetes => Some("runc"),
        Platform::Crun | Platform::Podman | Platform::CriO => Some("crun"),
        Platform::Youki => Some("youki"),
        Platform::Lxc => Some("lxc"),
        _ => None,
    }
}

/// How a tenant comes to its first own instruction on `platform`; none where the calibration alone knows the stages.
pub(super) fn chain(platform: Platform, settings: &PlatformSettings) -> Option<Chain> {
    let runtime = settings.runtime.as_deref();
    let rootless = settings.rootless == Some(true);
    Some(match platform {
        Platform::BareMetal
        | Platform::Chroot
        | Platform::Namespaces
        | Platform::Cgroups
        | Platform::Container => return None,
        Platform::Runc => Chain::of(&[oci::runtime(Some("runc"))]),
        Platform::Crun => Chain::of(&[oci::runtime(Some("crun"))]),
        Platform::Youki => Chain::of(&[oci::runtime(Some("youki"))]),
        Platform::Lxc => lxc::chain(),
        Platform::Docker => docker::chain(runtime, rootless),
        Platform::Podman => podman::chain(runtime, rootless),
        Platform::Rkt => rkt::chain(),
        Platform::Containerd => cri::containerd(runtime),
        Platform::CriO => cri::crio(runtime),
        Platform::Kubernetes => cri::kubernetes(runtime),
        Platform::Vm => guests::vm(),
        Platform::VmHosted => guests::hosted(),
        Platform::Microvm => guests::microvm(),
        Platform::Kata => guests::kata(),
        Platform::Gvisor => gvisor::chain(),
    })
}
