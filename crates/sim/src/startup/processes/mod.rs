//! The processes of a start: whose child each is, how long it is there, as whom it runs, and who ends with it.
//!
//! **Law.** Who ends with a process is decided by the kernel in two ways: a process that has asked for it is killed when its parent
//! dies (`PR_SET_PDEATHSIG`), and with the first process of a process namespace all others in it are killed. A process whose
//! parent is gone goes on: the nearest subreaper, or the machine's first process, takes it over. All else is what an engine
//! does when it notices: containerd deletes the task of a shim that is gone, and kills what is left of it; dockerd stops its
//! containers when it is stopped as a service, and not when it is killed.
//! **Source.** `prctl(2)` (`PR_SET_PDEATHSIG`, `PR_SET_CHILD_SUBREAPER`), `pid_namespaces(7)`; each table names its own.
//! **Judge.** `everyone_has_a_parent_and_whoever_acts_is_there`, `who_stays_is_who_is_resident`.

mod engines;
mod pods;

use catamaran_report::ProcessRow;
use catamaran_report::process::{INIT, PROGRAM, RunsAs, SHELL, Stays};
use catamaran_scenario::Platform;
use catamaran_scenario::plan::PlatformSettings;

/// A row that is being put together.
#[derive(Debug, Clone)]
struct Row(ProcessRow);

impl Row {
    fn new(name: &str, parent: &str, stays: Stays, user: RunsAs) -> Self {
        let (name, parent) = (name.to_owned(), parent.to_owned());
        Self(ProcessRow { name, parent, stays, user, becomes: None, killed_with: None, stopped_with: None })
    }

    /// Until the container has started.
    fn start(name: &str, parent: &str, user: RunsAs) -> Self {
        Self::new(name, parent, Stays::Start, user)
    }

    /// A daemon.
    fn daemon(name: &str, user: RunsAs) -> Self {
        Self::new(name, INIT, Stays::Machine, user)
    }

    /// As long as the container.
    fn beside(name: &str, parent: &str, user: RunsAs) -> Self {
        Self::new(name, parent, Stays::Container, user)
    }

    fn becomes(mut self, name: &str) -> Self {
        self.0.becomes = Some(name.to_owned());
        self
    }

