//! Where the text of a scenario or a report comes from: a file, a lesson, or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use catamaran_report::Report;
use catamaran_scenario::{Plan, edit};

use crate::failure::Failure;

/// A scenario has a few kilobytes; what is larger than this is not one.
const SCENARIO_LIMIT_BYTES: u64 = 1 << 20;

/// Reports carry time series: a few hundred kilobytes each, a few dozen in a file.
const REPORTS_LIMIT_BYTES: u64 = 256 << 20;

/// The text of a scenario, and what to call it.
#[derive(Clone)]
pub(crate) struct Scenario {
    name: String,
    /// Of its file; empty where it has none.
    folder: PathBuf,
    text: String,
}

impl Scenario {
    /// Validates it.
    pub(crate) fn plan(&self) -> Result<Plan, Failure> {
        let plan = Plan::from_toml(&self.text, &self.name).map(|plan| plan.in_folder(&self.folder));
        plan.map_err(|diagnostic| {
            if serde_json::from_str::<serde::de::IgnoredAny>(&self.text).is_ok() {
                let name = &self.name;
                return Failure::input(format!(
                    "{name}: JSON, but a scenario is TOML; to compare two saved runs name both files"
                ));
            }
            diagnostic.into()
        })
    }

    /// Validates it with another seed.
    pub(crate) fn with_seed(&self, seed: u64) -> Result<Plan, Failure> {
        self.with("seed", &seed.to_string())?.plan()
    }

    /// The same with another value of a field, which must take it.
    pub(crate) fn with(&self, path: &str, value: &str) -> Result<Self, Failure> {
        Ok(Self {
            name: self.name.clone(),
            folder: self.folder.clone(),
            text: edit::set(&self.text, path, value)?,
        })
    }
}

/// Reads the scenario that `FILE` means.
pub(crate) fn scenario(file: &str) -> Result<Scenario, Failure> {
    let (name, text) = match is_lesson(file) {
        true => (file, lesson(file)?),
        false => (shown(file), text(file, SCENARIO_LIMIT_BYTES, "scenario")?),
    };
    let folder = Path::new(file).parent().filter(|_| name == file && !is_lesson(file)).map(Path::to_owned);
    Ok(Scenario { name: name.to_owned(), folder: folder.unwrap_or_default(), text })
}

fn is_lesson(file: &str) -> bool {
    file.starts_with(catamaran_lessons::SCENARIO_PREFIX)
}

/// Reads the reports of a file: one, or the array that `--json` prints.
pub(crate) fn reports(file: &str) -> Result<Vec<Report>, Failure> {
    let text = text(file, REPORTS_LIMIT_BYTES, "report")?;
    let reports =
        Report::many_from_json(&text).map_err(|error| Failure::input(format!("{}: {error}", shown(file))))?;
    if reports.is_empty() {
        return Err(Failure::input(format!("{}: no report in it", shown(file))));
    }
    Ok(reports)
}

/// The text of a file (`-`: of standard input), never more than `limit_bytes` of it; `kind` is what it should be.
pub(crate) fn text(file: &str, limit_bytes: u64, kind: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if file == "-" {
        io::stdin().lock().take(limit_bytes + 1).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|open| open.take(limit_bytes + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| cannot_read(file, kind, &error))?;
    if bytes.len() as u64 > limit_bytes {
        let most = crate::units::bytes(limit_bytes as f64);
        return Err(Failure::input(format!("{}: larger than {most}, so it is no {kind}", shown(file))));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::input(format!("{}: not a text file (byte {at} is not UTF-8); give a {kind}", shown(file)))
    })
}

fn lesson(file: &str) -> Result<String, Failure> {
    catamaran_lessons::scenario(file).map(str::to_owned).ok_or_else(|| {
        let known =
            catamaran_lessons::all().iter().map(|lesson| format!("lesson:{}", lesson.id)).collect::<Vec<_>>();
        Failure::input(format!("{file}: no such lesson{}", suggestion(file, &known)))
    })
}

/// `; did you mean …`, else what there is.
pub(crate) fn suggestion(found: &str, known: &[String]) -> String {
    let nearest = known.iter().map(|name| (strsim::damerau_levenshtein(found, name), name)).min();
    match nearest {
        Some((distance, name)) if distance <= 1 + found.chars().count() / 4 => {
            format!("; did you mean `{name}`?")
        }
        _ => format!("; there is {}", known.join(", ")),
    }
}

fn cannot_read(file: &str, kind: &str, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::NotFound if kind == "scenario" => {
            "; FILE is a TOML file, `lesson:ID` (see `catamaran lessons`), or `-` for standard input"
        }
        _ => "",
    };
    let what = match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::IsADirectory => format!("a directory; give a {kind} file"),
        _ => error.to_string(),
    };
    Failure::input(format!("{}: {what}{advice}", shown(file)))
}

/// The name of the file in messages.
fn shown(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_suggested() {
        let known = ["lesson:cgroups".to_owned(), "lesson:chroot".to_owned()];
        assert_eq!(suggestion("lesson:cgrups", &known), "; did you mean `lesson:cgroups`?");
        assert_eq!(suggestion("lesson:kubernetes", &known), "; there is lesson:cgroups, lesson:chroot");
    }
}
