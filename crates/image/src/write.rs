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
        let unwritten = |error: &io::Error| Error::Machine(format!("cannot write {}: {error}", archive.display()));
        let file = File::create(archive).map_err(|error| unwritten(&error))?;
        let mut builder = Builder::new(file);
        let (mut names, mut diff_ids) = (Vec::new(), Vec::new());
        let mut left = BYTES_MAX;
        for (image, layer) in self.base.iter().flat_map(|image| image.layers().iter().map(move |layer| (image, layer))) {
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
        let mut config = self.config.clone();
        if let (Some(base), Some(config)) = (self.base, config.as_object_mut()) {
            config.insert("Env".to_owned(), json!(base.environment()));
        }
        let history: Vec<_> = diff_ids
            .iter()
            .map(|_| json!({ "created": "1970-01-01T00:00:00Z", "created_by": "catamaran" }))
            .collect();
        let configuration = json!({
            "architecture": architecture(),
            "os": "linux",
            "config": config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": history,
        })
        .to_string();
        let id = digest(configuration.as_bytes());
        let name = format!("{}.json", id.trim_start_matches("sha256:"));
        let manifest = json!([{ "Config": name, "RepoTags": [self.name], "Layers": names }]).to_string();
        [(name, configuration), ("manifest.json".to_owned(), manifest)]
    }
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
