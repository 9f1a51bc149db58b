//! Control groups of a container: where they are, what bounds them, who is in them, what they have used (runtime
//! specification 1.2, config-linux.md "Control groups"; Linux `Documentation/admin-guide/cgroup-v1/` and `cgroup-v2.rst`).
//!
//! A controller belongs to one hierarchy only. So a machine with version 1, one with version 2 and one with both are the
//! same to us: a container has a group in each hierarchy, and each value is written in the words of the version whose
//! hierarchy has its controller.

mod apply;
mod below;
mod cpu;
mod devices;
mod folder;
mod freezer;
mod group;
mod hierarchy;
mod hugetlb;
mod io;
mod kill;
mod memory;
mod network;
mod oom;
mod owner;
mod pids;
mod place;
mod processes;
mod rdma;
mod statistics;
mod unified;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::Timespec;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

pub use hierarchy::{Hierarchy, Version, hierarchies};
pub(crate) use oom::Oom;
pub use place::Place;
pub use statistics::{
    Blkio, BlkioEntry, Cpu, CpuUsage, Cpuset, Hugetlb, Memory, MemoryEntry, Pids, Psi, PsiLine, Statistics,
    Throttling,
};

use crate::Problem;
use folder::Folder;
use group::{Group, Trouble};

/// Tries to put a process into a group while it is being born (EINVAL of the `cpu` controller).
const TRIES: u32 = 5;

/// A container's groups. `state.json` holds them between two commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    groups: Vec<Group>,
    /// Groups that a rootless container has to do without: controllers, and what the kernel said.
    without: Vec<Without>,
    /// Whether permissions may be missing.
    rootless: bool,
    /// Whether the configuration names the group.
    named: bool,
}

/// A group that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Without {
    version: Version,
    controllers: Vec<String>,
    why: String,
}

impl Manager {
    /// Decides where the groups go; makes nothing yet.
    ///
    /// # Errors
    /// Where `linux.cgroupsPath` names no group of the container's own, or where no control groups are mounted.
    pub fn new(place: &Place) -> Result<Self, Problem> {
        let named = place.is_named();
        if place.hierarchies.is_empty() && (named || !place.rootless) {
            let advice = "none are mounted: mount -t cgroup2 none /sys/fs/cgroup";
            return Err(Problem::system("find control groups", advice));
        }
        let group = |hierarchy| Ok(Group::new(hierarchy, place.group(hierarchy)?));
        let groups = place.hierarchies.iter().map(group).collect::<Result<_, Problem>>()?;
        Ok(Self { groups, without: Vec::new(), rootless: place.rootless, named })
    }

    /// Makes the groups. One that is there already is used where nobody is in it, and stays when the container goes.
    ///
    /// # Errors
    /// Where one is in use, or can't be made; then none is left. A rootless container whose configuration names no path does
    /// without the groups that it may not make.
    pub fn create(&mut self) -> Result<(), Problem> {
        let all = self.is_v2_only();
        let mut done: Vec<(Group, Vec<PathBuf>)> = Vec::new();
        for mut group in self.groups.clone() {
            let mut made = Vec::new();
            match group.create(all, &mut made) {
                Ok(()) => done.push((group, made)),
                Err(Trouble::Kernel { errno, .. }) if self.may_do_without(errno) => {
                    group.undo(&made);
                    let why = format!("{}: {errno}", group.place().display());
                    let Group { version, controllers, .. } = group;
                    self.without.push(Without { version, controllers, why });
                }
                Err(trouble) => {
                    done.push((group, made));
                    done.iter().rev().for_each(|(group, made)| group.undo(made));
                    return Err(trouble.into());
                }
            }
        }
        self.groups = done.into_iter().map(|(group, _)| group).collect();
        Ok(())
    }

    fn may_do_without(&self, errno: Errno) -> bool {
        self.rootless && !self.named && matches!(errno, Errno::PERM | Errno::ACCESS | Errno::ROFS)
    }

