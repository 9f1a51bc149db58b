//! `lesson.toml` as it is written.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) number: u32,
    pub(crate) title: Text,
    pub(crate) one_idea: Text,
    pub(crate) command: String,
    /// What the page draws of a run: one of [`Stage`].
    #[serde(default)]
    pub(crate) stage: Stage,
    #[serde(default, rename = "control")]
    pub(crate) controls: Vec<Control>,
    pub(crate) bet: Bet,
    /// File beside the manifest with native reports, as `catamaran run --json` prints them.
    pub(crate) recorded: Option<String>,
    /// File beside the manifest with a table of bases to choose from (`bases.rs`); it is no scenario.
    pub(crate) bases: Option<String>,
    pub(crate) goal: Goal,
    #[serde(default)]
    pub(crate) solution: Vec<Change>,
    /// The platform of the solution; without it, that of the start.
    pub(crate) solution_on: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    pub(crate) en: String,
    pub(crate) ko: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) label: Text,
    pub(crate) help: Text,
    pub(crate) slider: Option<Slider>,
    pub(crate) choice: Option<Vec<Choice>>,
    /// Puts this word into the list at the path, or takes it out.
    pub(crate) switch: Option<String>,
    /// Steps to be put into an order; the value is their names with hyphens between.
    pub(crate) order: Option<Vec<Choice>>,
}

/// Variants as in `catamaran_lessons::Stage`.
#[derive(Debug, Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    #[default]
    Cpu,
    Memory,
    Weight,
    Sight,
    Steal,
    Family,
    Servers,
    Layers,
    Chain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slider {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) step: f64,
    #[serde(default)]
    pub(crate) unit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bet {
    /// `file=ten-cores, host.cores=2`: what is run; empty: the lesson's scenario as it is.
    #[serde(default)]
    pub(crate) run: String,
    #[serde(rename = "field")]
    pub(crate) fields: Vec<BetField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BetField {
    pub(crate) id: String,
    pub(crate) label: Text,
    /// Bounds, steps and tolerance of a guessed number.
    #[serde(default)]
    pub(crate) min: f64,
    #[serde(default)]
    pub(crate) max: f64,
    #[serde(default)]
    pub(crate) step: f64,
    #[serde(default)]
    pub(crate) tolerance: f64,
    /// In place of these: what is chosen from, each with the number that the answer then is.
    #[serde(default)]
    pub(crate) choice: Vec<BetChoice>,
    /// A figure without its braces.
    pub(crate) answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BetChoice {
    pub(crate) value: f64,
    pub(crate) label: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Goal {
    #[serde(default, rename = "condition")]
    pub(crate) conditions: Vec<Condition>,
    /// What is to be told apart: those whose metric is not 0 are to be found.
    #[serde(default, rename = "find")]
    pub(crate) finds: Vec<Find>,
    /// For each of these one of the bases is to be chosen.
    #[serde(default, rename = "pick")]
    pub(crate) picks: Vec<Pick>,
    #[serde(default)]
    pub(crate) at_most: Vec<String>,
    #[serde(default)]
    pub(crate) locked: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Find {
    pub(crate) id: String,
    pub(crate) label: Text,
    pub(crate) metric: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pick {
    pub(crate) id: String,
    pub(crate) label: Text,
    /// What a base must be, as in `years >= 10`; all must hold.
    pub(crate) want: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    /// A metric, or a formula over metrics.
    pub(crate) metric: String,
    /// The unit in which the figure is shown; of a metric its own where this is left out.
    pub(crate) unit: Option<String>,
    pub(crate) op: String,
    pub(crate) value: f64,
    pub(crate) text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) value: String,
}