    /// Who else ends when it is killed.
    fn kills(mut self, names: &[&str]) -> Self {
        self.0.killed_with = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Who else ends when it is stopped as a service.
    fn stops(mut self, names: &[&str]) -> Self {
        self.0.stopped_with = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }
}

/// The tenant's program, below `parent`.
fn program(parent: &str, user: RunsAs) -> Row {
    Row::beside(PROGRAM, parent, user).kills(&[])
}

/// An OCI runtime that `caller` calls.
///
/// **Source.** As for its chain (`chains/oci.rs`). What it starts in the new namespaces becomes the program by `execve`.
fn runtime(name: &str, caller: &str, user: RunsAs) -> Vec<Row> {
    let start = |name: &str, parent: &str| Row::start(name, parent, user);
    match name {
        "crun" => vec![start("crun", caller)],
        "youki" => vec![
            start("youki", caller),
            start("youki intermediate", "youki"),
            // Made by the intermediate process, as a child of its own parent (`CLONE_PARENT`).
            start("youki init", "youki").becomes(PROGRAM),
        ],
        _ => vec![start("runc", caller), start("runc init", "runc").becomes(PROGRAM)],
    }
}

/// Everybody on a platform; empty where nobody but the tenant's program is known.
pub(crate) fn processes(platform: Platform, settings: &PlatformSettings) -> Vec<ProcessRow> {
    let user = if settings.rootless == Some(true) { RunsAs::User } else { RunsAs::Root };
    let named = |default: &str| settings.runtime.clone().unwrap_or_else(|| default.to_owned());
    let alone = |name: &str| {
        let mut rows = runtime(name, SHELL, user);
        rows.push(program(INIT, user));
        rows
    };
    let rows = match platform {
        Platform::Container => vec![Row::start("runtime", SHELL, user), program(SHELL, user)],
        Platform::Runc => alone("runc"),
        Platform::Crun => alone("crun"),
        Platform::Youki => alone("youki"),
        Platform::Lxc => engines::lxc(user),
        Platform::Docker if user == RunsAs::User => engines::docker_rootless(&named("runc")),
        Platform::Docker => engines::docker(&named("runc")),
        Platform::Podman => engines::podman(&named("crun"), user),
        Platform::Rkt => engines::rkt(),
        Platform::Containerd => pods::containerd(&named("runc")),
        Platform::CriO => pods::crio(&named("crun")),
        Platform::Kubernetes => pods::kubernetes(&named("runc")),
        Platform::Gvisor => pods::gvisor(),
        Platform::Kata => pods::kata(),
        Platform::BareMetal
        | Platform::Chroot
        | Platform::Namespaces
        | Platform::Cgroups
        | Platform::Vm
        | Platform::VmHosted
        | Platform::Microvm => Vec::new(),
    };
    rows.into_iter().map(|row| row.0).collect()
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::Calibration;

    use super::*;
    use crate::platform::residents::{Per, residents};
    use crate::startup::{Item, Start, chains};

    /// Every platform with every setting that changes who is there.
    fn all() -> impl Iterator<Item = (Platform, PlatformSettings)> {
        Platform::ALL.iter().flat_map(|platform| {
            let runtimes = [None, Some("runc"), Some("crun"), Some("youki")];
            [false, true].into_iter().flat_map(move |rootless| {
                runtimes.into_iter().map(move |runtime| {
                    let mut settings = PlatformSettings::default();
                    settings.rootless = Some(rootless);
                    settings.runtime = runtime.map(str::to_owned);
                    (*platform, settings)
                })
            })
        })
    }

    #[test]
    fn everyone_has_a_parent_and_whoever_acts_is_there() {
        // The kernel is nobody's child, and a guest's is not the machine's.
        let others = ["kernel", "guest kernel"];
        for (platform, settings) in all() {
            let rows = processes(platform, &settings);
            let is_there = |name: &str| rows.iter().any(|row| row.name == name);
            for row in &rows {
                let parent = row.parent.as_str();
                assert!([INIT, SHELL].contains(&parent) || is_there(parent), "{platform}: parent of {row:?}");
                let named = [&row.killed_with, &row.stopped_with].into_iter().flatten().flatten();
                let named = named.chain(&row.becomes);
                named.for_each(|name| assert!(is_there(name) && *name != row.name, "{platform}: {row:?}"));
                assert_eq!(
                    rows.iter().filter(|other| other.name == row.name).count(),
                    1,
                    "{platform}: {row:?}"
                );
            }
            let Some(chain) = chains::chain(platform, &settings).filter(|_| !rows.is_empty()) else {
                continue;
            };
            for item in Start::resolve(&chain, &Calibration::reference()).items {
                if let Item::Stage(stage) = item {
                    let known = others.contains(&stage.actor.as_str()) || is_there(&stage.actor);
                    assert!(known, "{platform}: nobody is called {}", stage.actor);
                }
            }
        }
    }

    #[test]
    fn who_stays_is_who_is_resident() {
        for (platform, settings) in all().filter(|(_, settings)| settings.rootless == Some(false)) {
            let rows = processes(platform, &settings);
            for (name, per) in residents(platform) {
                let stays = if *per == Per::Machine { Stays::Machine } else { Stays::Container };
                let found = rows.iter().find(|row| row.name == *name).map(|row| row.stays);
                assert_eq!(found, Some(stays), "{platform}: {name}");
            }
            let daemons = rows.iter().filter(|row| row.stays == Stays::Machine).count();
            let known = residents(platform).iter().filter(|(_, per)| *per == Per::Machine).count();
            assert_eq!(daemons, known, "{platform}");
        }
    }

    #[test]
    fn a_program_ends_with_whoever_holds_it_and_not_with_a_daemon() {
        let ends = |platform, rootless, killer: &str, stopped: bool| {
            let mut settings = PlatformSettings::default();
            settings.rootless = Some(rootless);
            let rows = processes(platform, &settings);
            let row = rows.iter().find(|row| row.name == killer)?.clone();
            let with = if stopped { row.stopped_with } else { row.killed_with };
            with.map(|names| names.iter().any(|name| name == PROGRAM))
        };
        let table = [
            (Platform::Docker, false, "dockerd", false, Some(false)),
            (Platform::Docker, false, "dockerd", true, Some(true)),
            (Platform::Docker, false, "containerd", true, Some(false)),
            (Platform::Docker, false, "containerd-shim", false, Some(true)),
            (Platform::Docker, true, "rootlesskit", false, None),
            (Platform::Podman, true, "conmon", false, Some(false)),
            (Platform::Lxc, false, "lxc monitor", false, Some(true)),
            (Platform::Rkt, false, "systemd-nspawn", false, Some(true)),
            (Platform::Kubernetes, false, "kubelet", false, Some(false)),
        ];
        for (platform, rootless, killer, stopped, expected) in table {
            assert_eq!(ends(platform, rootless, killer, stopped), expected, "{platform}: {killer}");
        }
    }

    #[test]
    fn without_root_nobody_who_stays_is_root() {
        for (platform, settings) in all().filter(|(_, settings)| settings.rootless == Some(true)) {
            // What a node's daemons start, and rkt, needs root.
            let needs_root = matches!(
                platform,
                Platform::Rkt
                    | Platform::Containerd
                    | Platform::CriO
                    | Platform::Kubernetes
                    | Platform::Gvisor
                    | Platform::Kata
            );
            let rows = processes(platform, &settings);
            let root = rows.iter().any(|row| row.stays != Stays::Start && row.user == RunsAs::Root);
            assert_eq!(root, needs_root && !rows.is_empty(), "{platform}");
        }
    }
}
