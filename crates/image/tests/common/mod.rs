//! Layers as nobody but an attacker writes them, and images of them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use catamaran_image::digest;
use serde_json::json;
use tar::{Builder, EntryType, Header};

/// An entry whose names are taken as they are.
pub(crate) struct Raw<'a> {
    pub(crate) kind: EntryType,
    pub(crate) name: &'a str,
    pub(crate) link: &'a str,
    pub(crate) mode: u32,
    pub(crate) content: &'a [u8],
}

pub(crate) fn file(name: &str) -> Raw<'_> {
    Raw { kind: EntryType::Regular, name, link: "", mode: 0o644, content: b"new" }
}

pub(crate) fn folder(name: &str) -> Raw<'_> {
    Raw { kind: EntryType::Directory, content: b"", mode: 0o755, ..file(name) }
}

pub(crate) fn link<'a>(kind: EntryType, name: &'a str, link: &'a str) -> Raw<'a> {
    Raw { kind, link, content: b"", ..file(name) }
}

pub(crate) fn layer(entries: &[Raw<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().expect("a GNU header");
        gnu.name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        gnu.linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_size(entry.content.len() as u64);
        header.set_mtime(1);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        builder.append(&header, entry.content).expect("a tar file in memory");
    }
    builder.into_inner().expect("a tar file in memory")
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn blob(folder: &Path, bytes: &[u8]) -> serde_json::Value {
    let name = digest(bytes);
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("a folder");
    std::fs::write(blobs.join(name.trim_start_matches("sha256:")), bytes).expect("a file");
    json!({ "digest": name, "size": bytes.len(), "mediaType": "application/vnd.oci.image.layer.v1.tar" })
}

/// An OCI layout: layers as tar files, and as they are stored.
pub(crate) fn layout(folder: &Path, layers: &[(Vec<u8>, Vec<u8>)]) -> PathBuf {
    let diff_ids: Vec<String> = layers.iter().map(|(plain, _)| digest(plain)).collect();
    let stored: Vec<_> = layers.iter().map(|(_, stored)| blob(folder, stored)).collect();
    let configuration = json!({
        "architecture": catamaran_image::architecture(), "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = blob(folder, configuration.to_string().as_bytes());
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": stored });
    let manifest = blob(folder, manifest.to_string().as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    std::fs::write(folder.join("index.json"), index.to_string()).expect("a file");
    std::fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").expect("a file");
    folder.to_owned()
}
