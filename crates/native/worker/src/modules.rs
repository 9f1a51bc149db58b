//! Modules of a guest's kernel, which lie in a folder of its first file system.

use std::fs::{self, File};
use std::path::Path;

use rustix::system::finit_module;

/// Loads what lies in a folder, by name, and removes it, since the memory is for others; what could not be loaded, with the reason.
#[must_use]
pub fn load(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let load = |file: &Path| finit_module(File::open(file)?, c"", 0).map_err(std::io::Error::from);
    let failed = files.iter().filter_map(|file| Some((file, load(file).err()?)));
    let failed = failed.map(|(file, error)| format!("{}: {error}", file.display())).collect();
    let _ = fs::remove_dir_all(folder);
    failed
}
