//! The corpus: scenarios in two folders, as far as a pass has to know them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// The two halves, from the top folder.
const FOLDER: &str = "tests/accuracy";
/// What a run takes beside its duration: start-up with a pause before each tenant, removal, and the simulations that it is
/// paired with.
const BESIDE: Duration = Duration::from_millis(700);
/// What an emulated guest takes to boot, one after the other.
const BOOT: Duration = Duration::from_millis(2_600);

/// Which half a scenario belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// What the model is judged by, and never fitted to. It comes first.
    Judge,
    /// What constants may be fitted on.
    Fit,
}

impl Part {
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Judge => "judge",
            Self::Fit => "fit",
        }
    }
}

/// A scenario of the corpus.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scenario {
    pub(super) part: Part,
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) platforms: Vec<String>,
    duration: Duration,
    tenants: u32,
}

/// The fields that matter here; `catamaran` knows the rest.
#[derive(serde::Deserialize)]
struct Fields {
    name: String,
    duration: String,
    platforms: Vec<String>,
    tenant: Vec<Tenant>,
}

#[derive(serde::Deserialize)]
struct Tenant {
    #[serde(default = "one")]
    replicas: u32,
}

fn one() -> u32 {
    1
}

/// Every scenario: those of `judge` first, then those of `fit`, each by name.
pub(super) fn read(root: &Path) -> Result<Vec<Scenario>> {
    let mut all = Vec::new();
    for part in [Part::Judge, Part::Fit] {
        let folder = root.join(FOLDER).join(part.folder());
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            all.push(Scenario::of(part, path.clone(), text).with_context(|| path.display().to_string())?);
        }
    }
    Ok(all)
}

impl Scenario {
    fn of(part: Part, path: PathBuf, text: String) -> Result<Self> {
        let fields: Fields = toml::from_str(&text)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(fields.name == stem, "it calls itself {}", fields.name);
        let duration =
            seconds(&fields.duration).with_context(|| format!("duration {:?}", fields.duration))?;
        let tenants = fields.tenant.iter().map(|tenant| tenant.replicas).sum();
        Ok(Self { part, name: fields.name, path, text, platforms: fields.platforms, duration, tenants })
    }

    /// `judge/NAME`.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.part.folder(), self.name)
    }

    pub(super) fn boots_guests(&self) -> bool {
        self.platforms.iter().any(|platform| platform == "vm")
    }

    /// What so many trials on these of its platforms will take, if nothing ends early and none is added.
    pub(super) fn planned(&self, trials: u32, on: &[String]) -> Duration {
        let chosen = self.platforms.iter().filter(|platform| on.is_empty() || on.contains(platform));
        let trial = |platform: &String| {
            let boots = if platform == "vm" { BOOT * self.tenants } else { Duration::ZERO };
            self.duration + BESIDE + boots
        };
        chosen.map(trial).sum::<Duration>() * trials
    }

    /// The text without remarks: what says nothing to a backend may change.
    pub(super) fn meaning(&self) -> String {
        meaning(&self.text)
    }
}

pub(super) fn meaning(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whole or decimal seconds: the corpus writes its durations in these.
fn seconds(text: &str) -> Result<Duration> {
    let number: f64 = text.strip_suffix('s').context("not in seconds")?.parse()?;
    Ok(Duration::try_from_secs_f64(number)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(name: &str) -> Result<Scenario> {
        let text = "# why\nname = \"a-b\"\nduration = \"3.5s\"\nplatforms = [\"cgroups\", \"vm\"]\n\
                    [[tenant]]\nname = \"x\"\nreplicas = 2\n[[tenant]]\nname = \"y\"\n";
        Scenario::of(Part::Fit, PathBuf::from(name), text.to_owned())
    }

    #[test]
    fn a_pass_knows_how_long_a_scenario_takes() {
        let one = scenario("a-b.toml").unwrap();
        let (plain, boots) = (Duration::from_millis(4_200), Duration::from_millis(7_800));
        assert_eq!(one.planned(7, &[]), (plain + plain + boots) * 7);
        assert_eq!(one.planned(7, &["cgroups".to_owned()]), plain * 7);
        assert_eq!((one.label().as_str(), one.boots_guests()), ("fit/a-b", true));
        assert!(scenario("b-a.toml").is_err(), "it is not called as its file");
    }

    #[test]
    fn remarks_are_not_part_of_what_a_scenario_means() {
        assert_eq!(meaning("# one\na = 1\n\n  # two\nb = 2 # three\n"), "a = 1\nb = 2 # three");
        assert!(seconds("3 min").is_err());
    }
}
