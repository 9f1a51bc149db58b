//! The image of the worker: one layer, as an archive that `docker save` would write and every engine takes.
//!
//! **Source.** Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format".

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use crate::launcher::WORKER;

/// Its name, in a form that no engine completes.
pub(super) const NAME: &str = "localhost/catamaran-worker:1";
/// The worker's place in the root.
pub(super) const PROGRAM: &str = "catamaran-worker";
/// The place of the socket to the runner.
pub(super) const CONTROL: &str = "control";
/// The place of the tenant's file.
pub(super) const FILE: &str = "file";
/// Folders of the root.
const FOLDERS: [(&str, u32); 4] = [("proc", 0o555), ("dev", 0o755), ("sys", 0o555), ("tmp", 0o1777)];

/// Writes the archive.
///
/// # Errors
/// Where it can't be written.
pub(super) fn write(archive: &Path) -> io::Result<()> {
    let layer = layer()?;
    let configuration = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Cmd": [format!("/{PROGRAM}")], "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "catamaran" }],
    })
    .to_string();
    let name = format!("{}.json", digest(configuration.as_bytes()));
    let manifest = json!([{ "Config": name, "RepoTags": [NAME], "Layers": ["layer.tar"] }]).to_string();
    let mut builder = Builder::new(File::create(archive)?);
    append(&mut builder, "manifest.json", 0o644, manifest.as_bytes())?;
    append(&mut builder, &name, 0o644, configuration.as_bytes())?;
    append(&mut builder, "layer.tar", 0o644, &layer)?;
    builder.into_inner()?.flush()
}

/// The root: the worker, and places for what is mounted.
fn layer() -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (name, mode) in FOLDERS {
        let mut header = header(EntryType::Directory, mode, 0);
        builder.append_data(&mut header, name, io::empty())?;
    }
    append(&mut builder, PROGRAM, 0o755, WORKER)?;
    for place in [CONTROL, FILE] {
        append(&mut builder, place, 0o666, &[])?;
    }
    builder.into_inner()
}

fn append(builder: &mut Builder<impl Write>, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    builder.append_data(&mut header(EntryType::Regular, mode, content.len() as u64), name, content)
}

/// Of root's, and as old as time: the same bytes each time.
fn header(kind: EntryType, mode: u32, bytes: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(bytes);
    header.set_mtime(0);
    header
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The machine's architecture as images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_archive_names_its_layer_by_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("image.tar");
        write(&archive).unwrap();
        let mut files = std::collections::BTreeMap::new();
        for entry in tar::Archive::new(File::open(&archive).unwrap()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), content);
        }
        let parse = |name: &str| serde_json::from_slice::<serde_json::Value>(&files[name]).unwrap();
        let manifest = parse("manifest.json");
        let name = manifest[0]["Config"].as_str().unwrap();
        assert_eq!(name, format!("{}.json", digest(&files[name])));
        let layer = &files["layer.tar"];
        assert_eq!(parse(name)["rootfs"]["diff_ids"], json!([format!("sha256:{}", digest(layer))]));
        let mut layer = tar::Archive::new(&**layer);
        let worker = layer.entries().unwrap().map(Result::unwrap).find(|entry| {
            entry.path().unwrap() == Path::new(PROGRAM) && entry.header().mode().unwrap() == 0o755
        });
        assert_eq!(worker.unwrap().size(), WORKER.len() as u64);
    }
}
