//! From the files of a lesson to what is emitted, with every check that needs no simulation.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bases::{self, Base};
use crate::figure::{self, Figure, Run, Sources};
use crate::manifest::{BetField, Control, Manifest, Slider};
use crate::markdown::{self, Block, Piece};

/// The blocks of a lesson's prose, in this order.
pub(crate) const BLOCKS: &[&str] = &[
    "play",
    "bet",
    "run",
    "why",
    "goal",
    "hint-1",
    "hint-2",
    "hint-3",
    "solution",
    "for-real",
    "debrief",
    "imprecise",
    "glossary",
    "sources",
];

/// The languages, in the order of `Lang`.
pub(crate) const LANGUAGES: [&str; 2] = ["en", "ko"];

pub(crate) struct Lesson {
    pub(crate) id: String,
    pub(crate) manifest: Manifest,
    pub(crate) scenarios: Vec<ScenarioFile>,
    pub(crate) platforms: Vec<String>,
    /// One per control.
    pub(crate) starts: Vec<String>,
    pub(crate) bet_run: Run,
    /// One per field of the bet.
    pub(crate) answers: Vec<Figure>,
    /// The file of native reports.
    pub(crate) recorded: Option<PathBuf>,
    /// The table of bases; empty where there is none.
    pub(crate) bases: Vec<Base>,
    /// One per pick of the goal: the bases that are right.
    pub(crate) right: Vec<Vec<String>>,
    /// One per language.
    pub(crate) words: Vec<Words>,
}

pub(crate) struct ScenarioFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) table: toml::Table,
}

/// One language.
pub(crate) struct Words {
    pub(crate) sections: Vec<Section>,
    pub(crate) terms: Vec<Section>,
}

pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) html: Vec<Piece>,
    pub(crate) markdown: Vec<Piece>,
}

/// Reads the lesson in that directory.
pub(crate) fn lesson(directory: &Path) -> Result<Lesson, String> {
    let id = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let place = format!("crates/lessons/{id}/lesson.toml");
    let text = read(&directory.join("lesson.toml"))?;
    let manifest: Manifest = toml::from_str(&text).map_err(|error| located(&place, &text, &error))?;
    let scenarios = scenarios(directory, manifest.bases.as_deref())?;
    let platforms = scenarios.first().map(|file| platforms(&file.table)).unwrap_or_default();
    let bases = bases_of(directory, &id, manifest.bases.as_deref())?;
    let sources = Sources {
        facts: bases::facts(&bases),
        files: scenarios.iter().map(|file| (file.name.clone(), platforms_first(&file.table))).collect(),
        solution: manifest
            .solution
            .iter()
            .map(|change| (change.path.clone(), change.value.clone()))
            .collect(),
        solution_on: manifest.solution_on.clone(),
    };
    let at = |what: String| format!("{place}: {what}");
    let starts = starts(&manifest, &scenarios).map_err(at)?;
    check_solution(&manifest, &platforms).map_err(at)?;
    check_bet(&manifest).map_err(at)?;
    let recorded = manifest.recorded.as_ref().map(|name| directory.join(name));
    if let Some(path) = recorded.as_ref().filter(|path| !path.is_file()) {
        return Err(at(format!(
            "recorded: there is no {}; write it with `catamaran run lesson:{id} --json`",
            path.display()
        )));
    }
    let right = manifest
        .goal
        .picks
        .iter()
        .map(|pick| {
            bases::right(&bases, &pick.want).map_err(|what| at(format!("pick \"{}\": {what}", pick.id)))
        })
        .collect::<Result<_, _>>()?;
    let bet_run = figure::run(&manifest.bet.run, &sources).map_err(at)?;
    let answers = manifest
        .bet
        .fields
        .iter()
        .map(|field| figure::parse(&field.answer, &sources).map_err(at))
        .collect::<Result<_, _>>()?;
    let words = LANGUAGES
        .iter()
        .map(|language| words(directory, &id, language, &sources))
        .collect::<Result<Vec<_>, _>>()?;
    same_length(&id, &words)?;
    Ok(Lesson { id, manifest, scenarios, platforms, starts, bet_run, answers, recorded, bases, right, words })
}

