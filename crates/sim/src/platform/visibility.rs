//! What a tenant sees of single things of the machine, and which of its processes it can reach.
//!
//! **Law.** A process is *listed* where `/proc` shows it, and a `/proc` shows the numbers of the process namespace in which
//! it was mounted. A process can be *signalled* by whoever has a number for it, which is whoever sits in its process
//! namespace or in one further out. The two are apart: a tenant with process numbers of its own and the machine's `/proc`
//! lists all and reaches none; one with a root of its own and a `/proc` in it lists all and reaches all. The first process
//! of a process namespace is number 1 in it. A new network namespace has a loopback interface and no other. A user
//! namespace in which one user is mapped knows nobody else.
//!
//! **Source.** `pid_namespaces(7)` ("/proc and PID namespaces"; a process is visible to its own namespace and to those
//! further out), `kill(2)`, `network_namespaces(7)`, `user_namespaces(7)`, `uts_namespaces(7)`, `chroot(2)`.
//! **Judge.** `catamaran probe` and the native report's rows (`every_subset_of_namespaces_hides_the_same_in_both`).

use catamaran_report::timeline::View;
use catamaran_scenario::plan::{Namespace, PlatformSettings};
use catamaran_scenario::{Plan, Platform};

use super::{has_guests, is_container};

/// Number of the first process of a process namespace; on the machine that is its init.
const FIRST: u32 = 1;

/// What surrounds each tenant of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surroundings {
    namespaces: Vec<Namespace>,
    /// A root directory of its own.
    pub(crate) root: bool,
    /// A machine of its own.
    pub(crate) guest: bool,
}

impl Surroundings {
    pub(crate) fn of(platform: Platform, settings: &PlatformSettings) -> Self {
        let mut namespaces = match platform {
            Platform::Namespaces => settings.unshared(),
            _ if is_container(platform) => PlatformSettings::default().unshared(),
            _ => Vec::new(),
        };
        if platform == Platform::Rkt {
            // Older than namespaces of control groups (Linux 4.6), and never taught them.
            namespaces.retain(|kind| *kind != Namespace::Cgroup);
        }
        if is_container(platform) && settings.rootless == Some(true) {
            namespaces.push(Namespace::User);
        }
        // gVisor's Sentry is the only kernel that a tenant meets.
        let guest = has_guests(platform) || platform == Platform::Gvisor;
        Self { namespaces, root: platform == Platform::Chroot || is_container(platform), guest }
    }

    /// Whether this kind of namespace is the tenant's own.
    pub(crate) fn has(&self, kind: Namespace) -> bool {
        self.guest || self.namespaces.contains(&kind)
    }

    /// Whether its `/proc` lists its own processes only. It is mounted anew in its own root, or over the machine's where that
    /// does not change the machine's.
    pub(crate) fn has_proc(&self) -> bool {
        self.has(Namespace::Pid) && (self.has(Namespace::Mount) || self.root)
    }
}

/// Each thing as each tenant sees it; `born_ns` are the instants at which they start.
pub(crate) fn views(plan: &Plan, platform: Platform, born_ns: &[u64]) -> Vec<View> {
    let around = Surroundings::of(platform, &plan.settings(platform));
    let names: Vec<String> = plan
        .instances()
        .map(|(index, replica)| {
            let name = plan.tenants().get(index).map_or("", |tenant| tenant.name.as_str());
            if replica == 0 { name.to_owned() } else { format!("{name}/{replica}") }
        })
        .collect();
    let mut views = Vec::new();
    for (tenant, own_name) in (0_u32..).zip(&names) {
        views.push(process(&around, tenant, "init", Some(FIRST), 0, false));
        for (name, born) in names.iter().zip(born_ns) {
            let itself = name == own_name;
            let number = (itself && around.has(Namespace::Pid)).then_some(FIRST);
            views.push(process(&around, tenant, name, number, *born, itself));
        }
        views.extend(things(&around, tenant, own_name));
        views.extend(files(&around, tenant));
    }
    views
}

/// A process of the machine (its `init`, or a tenant's) as a tenant sees it.
fn process(
    around: &Surroundings,
    tenant: u32,
    name: &str,
    number: Option<u32>,
    born_ns: u64,
    itself: bool,
) -> View {
    let reach = itself || !around.has(Namespace::Pid);
    let seen = itself || !around.has_proc();
    View {
        tenant,
        resource: "process".to_owned(),
        thing: name.to_owned(),
        own: itself,
        seen,
        name: number.filter(|_| seen || reach).map(|number| number.to_string()),
        reach: Some(reach),
        born_ns,
    }
}

