//! The scenario of the duel, what can be turned in it, and the faults that are put into it.

use catamaran_scenario::{Plan, Platform, edit};

use crate::lesson::Settings;
use crate::link::Link;
use crate::sim::Wanted;

/// The file that is simulated, and that runs natively.
pub(super) const SCENARIO: &str = include_str!("../../scenarios/era-duel.toml");

/// What a person types to have it for real beside the model.
pub(super) const COMMAND: &str = "catamaran compare era-duel.toml";

/// The eras, in their order.
pub(super) const ERAS: [Platform; 3] = [Platform::BareMetal, Platform::Vm, Platform::Container];

/// The application whose figures are shown.
pub(super) const APP: &str = "app";
/// The tenant beside it, and the one that leaks.
pub(super) const NEIGHBOUR: &str = "batch";

/// What the neighbour does instead when it leaks: 200 MiB a second fill the machine's 2 GiB within the run.
const LEAK: &str = r#"{ kind = "memory", start = "8MiB", leak = "200MiB/s" }"#;

/// The leaker's limit is no part of the duel itself: the memory inside of guests has no limits to set.
pub(super) const LIMIT: &str = "tenant.batch.memory.limit";
/// That it has none.
pub(super) const NO_LIMIT: &str = "none";

/// A field that can be turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Control {
    /// Part of its ids on the page.
    pub(super) id: &'static str,
    pub(super) path: &'static str,
    /// Its value in the file.
    pub(super) start: &'static str,
    pub(super) kind: Kind,
}

/// How it is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Slider { min: u32, max: u32, step: u32, unit: &'static str },
    Choice(&'static [&'static str]),
}

pub(super) static CONTROLS: [Control; 4] = [
    Control {
        id: "rate",
        path: "tenant.app.workload.arrivals.rate",
        start: "50/s",
        kind: Kind::Slider { min: 10, max: 200, step: 10, unit: "/s" },
    },
    Control {
        id: "apps",
        path: "tenant.app.replicas",
        start: "2",
        kind: Kind::Slider { min: 1, max: 4, step: 1, unit: "" },
    },
    Control {
        id: "threads",
        path: "tenant.batch.workload.threads",
        start: "4",
        kind: Kind::Slider { min: 1, max: 8, step: 1, unit: "" },
    },
    Control {
        id: "limit",
        path: LIMIT,
        start: NO_LIMIT,
        kind: Kind::Choice(&[NO_LIMIT, "64MiB", "256MiB", "1GiB"]),
    },
];

/// As a link says: what it changes besides the controls is no part of the duel.
pub(super) fn from_link(link: &Link) -> Settings {
    let known = |path: &str| CONTROLS.iter().any(|control| control.path == path);
    let changes = link.changes.iter().filter(|change| known(&change.path)).cloned().collect();
    Settings { changes, seed: link.seed, platform: ERAS[0] }
}

/// The scenario with the settings in it.
///
/// # Errors
/// In words, where a value does not go into it.
pub(super) fn scenario(settings: &Settings) -> Result<String, String> {
    let changes = settings.changes.iter().filter(|change| change.path != LIMIT).cloned().collect();
    Settings { changes, ..settings.clone() }.scenario(SCENARIO)
}

/// What is simulated to find out whom a leak kills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leak {
    /// The same scenario, in which the neighbour leaks.
    All(Wanted),
    /// The leaking neighbour in a machine that is its guest: the simulator knows nothing of memory inside of guests.
    Guest(Wanted),
}

impl Leak {
    pub(super) const fn wanted(&self) -> &Wanted {
        match self {
            Self::All(wanted) | Self::Guest(wanted) => wanted,
        }
    }
}

