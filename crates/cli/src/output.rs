//! Files that the user asked for by name.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::failure::Failure;

/// Finds out before the work, not after it, whether the file can be written. What stands there stays as it is.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    let existed = path.exists();
    let open = OpenOptions::new().append(true).create(true).open(path);
    let mut file = open.map_err(|error| cannot_write(path, &error))?;
    if existed {
        return Ok(());
    }
    // An empty file fits on a full disk, too.
    let room = file.write_all(&[0; 4096]);
    fs::remove_file(path).and(room).map_err(|error| cannot_write(path, &error))
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
    let place = "name a place that you may write to and that has room";
    Failure::input(format!("cannot write {}: {error}; {place}", path.display()))
}