/// Reads the prose of the home page, one list of sections per language.
pub(crate) fn home(directory: &Path) -> Result<Vec<Vec<Section>>, String> {
    let none = Sources { files: Vec::new(), solution: Vec::new(), solution_on: None, facts: Vec::new() };
    let read_language = |language: &&str| {
        let place = format!("crates/lessons/home/{language}.md");
        let text = read(&directory.join(format!("{language}.md")))?;
        let blocks = markdown::blocks(&place, &text, &[])?;
        blocks.iter().map(|block| section(&place, block, &none)).collect()
    };
    let home: Vec<Vec<Section>> = LANGUAGES.iter().map(read_language).collect::<Result<_, String>>()?;
    let ids = |sections: &[Section]| sections.iter().map(|section| section.id.clone()).collect::<Vec<_>>();
    match home.as_slice() {
        [en, ko] if ids(en) != ids(ko) => Err(format!(
            "crates/lessons/home: en.md has the blocks {:?}, ko.md {:?}; make them equal",
            ids(en),
            ids(ko)
        )),
        _ => Ok(home),
    }
}

/// The table of bases, where the lesson has one.
fn bases_of(directory: &Path, id: &str, name: Option<&str>) -> Result<Vec<Base>, String> {
    let Some(name) = name else { return Ok(Vec::new()) };
    let place = format!("crates/lessons/{id}/{name}");
    let text = read(&directory.join(name))?;
    let table = toml::from_str(&text).map_err(|error| located(&place, &text, &error))?;
    bases::bases(table).map_err(|what| format!("{place}: {what}"))
}

fn words(directory: &Path, id: &str, language: &str, sources: &Sources) -> Result<Words, String> {
    let place = format!("crates/lessons/{id}/{language}.md");
    let text = read(&directory.join(format!("{language}.md")))?;
    let mut blocks = markdown::blocks(&place, &text, BLOCKS)?;
    let mut terms = Vec::new();
    for block in blocks.iter().filter(|block| block.id == "glossary") {
        for term in markdown::terms(&place, block)? {
            terms.push(section(&place, &term, sources)?);
        }
    }
    for block in &mut blocks {
        // In the whole document the terms stand one level below their glossary.
        block.body = block.body.replace("\n## ", "\n### ");
    }
    let sections = blocks.iter().map(|block| section(&place, block, sources)).collect::<Result<_, _>>()?;
    Ok(Words { sections, terms })
}

fn section(place: &str, block: &Block, sources: &Sources) -> Result<Section, String> {
    let html = markdown::render(markdown::pieces(place, block, sources)?);
    markdown::check_emphasis(&html).map_err(|what| format!("{place}:{}: {what}", block.line))?;
    let markdown = markdown::pieces(place, block, sources)?;
    Ok(Section { id: block.id.clone(), title: block.title.clone(), html, markdown })
}

fn same_length(id: &str, words: &[Words]) -> Result<(), String> {
    match words {
        [en, ko] if en.terms.len() != ko.terms.len() => Err(format!(
            "crates/lessons/{id}: the glossary has {} terms in en.md and {} in ko.md; make them equal",
            en.terms.len(),
            ko.terms.len()
        )),
        _ => Ok(()),
    }
}

/// Every other TOML file but the table of bases is a scenario; `scenario.toml` comes first.
fn scenarios(directory: &Path, bases: Option<&str>) -> Result<Vec<ScenarioFile>, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let other = name == "lesson" || bases.is_some_and(|bases| path.ends_with(bases));
        if path.extension().is_some_and(|extension| extension == "toml") && !other {
            let text = read(&path)?;
            let table = text.parse().map_err(|error| located(&path.display().to_string(), &text, &error))?;
            files.push(ScenarioFile { name, path, table });
        }
    }
    files.sort_by_key(|file| (file.name != "scenario", file.name.clone()));
    match files.first() {
        Some(first) if first.name == "scenario" => Ok(files),
        _ => Err(format!("{}: there is no scenario.toml; add it", directory.display())),
    }
}

