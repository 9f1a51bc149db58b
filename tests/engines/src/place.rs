//! What a scene has to itself.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Begins the names of our folders and groups; then comes the process that made them.
pub(crate) const PREFIX: &str = "catamaran-engines-";

/// A file system in memory, a runtime, and a group.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Everything of the engine's is in it.
    pub(crate) folder: PathBuf,
    /// The OCI runtime's program.
    pub(crate) runtime: PathBuf,
    /// The group of our own in each hierarchy, from its mount point.
    pub(crate) group: String,
}

impl Place {
    /// In the folder on which the file system is mounted.
    pub(crate) fn new(folder: &Path, runtime: &Path) -> Result<Self> {
        let name = folder.file_name().context("a folder of ours has a name")?.to_string_lossy().into_owned();
        Ok(Self { folder: folder.to_owned(), runtime: runtime.to_owned(), group: name })
    }

    /// A folder in it, made when it is first asked for.
    pub(crate) fn folder(&self, name: &str) -> Result<String> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(folder.display().to_string())
    }

    /// Path of a file in it.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub(crate) fn runtime(&self) -> String {
        self.runtime.display().to_string()
    }
}
