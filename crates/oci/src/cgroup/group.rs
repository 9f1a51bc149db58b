//! One control group of a container in one hierarchy: made, found again, handed controllers.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::freezer;
use super::hierarchy::{Hierarchy, Version, hierarchies};
use crate::Problem;

/// A container's group in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) version: Version,
    /// As in [`Hierarchy::controllers`].
    pub(super) controllers: Vec<String>,
    pub(super) mount: PathBuf,
    /// From the mount on.
    pub(super) path: PathBuf,
    /// Whether it was made for the container: only then it is removed with it.
    pub(super) made: bool,
    /// The kernel's number of the group: one that somebody made later in its place is not the container's.
    pub(super) number: u64,
}

/// Why a group could not be made.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The kernel did not want to.
    Kernel { what: String, errno: Errno },
    /// It may not be used.
    Refused(Problem),
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Kernel { what, errno } => Self::system(what, errno),
            Trouble::Refused(problem) => problem,
        }
    }
}

impl Group {
    pub(super) fn new(hierarchy: &Hierarchy, path: PathBuf) -> Self {
        let Hierarchy { version, controllers, mount, .. } = hierarchy.clone();
        Self { version, controllers, mount, path, made: false, number: 0 }
    }

    /// Where it is.
    pub(super) fn place(&self) -> PathBuf {
        self.mount.join(&self.path)
    }

    /// The group, if it is still the same.
    pub(super) fn open(&self) -> Result<Folder, Errno> {
        let folder = Folder::mount(&self.mount)?.inside(&self.path)?;
        if folder.number()? == self.number { Ok(folder) } else { Err(Errno::NOENT) }
    }

    /// Makes it and what is missing above it; names what was made in `made`, outermost first. Where `all`, groups above
    /// hand down all controllers of version 2 that they have.
    pub(super) fn create(&mut self, all: bool, made: &mut Vec<PathBuf>) -> Result<(), Trouble> {
        let kernel = |at: &Path| {
            let what = format!("make the control group {}", self.mount.join(at).display());
            move |errno| Trouble::Kernel { what, errno }
        };
        let mut here = Folder::mount(&self.mount).map_err(kernel(Path::new("")))?;
        let mut path = PathBuf::new();
        let mut new = false;
        for part in self.path.components() {
            if all && self.version == Version::V2 {
                hand_down(&here, None);
            }
            path.push(part);
            new = here.make(part.as_os_str()).map_err(kernel(&path))?;
            if new {
                made.push(path.clone());
            }
            let child = here.inside(Path::new(part.as_os_str())).map_err(kernel(&path))?;
            if self.has_cpuset_v1() && (new || path == self.path) {
                inherit_cpuset(&here, &child).map_err(kernel(&path))?;
            }
            here = child;
        }
        if !new {
            vacant(&here).map_err(Trouble::Refused)?;
        }
        if self.version == Version::V2 {
            of_processes(&here).map_err(Trouble::Refused)?;
        }
        if self.version == Version::V2 || self.controllers.iter().any(|name| name == "freezer") {
            in_motion(&here).map_err(Trouble::Refused)?;
        }
        self.made = new;
        self.number = here.number().map_err(kernel(&path))?;
        Ok(())
    }

    /// Version 2 inherits its CPUs and memory nodes by itself.
    fn has_cpuset_v1(&self) -> bool {
        self.version == Version::V1 && self.controllers.iter().any(|name| name == "cpuset")
    }

    /// The group below this one, open as `folder`, in which a process is; `None` where it is not below.
    pub(super) fn below_with(&self, folder: &Folder, process: u32) -> Option<Folder> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{file}")).ok();
        let all = hierarchies(&read(&format!("{process}/cgroup"))?, &read("self/mountinfo")?, Path::new("/"));
        let own = all.into_iter().find(|one| one.version == self.version && one.mount == self.mount)?.own;
        folder.inside(own.strip_prefix(&self.path).ok()?).ok()
    }

    /// Removes what [`Self::create`] made, as far as it is empty.
    pub(super) fn undo(&self, made: &[PathBuf]) {
        for path in made.iter().rev() {
            let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { continue };
            let above = Folder::mount(&self.mount).and_then(|mount| mount.inside(above));
            // What is no longer there or in use by now is not ours to remove.
            let _ = above.and_then(|above| above.remove(name));
        }
    }
}