/// The leak on a platform, given the [scenario].
///
/// # Errors
/// In words, where the fault does not go into it.
pub(super) fn leak(text: &str, settings: &Settings, platform: Platform) -> Result<Leak, String> {
    if platform == Platform::Vm {
        return guest(text).map(Leak::Guest);
    }
    let set = |text: &str, path: &str, value: &str| {
        edit::set(text, path, value).map_err(|diagnostic| diagnostic.to_string())
    };
    let mut scenario = set(text, &format!("tenant.{NEIGHBOUR}.workload"), LEAK)?;
    if let Some(limit) = settings.value(LIMIT).filter(|limit| *limit != NO_LIMIT) {
        scenario = set(&scenario, LIMIT, limit)?;
    }
    Ok(Leak::All(Wanted { scenario, platform }))
}

/// A guest as the leaker in it has it: its virtual CPUs, its memory, its own kernel, and nobody else.
fn guest(text: &str) -> Result<Wanted, String> {
    let plan = Plan::from_toml(text, "scenario").map_err(|diagnostic| diagnostic.to_string())?;
    let settings = plan.settings(Platform::Vm);
    let (Some(vcpus), Some(memory)) = (settings.vcpus, settings.memory) else {
        return Err("the scenario does not say how large a guest is".into());
    };
    let scenario = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"era-duel-guest\"\nseed = {}\nduration = \"{}ns\"\n\
         platforms = [\"bare-metal\"]\n[host]\ncores = {vcpus}\nmemory = {}\n\
         [[tenant]]\nname = \"{NEIGHBOUR}\"\nworkload = {LEAK}\n",
        plan.seed(),
        plan.duration().0,
        memory.0,
    );
    Ok(Wanted { scenario, platform: Platform::BareMetal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Change;

    fn settings(changes: &[(&str, &str)]) -> Settings {
        let change = |(path, value): &(&str, &str)| Change { path: (*path).into(), value: (*value).into() };
        Settings { changes: changes.iter().map(change).collect(), seed: None, platform: ERAS[0] }
    }

    #[test]
    fn controls_stand_where_the_file_has_them() {
        for control in CONTROLS.iter().filter(|control| control.path != LIMIT) {
            let found = edit::get(SCENARIO, control.path).unwrap();
            assert_eq!(found.as_deref(), Some(control.start), "{}", control.id);
        }
        assert_eq!(edit::get(SCENARIO, LIMIT).unwrap(), None);
    }

    #[test]
    fn every_end_of_every_control_makes_scenarios_for_all_eras() {
        for control in CONTROLS {
            let values: Vec<String> = match control.kind {
                Kind::Slider { min, max, unit, .. } => {
                    [min, max].map(|value| format!("{value}{unit}")).into()
                }
                Kind::Choice(choices) => choices.iter().map(|choice| (*choice).to_owned()).collect(),
            };
            for value in values {
                let settings = settings(&[(control.path, &value)]);
                let text = scenario(&settings).unwrap();
                let plan = Plan::from_toml(&text, "duel").unwrap();
                assert_eq!(plan.platforms(), ERAS, "{} {value}", control.id);
                for era in ERAS {
                    let leak = leak(&text, &settings, era).unwrap();
                    Plan::from_toml(&leak.wanted().scenario, "leak").unwrap();
                }
            }
        }
    }

    #[test]
    fn the_leakers_limit_is_in_its_fault_only() {
        let settings = settings(&[(LIMIT, "64MiB")]);
        let text = scenario(&settings).unwrap();
        assert_eq!(edit::get(&text, LIMIT).unwrap(), None);
        let leak = leak(&text, &settings, Platform::Container).unwrap();
        assert_eq!(edit::get(&leak.wanted().scenario, LIMIT).unwrap().as_deref(), Some("64MiB"));
    }

    #[test]
    fn a_link_changes_what_can_be_turned_and_nothing_else() {
        let link = Link::from_hash("#/duel?set=tenant.app.replicas=3&set=host.cores=64&seed=9");
        let found = from_link(&link);
        assert_eq!(found.changes.len(), 1);
        assert_eq!((found.value("tenant.app.replicas"), found.seed), (Some("3"), Some(9)));
    }
}
