//! The keeper: waits until the process that started it is gone, however that came, and removes what outlives processes:
//! control groups and the folder on which the scene's file system was mounted.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::place::PREFIX;
use crate::{groups, tool};

/// Starts one, away from our family: who kills us with all our descendants leaves it alone.
pub(crate) fn start(folder: &Path) -> Result<Child> {
    let mut command = Command::new("setsid");
    command.arg("--fork").arg(std::env::current_exe()?).arg("keep").arg(folder);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    child.context("setsid does not start")
}

/// Waits for the end of standard input, which nobody writes to, and removes everything. Prints what it can't.
pub(crate) fn keep(folder: &Path) -> Result<()> {
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing)?;
    remove(folder)
}

fn remove(folder: &Path) -> Result<()> {
    tool::until("removing control groups", || groups::remove(folder))?;
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}

/// Removes what runs have left whose keeper was killed, too.
pub(crate) fn sweep() -> Result<()> {
    let temporary = std::env::temp_dir();
    let mut names: Vec<PathBuf> = entries(&temporary);
    for hierarchy in groups::hierarchies()? {
        let groups = entries(&hierarchy.at);
        names.extend(groups.iter().filter_map(|group| Some(temporary.join(group.file_name()?))));
    }
    names.sort();
    names.dedup();
    names.into_iter().filter(|folder| is_orphan(folder)).try_for_each(|folder| {
        println!("  removing what an earlier run left: {}", folder.display());
        remove(&folder)
    })
}

/// Entries of a folder that bear our name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .collect()
}

/// Whether nothing bears its number and our program any more.
fn is_orphan(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let Some(pid) = name.strip_prefix(PREFIX).and_then(|pid| pid.parse::<u32>().ok()) else { return false };
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    !command.contains("catamaran-engines")
}
