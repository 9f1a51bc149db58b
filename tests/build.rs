//! Finds every scenario that is shipped, and its golden files, so that a new scenario cannot be forgotten: each becomes a
//! test by itself, natively and in WebAssembly.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What a scenario file says of itself; other TOML files lie beside them.
const MARK: &str = "\"catamaran/scenario/v1\"";

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let tests = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    let (mut list, mut cases) = (String::from("&[\n"), String::new());
    let mut all = found(&tests)?;
    all.sort();
    for (key, path) in &all {
        let goldens = goldens(&tests.join("golden").join(key))?;
        writeln!(list, "Shipped {{ key: {key:?}, text: include_str!({path:?}), goldens: &[{goldens}] }},")?;
        writeln!(cases, "golden_test!({}, {key:?});", key.replace(['-', '.'], "_"))?;
    }
    list.push(']');
    fs::write(out.join("shipped.rs"), list)?;
    fs::write(out.join("cases.rs"), cases)?;
    Ok(())
}

/// Key and path of every scenario: those of the tests, of the page and of the lessons.
fn found(tests: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut all = Vec::new();
    for path in scenarios(&tests.join("scenarios"))? {
        all.push((stem(&path), path));
    }
    for path in scenarios(&tests.join("../web/scenarios"))? {
        all.push((format!("web.{}", stem(&path)), path));
    }
    let lessons = tests.join("../crates/lessons");
    println!("cargo::rerun-if-changed={}", lessons.display());
    for folder in entries(&lessons)?.into_iter().filter(|path| path.is_dir()) {
        for path in scenarios(&folder)? {
            all.push((format!("lesson-{}.{}", stem(&folder), stem(&path)), path));
        }
    }
    Ok(all)
}

fn scenarios(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    for path in entries(folder)? {
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        if is_toml && fs::read_to_string(&path)?.contains(MARK) {
            found.push(path.canonicalize()?);
        }
    }
    Ok(found)
}

/// `("cgroups", include_str!(…)), …`: the golden files of a scenario, by platform.
fn goldens(folder: &Path) -> Result<String, Failure> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = if folder.is_dir() { entries(folder)? } else { Vec::new() };
    files.sort();
    Ok(files.iter().map(|path| format!("({:?}, include_str!({path:?})), ", stem(path))).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listing = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    listing.map(|entry| Ok(entry?.path())).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
