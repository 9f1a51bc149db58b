//! The table of bases that a lesson lets one choose from.

use serde::Deserialize;

use crate::date::Date;
use crate::emit::{list, text};
use crate::manifest::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    #[serde(rename = "base")]
    bases: Vec<Base>,
}

/// One row; fields as in `catamaran_lessons::Base`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Base {
    pub(crate) id: String,
    name: String,
    from: Option<String>,
    relation: Text,
    #[serde(deserialize_with = "day")]
    first: Date,
    package: String,
    install: String,
    libc: String,
    #[serde(default)]
    contract: bool,
    parts_kib: Option<u32>,
    #[serde(default, rename = "release")]
    releases: Vec<Release>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    name: String,
    #[serde(deserialize_with = "day")]
    from: Date,
    #[serde(deserialize_with = "day")]
    to: Date,
    source: String,
}

/// `2024-06-30`.
fn day<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
    let text = String::deserialize(from)?;
    let wrong =
        || serde::de::Error::custom(format!("\"{text}\" is not a day; write for example \"2024-06-30\""));
    let mut parts = text.splitn(3, '-');
    let mut part = || parts.next().and_then(|part| part.parse::<u16>().ok()).ok_or_else(wrong);
    let (year, month, day) = (part()?, part()?, part()?);
    let sound = (1900..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    match (u8::try_from(month), u8::try_from(day)) {
        (Ok(month), Ok(day)) if sound => Ok(Date { year, month, day }),
        _ => Err(wrong()),
    }
}

fn day_literal(date: Date) -> String {
    format!("Date {{ year: {}, month: {}, day: {} }}", date.year, date.month, date.day)
}

impl Base {
    /// Whole years of security fixes of its last release; 0 where it has no releases.
    fn years(&self) -> f64 {
        self.releases.last().map_or(0.0, |release| (release.to.years() - release.from.years()).round())
    }
}

/// The rows, checked: ids are unique, and each comes from one above it.
pub(crate) fn bases(table: Table) -> Result<Vec<Base>, String> {
    let bases = table.bases;
    for (at, base) in bases.iter().enumerate() {
        let mut above = bases.iter().take(at).map(|base| base.id.as_str());
        if above.clone().any(|id| id == base.id) {
            return Err(format!("there are two bases \"{}\"", base.id));
        }
        if let Some(from) = base.from.as_deref().filter(|from| !above.any(|id| id == *from)) {
            return Err(format!("\"{}\" comes from \"{from}\", which must stand above it", base.id));
        }
        if let Some(release) = base.releases.iter().find(|release| release.to.years() <= release.from.years())
        {
            return Err(format!("{} {} ends before it begins", base.name, release.name));
        }
    }
    Ok(bases)
}

/// What the table says in numbers, by path: how many bases one comes from, its years, its size where that is known.
pub(crate) fn facts(bases: &[Base]) -> Vec<(String, f64)> {
    let mut facts: Vec<(String, f64)> = Vec::new();
    for base in bases {
        let above = base.from.as_ref().and_then(|from| {
            let path = format!("base.{from}.depth");
            facts.iter().find(|(known, _)| *known == path).map(|(_, depth)| depth + 1.0)
        });
        facts.push((format!("base.{}.depth", base.id), above.unwrap_or(0.0)));
        facts.push((format!("base.{}.years", base.id), base.years()));
        facts.extend(base.parts_kib.map(|kib| (format!("base.{}.parts_kib", base.id), f64::from(kib))));
    }
    facts
}

/// The ids of the bases that meet all wants.
pub(crate) fn right(bases: &[Base], wants: &[String]) -> Result<Vec<String>, String> {
    let mut right: Vec<&Base> = bases.iter().collect();
    for want in wants {
        right = meets(&right, want)?;
    }
    Ok(right.into_iter().map(|base| base.id.clone()).collect())
}

fn meets<'a>(bases: &[&'a Base], want: &str) -> Result<Vec<&'a Base>, String> {
    let keep = |wanted: &dyn Fn(&Base) -> bool| bases.iter().copied().filter(|base| wanted(base)).collect();
    let words: Vec<&str> = want.split_whitespace().collect();
    match words.as_slice() {
        ["libc", "=", libc] => Ok(keep(&|base| base.libc == *libc)),
        ["package", "=", package] => Ok(keep(&|base| base.package == *package)),
        ["contract", "=", "no"] => Ok(keep(&|base| !base.contract)),
        ["years", ">=", years] => {
            let least: f64 = years.parse().map_err(|_| format!("\"{years}\" is not a number of years"))?;
            Ok(keep(&|base| base.years() >= least))
        }
        ["least", "parts_kib"] => {
            let least = bases.iter().filter_map(|base| base.parts_kib).min();
            Ok(keep(&|base| least.is_some() && base.parts_kib == least))
        }
        _ => Err(format!(
            "unknown want \"{want}\"; accepted are libc = …, package = …, contract = no, years >= …, least parts_kib"
        )),
    }
}

/// A row as Rust.
pub(crate) fn literal(base: &Base) -> String {
    let release = |release: &Release| {
        format!(
            "Release {{ name: {:?}, from: {}, to: {}, source: {:?} }}",
            release.name,
            day_literal(release.from),
            day_literal(release.to),
            release.source
        )
    };
    format!(
        "Base {{ id: {:?}, name: {:?}, from: {:?}, relation: {}, first: {}, package: {:?}, install: {:?}, libc: {:?}, \
         contract: {}, parts_kib: {:?}, releases: {}, source: {:?} }}",
        base.id,
        base.name,
        base.from,
        text(&base.relation),
        day_literal(base.first),
        base.package,
        base.install,
        base.libc,
        base.contract,
        base.parts_kib,
        list(&base.releases, release),
        base.source
    )
}
