//! Images that tenants are made from.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Plan;
use super::memory::is_default;
use crate::Bytes;

/// `[[image]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Image {
    /// Unique.
    pub name: String,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// OCI layout or `docker save` archive, natively.
    pub archive: Option<String>,
    /// Whether each node has it from the beginning.
    #[serde(skip_serializing_if = "is_default")]
    pub cached: bool,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Layer {
    /// Equal ids are one layer.
    pub id: String,
    /// Compressed size.
    pub size: Bytes,
}

impl Plan {
    /// The same plan, whose relative paths begin in that folder: its file's. It is no part of the digest.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Where a path of the scenario leads.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}