fn platforms(scenario: &toml::Table) -> Vec<String> {
    let names = scenario.get("platforms").and_then(toml::Value::as_array);
    names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn platforms_first(scenario: &toml::Table) -> String {
    platforms(scenario).into_iter().next().unwrap_or_else(|| "bare-metal".to_owned())
}

/// The value with which each control starts; it must stand in the scenario, within the control's bounds.
fn starts(manifest: &Manifest, scenarios: &[ScenarioFile]) -> Result<Vec<String>, String> {
    let scenario = scenarios.first().map(|file| &file.table);
    let start = |control: &Control| {
        let found = scenario.and_then(|table| value_at(table, &control.path));
        let value = found.ok_or_else(|| {
            format!(
                "control \"{}\": {} does not stand in scenario.toml; write its starting value there",
                control.id, control.path
            )
        })?;
        check_value(manifest, control, &value).map(|()| value)
    };
    manifest.controls.iter().map(start).collect()
}

/// A guess is a number on a slider or one of a few.
fn check_bet(manifest: &Manifest) -> Result<(), String> {
    let wrong = |field: &&BetField| field.choice.is_empty() == (field.step <= 0.0);
    match manifest.bet.fields.iter().find(wrong) {
        Some(field) => {
            Err(format!("bet \"{}\" needs either min, max, step and tolerance, or choice", field.id))
        }
        None => Ok(()),
    }
}

fn check_solution(manifest: &Manifest, platforms: &[String]) -> Result<(), String> {
    if let Some(platform) = manifest.solution_on.as_ref().filter(|platform| !platforms.contains(platform)) {
        return Err(format!("solution_on: {platform} is not among the platforms of scenario.toml"));
    }
    for change in &manifest.solution {
        let control = manifest.controls.iter().find(|control| control.path == change.path);
        let control = control.ok_or_else(|| {
            format!("solution: {} is not among the controls; a learner could not change it", change.path)
        })?;
        check_value(manifest, control, &change.value)?;
    }
    Ok(())
}

/// Whether a control can be set to the value.
fn check_value(manifest: &Manifest, control: &Control, value: &str) -> Result<(), String> {
    let refuse = |why: String| Err(format!("control \"{}\": the value \"{value}\" {why}", control.id));
    match (&control.slider, &control.choice, &control.switch, &control.order) {
        (Some(slider), None, None, None) => match slider_steps(slider, value) {
            Some(steps) if (steps - steps.round()).abs() < 1e-6 => Ok(()),
            _ => refuse(format!(
                "is not on the slider; accepted are {min}{unit} to {max}{unit} in steps of {step}{unit}",
                min = slider.min,
                max = slider.max,
                step = slider.step,
                unit = slider.unit
            )),
        },
        (None, Some(choices), None, None) if choices.iter().any(|choice| choice.value == value) => Ok(()),
        (None, Some(_), None, None) => refuse("is not among the choices".to_owned()),
        (None, None, None, Some(steps)) => {
            let mut left: Vec<&str> = value.split('-').collect();
            left.sort_unstable();
            let mut names: Vec<&str> = steps.iter().map(|step| step.value.as_str()).collect();
            names.sort_unstable();
            match left == names && names.iter().all(|name| !name.contains('-')) {
                true => Ok(()),
                false => refuse(format!("is not an order of {}, with hyphens between", names.join(", "))),
            }
        }
        (None, None, Some(_), None) => {
            let words = switches(manifest, &control.path);
            let mut left = words.iter();
            // In the order of the switches, so that a value that is turned off and on again is the one before.
            match value
                .split(',')
                .filter(|word| !word.is_empty())
                .all(|word| left.any(|known| *known == word))
            {
                true => Ok(()),
                false => refuse(format!(
                    "is not made of the switches of {}, in their order: {}",
                    control.path,
                    words.join(", ")
                )),
            }
        }
        _ => Err(format!("control \"{}\" needs one of slider, choice, switch and order", control.id)),
    }
}

/// The words of all switches of a list.
fn switches<'a>(manifest: &'a Manifest, path: &str) -> Vec<&'a str> {
    let of_path = manifest.controls.iter().filter(|control| control.path == path);
    of_path.filter_map(|control| control.switch.as_deref()).collect()
}

fn slider_steps(slider: &Slider, value: &str) -> Option<f64> {
    let number: f64 = value.strip_suffix(&slider.unit)?.parse().ok()?;
    (number >= slider.min && number <= slider.max).then_some((number - slider.min) / slider.step)
}

/// `tenant.web.cpu.period` in the table; rows of an array are found by their `name`.
fn value_at(table: &toml::Table, path: &str) -> Option<String> {
    let mut parts = path.split('.');
    let mut here = table.get(parts.next()?)?;
    for part in parts {
        here = match here {
            toml::Value::Array(rows) => {
                rows.iter().find(|row| row.get("name").and_then(toml::Value::as_str) == Some(part))?
            }
            other => other.get(part)?,
        };
    }
    Some(match here {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(words) => {
            words.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    })
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| {
        format!("{}: {error}; every lesson has lesson.toml, scenario.toml, en.md and ko.md", path.display())
    })
}

fn located(place: &str, text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .map_or(1, |span| text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1);
    format!("{place}:{line}: {}", error.message())
}
