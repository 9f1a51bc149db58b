//! What each platform promises, as a table: what a tenant sees, and what it is let do. In a guest nearly everything is let, by
//! its own kernel: what counts is that nothing of it reaches the machine.
//!
//! **Source.** `namespaces(7)`, `chroot(2)`, `capabilities(7)`, `cgroups(7)`; for the container the defaults of the OCI
//! runtimes (`catamaran_worker::minimal`, `catamaran_worker::seccomp`); for engines what each lets its containers beyond these
//! (decision 1365).

use catamaran_report::report::Sees;
use catamaran_scenario::Platform;

use crate::engine;

/// What came of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The kernel let it.
    Permitted,
    /// Its own kernel let it, which is not the machine's: nothing outside is reached.
    Inside,
    /// The kernel refused.
    Refused,
    /// A bound of the tenant's own held.
    Limited,
    /// This kernel can do no such thing for anybody.
    Missing,
}

impl Verdict {
    /// The verdict of that name.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            "permitted" => Some(Self::Permitted),
            "refused" => Some(Self::Refused),
            "limited" => Some(Self::Limited),
            "missing" => Some(Self::Missing),
            _ => None,
        }
    }

    /// Whether `seen` is what was expected. What the kernel can do for nobody it neither permits nor refuses here.
    pub(super) fn is_met_by(self, seen: Self) -> bool {
        self == seen || (seen == Self::Missing && self != Self::Limited)
    }
}

/// What a tenant sees on a platform, by resource.
pub(super) fn views(platform: Platform) -> [(&'static str, Sees); 11] {
    let (namespaces, root) = match platform {
        Platform::Namespaces => (true, false),
        platform if is_contained(platform) => (true, true),
        Platform::Chroot => (false, true),
        Platform::Vm => return GUEST.map(|resource| (resource, Sees::Own)),
        _ => (false, false),
    };
    let own = if namespaces { Sees::Own } else { Sees::Host };
    let mount = match (namespaces, root) {
        (true, true) => Sees::Own,
        (false, false) => Sees::Host,
        _ => Sees::Some,
    };
    [
        ("pid", own),
        // Where process numbers are its own, it has a /proc of its own, too.
        ("process", own),
        ("mount", mount),
        ("host-name", own),
        // The administrator's containers have the machine's user numbers; rootless ones have their own.
        ("user", Sees::Host),
        ("network", own),
        ("ipc", own),
        ("cgroup", own),
        ("device", if root { Sees::Some } else { Sees::Host }),
        ("kernel", Sees::Host),
        ("time", Sees::Host),
    ]
}

/// Whether a tenant is in a container, whoever made it.
fn is_contained(platform: Platform) -> bool {
    let by_a_runtime = [Platform::Container, Platform::Runc, Platform::Crun, Platform::Youki];
    by_a_runtime.contains(&platform) || engine::is_used(platform)
}

/// What an engine lets its containers that our own does not let, each by what the engine gives them unless it is told otherwise.
fn let_by_engine(platform: Platform) -> &'static [&'static str] {
    match platform {
        // CAP_MKNOD is among the fourteen capabilities that both leave, and the group of devices lets every number be made, though
        // not opened.
        Platform::Docker | Platform::Containerd => &["make-device"],
        // Its filter lets `unshare` pass: podman is to work in podman.
        Platform::Podman => &["new-user-namespace"],
        // Root keeps all capabilities but four, and no filter is told: what is privileged is held back by the namespaces alone.
        Platform::Lxc => &["mount", "make-device", "new-user-namespace", "use-keyring"],
        _ => &[],
    }
}

/// Resources of which a guest has its own: all.
const GUEST: [&str; 11] =
    ["pid", "process", "mount", "host-name", "user", "network", "ipc", "cgroup", "device", "kernel", "time"];

/// What is expected of an attack, by what stands in its way.
struct Ways {
    attack: &'static str,
    /// Takes the machine's administrator.
    privileged: bool,
    chroot: Verdict,
    namespaces: Verdict,
    cgroups: Verdict,
    container: Verdict,
    guest: Verdict,
}

