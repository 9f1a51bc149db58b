//! A start as a chain of actors, and the processes in it as a tree. How long most stages take nobody has published; their order is
//! known. So the play head stands for a place in that order: the run's time is divided evenly among the stages, and a last part, in
//! which the program runs.

use std::collections::BTreeMap;

use catamaran_report::Report;
use catamaran_report::process::{INIT, PROGRAM, ProcessRow, SHELL, Stays};
use catamaran_report::report::{Sees, StageRow};
use catamaran_report::statistics::median;

/// Where one contract's side ends and the other's begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// The kubelet asks a container runtime (Container Runtime Interface).
    Cri,
    /// An engine, a shim or a monitor asks a low-level runtime (OCI runtime specification).
    Oci,
}

/// Runtimes that are asked by the OCI's contract.
const BELOW_OCI: [&str; 4] = ["runc", "crun", "youki", "runsc"];
/// Who asks by CRI.
const ABOVE_CRI: &str = "kubelet";

/// A chain with its processes.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainFilm {
    /// The stages of the first tenant, in order.
    pub stages: Vec<StageRow>,
    /// The processes in the order of the tree: each below its parent.
    pub branches: Vec<Branch>,
}

/// A process in the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Who it is.
    pub row: ProcessRow,
    /// How far it is indented: 0 for children of the machine's first process and of a person's shell.
    pub depth: usize,
    /// The place of its parent in the list.
    pub parent: Option<usize>,
    /// The stage in which it comes.
    pub born: usize,
}

/// A start as it was measured: medians of trials.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredStart {
    /// How long the whole took (s).
    pub startup_s: Option<f64>,
    /// How long each stage of the chain took (s); `None` where its end was not seen.
    pub lengths_s: Vec<Option<f64>>,
    /// Of how many trials.
    pub trials: usize,
    /// What the first says of its machine: name and value.
    pub machine: BTreeMap<String, String>,
}

impl MeasuredStart {
    /// Of the first tenant, with the stages of `chain`.
    #[must_use]
    pub fn new(trials: &[&Report], chain: &[StageRow]) -> Self {
        let tenants = || trials.iter().filter_map(|report| report.tenants.first());
        let length = |stage: &StageRow| {
            let same = |row: &&StageRow| row.name == stage.name && row.actor == stage.actor;
            let rows = tenants().filter_map(|tenant| tenant.startup_stages.iter().find(same));
            median(&rows.filter_map(StageRow::length).collect::<Vec<_>>())
        };
        let machine = trials.first().and_then(|report| report.identity.machine.clone());
        Self {
            startup_s: median(&tenants().filter_map(|tenant| tenant.startup_s).collect::<Vec<_>>()),
            lengths_s: chain.iter().map(length).collect(),
            trials: trials.len(),
            machine: machine.unwrap_or_default(),
        }
    }

    /// What its machine says of itself under that name.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.machine.get(name).map(String::as_str)
    }
}

/// How a process stands at a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not there yet.
    Ahead,
    /// There, and this stage is its work.
    Acting,
    /// There.
    There,
    /// No longer there.
    Gone,
}

impl ChainFilm {
    /// What a report says.
    #[must_use]
    pub fn new(report: &Report) -> Self {
        let stages = report.tenants.first().map(|tenant| tenant.startup_stages.clone()).unwrap_or_default();
        let mut film = Self { stages, branches: Vec::new() };
        for root in [INIT, SHELL] {
            film.grow(&report.processes, root, None, 0);
        }
        film
    }

    /// Puts the children of `parent` into the tree, and theirs below them.
    fn grow(&mut self, rows: &[ProcessRow], parent: &str, above: Option<usize>, depth: usize) {
        for row in rows.iter().filter(|row| row.parent == parent) {
            let at = self.branches.len();
            let born = self.born(rows, row);
            self.branches.push(Branch { row: row.clone(), depth, parent: above, born });
            self.grow(rows, &row.name, Some(at), depth + 1);
        }
    }

    /// The first stage that is called after it, or is the work of it or of one below it; the program comes last.
    fn born(&self, rows: &[ProcessRow], row: &ProcessRow) -> usize {
        let whose = |actor: &str| {
            let mut name = actor;
            // A chain of parents is no longer than the table.
            for _ in 0..=rows.len() {
                if name == row.name {
                    return true;
                }
                match rows.iter().find(|other| other.name == name) {
                    Some(other) => name = other.parent.as_str(),
                    None => return false,
                }
            }
            false
        };
        if row.stays == Stays::Machine {
            return 0;
        }
        let first = self.stages.iter().position(|stage| stage.name == row.name || whose(&stage.actor));
        first.filter(|_| row.name != PROGRAM).unwrap_or(self.stages.len())
    }

