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

    /// The value after this one in the direction of more: of a slider twice as much, of choices with sizes the next larger;
    /// `None` at the end, and where values have no size.
    #[must_use]
    pub fn more(&self, value: &str) -> Option<String> {
        self.scaled(value, 2.0).filter(|next| self.size(next) > self.size(value))
    }

    /// The value after this one in the direction of less: half as much, or the next smaller.
    #[must_use]
    pub fn less(&self, value: &str) -> Option<String> {
        self.scaled(value, 0.5).filter(|next| self.size(next) < self.size(value))
    }

    /// Whether it can be turned to `value`.
    #[must_use]
    pub fn takes(&self, value: &str) -> bool {
        match self {
            Self::Slider { min, max, step, .. } => self.number(value).is_some_and(|number| {
                let steps = (number - min) / step;
                (*min..=*max).contains(&number) && (steps - steps.round()).abs() < 1e-9
            }),
            Self::Choice(choices) => choices.iter().any(|choice| choice.value == value),
            Self::Switch { .. } | Self::Order(_) => false,
        }
    }

    /// How large a value is, in the unit of the control; `None` where its values have no size or different units.
    #[must_use]
    pub fn size(&self, value: &str) -> Option<f64> {
        let Self::Choice(choices) = self else { return self.number(value) };
        let unit =
            |value: &str| value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned();
        let own = unit(value);
        let alike = choices.iter().all(|choice| unit(choice.value) == own);
        value.strip_suffix(own.as_str()).filter(|_| alike)?.parse().ok()
    }

    fn scaled(&self, value: &str, factor: f64) -> Option<String> {
        match self {
            Self::Slider { min, step, .. } => {
                let number = self.number(value)?;
                let wanted = ((number * factor - min) / step).round() * step + min;
                // Twice nothing is nothing: a step then.
                let least = if factor > 1.0 { number + step } else { number - step };
                self.value(if factor > 1.0 { wanted.max(least) } else { wanted.min(least) })
            }
            Self::Choice(choices) => {
                let now = self.size(value)?;
                let sizes = choices.iter().filter_map(|choice| Some((self.size(choice.value)?, choice)));
                let beyond = sizes.filter(|(size, _)| if factor > 1.0 { *size > now } else { *size < now });
                let nearest =
                    beyond.min_by(|one, other| (one.0 - now).abs().total_cmp(&(other.0 - now).abs()));
                nearest.map(|(_, choice)| choice.value.to_owned())
            }
            Self::Switch { .. } | Self::Order(_) => None,
        }
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
    fn more_and_less_are_values_that_can_be_set() {
        const fn choice(value: &'static str) -> Choice {
            Choice { value, label: Text { en: "", ko: "" } }
        }
        const SIZES: &[Choice] = &[choice("1"), choice("8"), choice("2")];
        const NAMES: &[Choice] = &[choice("10Mbit/s"), choice("1Gbit/s")];
        const ORDER: &[Choice] = &[choice("a"), choice("b")];
        let millis = ControlKind::Slider { min: 0.0, max: 40.0, step: 5.0, unit: "ms" };
        let threads = ControlKind::Slider { min: 1.0, max: 16.0, step: 1.0, unit: "" };
        let table: [(&ControlKind, &str, Option<&str>, Option<&str>); 13] = [
            (&millis, "10ms", Some("20ms"), Some("5ms")),
            (&millis, "15ms", Some("30ms"), Some("10ms")),
            (&millis, "0ms", Some("5ms"), None),
            (&millis, "30ms", Some("40ms"), Some("15ms")),
            (&millis, "40ms", None, Some("20ms")),
            (&millis, "1s", None, None),
            (&threads, "1", Some("2"), None),
            (&threads, "3", Some("6"), Some("2")),
            (&ControlKind::Choice(SIZES), "2", Some("8"), Some("1")),
            (&ControlKind::Choice(SIZES), "8", None, Some("2")),
            (&ControlKind::Choice(NAMES), "1Gbit/s", None, None),
            (&ControlKind::Order(ORDER), "a-b", None, None),
            (&ControlKind::Switch { word: "pid" }, "pid", None, None),
        ];
        for (kind, value, more, less) in table {
            assert_eq!(kind.more(value).as_deref(), more, "more than {value}");
            assert_eq!(kind.less(value).as_deref(), less, "less than {value}");
            assert!([kind.more(value), kind.less(value)].iter().flatten().all(|next| kind.takes(next)));
        }
        assert!(!millis.takes("7ms") && !millis.takes("45ms") && millis.takes("40ms"));
        assert!(!ControlKind::Choice(SIZES).takes("4"));
    }

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
