//! Files of layers: laid out once for a run, on the disk and not in the page cache, and seen through an overlay in containers.
//!
//! **Law.** That of `platform/layers.rs` of the simulator: one file for all on bare metal, with namespaces and with control groups; one
//! beneath the overlays of all containers; a copy for each tenant that is in a copied root.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use catamaran_scenario::file_work::{FileWork, layers, layers_of};
use catamaran_scenario::plan::{Layer, Tenant};
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::file::LayerFile;

use super::{Place, write};
use crate::guard::Guard;
use crate::problem::Problem;
use crate::run_folder::{FILE_ENDING, Resource};

/// What an overlay takes beside the folder beneath.
const FOLDERS: [&str; 3] = ["upper", "work", "merged"];

/// Whether the kernel has overlays.
pub(crate) fn check_overlays() -> Result<(), Problem> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.split_ascii_whitespace().last() == Some("overlay")) {
        return Ok(());
    }
    Err(Problem::unavailable(
        "layers of images: this kernel has no overlayfs (/proc/filesystems)",
        "modprobe overlay, or choose another platform",
    ))
}

/// Whether a tenant works on more than one file.
pub(crate) fn is_on_several_files(tenant: &Tenant) -> bool {
    let mut own = layers_of(&tenant.workload);
    own.dedup();
    let files = FileWork::all(&tenant.workload);
    own.len() > 1 || (!own.is_empty() && files.into_iter().any(|work| work.layer_bytes.is_none()))
}

/// Lays out what a tenant needs of the layer that it uses, if it uses one; everything is registered first.
pub(crate) fn lay_out(
    guard: &mut Guard,
    (plan, platform): (&Plan, Platform),
    tenant: &Tenant,
    label: &str,
) -> Result<Option<LayerFile>, Problem> {
    let own = layers_of(&tenant.workload);
    let Some(layer) = own.first() else { return Ok(None) };
    let number = layers(plan).iter().position(|other| other == layer).unwrap_or(0);
    if platform == Platform::Chroot {
        let folder = folder(guard, label)?;
        return Ok(Some(LayerFile { path: file(&folder, number, layer)?, above: None }));
    }
    let path = file(&folder(guard, "layers")?, number, layer)?;
    if platform != Platform::Container {
        return Ok(Some(LayerFile { path, above: None }));
    }
    check_overlays()?;
    let above = folder(guard, label)?;
    FOLDERS.iter().try_for_each(|name| make(&above.join(name)))?;
    Ok(Some(LayerFile { path, above: Some(above) }))
}

/// A folder of this run on the disk, made unless it is there.
fn folder(guard: &mut Guard, name: &str) -> Result<PathBuf, Problem> {
    let path = Place::find()?.folder.join(format!("catamaran-{}-{name}{FILE_ENDING}", guard.id()));
    if !path.exists() {
        guard.note(&Resource::File(path.clone()))?;
        make(&path)?;
    }
    Ok(path)
}

fn make(path: &Path) -> Result<(), Problem> {
    DirBuilder::new().mode(0o700).create(path).map_err(|error| {
        let what = format!("cannot make the folder {}: {error}", path.display());
        Problem::by_errno(what, "set TMPDIR to a folder on another disk")
    })
}

/// The file of a layer in a folder, laid out unless it is there.
fn file(folder: &Path, number: usize, layer: &Layer) -> Result<PathBuf, Problem> {
    let path = folder.join(format!("layer-{number}"));
    if !path.exists() {
        write(&path, layer.size.0, false).map_err(|error| {
            let what = format!("cannot lay out {} ({}): {error}", path.display(), layer.size);
            Problem::by_errno(what, "set TMPDIR to a folder on another disk")
        })?;
    }
    Ok(path)
}
