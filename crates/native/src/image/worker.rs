//! What a run lays over every image, or has for one: the worker, and places for what is mounted.

use std::io;
use std::path::Path;

use catamaran_image::{Image, Recipe, Result, TarLayer};
use catamaran_worker::minimal::{CONTROL, FILE, PROGRAM};
use serde_json::json;

use crate::launcher::WORKER;

/// Folders of the root on which something is mounted.
pub(crate) const FOLDERS: [(&str, u32); 4] =
    [("proc", 0o555), ("dev", 0o755), ("sys", 0o555), ("tmp", 0o1777)];

/// Writes the archive of an image, with the layers of `base` beneath the worker's.
///
/// # Errors
/// Where it can't be written, or a layer is not what its digest says.
pub(crate) fn write(archive: &Path, name: &str, base: Option<&Image>) -> Result<()> {
    let top = layer().map_err(|error| catamaran_image::Error::Machine(error.to_string()))?;
    Recipe { name, base, top: &top, config: config() }.write(archive)
}

/// How a container is started.
pub(crate) fn config() -> serde_json::Value {
    json!({ "Cmd": [format!("/{PROGRAM}")], "WorkingDir": "/" })
}

/// The layer, a tar file.
///
/// # Errors
/// None that memory knows.
pub(crate) fn layer() -> io::Result<Vec<u8>> {
    let mut layer = TarLayer::default();
    for (name, mode) in FOLDERS {
        layer.folder(name, mode)?;
    }
    layer.file(PROGRAM, 0o755, WORKER)?;
    for place in [CONTROL, FILE] {
        layer.file(place, 0o666, &[])?;
    }
    layer.finish()
}
