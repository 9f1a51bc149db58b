//! What the learner may turn, and how it is written in the scenario.

use crate::lang::Text;

/// Something to turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    /// `kebab-case`, unique in the lesson; its name in the link.
    pub id: &'static str,
    /// Path of the field in the scenario.
    pub path: &'static str,
    /// The value that the scenario starts with, as it stands in the file, without quotes.
    pub start: &'static str,
    /// Name.
    pub label: Text,
    /// What it does, in a sentence.
    pub help: Text,
    /// How it is turned.
    pub kind: ControlKind,
}

/// How a control is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ControlKind {
    /// A number between bounds, written with `unit` after it (`20ms`, `400m`, `8`).
    Slider {
        /// Least.
        min: f64,
        /// Greatest.
        max: f64,
        /// Between two values.
        step: f64,
        /// Suffix in the scenario file; may be empty.
        unit: &'static str,
    },
    /// One of a few.
    Choice(&'static [Choice]),
    /// Whether a word stands in the list at the path.
    Switch {
        /// The word.
        word: &'static str,
    },
    /// In which order these steps stand; written as their names with hyphens between.
    Order(&'static [Choice]),
}

/// One of a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// As it stands in the file, without quotes.
    pub value: &'static str,
    /// Name.
    pub label: Text,
}

impl ControlKind {
    /// The number of a slider's value as it stands in the scenario (`20ms` → 20); `None` for choices and other units.
    #[must_use]
    pub fn number(&self, value: &str) -> Option<f64> {
        match self {
            Self::Slider { unit, .. } => value.strip_suffix(unit)?.trim_end().parse().ok(),
            Self::Choice(_) | Self::Switch { .. } | Self::Order(_) => None,
        }
    }

    /// The steps of an order as they stand in a value; none where this is no order.
    #[must_use]
    pub fn steps(&self, value: &str) -> Vec<&'static Choice> {
        let Self::Order(steps) = self else { return Vec::new() };
        value.split('-').filter_map(|name| steps.iter().find(|step| step.value == name)).collect()
    }

    /// The value with the step at one place moved to another.
    #[must_use]
    pub fn moved(&self, value: &str, from: usize, to: usize) -> String {
        let mut names: Vec<&str> = self.steps(value).iter().map(|step| step.value).collect();
        if from < names.len() {
            let name = names.remove(from);
            names.insert(to.min(names.len()), name);
        }
        names.join("-")
    }

    /// The value as it stands in the scenario, without quotes (20 → `20ms`), kept within the bounds; `None` for choices.
    #[must_use]
    pub fn value(&self, number: f64) -> Option<String> {
        match self {
            Self::Slider { min, max, unit, .. } => Some(format!("{}{unit}", number.clamp(*min, *max))),
            Self::Choice(_) | Self::Switch { .. } | Self::Order(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_moved_and_the_others_keep_their_order() {
        const fn step(value: &'static str) -> Choice {
            Choice { value, label: Text { en: "", ko: "" } }
        }
        const STEPS: &[Choice] = &[step("a"), step("b"), step("c")];
        let kind = ControlKind::Order(STEPS);
        let table =
            [((0, 2), "b-c-a"), ((2, 0), "c-a-b"), ((1, 1), "a-b-c"), ((0, 9), "b-c-a"), ((9, 0), "a-b-c")];
        for ((from, to), expected) in table {
            assert_eq!(kind.moved("a-b-c", from, to), expected, "{from} to {to}");
        }
    }
}
