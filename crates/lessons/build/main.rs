//! Reads the lessons' files and writes them out as static data: no parser and no Markdown renderer reaches the page.

mod bases;
#[path = "../src/date.rs"]
#[expect(unreachable_pub, reason = "in the library it is public")]
mod date;
mod emit;
mod figure;
mod manifest;
mod markdown;
mod read;

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    if let Err(message) = generate() {
        // Cargo shows each line after the first without its prefix; one line holds place and advice.
        println!("cargo::error={message}");
    }
}

fn generate() -> Result<(), String> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = Path::new(&variable("OUT_DIR")?).join("lessons.rs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut lessons = Vec::new();
    for directory in lesson_directories(&root)? {
        lessons.push(read::lesson(&directory)?);
    }
    lessons.sort_by_key(|lesson| lesson.manifest.number);
    let home = read::home(&root.join("home"))?;
    fs::write(&out, emit::module(&lessons, &home)?).map_err(|error| format!("{}: {error}", out.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}; this script is run by cargo"))
}

/// Every directory with a `lesson.toml` is a lesson.
fn lesson_directories(root: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut directories: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("lesson.toml").is_file())
        .collect();
    directories.sort();
    Ok(directories)
}
