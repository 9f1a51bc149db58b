//! Files that the user asked for by name.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// Finds out before the work, not after it, whether the file can be written. What stands there stays as it is.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    let existed = path.exists();
    OpenOptions::new().append(true).create(true).open(path).map_err(|error| cannot_write(path, &error))?;
    if !existed {
        fs::remove_file(path).map_err(|error| cannot_write(path, &error))?;
    }
    Ok(())
}

/// Writes the file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| cannot_write(path, &error))
}

/// Makes the directory, where there is none yet.
pub(crate) fn make_directory(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::input(format!("cannot write {}: {error}", path.display()))
}