    /// Puts a process into all groups. One of version 2 that hands controllers down takes none (`cgroup-v2.rst`, "No Internal
    /// Process Constraint"): then it goes where `first` is below it, the container's first process, or if that is elsewhere to
    /// any process that is there.
    ///
    /// # Errors
    /// Where the kernel refuses: the process is gone, a group has no CPU to run on, permissions are missing.
    pub fn enter(&self, pid: u32, first: Option<u32>) -> Result<(), Problem> {
        for group in &self.groups {
            let entered = group.open().and_then(|folder| {
                let beside = || first.and_then(|first| group.below_with(&folder, first));
                enter(&folder, pid, beside)
            });
            entered.map_err(|errno| {
                let what = format!("put process {pid} into the control group {}", group.place().display());
                let why = match errno {
                    Errno::NOSPC => "it has no CPU or no memory node (cpuset.cpus, cpuset.mems)".to_owned(),
                    Errno::AGAIN => {
                        "the group below it with the container's first process is frozen".to_owned()
                    }
                    errno => errno.to_string(),
                };
                Problem::system(what, why)
            })?;
        }
        Ok(())
    }

    /// The group in which a process can be born (`CLONE_INTO_CGROUP`), so that it need not [`Self::enter`] any: on version 2
    /// alone. A group that hands controllers down refuses births (`EBUSY`), and [`Self::enter`] finds one below it.
    #[must_use]
    pub fn directory(&self) -> Option<OwnedFd> {
        match self.groups.as_slice() {
            [group] if group.version == Version::V2 => group.open().ok().map(OwnedFd::from),
            _ => None,
        }
    }

    /// Whether this machine has nothing of version 1.
    fn is_v2_only(&self) -> bool {
        let groups = self.groups.iter().map(|group| group.version);
        let mut versions = groups.chain(self.without.iter().map(|without| without.version));
        versions.all(|version| version == Version::V2)
    }

    /// The groups by their controllers, as `cgroup_paths` of runc's `state.json` has them; `""` is the group of version 2.
    #[must_use]
    pub fn paths(&self) -> BTreeMap<String, PathBuf> {
        let mut paths = BTreeMap::new();
        for group in &self.groups {
            let names = if group.version == Version::V2 { &[String::new()][..] } else { &group.controllers };
            paths.extend(names.iter().map(|name| (name.clone(), group.place())));
        }
        paths
    }
}

/// Puts a process into a group, or, where that hands controllers down and so takes none, into the one below it that `beside`
/// finds, or any that has processes.
fn enter(folder: &Folder, pid: u32, beside: impl Fn() -> Option<Folder>) -> Result<(), Errno> {
    let pid = pid.to_string();
    let mut tries = 0;
    loop {
        match folder.write("cgroup.procs", &pid) {
            Err(Errno::INVAL) if tries < TRIES => {
                tries += 1;
                pause(Duration::from_millis(30));
            }
            Err(errno @ (Errno::BUSY | Errno::OPNOTSUPP)) => {
                if let Some(below) = beside() {
                    if freezer::holds_still(&below) {
                        return Err(Errno::AGAIN);
                    }
                    if below.write("cgroup.procs", &pid).is_ok() {
                        return Ok(());
                    }
                }
                let mut entered = Err(errno);
                folder.walk(&mut |below| {
                    let populated = below.read("cgroup.procs").is_ok_and(|text| !text.trim().is_empty());
                    if entered.is_err() && populated && !freezer::holds_still(below) {
                        entered = below.write("cgroup.procs", &pid);
                    }
                })?;
                return entered;
            }
            other => return other,
        }
    }
}

/// A short rest between two looks at what poll(2) does not tell.
fn pause(length: Duration) {
    let length = Timespec { tv_sec: length.as_secs() as i64, tv_nsec: i64::from(length.subsec_nanos()) };
    // Woken early by a signal, whoever waits looks earlier.
    let _ = rustix::thread::nanosleep(&length);
}

#[cfg(test)]
mod tests;