    /// The stage at an instant of a run that ends at `end_ns`; as many as there are once the program runs.
    #[must_use]
    pub fn stage_at(&self, at_ns: u64, end_ns: u64) -> usize {
        let parts = self.stages.len() as u128 + 1;
        let at = u128::from(at_ns) * parts / u128::from(end_ns.max(1));
        usize::try_from(at).unwrap_or(usize::MAX).min(self.stages.len())
    }

    /// When each stage begins (ns), and the last part.
    #[must_use]
    pub fn changes(&self, end_ns: u64) -> Vec<u64> {
        let parts = self.stages.len() as u128 + 1;
        let begin = |stage: u128| (u128::from(end_ns) * stage).div_ceil(parts);
        (0..parts).map(|stage| u64::try_from(begin(stage)).unwrap_or(end_ns)).collect()
    }

    /// The contract by which a stage is asked for by the one before it.
    #[must_use]
    pub fn contract(&self, stage: usize) -> Option<Contract> {
        let asker = &self.stages.get(stage.checked_sub(1)?)?.actor;
        let asked = &self.stages.get(stage)?.actor;
        let below = |actor: &String| BELOW_OCI.iter().any(|name| actor.starts_with(name));
        if asker == ABOVE_CRI && asked != ABOVE_CRI {
            return Some(Contract::Cri);
        }
        // What the kernel does for a runtime is on the runtime's side.
        let first = self.stages.iter().position(|stage| below(&stage.actor));
        (first == Some(stage)).then_some(Contract::Oci)
    }

    /// How a process stands in a stage.
    #[must_use]
    pub fn standing(&self, branch: &Branch, stage: usize) -> Standing {
        let acting = self.stages.get(stage).is_some_and(|now| now.actor == branch.row.name);
        let left = branch.row.stays == Stays::Start && stage >= self.left(branch);
        match (stage < branch.born, left, acting) {
            (true, ..) => Standing::Ahead,
            (_, true, _) => Standing::Gone,
            (.., true) => Standing::Acting,
            _ => Standing::There,
        }
    }

    /// The stage in which a process that does not stay is gone: where it has become another, else when the program runs.
    fn left(&self, branch: &Branch) -> usize {
        let heir = branch.row.becomes.as_ref();
        let heir = heir.and_then(|name| self.branches.iter().find(|other| other.row.name == *name));
        heir.map_or(self.stages.len(), |heir| heir.born)
    }

    /// Who ends when the one at `killed` is killed, or is stopped as a service: places in the list, itself included; `None`
    /// where no source says.
    #[must_use]
    pub fn ending(&self, killed: usize, stopped: bool) -> Option<Vec<usize>> {
        let row = &self.branches.get(killed)?.row;
        let with = if stopped { &row.stopped_with } else { &row.killed_with };
        let with = with.as_ref()?;
        let named = |(_, branch): &(usize, &Branch)| with.contains(&branch.row.name);
        let others = self.branches.iter().enumerate().filter(named).map(|(at, _)| at);
        Some(std::iter::once(killed).chain(others).collect())
    }
}

