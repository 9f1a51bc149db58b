//! Which hierarchies of control groups this machine has, and where this process is in each: `/proc/self/cgroup` and
//! `/proc/self/mountinfo` (cgroups(7), proc(5)).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Version of a hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// Some controllers together, each hierarchy mounted apart.
    V1,
    /// The one hierarchy for all controllers that no hierarchy of version 1 has.
    V2,
}

/// A hierarchy as this process sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Its version.
    pub version: Version,
    /// Version 1: controllers that it has, or its name (`name=systemd`). Version 2 tells them in each group.
    pub controllers: Vec<String>,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The group of this process, from the mount on: without a leading slash.
    pub own: PathBuf,
}

/// Hierarchies out of the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`, whose mounts lie below `root`. One that
/// is hidden behind something else is left out.
#[must_use]
pub fn hierarchies(cgroup: &str, mountinfo: &str, root: &Path) -> Vec<Hierarchy> {
    let mounts: Vec<Mount> = mountinfo.lines().filter_map(mount).collect();
    cgroup.lines().filter_map(|line| hierarchy(line, &mounts, root)).collect()
}

/// A line of `/proc/self/mountinfo` about control groups.
struct Mount<'a> {
    version: Version,
    /// What part of the hierarchy is mounted.
    part: PathBuf,
    at: PathBuf,
    options: Vec<&'a str>,
}

fn mount(line: &str) -> Option<Mount<'_>> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (part, at) = (unescaped(before.next()?), unescaped(before.next()?));
    let mut after = after.split(' ');
    let version = match after.next()? {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    Some(Mount { version, part, at, options: after.nth(1)?.split(',').collect() })
}

/// `\040` for a space and the like.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|digits| first == b'\\' && digits.iter().all(u8::is_ascii_digit));
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { tail.get(3..).unwrap_or_default() } else { tail };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

fn hierarchy(line: &str, mounts: &[Mount], root: &Path) -> Option<Hierarchy> {
    let mut fields = line.splitn(3, ':');
    let (number, controllers, own) = (fields.next()?, fields.next()?, fields.next()?);
    let controllers: Vec<String> =
        controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let version = if number == "0" { Version::V2 } else { Version::V1 };
    let first = controllers.first();
    let fits = |mount: &&Mount| {
        mount.version == version && first.is_none_or(|name| mount.options.contains(&name.as_str()))
    };
    let usual = |mount: &&Mount| mount.at.starts_with("/sys/fs/cgroup");
    let mount = mounts.iter().filter(fits).find(usual).or_else(|| mounts.iter().find(fits))?;
    // A process outside of the part that it sees (`/../x`) can make groups at the mount only.
    let own = Path::new(own).strip_prefix(&mount.part).unwrap_or(Path::new(""));
    let plain = own.components().all(|part| matches!(part, Component::Normal(_)));
    let own = if plain { own.to_owned() } else { PathBuf::new() };
    let at = root.join(mount.at.strip_prefix("/").unwrap_or(&mount.at));
    let found = at.join("cgroup.procs").exists();
    found.then_some(Hierarchy { version, controllers, mount: at, own })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// `id parent major:minor PART AT options - TYPE source OPTIONS`
    fn line(part: &str, at: &str, kind: &str, options: &str) -> String {
        format!("31 23 0:28 {part} {at} rw,relatime shared:9 - {kind} {kind} {options}\n")
    }

    fn found(cgroup: &str, mountinfo: &str, made: &[&str]) -> Vec<(Version, String, PathBuf, PathBuf)> {
        let root = tempfile::tempdir().unwrap();
        for at in made {
            fs::create_dir_all(root.path().join(at)).unwrap();
            fs::write(root.path().join(at).join("cgroup.procs"), "").unwrap();
        }
        let found = hierarchies(cgroup, mountinfo, root.path()).into_iter();
        found
            .map(|found| {
                let at = found.mount.strip_prefix(root.path()).unwrap().to_owned();
                (found.version, found.controllers.join(","), at, found.own)
            })
            .collect()
    }

    #[test]
    fn hierarchies_of_both_versions_are_found() {
        use Version::{V1, V2};
        let cgroup = "4:memory:/a/b\n3:cpu,cpuacct:/\n2:name=systemd:/x\n1:pids:/\n0::/y z\n";
        let mountinfo = [
            line("/", "/sys/fs/cgroup", "tmpfs", "rw"),
            line("/a", "/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
            line("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
            line("/", "/sys/fs/cgroup/systemd", "cgroup", "rw,xattr,name=systemd"),
            line("/", "/sys/fs/cgroup/pids", "cgroup", "rw,pids"),
            line("/", "/mnt/my\\040groups", "cgroup2", "rw,nsdelegate"),
        ]
        .concat();
        let made =
            ["sys/fs/cgroup/memory", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/systemd", "mnt/my groups"];
        let row = |version, controllers: &str, at: &str, own: &str| {
            (version, controllers.to_owned(), PathBuf::from(at), PathBuf::from(own))
        };
        let expected = [
            row(V1, "memory", "sys/fs/cgroup/memory", "b"),
            row(V1, "cpu,cpuacct", "sys/fs/cgroup/cpu,cpuacct", ""),
            row(V1, "name=systemd", "sys/fs/cgroup/systemd", "x"),
            row(V2, "", "mnt/my groups", "y z"),
        ];
        assert_eq!(found(cgroup, &mountinfo, &made), expected, "pids is hidden behind something else");
    }

    #[test]
    fn a_process_outside_of_what_it_sees_makes_groups_at_the_mount() {
        let mountinfo = line("/docker/1", "/sys/fs/cgroup", "cgroup2", "rw");
        for own in ["/../elsewhere", "/docker/1/../2", "/elsewhere"] {
            let found = found(&format!("0::{own}\n"), &mountinfo, &["sys/fs/cgroup"]);
            assert_eq!(found.first().unwrap().3, PathBuf::new(), "{own}");
        }
    }

    #[test]
    fn lines_of_no_use_are_left_out() {
        for cgroup in ["", "x", "1:cpu", "0::/\n"] {
            assert_eq!(found(cgroup, "1 2 3\n - cgroup2\n", &[]), []);
        }
    }
}
