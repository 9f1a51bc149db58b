//! Where a container's control groups go: `linux.cgroupsPath` of the runtime specification (config-linux.md, "Cgroups
//! path"), read as runc reads it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::hierarchy::{Hierarchy, Version, hierarchies};
use crate::Problem;

const AT: &str = "linux.cgroupsPath";

/// Where a container's groups go on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `linux.cgroupsPath`. Absolute: from the mounts on. Relative: below the group of this process (version 2: beside it,
    /// as a group with processes hands no controllers down). `None`: a group named by the container's ID there.
    pub path: Option<PathBuf>,
    /// The container's ID.
    pub id: String,
    /// Whether this process is not the machine's root: then groups that it may not make are done without, as long as
    /// nobody asks for them.
    pub rootless: bool,
    /// The machine's hierarchies.
    pub hierarchies: Vec<Hierarchy>,
}

impl Place {
    /// On this machine.
    ///
    /// # Errors
    /// Where `/proc` can't be read.
    pub fn here(path: Option<&Path>, id: &str) -> Result<Self, Problem> {
        let read = |file: &str| {
            fs::read_to_string(file).map_err(|error| Problem::system(format!("read {file}"), error))
        };
        let hierarchies =
            hierarchies(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?, Path::new("/"));
        // In a user namespace root's number means nothing.
        let all_users = read("/proc/self/uid_map")?.split_ascii_whitespace().eq(["0", "0", "4294967295"]);
        let rootless = !rustix::process::geteuid().is_root() || !all_users;
        Ok(Self { path: path.map(Path::to_owned), id: id.to_owned(), rootless, hierarchies })
    }

    /// Whether the configuration names the group: then it has to be this one.
    pub(super) fn is_named(&self) -> bool {
        self.path.as_ref().is_some_and(|path| !path.as_os_str().is_empty())
    }

    /// The container's group in a hierarchy, from the mount on.
    pub(super) fn group(&self, hierarchy: &Hierarchy) -> Result<PathBuf, Problem> {
        let Some(path) = self.path.as_ref().filter(|_| self.is_named()) else {
            let mut parts = Path::new(&self.id).components();
            let one = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
            if !one || self.id.ends_with('/') {
                return Err(Problem::Usage(format!("{:?} cannot be the name of a control group", self.id)));
            }
            return Ok(base(hierarchy).join(&self.id));
        };
        if is_unit(path) {
            return Err(Problem::config(
                AT,
                format!("{path:?} names a unit of systemd (slice:prefix:name)"),
                "this runtime makes its groups itself: have the engine use cgroupfs (podman --cgroup-manager=cgroupfs, dockerd --exec-opt native.cgroupdriver=cgroupfs, containerd SystemdCgroup = false), or give a path such as /slice/name",
            ));
        }
        let inner = within(path);
        if inner.as_os_str().is_empty() {
            return Err(Problem::config(
                AT,
                format!("{path:?} names no group of the container's own"),
                "give a path with a name, such as /containers/name",
            ));
        }
        Ok(if path.is_absolute() { inner } else { base(hierarchy).join(inner) })
    }
}

/// Where relative paths begin.
fn base(hierarchy: &Hierarchy) -> &Path {
    match hierarchy.version {
        Version::V1 => &hierarchy.own,
        Version::V2 => hierarchy.own.parent().unwrap_or(Path::new("")),
    }
}

/// `system.slice:runc:name`
fn is_unit(path: &Path) -> bool {
    path.to_str().is_some_and(|text| !text.contains('/') && text.matches(':').count() == 2)
}

/// The path without `.` and `..`, which never lead above its beginning.
fn within(path: &Path) -> PathBuf {
    let mut inner = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inner.push(name),
            Component::ParentDir => {
                inner.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: Option<&str>, id: &str) -> Place {
        let path = path.map(PathBuf::from);
        Place { path, id: id.to_owned(), rootless: false, hierarchies: Vec::new() }
    }

    fn hierarchy(version: Version, own: &str) -> Hierarchy {
        let controllers = vec!["memory".to_owned()];
        Hierarchy { version, controllers, mount: "/sys/fs/cgroup".into(), own: own.into() }
    }

    #[test]
    fn paths_lead_where_runc_goes() {
        let (v1, v2) = (hierarchy(Version::V1, "user/me"), hierarchy(Version::V2, "user/me"));
        let table = [
            (None, "user/me/box", "user/box"),
            (Some(""), "user/me/box", "user/box"),
            (Some("/a/b"), "a/b", "a/b"),
            (Some("/a/../../../b/./c//"), "b/c", "b/c"),
            (Some("a/b"), "user/me/a/b", "user/a/b"),
            (Some("../../../../a"), "user/me/a", "user/a"),
            (Some("a:b"), "user/me/a:b", "user/a:b"),
            (Some("/a:b:c"), "a:b:c", "a:b:c"),
        ];
        for (path, first, second) in table {
            let place = place(path, "box");
            assert_eq!(place.group(&v1).unwrap(), PathBuf::from(first), "{path:?}");
            assert_eq!(place.group(&v2).unwrap(), PathBuf::from(second), "{path:?}");
        }
        let at_the_top = hierarchy(Version::V2, "");
        assert_eq!(place(None, "box").group(&at_the_top).unwrap(), PathBuf::from("box"));
    }

    #[test]
    fn paths_that_name_no_group_are_refused_with_a_reason() {
        let table = [
            (Some("/"), "box", "names no group of the container's own"),
            (Some(".."), "box", "names no group of the container's own"),
            (Some("/a/.."), "box", "names no group of the container's own"),
            (Some("system.slice:runc:box"), "box", "names a unit of systemd"),
            (Some("system.slice:runc:box"), "box", "have the engine use cgroupfs"),
            (None, "..", "cannot be the name"),
            (None, "a/b", "cannot be the name"),
            (None, "a/", "cannot be the name"),
            (None, "/a", "cannot be the name"),
            (None, "", "cannot be the name"),
        ];
        for (path, id, expected) in table {
            let problem = place(path, id).group(&hierarchy(Version::V1, "")).unwrap_err().to_string();
            assert!(problem.contains(expected), "{path:?} {id:?}: {problem}");
        }
    }

    #[test]
    fn this_machine_can_be_asked() {
        let place = Place::here(Some(Path::new("/a")), "box").unwrap();
        assert!(place.is_named());
        assert!(place.hierarchies.iter().all(|found| found.mount.is_absolute() && !found.own.has_root()));
    }
}
