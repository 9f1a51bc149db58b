//! Blast radius: how far a fault reaches through the layers that tenants share.
//!
//! **Law.** A fault of a layer reaches all who share it. A process is nobody else's. A user is shared where one tenant can name
//! another's processes or files: not with process numbers *and* a root of one's own. The kernel is everybody's but a
//! guest's; gVisor's Sentry is a kernel of the tenant's own. A hypervisor, and a daemon that runs as root, are the
//! machine's; a daemon in a user namespace is its user's, whose containers it holds.
//! **Source.** `kill(2)`, `ptrace(2)`, `pid_namespaces(7)`, `user_namespaces(7)`; Docker "Docker daemon attack surface" (who
//! speaks to the daemon is root), "Rootless mode"; gvisor.dev "Security model".
//! **Judge.** `each_layer_reaches_those_who_share_it`, a table of cases.

use catamaran_scenario::Platform;
use catamaran_scenario::plan::{Namespace, PlatformSettings};

use super::has_guests;
use super::residents::{Per, residents};
use super::visibility::Surroundings;

/// A layer that something goes wrong in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The tenant's program crashes.
    Process,
    /// The tenant's program is taken over.
    User,
    /// A hole of the kernel that the tenant runs on is used.
    Kernel,
    /// A hole of the hypervisor is used, from inside of a guest.
    Hypervisor,
    /// The platform's daemon is taken over.
    Daemon,
}

impl Layer {
    /// Every layer, from the tenant outwards.
    pub const ALL: [Self; 5] = [Self::Process, Self::User, Self::Kernel, Self::Hypervisor, Self::Daemon];
}

/// Who is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The platform has no such layer.
    Nobody,
    /// The tenant itself.
    Itself,
    /// All tenants of that user.
    Tenants,
    /// The machine with everything on it.
    Machine,
}

/// Who is hit when something goes wrong in a layer.
pub(crate) fn radius(platform: Platform, settings: &PlatformSettings, layer: Layer) -> Reach {
    let around = Surroundings::of(platform, settings);
    let or = |shared: bool, far: Reach, near: Reach| if shared { far } else { near };
    match layer {
        Layer::Process => Reach::Itself,
        Layer::User => {
            let apart = around.guest || (around.has(Namespace::Pid) && around.root);
            or(apart, Reach::Itself, Reach::Tenants)
        }
        Layer::Kernel => or(around.guest, Reach::Itself, Reach::Machine),
        Layer::Hypervisor => or(has_guests(platform), Reach::Machine, Reach::Nobody),
        Layer::Daemon => {
            let has_daemon = residents(platform).iter().any(|(_, per)| *per == Per::Machine);
            let far = or(settings.rootless == Some(true), Reach::Tenants, Reach::Machine);
            or(has_daemon, far, Reach::Nobody)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_reaches_those_who_share_it() {
        use Reach::{Itself, Machine, Nobody, Tenants};
        // Rootless; user, kernel, hypervisor, daemon.
        let table = [
            (Platform::BareMetal, false, [Tenants, Machine, Nobody, Nobody]),
            (Platform::Chroot, false, [Tenants, Machine, Nobody, Nobody]),
            (Platform::Namespaces, false, [Tenants, Machine, Nobody, Nobody]),
            (Platform::Cgroups, false, [Tenants, Machine, Nobody, Nobody]),
            (Platform::Container, false, [Itself, Machine, Nobody, Nobody]),
            (Platform::Runc, false, [Itself, Machine, Nobody, Nobody]),
            (Platform::Crun, false, [Itself, Machine, Nobody, Nobody]),
            (Platform::Youki, false, [Itself, Machine, Nobody, Nobody]),
            (Platform::Lxc, false, [Itself, Machine, Nobody, Nobody]),
            (Platform::Docker, false, [Itself, Machine, Nobody, Machine]),
            (Platform::Docker, true, [Itself, Machine, Nobody, Tenants]),
            (Platform::Podman, false, [Itself, Machine, Nobody, Nobody]),
            (Platform::Podman, true, [Itself, Machine, Nobody, Nobody]),
            (Platform::Rkt, false, [Itself, Machine, Nobody, Nobody]),
            (Platform::Containerd, false, [Itself, Machine, Nobody, Machine]),
            (Platform::CriO, false, [Itself, Machine, Nobody, Machine]),
            (Platform::Kubernetes, false, [Itself, Machine, Nobody, Machine]),
            (Platform::Vm, false, [Itself, Itself, Machine, Nobody]),
            (Platform::VmHosted, false, [Itself, Itself, Machine, Nobody]),
            (Platform::Microvm, false, [Itself, Itself, Machine, Nobody]),
            (Platform::Gvisor, false, [Itself, Itself, Nobody, Machine]),
            (Platform::Kata, false, [Itself, Itself, Machine, Machine]),
        ];
        for (platform, rootless, expected) in table {
            let mut settings = PlatformSettings::default();
            settings.rootless = Some(rootless);
            let found = Layer::ALL.map(|layer| radius(platform, &settings, layer));
            assert_eq!(found[0], Itself, "{platform}");
            assert_eq!(found[1..], expected, "{platform}, rootless: {rootless}");
        }
        let listed: std::collections::BTreeSet<Platform> =
            table.iter().map(|(platform, ..)| *platform).collect();
        assert!(Platform::ALL.iter().all(|platform| listed.contains(platform)));
    }
}