fn view(tenant: u32, resource: &str, thing: &str, own: bool, seen: bool) -> View {
    let (resource, thing) = (resource.to_owned(), thing.to_owned());
    View { tenant, resource, thing, own, seen, name: None, reach: None, born_ns: 0 }
}

/// What is either the machine's or the tenant's own: the table of mounts, the host name, the interfaces, the users, what processes share.
fn things(around: &Surroundings, tenant: u32, name: &str) -> Vec<View> {
    let kinds = [
        (Namespace::Mount, "mount"),
        (Namespace::Uts, "host-name"),
        (Namespace::Net, "network"),
        (Namespace::User, "user"),
        (Namespace::Ipc, "ipc"),
        (Namespace::Cgroup, "cgroup"),
    ];
    let mut views = Vec::new();
    for (kind, resource) in kinds {
        let own = around.has(kind);
        views.push(view(tenant, resource, "", false, !own));
        if own {
            let thing = match kind {
                Namespace::Uts => name,
                Namespace::Net => "lo",
                Namespace::User => "root",
                _ => "",
            };
            views.push(view(tenant, resource, thing, true, true));
        }
    }
    views
}

/// Folders of a machine (Filesystem Hierarchy Standard 3.0, chapter 3).
const MACHINE: [&str; 8] = ["bin", "dev", "etc", "home", "proc", "root", "usr", "var"];
/// The minimal root of `chroot` and `container`.
const OWN: [&str; 5] = ["dev", "proc", "sys", "tmp", "worker"];

fn files(around: &Surroundings, tenant: u32) -> Vec<View> {
    let shut_in = around.root || around.guest;
    let machine = MACHINE.iter().map(|name| view(tenant, "file", name, false, !shut_in));
    let own = OWN.iter().filter(|_| shut_in).map(|name| view(tenant, "file", name, true, true));
    machine.chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(unshare: &str) -> Plan {
        let text = format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"see\"\nduration = \"1s\"\nplatforms = [\"namespaces\"]\n\
             [platform.namespaces]\nunshare = {unshare}\n\
             [[tenant]]\nname = \"red\"\nworkload = {{ kind = \"idle\" }}\n\
             [[tenant]]\nname = \"blue\"\nworkload = {{ kind = \"idle\" }}\n"
        );
        Plan::from_toml(&text, "see.toml").unwrap()
    }

    /// Of the processes init, red and blue, as red sees them: listed, reached, number.
    fn processes(platform: Platform, unshare: &str) -> Vec<(bool, bool, Option<String>)> {
        let views = views(&plan(unshare), platform, &[0, 0]);
        let processes = views.into_iter().filter(|view| view.tenant == 0 && view.resource == "process");
        processes.map(|view| (view.seen, view.reach == Some(true), view.name)).collect()
    }

    #[test]
    fn to_list_a_process_and_to_reach_it_are_two_things() {
        let one = || Some("1".to_owned());
        let all = vec![(true, true, one()), (true, true, None), (true, true, None)];
        let lists = vec![(true, false, one()), (true, true, one()), (true, false, None)];
        let alone = vec![(false, false, None), (true, true, one()), (false, false, None)];
        let table = [
            (Platform::BareMetal, "[]", &all),
            (Platform::Chroot, "[]", &all),
            (Platform::Namespaces, "[]", &all),
            (Platform::Namespaces, "[\"mount\", \"uts\", \"user\"]", &all),
            (Platform::Namespaces, "[\"pid\"]", &lists),
            (Platform::Namespaces, "[\"pid\", \"mount\"]", &alone),
            (Platform::Container, "[]", &alone),
        ];
        for (platform, unshare, expected) in table {
            assert_eq!(&processes(platform, unshare), expected, "{platform} {unshare}");
        }
    }

    #[test]
    fn a_thing_is_seen_on_one_side_only() {
        for unshare in ["[]", "[\"uts\"]", "[\"net\", \"user\", \"uts\", \"ipc\", \"cgroup\"]"] {
            let views = views(&plan(unshare), Platform::Namespaces, &[0, 0]);
            for resource in ["mount", "host-name", "network", "user", "ipc", "cgroup"] {
                let of = |view: &&View| view.tenant == 1 && view.resource == resource && view.seen;
                assert_eq!(views.iter().filter(of).count(), 1, "{resource} with {unshare}");
            }
        }
    }

    #[test]
    fn another_root_hides_files_and_nothing_else() {
        let hidden = |platform| {
            let views = views(&plan("[]"), platform, &[0, 0]);
            let hidden = views.into_iter().filter(|view| !view.seen).map(|view| view.resource);
            hidden.collect::<std::collections::BTreeSet<_>>()
        };
        assert!(hidden(Platform::BareMetal).is_empty());
        assert_eq!(hidden(Platform::Chroot), ["file".to_owned()].into());
    }
}
