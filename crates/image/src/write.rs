//! An image as an archive that `docker save` would write, which every engine takes: layers of another image, and one on top of them.
//!
//! **Source.** Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format".

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use crate::bounds::BYTES_MAX;
use crate::error::{Error, Result};
use crate::manifest::Image;
use crate::{architecture, digest};

/// A layer that is made.
pub struct TarLayer(Builder<Vec<u8>>);

impl Default for TarLayer {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl TarLayer {
    /// Adds a folder.
    ///
    /// # Errors
    /// Where its name is none.
    pub fn folder(&mut self, name: &str, mode: u32) -> io::Result<()> {
        self.0.append_data(&mut header(EntryType::Directory, mode, 0), name, io::empty())
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Where its name is none.
    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        append(&mut self.0, name, mode, content)
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// Where its name is none.
    pub fn link(&mut self, name: &str, target: &str) -> io::Result<()> {
        self.0.append_link(&mut header(EntryType::Symlink, 0o777, 0), name, target)
    }

    /// The tar file.
    ///
    /// # Errors
    /// None that memory knows.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.0.into_inner()
    }
}

/// What an archive is made of.
pub struct Recipe<'a> {
    /// Name and tag of the image.
    pub name: &'a str,
    /// The image that is beneath.
    pub base: Option<&'a Image>,
    /// The layer on top, a tar file.
    pub top: &'a [u8],
    /// How a container of it is started: `config` of the image's configuration. The environment is that of the image beneath.
    pub config: Value,
}

impl Recipe<'_> {
    /// Writes the archive; layers of the image beneath are compared with their digests.
    ///
    /// # Errors
    /// Where it can't be written, or a layer is not what its digest says.
    pub fn write(&self, archive: &Path) -> Result<()> {
        let unwritten =
            |error: &io::Error| Error::Machine(format!("cannot write {}: {error}", archive.display()));
        let file = File::create(archive).map_err(|error| unwritten(&error))?;
        let mut builder = Builder::new(file);
        let (mut names, mut diff_ids) = (Vec::new(), Vec::new());
        let mut left = BYTES_MAX;
        for (image, layer) in
            self.base.iter().flat_map(|image| image.layers().iter().map(move |layer| (image, layer)))
        {
            let name = format!("{}.tar", names.len());
            let mut reader = image.read(layer, left)?;
            let mut new = header(EntryType::Regular, 0o644, 0);
            let mut entry = builder.append_writer(&mut new, &name).map_err(|error| unwritten(&error))?;
            copy(&mut reader, &mut entry).map_err(|error| unwritten(&error))?;
            entry.finish().map_err(|error| unwritten(&error))?;
            reader.finish(layer)?;
            left = left.saturating_sub(reader.count());
            names.push(name);
            diff_ids.push(layer.diff_id.clone());
        }
        names.push("top.tar".to_owned());
        diff_ids.push(digest(self.top));
        let texts = self.texts(&names, &diff_ids);
        let mut finish = || -> io::Result<()> {
            append(&mut builder, "top.tar", 0o644, self.top)?;
            for (name, text) in &texts {
                append(&mut builder, name, 0o644, text.as_bytes())?;
            }
            builder.finish()?;
            builder.get_mut().flush()
        };
        finish().map_err(|error| unwritten(&error))
    }

    /// Configuration and manifest.
    fn texts(&self, names: &[String], diff_ids: &[String]) -> [(String, String); 2] {
        let environment = self.base.map(Image::environment);
        let configuration = configuration(self.config.clone(), environment, diff_ids);
        let id = digest(configuration.as_bytes());
        let name = format!("{}.json", id.trim_start_matches("sha256:"));
        let manifest = manifest(self.name, &name, names);
        [(name, configuration), (MANIFEST.to_owned(), manifest)]
    }
}

/// An archive's file that says what else is in it.
pub const MANIFEST: &str = "manifest.json";

/// The text of [`MANIFEST`]: the image's name and tag, and which files are its configuration and its layers, bottom first.
#[must_use]
pub fn manifest(name: &str, configuration: &str, layers: &[String]) -> String {
    json!([{ "Config": configuration, "RepoTags": [name], "Layers": layers }]).to_string()
}

/// An image's configuration: how a container of it is started, with the environment of the image beneath, and its layers.
#[must_use]
pub fn configuration(mut config: Value, environment: Option<&[String]>, diff_ids: &[String]) -> String {
    if let (Some(environment), Some(config)) = (environment, config.as_object_mut()) {
        config.insert("Env".to_owned(), json!(environment));
    }
    let history: Vec<_> = diff_ids
        .iter()
        .map(|_| json!({ "created": "1970-01-01T00:00:00Z", "created_by": "catamaran" }))
        .collect();
    json!({
        "architecture": architecture(),
        "os": "linux",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "history": history,
    })
    .to_string()
}

/// Copies; what is wrong with the reader is told by its comparison.
fn copy(reader: &mut impl io::Read, writer: &mut impl Write) -> io::Result<()> {
    let mut piece = vec![0_u8; 1 << 16];
    loop {
        match reader.read(&mut piece) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(length) => writer.write_all(piece.get(..length).unwrap_or_default())?,
        }
    }
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_archive_names_its_layer_by_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("image.tar");
        let mut layer = TarLayer::default();
        layer.file("worker", 0o755, b"program").unwrap();
        let top = layer.finish().unwrap();
        let config = json!({ "Cmd": ["/worker"] });
        Recipe { name: "localhost/worker:1", base: None, top: &top, config }.write(&archive).unwrap();
        let mut files = std::collections::BTreeMap::new();
        for entry in tar::Archive::new(File::open(&archive).unwrap()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), content);
        }
        let parse = |name: &str| serde_json::from_slice::<Value>(&files[name]).unwrap();
        let manifest = parse("manifest.json");
        let name = manifest[0]["Config"].as_str().unwrap();
        assert_eq!(format!("sha256:{}", name.trim_end_matches(".json")), digest(&files[name]));
        let layer = &files["top.tar"];
        assert_eq!(parse(name)["rootfs"]["diff_ids"], json!([digest(layer)]));
        let mut layer = tar::Archive::new(&**layer);
        let worker = layer.entries().unwrap().map(|entry| entry.unwrap()).find(|entry| {
            entry.path().unwrap() == Path::new("worker") && entry.header().mode().unwrap() == 0o755
        });
        assert_eq!(worker.unwrap().size(), 7);
    }
}
