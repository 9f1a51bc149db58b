//! A folder of `tests/accuracy/published`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// Where they are, from the top folder.
pub(super) const PLACE: &str = "tests/accuracy/published";
/// The calibration of a folder, where a prediction names none.
const HOST: &str = "host.toml";
/// Rows with another role are for validation, and none of the model's business.
const MAY_BE_USED: [&str; 2] = ["calibrate", "fact"];

/// The file `published.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    title: String,
    #[serde(default)]
    asks: Asks,
    /// Rows of figures.csv that went in.
    inputs: Vec<String>,
    reasoning: String,
    prediction: Vec<Prediction>,
}

/// Which command answers.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Asks {
    /// `catamaran sim`: reports.
    #[default]
    Sim,
    /// `catamaran density`: how many fit, by platform.
    Density,
}

impl Asks {
    pub(super) fn command(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Density => "density",
        }
    }
}

/// A figure that is read off the answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prediction {
    pub(super) quantity: String,
    pub(super) unit: String,
    pub(super) platform: String,
    /// The calibration, by its path from the folder, where it is not the folder's `host.toml`.
    pub(super) host: Option<String>,
    /// Without one the figure is the host's.
    pub(super) tenant: Option<String>,
    /// A path into the tenant's or the host's part of the report, or `event:WHAT..WHAT`; of a density, a path into the
    /// platform's row.
    pub(super) metric: String,
    #[serde(default)]
    pub(super) over: Over,
    /// From the report's unit to the published one.
    #[serde(default = "one")]
    pub(super) factor: f64,
}

fn one() -> f64 {
    1.0
}

/// What becomes of the figures of several replicas.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Over {
    Sum,
    #[default]
    Mean,
    Max,
    P50,
    P99,
}

pub(super) struct Folder {
    path: PathBuf,
    text: Text,
}

/// All folders, by name.
pub(super) fn all(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root.join(PLACE)).with_context(|| PLACE.to_owned())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.is_dir());
    paths.sort();
    Ok(paths)
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Folder {
    /// Reads a folder, and holds its inputs against docs/figures.csv.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = path.join("published.toml");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let text: Text = toml::from_str(&text).with_context(|| file.display().to_string())?;
        ensure!(!text.prediction.is_empty(), "{}: it predicts nothing", file.display());
        let root = path.ancestors().nth(4).context("published results lie four folders down")?;
        let csv = root.join("docs/figures.csv");
        let csv = fs::read_to_string(&csv).with_context(|| csv.display().to_string())?;
        may_be_used(&text.inputs, &roles(&csv)).with_context(|| file.display().to_string())?;
        Ok(Self { path: path.to_owned(), text })
    }

    pub(super) fn name(&self) -> String {
        name(&self.path)
    }

    pub(super) fn title(&self) -> &str {
        &self.text.title
    }

    pub(super) fn inputs(&self) -> &[String] {
        &self.text.inputs
    }

    pub(super) fn reasoning(&self) -> &str {
        self.text.reasoning.trim()
    }

    pub(super) fn predictions(&self) -> &[Prediction] {
        &self.text.prediction
    }

    pub(super) fn asks(&self) -> Asks {
        self.text.asks
    }

    pub(super) fn scenario(&self) -> PathBuf {
        self.path.join("scenario.toml")
    }

    /// The calibrations that its predictions are made with, in their order, each once; `None` is the reference machine.
    pub(super) fn machines(&self) -> Vec<Option<&str>> {
        let mut machines: Vec<Option<&str>> = Vec::new();
        for prediction in self.predictions() {
            let machine = self.machine(prediction);
            if !machines.contains(&machine) {
                machines.push(machine);
            }
        }
        machines
    }

    /// The calibration of a prediction, from the folder: its own, else the folder's, where there is one.
    pub(super) fn machine<'a>(&'a self, prediction: &'a Prediction) -> Option<&'a str> {
        let of_folder = || Some(HOST).filter(|host| self.path.join(host).is_file());
        prediction.host.as_deref().or_else(of_folder)
    }

    /// Where a calibration of this folder lies.
    pub(super) fn file(&self, machine: &str) -> PathBuf {
        self.path.join(machine)
    }
}

/// Each row's role: the first and the last column, neither of which is quoted.
fn roles(csv: &str) -> BTreeMap<&str, &str> {
    csv.lines().skip(1).filter_map(|line| Some((line.split_once(',')?.0, line.rsplit_once(',')?.1))).collect()
}

fn may_be_used(inputs: &[String], roles: &BTreeMap<&str, &str>) -> Result<()> {
    ensure!(!inputs.is_empty(), "inputs: a prediction is made from something");
    for id in inputs {
        match roles.get(id.as_str()) {
            None => bail!("inputs: docs/figures.csv has no row {id:?}"),
            Some(role) if !MAY_BE_USED.contains(role) => {
                bail!("inputs: {id} is for {role}, not for the model")
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{may_be_used, roles};

    const CSV: &str = "id,quantity,role\nA-1,\"speed, of a thing\",calibrate\nA-2,other,validate\n";

    #[test]
    fn inputs_are_rows_that_may_feed_the_model() {
        let roles = roles(CSV);
        let why = |ids: &[&str]| {
            let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
            may_be_used(&ids, &roles).err().map(|error| error.to_string())
        };
        assert_eq!(why(&["A-1"]), None);
        assert!(why(&["A-2"]).unwrap().contains("for validate"));
        assert!(why(&["A-3"]).unwrap().contains("no row"));
        assert!(why(&[]).unwrap().contains("made from something"));
    }
}