/// Has a group of version 2 hand down all controllers that it has, or one. What can't be is found out when a limit is set:
/// a group with processes hands nothing down.
pub(super) fn hand_down(folder: &Folder, only: Option<&str>) {
    if !may_hand_down(folder) {
        return;
    }
    let words = |file| folder.read(file).unwrap_or_default();
    let (has, hands_down) = (words("cgroup.controllers"), words("cgroup.subtree_control"));
    let has = has.split_ascii_whitespace().filter(|name| only.is_none_or(|only| only == *name));
    let missing = has.filter(|name| hands_down.split_ascii_whitespace().all(|handed| handed != *name));
    let missing: Vec<String> = missing.map(|name| format!("+{name}")).collect();
    if !missing.is_empty() && folder.write("cgroup.subtree_control", &missing.join(" ")).is_err() {
        // All or nothing: then one by one.
        for one in &missing {
            let _ = folder.write("cgroup.subtree_control", one);
        }
    }
}

/// Whether a group has no processes of its own, or is the machine's root, which has no type. Beside processes the kernel takes
/// controllers of threads (cpu, cpuset, pids) all the same, and makes it a group of threads, below which no container can be.
fn may_hand_down(folder: &Folder) -> bool {
    !folder.has("cgroup.type")
        || folder.read("cgroup.procs").is_ok_and(|processes| processes.trim().is_empty())
}

/// Version 1: a new group of the cpuset controller has no CPU and no memory node, and no process may enter it.
fn inherit_cpuset(above: &Folder, group: &Folder) -> Result<(), Errno> {
    for (file, effective) in
        [("cpuset.cpus", "cpuset.effective_cpus"), ("cpuset.mems", "cpuset.effective_mems")]
    {
        // Where the hierarchy is mounted with the habits of version 2 it has other names of what is in effect.
        if !group.has(effective) || !group.read(file)?.trim().is_empty() {
            continue;
        }
        let mut value = above.read(file)?;
        if value.trim().is_empty() {
            value = above.read(effective)?;
        }
        group.write(file, value.trim())?;
    }
    Ok(())
}

/// Refuses a group that was there before and is in use.
fn vacant(group: &Folder) -> Result<(), Problem> {
    let processes = super::processes::within(group).map_err(|errno| {
        Problem::system(format!("look into the control group {}", group.path().display()), errno)
    })?;
    let place = group.path().display();
    if !processes.is_empty() {
        let count = processes.len();
        return Err(Problem::Usage(format!(
            "the container's control group {place} is not empty: {count} process(es) found; give another \
             linux.cgroupsPath"
        )));
    }
    Ok(())
}

/// Refuses a group in which the container would stand still before it is one, and whoever makes it wait for ever.
fn in_motion(group: &Folder) -> Result<(), Problem> {
    if freezer::holds_still(group) {
        return Err(Problem::Usage(format!(
            "the container's control group {}, or one above it, is frozen: thaw it or give another linux.cgroupsPath",
            group.path().display()
        )));
    }
    Ok(())
}

/// Refuses a group of version 2 that can hold threads only.
fn of_processes(group: &Folder) -> Result<(), Problem> {
    let kind = group.read("cgroup.type").unwrap_or_default();
    match kind.trim() {
        kind @ ("threaded" | "domain invalid") => Err(Problem::Usage(format!(
            "the control group {} cannot hold processes (cgroup.type: {kind}), as one above it is threaded; give \
             another linux.cgroupsPath",
            group.path().display()
        ))),
        _ => Ok(()),
    }
}
