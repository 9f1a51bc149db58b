//! What a tenant sees of the machine on each platform.
//!
//! **Law.** A namespace makes its resource the tenant's own. Mount points and devices are looked up below the root: without
//! a root of its own a tenant in a mount namespace still sees the host's files, and without a mount namespace a tenant
//! with its own root still sits in the host's table. Nothing short of a guest hides the kernel. Which processes can be listed
//! is another question than whose numbers they have (`visibility.rs`).
//! **Source.** `namespaces(7)`, `mount_namespaces(7)`, `chroot(2)`.
//! **Judge.** `catamaran probe`, and the native report's rows (`tests/tests/conformance.rs`).

use catamaran_report::report::Sees;
use catamaran_scenario::Platform;
use catamaran_scenario::plan::{Namespace, PlatformSettings};

use super::visibility::Surroundings;

/// What a tenant sees, by resource.
pub(crate) fn sees(platform: Platform, settings: &PlatformSettings) -> [(&'static str, Sees); 11] {
    let around = Surroundings::of(platform, settings);
    let own = |of_its_own| if of_its_own { Sees::Own } else { Sees::Host };
    let has = |kind| own(around.has(kind));
    let mount = match (around.has(Namespace::Mount), around.root || around.guest) {
        (both, root) if both == root => own(root),
        _ => Sees::Some,
    };
    [
        ("pid", has(Namespace::Pid)),
        ("process", own(around.has_proc())),
        ("host-name", has(Namespace::Uts)),
        ("user", has(Namespace::User)),
        ("network", has(Namespace::Net)),
        ("ipc", has(Namespace::Ipc)),
        ("cgroup", has(Namespace::Cgroup)),
        // The kernel has namespaces of time, and no runtime makes them.
        ("time", own(around.guest)),
        ("mount", mount),
        ("device", if around.root { Sees::Some } else { own(around.guest) }),
        ("kernel", own(around.guest)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_hides_what_its_mechanisms_hide() {
        // pid, mount, user, device
        let table = [
            (Platform::BareMetal, false, [Sees::Host; 4]),
            (Platform::Cgroups, false, [Sees::Host; 4]),
            (Platform::Chroot, false, [Sees::Host, Sees::Some, Sees::Host, Sees::Some]),
            (Platform::Namespaces, false, [Sees::Own, Sees::Some, Sees::Host, Sees::Host]),
            (Platform::Container, false, [Sees::Own, Sees::Own, Sees::Host, Sees::Some]),
            (Platform::Vm, false, [Sees::Own; 4]),
            (Platform::Container, true, [Sees::Own, Sees::Own, Sees::Own, Sees::Some]),
            (Platform::Docker, false, [Sees::Own, Sees::Own, Sees::Host, Sees::Some]),
            (Platform::Podman, true, [Sees::Own, Sees::Own, Sees::Own, Sees::Some]),
            (Platform::Gvisor, false, [Sees::Own; 4]),
            (Platform::Kata, false, [Sees::Own; 4]),
        ];
        for (platform, rootless, expected) in table {
            let mut settings = PlatformSettings::default();
            settings.rootless = Some(rootless);
            let rows = sees(platform, &settings);
            let of = |resource| rows.iter().find(|(name, _)| *name == resource).map(|(_, sees)| *sees);
            let seen = ["pid", "mount", "user", "device"].map(of);
            assert_eq!(seen, expected.map(Some), "{platform}, rootless: {rootless}");
        }
    }
}
