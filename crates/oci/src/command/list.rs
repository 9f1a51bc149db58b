//! `list`: all containers of a root.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Problem;
use crate::state::{Status, all, read};

/// One container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Version of the specification that its configuration names.
    pub oci_version: String,
    /// Identifier.
    pub id: String,
    /// Number of its first process; 0 once it has stopped.
    pub pid: i32,
    /// Where it is in its life.
    pub status: &'static str,
    /// Folder of its bundle.
    pub bundle: PathBuf,
    /// Its root file system.
    pub rootfs: PathBuf,
    /// When it was created: RFC 3339.
    pub created: String,
    /// User who created it.
    pub owner: u32,
}

/// All containers below `root`, in the order of their identifiers. One that is deleted meanwhile is left out.
///
/// # Errors
/// Where the root can't be read.
pub fn list(root: &Path) -> Result<Vec<Row>, Problem> {
    let row = |folder: PathBuf| {
        let state = read(&folder).ok()?;
        let status = state.status(&folder);
        let alive = state.process.filter(|_| status != Status::Stopped);
        Some(Row {
            oci_version: state.oci_version,
            id: state.id,
            pid: alive.map_or(0, |process| process.pid),
            status: status.word(),
            bundle: state.bundle,
            rootfs: state.rootfs,
            created: state.created,
            owner: state.owner,
        })
    };
    Ok(all(root)?.into_iter().filter_map(row).collect())
}
