//! Setting limits: `linux.resources` of the runtime specification, each value in the words of the version of control groups
//! whose hierarchy has its controller.
//!
//! A value that cannot be set is an error that names it ("If the conversion is not possible the runtime MUST generate an
//! error"); what nobody asked for needs no controller. As runc does, a number 0 stands for "not given" where 0 would make no
//! sense.

use std::fmt::Display;
use std::path::Path;

use oci_spec::runtime::LinuxResources;
use rustix::io::Errno;

use super::folder::Folder;
use super::group::{Group, hand_down};
use super::hierarchy::Version;
use super::{Manager, cpu, devices, hugetlb, io, memory, network, pids, rdma, unified};
use crate::Problem;

/// What a value without a counterpart is answered.
pub(super) const ONLY_V1: &str = "control groups version 2 have nothing of the kind: leave it out";

impl Manager {
    /// Sets the limits of a new container, and which devices it may use: those that every container needs, where the
    /// configuration says nothing of them.
    ///
    /// # Errors
    /// The first value that could not be set, by its place in the configuration.
    pub fn apply(&self, resources: &LinuxResources) -> Result<(), Problem> {
        devices::apply(self, resources.devices().as_deref().unwrap_or_default())?;
        self.limit(resources)
    }

    /// Sets limits of a container that runs. What is not given stays as it is.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn update(&self, resources: &LinuxResources) -> Result<(), Problem> {
        if let Some(rules) = resources.devices() {
            devices::apply(self, rules)?;
        }
        self.limit(resources)
    }

    fn limit(&self, resources: &LinuxResources) -> Result<(), Problem> {
        if let Some(memory) = resources.memory() {
            memory::apply(self, memory)?;
        }
        if let Some(cpu) = resources.cpu() {
            cpu::apply(self, cpu)?;
        }
        if let Some(pids) = resources.pids() {
            pids::apply(self, pids)?;
        }
        if let Some(block_io) = resources.block_io() {
            io::apply(self, block_io)?;
        }
        hugetlb::apply(self, resources.hugepage_limits().as_deref().unwrap_or_default())?;
        if let Some(network) = resources.network() {
            network::apply(self, network)?;
        }
        if let Some(rdma) = resources.rdma() {
            rdma::apply(self, rdma)?;
        }
        match resources.unified() {
            Some(unified) => unified::apply(self, unified),
            None => Ok(()),
        }
    }

    /// The container's group in the hierarchy that has a controller, for setting the value at `at`.
    pub(super) fn controller(&self, name: &str, at: &str) -> Result<Control, Problem> {
        if let Some(group) = self.v1(name) {
            return Control::of(group, at);
        }
        let Some(group) = self.groups.iter().find(|group| group.version == Version::V2) else {
            return Err(self.missing(name, at));
        };
        let has = |control: &Control| {
            let list = control.folder.read("cgroup.controllers").unwrap_or_default();
            list.split_ascii_whitespace().any(|has| has == name)
        };
        let control = Control::of(group, at)?;
        if !has(&control) {
            self.hand_down_to(group, name);
        }
        if has(&control) { Ok(control) } else { Err(self.missing(name, at)) }
    }

    /// The group of version 1 with a controller.
    pub(super) fn v1(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.controllers.iter().any(|has| has == name))
    }

    /// Has all groups above one hand a controller down.
    fn hand_down_to(&self, group: &Group, name: &str) {
        let Ok(mut here) = Folder::mount(&group.mount) else { return };
        for part in group.path.components() {
            hand_down(&here, Some(name));
            match here.inside(Path::new(part.as_os_str())) {
                Ok(child) => here = child,
                Err(_) => return,
            }
        }
    }

    pub(super) fn missing(&self, name: &str, at: &str) -> Problem {
        let without = self.without.iter().find(|without| {
            without.version == Version::V2 || without.controllers.iter().any(|has| has == name)
        });
        let why = match without {
            Some(without) => format!(
                "the container has no control group, as it may not make one ({}); leave the limit out, or have a group \
                 delegated: systemd-run --user --scope -p Delegate=yes …",
                without.why
            ),
            None => format!(
                "the container's control groups have no controller {name}: it is not mounted, or a group above holds \
                 processes or does not hand it down (cgroup.subtree_control)"
            ),
        };
        Problem::system(format!("apply {at}"), why)
    }
}

/// A group whose files are written.
pub(super) struct Control {
    pub(super) folder: Folder,
    pub(super) version: Version,
}

impl Control {
    pub(super) fn of(group: &Group, at: &str) -> Result<Self, Problem> {
        let folder = group.open().map_err(|errno| {
            Problem::system(format!("apply {at} to the control group {}", group.place().display()), errno)
        })?;
        Ok(Self { folder, version: group.version })
    }

    /// Writes the value at `at` of the configuration to a file.
    pub(super) fn set(&self, at: &str, file: &str, value: impl Display) -> Result<(), Problem> {
        self.set_with(at, file, value, |_| None)
    }

    /// As [`Self::set`]; `explain` may know more of what the kernel answers.
    pub(super) fn set_with(
        &self,
        at: &str,
        file: &str,
        value: impl Display,
        explain: impl Fn(Errno) -> Option<String>,
    ) -> Result<(), Problem> {
        let value = value.to_string();
        self.folder.write(file, &value).map_err(|errno| {
            let why = explain(errno).unwrap_or_else(|| match errno {
                Errno::NOENT => "this kernel has no such file".to_owned(),
                Errno::PERM | Errno::ACCESS | Errno::ROFS => {
                    format!("{errno}: the group is not delegated to this user, or one above allows less")
                }
                errno => errno.to_string(),
            });
            let file = self.folder.path().join(file);
            Problem::system(format!("apply {at}: write {value:?} to {}", file.display()), why)
        })
    }

    /// The figure in a file; `None` for `max` and for a file that is not there.
    pub(super) fn figure(&self, file: &str) -> Option<u64> {
        self.folder.read(file).ok()?.trim().parse().ok()
    }
}
