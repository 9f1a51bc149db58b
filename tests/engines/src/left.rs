//! What is there besides the engine: compared after a container was removed with before it was made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::place::Place;
use crate::{groups, tool};

/// podman mounts its folder of layers on itself, and unmounts it after some commands and not after others.
const OWN_MOUNT: &str = "/podman/root/overlay";

/// What is left is told up to this number.
const SHOWN: usize = 12;

/// What containers leave when something goes wrong, in our namespaces: mounts (of layers, of network namespaces that have
/// a name), processes (shims, monitors, the container's own), and control groups.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Inventory(BTreeSet<String>);

impl Inventory {
    /// Takes it now.
    pub(crate) fn take(place: &Place) -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        // The mount point, without numbers that are given out anew.
        let mounts = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        let mounts = mounts.filter(|at| !at.ends_with(OWN_MOUNT)).map(|at| format!("mount {at}"));
        let groups = groups::below(&groups::own(&place.folder)?);
        let groups = groups.iter().map(|group| format!("control group {}", group.display()));
        Ok(Self(mounts.chain(groups).chain(processes()?).collect()))
    }

    /// Waits until nothing is there that was not there when `self` was taken.
    pub(crate) fn is_restored(&self, place: &Place) -> Result<()> {
        tool::until("the container was removed", || {
            let now = Self::take(place)?;
            let left: Vec<_> = now.0.difference(&self.0).collect();
            let some = left.get(..SHOWN).unwrap_or(&left);
            ensure!(left.is_empty(), "it leaves {} things: {some:?}", left.len());
            Ok(())
        })
    }
}

/// Processes of our namespace by number and name, without the dead, which their parent has yet to ask for.
fn processes() -> Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((name, state)) = stat.rsplit_once(") ") else { continue };
        if !state.starts_with(['Z', 'X']) {
            let name = name.split_once('(').map_or(name, |(_, name)| name);
            all.push(format!("process {pid} ({name})"));
        }
    }
    Ok(all)
}

/// Waits until no file of the engine's or the runtime's is named after the container.
pub(crate) fn no_file_is_named_after(id: &str, place: &Place) -> Result<()> {
    tool::until("the container was removed", || {
        let mut found = Vec::new();
        for folder in [Path::new("/run"), &place.folder] {
            named_after(id, folder, &mut found);
        }
        ensure!(found.is_empty(), "files of its are left: {found:?}");
        Ok(())
    })
}

fn named_after(id: &str, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains(id) {
            found.push(entry.path().display().to_string());
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            named_after(id, &entry.path(), found);
        }
    }
}
