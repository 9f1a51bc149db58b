//! The recorded trace of our own runtime (`web/trace/container.json`), and what each of its calls does to who sees what.
//!
//! **Law.** A namespace of its own counts at once. What is looked up by a path counts from the moment on that the root is another:
//! whatever is mounted and made below it before is not seen yet.
//! **Source.** `namespaces(7)`, `clone(2)`, `pivot_root(2)`, `path_resolution(7)`.
//! **Judge.** `the_calls_change_what_the_simulator_says_a_container_changes`.

use catamaran_report::report::Sees;
use serde::Deserialize;

const RECORDED: &str = include_str!("../../trace/container.json");

/// The rows of the isolation matrix, as reports have them.
pub(super) const ROWS: [&str; 11] =
    ["pid", "process", "host-name", "user", "network", "ipc", "cgroup", "time", "mount", "device", "kernel"];

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trace {
    /// What was run; the bundle is called BUNDLE, the container ID.
    pub(super) command: String,
    /// The kernel's release.
    pub(super) kernel: String,
    /// Version of the control groups there.
    pub(super) cgroup_version: u8,
    /// The calls, in the order in which they first succeeded.
    pub(super) steps: Vec<Step>,
}

/// A kind of call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Its name.
    pub(super) call: String,
    /// Who makes it.
    pub(super) who: Who,
    /// Of the first one, as strace prints them.
    pub(super) arguments: String,
    /// How often it is made.
    pub(super) times: u32,
}

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Who {
    /// `catamaran oci run`.
    Runtime,
    /// The process that it starts, which makes the container's.
    FirstStage,
    /// The container's process.
    Container,
}

/// The recording; without steps where it can't be read, which a test rules out.
pub(super) fn trace() -> Trace {
    serde_json::from_str(RECORDED).unwrap_or_default()
}

/// Rows that a call changes, and to what.
pub(super) fn changes(step: &Step) -> Vec<(&'static str, Sees)> {
    let namespaces = [
        ("CLONE_NEWPID", "pid", Sees::Own),
        ("CLONE_NEWUTS", "host-name", Sees::Own),
        ("CLONE_NEWUSER", "user", Sees::Own),
        ("CLONE_NEWNET", "network", Sees::Own),
        ("CLONE_NEWIPC", "ipc", Sees::Own),
        ("CLONE_NEWCGROUP", "cgroup", Sees::Own),
        // A table of its own with the machine's files in it.
        ("CLONE_NEWNS", "mount", Sees::Some),
    ];
    match step.call.as_str() {
        "clone3" | "unshare" => {
            let has = |flag: &str| step.arguments.split(|c: char| !is_of_word(c)).any(|word| word == flag);
            let made = namespaces.into_iter().filter(|(flag, ..)| has(flag));
            made.map(|(_, row, sees)| (row, sees)).collect()
        }
        "pivot_root" => vec![("process", Sees::Own), ("mount", Sees::Own), ("device", Sees::Some)],
        _ => Vec::new(),
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The row that a call prepares: it changes when the root does.
pub(super) fn prepares(call: &str) -> Option<&'static str> {
    match call {
        "open_tree" | "move_mount" => Some("mount"),
        "fsopen" => Some("process"),
        "mknodat" => Some("device"),
        _ => None,
    }
}

/// Each row after so many of the steps.
pub(super) fn matrix(steps: &[Step], done: usize) -> Vec<(&'static str, Sees)> {
    let mut rows: Vec<(&'static str, Sees)> = ROWS.map(|row| (row, Sees::Host)).into();
    for (changed, sees) in steps.iter().take(done).flat_map(changes) {
        rows.iter_mut().filter(|(row, _)| *row == changed).for_each(|row| row.1 = sees);
    }
    rows
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::{Calibration, Plan, Platform};
    use catamaran_sim::{Options, simulate};

    use super::*;

    fn simulated(platform: Platform) -> Vec<(String, Sees)> {
        let text = format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"see\"\nduration = \"1s\"\nplatforms = [\"{platform}\"]\n\
             [[tenant]]\nname = \"program\"\nworkload = {{ kind = \"idle\" }}\n"
        );
        let plan = Plan::from_toml(&text, "see.toml").unwrap();
        let report =
            simulate(&plan, platform, &Calibration::reference(), &Options::default()).unwrap().report;
        report.isolation.into_iter().map(|row| (row.resource, row.sees)).collect()
    }

    fn found(done: usize) -> Vec<(String, Sees)> {
        let rows = matrix(&trace().steps, done).into_iter();
        rows.map(|(row, sees)| (row.to_owned(), sees)).collect()
    }

    #[test]
    fn the_calls_change_what_the_simulator_says_a_container_changes() {
        assert_eq!(found(0), simulated(Platform::BareMetal), "before the first call");
        assert_eq!(found(usize::MAX), simulated(Platform::Container), "after the last");
    }

    #[test]
    fn twelve_calls_are_recorded_and_what_is_prepared_comes_before_the_root_is_turned() {
        let trace = trace();
        assert_eq!(trace.steps.len(), 12);
        let place = |call: &str| trace.steps.iter().position(|step| step.call == call);
        let turned = place("pivot_root").unwrap();
        for step in &trace.steps {
            if let Some(row) = prepares(&step.call) {
                assert!(place(&step.call).unwrap() < turned, "{}", step.call);
                let pivot = changes(&trace.steps[turned]);
                assert!(pivot.iter().any(|(changed, _)| *changed == row), "{row}");
            }
        }
        assert_eq!(trace.steps.last().map(|step| step.call.as_str()), Some("execve"));
    }
}