/// Whether the first tenant has users of its own, so that root inside is somebody else outside; `None` where nobody looked.
#[must_use]
pub fn maps_users(report: &Report) -> Option<bool> {
    let row = report.isolation.iter().find(|row| row.resource == "user")?;
    Some(row.sees == Sees::Own)
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::{Calibration, Plan, Platform};
    use catamaran_sim::{Options, simulate};

    use super::*;

    fn film(platform: Platform, settings: &str) -> ChainFilm {
        let text = format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"chain\"\nduration = \"1s\"\nplatforms = [\"{platform}\"]\n{settings}\n\
             [[tenant]]\nname = \"job\"\nworkload = {{ kind = \"idle\" }}\n"
        );
        let plan = Plan::from_toml(&text, "scenario").unwrap();
        ChainFilm::new(
            &simulate(&plan, platform, &Calibration::reference(), &Options::default()).unwrap().report,
        )
    }

    fn standings(film: &ChainFilm, stage: usize) -> Vec<(&str, Standing)> {
        film.branches.iter().map(|branch| (branch.row.name.as_str(), film.standing(branch, stage))).collect()
    }

    #[test]
    fn processes_come_when_the_chain_reaches_them_and_go_when_it_has_passed() {
        let film = film(Platform::Docker, "");
        let names: Vec<_> =
            film.branches.iter().map(|branch| (branch.row.name.as_str(), branch.depth)).collect();
        assert_eq!(
            names,
            [
                ("dockerd", 0),
                ("containerd", 0),
                ("containerd-shim", 0),
                ("runc", 1),
                ("runc init", 2),
                ("program", 1),
                ("docker", 0)
            ]
        );
        use Standing::{Acting, Ahead, Gone, There};
        let first = [There, There, Ahead, Ahead, Ahead, Ahead, Acting];
        let last = [There, There, There, Gone, Gone, There, Gone];
        let of =
            |stage| standings(&film, stage).into_iter().map(|(_, standing)| standing).collect::<Vec<_>>();
        assert_eq!(of(0), first);
        assert_eq!(of(film.stages.len()), last);
        let re_exec = film.stages.iter().position(|stage| stage.name == "re-exec").unwrap();
        assert_eq!(of(re_exec), [There, There, There, There, Acting, Ahead, There]);
    }

    #[test]
    fn a_measured_start_is_the_median_of_each_stage_of_the_chain() {
        let stage = |name: &str, length_s: Option<f64>| StageRow {
            name: name.to_owned(),
            actor: "runc".to_owned(),
            start_s: None,
            end_s: None,
            length_s,
            source: None,
        };
        let trial = |startup_s: f64, config_s: Option<f64>| {
            let mut report = crate::picture::tests_support::report();
            report.tenants[0].startup_s = Some(startup_s);
            report.tenants[0].startup_stages = vec![stage("config", config_s), stage("clone", None)];
            report
        };
        let trials = [trial(0.3, Some(0.02)), trial(0.1, Some(0.05)), trial(0.2, Some(0.01))];
        let chain = [stage("clone", Some(9.0)), stage("config", None), stage("exec", Some(9.0))];
        let measured = MeasuredStart::new(&trials.each_ref(), &chain);
        assert_eq!((measured.startup_s, measured.trials), (Some(0.2), 3));
        assert_eq!(measured.lengths_s, [None, Some(0.02), None], "what was not seen is not the model's");
        // A stage of the same name that another did is another.
        let other = StageRow { actor: "crun".to_owned(), ..stage("config", None) };
        assert_eq!(MeasuredStart::new(&trials.each_ref(), &[other]).lengths_s, [None]);
    }

    #[test]
    fn one_becomes_another_where_it_executes_it() {
        let film = film(Platform::Rkt, "");
        let clone = film.stages.iter().position(|stage| stage.name == "rootfs").unwrap();
        let at = standings(&film, clone);
        let of = |name: &str| at.iter().find(|(own, _)| *own == name).unwrap().1;
        assert_eq!((of("rkt stage0"), of("rkt stage1")), (Standing::Gone, Standing::Gone));
        assert_eq!(of("systemd-nspawn"), Standing::Acting);
    }

    #[test]
    fn the_runs_time_is_divided_evenly_among_the_stages() {
        for platform in [Platform::Docker, Platform::Podman, Platform::Kubernetes, Platform::BareMetal] {
            let film = film(platform, "");
            for end_ns in [1, 7, 10_000_000_000] {
                let changes = film.changes(end_ns);
                assert_eq!(changes.len(), film.stages.len() + 1);
                if end_ns as usize > changes.len() {
                    let stages: Vec<usize> = changes.iter().map(|at| film.stage_at(*at, end_ns)).collect();
                    assert_eq!(stages, (0..changes.len()).collect::<Vec<_>>(), "{platform}, {end_ns}");
                    let before = changes.iter().skip(1).map(|at| film.stage_at(at - 1, end_ns));
                    assert_eq!(before.collect::<Vec<_>>(), (0..film.stages.len()).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn contracts_stand_between_those_who_keep_them() {
        let of = |platform| {
            let film = film(platform, "");
            let found = (0..film.stages.len()).filter_map(|stage| {
                let asked = film.stages[stage].actor.clone();
                Some((film.contract(stage)?, asked))
            });
            found.collect::<Vec<_>>()
        };
        use Contract::{Cri, Oci};
        assert_eq!(of(Platform::Kubernetes), [(Cri, "containerd".to_owned()), (Oci, "runc".to_owned())]);
        assert_eq!(of(Platform::CriO), [(Oci, "crun".to_owned())]);
        assert_eq!(of(Platform::Gvisor), [(Oci, "runsc".to_owned())]);
        assert_eq!(of(Platform::Lxc), []);
    }

    #[test]
    fn who_ends_is_known_or_unknown() {
        let film = film(Platform::Docker, "");
        let names = |places: Vec<usize>| -> Vec<String> {
            places.into_iter().map(|at| film.branches[at].row.name.clone()).collect()
        };
        assert_eq!(names(film.ending(0, false).unwrap()), ["dockerd"]);
        assert_eq!(names(film.ending(0, true).unwrap()), ["dockerd", "containerd-shim", "program"]);
        assert_eq!(film.ending(3, false), None, "a runtime that is about to go");
        assert_eq!(film.ending(99, false), None);
    }
}