const fn ways(
    attack: &'static str,
    privileged: bool,
    [chroot, namespaces, cgroups, container, guest]: [Verdict; 5],
) -> Ways {
    Ways { attack, privileged, chroot, namespaces, cgroups, container, guest }
}

use Verdict::{Inside, Limited, Permitted, Refused};

/// On bare metal each is permitted (to whom may do it at all).
const WAYS: [Ways; 12] = [
    ways("signal-outside", false, [Permitted, Refused, Permitted, Refused, Refused]),
    ways("write-host-file", false, [Refused, Permitted, Permitted, Refused, Refused]),
    ways("leave-root", true, [Permitted, Permitted, Permitted, Refused, Refused]),
    ways("mount", true, [Permitted, Permitted, Permitted, Refused, Inside]),
    ways("make-device", true, [Permitted, Permitted, Permitted, Refused, Inside]),
    // In a chroot the kernel makes none, lest it be left (`current_chrooted` in kernel/user_namespace.c).
    ways("new-user-namespace", false, [Refused, Permitted, Permitted, Refused, Inside]),
    ways("use-keyring", false, [Permitted, Permitted, Permitted, Refused, Inside]),
    ways("ptrace-outside", true, [Permitted, Refused, Permitted, Refused, Refused]),
    ways("load-module", true, [Permitted, Permitted, Permitted, Refused, Inside]),
    // A guest's processes are numbers of its own kernel; to the machine it is one process with its threads.
    ways("exhaust-pids", false, [Permitted, Permitted, Limited, Limited, Inside]),
    ways("exhaust-memory", false, [Permitted, Permitted, Limited, Limited, Limited]),
    ways("exhaust-cpu", false, [Permitted, Permitted, Limited, Limited, Limited]),
];

/// What is expected of each attack on a platform, for the user that we are.
pub(super) fn attacks(platform: Platform) -> Vec<(&'static str, Verdict)> {
    let is_root = rustix::process::geteuid().is_root();
    let expected = |ways: &Ways| {
        let verdict = match platform {
            Platform::Chroot => ways.chroot,
            Platform::Namespaces => ways.namespaces,
            Platform::Cgroups => ways.cgroups,
            platform if let_by_engine(platform).contains(&ways.attack) => Permitted,
            platform if is_contained(platform) => ways.container,
            Platform::Vm => ways.guest,
            _ => Permitted,
        };
        // In a guest everyone is its administrator.
        if ways.privileged && !is_root && platform != Platform::Vm { Refused } else { verdict }
    };
    WAYS.iter().map(|ways| (ways.attack, expected(ways))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_permitted_from_a_container() {
        for platform in [Platform::Container, Platform::Vm] {
            for (attack, verdict) in attacks(platform) {
                assert_ne!(verdict, Permitted, "{attack} on {platform}");
            }
        }
    }

    #[test]
    fn a_container_by_an_engine_is_one_that_lets_more() {
        let container = attacks(Platform::Container);
        for platform in [Platform::Podman, Platform::Containerd, Platform::Docker, Platform::Lxc] {
            assert_eq!(views(platform), views(Platform::Container), "{platform}");
            let let_too = let_by_engine(platform);
            assert!(
                !let_too.is_empty()
                    && let_too.iter().all(|name| WAYS.iter().any(|ways| ways.attack == *name))
            );
            for (of_engine, of_ours) in attacks(platform).into_iter().zip(&container) {
                let lets = let_too.contains(&of_engine.0);
                assert!(
                    if lets { of_engine.1 == Permitted } else { of_engine == *of_ours },
                    "{platform}: {of_engine:?}"
                );
            }
        }
    }

    #[test]
    fn only_what_is_expected_meets_an_expectation() {
        let table = [
            (Refused, Refused, true),
            (Refused, Permitted, false),
            (Permitted, Verdict::Missing, true),
            (Limited, Verdict::Missing, false),
            (Limited, Permitted, false),
            (Refused, Inside, false),
            (Inside, Permitted, false),
        ];
        for (expected, seen, met) in table {
            assert_eq!(expected.is_met_by(seen), met, "{expected:?} {seen:?}");
        }
        assert_eq!(Verdict::from_word("limited"), Some(Limited));
        assert_eq!(Verdict::from_word("loaded"), None);
    }
}
