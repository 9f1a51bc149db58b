//! The machine: its control groups, and where they are mounted.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{FsPickFlags, fsconfig_reconfigure, fsconfig_set_flag, fspick};

use crate::check::{Fault, Verdict, skip};

/// What a suite has to know of the machine before the first case.
#[derive(Debug)]
pub(crate) struct Host {
    hierarchies: Vec<Hierarchy>,
    /// A tree that is covered by something else for now.
    pub(crate) covered: Option<PathBuf>,
    /// Options of the tree of version 2 as they were before the first case.
    options: Vec<String>,
}

/// Options of the tree of version 2 that hold for the whole machine (`cgroup-v2.rst`, "Mounting").
const OF_THE_TREE: [&str; 2] = ["nsdelegate", "memory_recursiveprot"];

/// One mounted tree of control groups.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    point: PathBuf,
    /// Controllers of version 1; none: the tree of version 2.
    controllers: Vec<String>,
}

impl Host {
    /// This machine.
    ///
    /// # Errors
    /// Where `/proc` is not there.
    pub(crate) fn here() -> std::io::Result<Self> {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo")?;
        Ok(Self { hierarchies: hierarchies(&mountinfo), covered: None, options: options(&mountinfo) })
    }

    /// Whether all controllers are in one tree of version 2.
    pub(crate) fn is_v2(&self) -> bool {
        self.hierarchies.iter().all(|one| one.controllers.is_empty())
    }

    /// The tree of version 2 beside those of version 1, which crun refuses.
    pub(crate) fn hybrid(&self) -> Option<&Path> {
        let unified = self.hierarchies.iter().find(|one| one.controllers.is_empty())?;
        (!self.is_v2()).then_some(unified.point.as_path())
    }

    /// Options of the tree of version 2 before the first case; none where there is nothing to be lost.
    pub(crate) fn options_at_first(&self) -> Option<Vec<String>> {
        (self.is_v2() && !self.options.is_empty()).then(|| self.options.clone())
    }

    /// The same as they are now.
    pub(crate) fn options_now(&self) -> Vec<String> {
        options(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
    }

    /// Gives the tree the options back that it had, where a runtime has taken some away.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn give_options_back(&self) -> Verdict {
        let Some(tree) = self.hierarchies.first().filter(|_| self.options_now() != self.options) else {
            return Ok(());
        };
        let give = || {
            let tree = fspick(CWD, &tree.point, FsPickFlags::FSPICK_CLOEXEC)?;
            self.options.iter().try_for_each(|option| fsconfig_set_flag(&tree, option.as_str()))?;
            fsconfig_reconfigure(&tree)
        };
        Ok(give().map_err(std::io::Error::from)?)
    }

    /// The folder of a process's group of that controller.
    ///
    /// # Errors
    /// A skip where no tree has the controller.
    pub(crate) fn group(&self, pid: i64, controller: &str) -> Verdict<PathBuf> {
        let lines = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let v2 = self.is_v2();
        let fits =
            |names: &str| if v2 { names.is_empty() } else { names.split(',').any(|name| name == controller) };
        let tree = self.hierarchies.iter().find(|one| fits(&one.controllers.join(",")));
        let path = lines.lines().find_map(|line| {
            let (names, path) = line.split_once(':')?.1.split_once(':')?;
            fits(names).then_some(path)
        });
        match (tree, path) {
            (Some(tree), Some(path)) => Ok(tree.point.join(path.trim_start_matches('/'))),
            _ => skip(format!("this machine has no cgroup controller {controller}")),
        }
    }

    /// Groups, a few levels deep, whose name contains `word`.
    pub(crate) fn groups_called(&self, word: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for tree in self.hierarchies.iter().filter(|tree| Some(&tree.point) != self.covered.as_ref()) {
            collect(&tree.point, word, 4, &mut found);
        }
        found
    }
}

fn collect(folder: &Path, word: &str, depth: u32, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if depth > 0 {
            collect(&entry.path(), word, depth - 1, found);
        }
        if entry.file_name().to_string_lossy().contains(word) {
            found.push(entry.path());
        }
    }
}

fn hierarchies(mountinfo: &str) -> Vec<Hierarchy> {
    let rows = mountinfo.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let point = PathBuf::from(left.split(' ').nth(4)?);
        let (kind, rest) = right.split_once(' ')?;
        let options = rest.split(' ').next_back()?;
        match kind {
            "cgroup2" => Some(Hierarchy { point, controllers: Vec::new() }),
            "cgroup" => {
                let names = options.split(',').filter(|name| !["rw", "ro", "xattr"].contains(name));
                Some(Hierarchy { point, controllers: names.map(str::to_owned).collect() })
            }
            _ => None,
        }
    });
    rows.collect()
}

fn options(mountinfo: &str) -> Vec<String> {
    let tree = mountinfo.lines().find_map(|line| line.split_once(" - cgroup2 "));
    let words = tree.and_then(|(_, rest)| rest.rsplit(' ').next()).unwrap_or_default();
    words.split(',').filter(|word| OF_THE_TREE.contains(word)).map(str::to_owned).collect()
}

/// What the kernel says in a file, without the line's end.
///
/// # Errors
/// Where it can't be read, with its path.
pub(crate) fn said_in(file: &Path) -> Verdict<String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(Fault::Wrong(format!("{}: {error}", file.display()))),
    }
}

/// Version and patch level of the kernel: 6.1 of `6.1.0-56-cloud-amd64`.
///
/// # Errors
/// Where it does not tell.
pub(crate) fn linux() -> Verdict<(u32, u32)> {
    let release = said_in(Path::new("/proc/sys/kernel/osrelease"))?;
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(version)), Some(Ok(level))) => Ok((version, level)),
        _ => skip(format!("{release:?} is no version of Linux")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_found_in_mountinfo() {
        let hybrid = "33 31 0:30 / /c/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
            41 31 0:38 / /c/unified rw shared:3 - cgroup2 cgroup2 rw\n\
            42 31 0:39 / /tmp rw - tmpfs none rw\n";
        let host = Host { hierarchies: hierarchies(hybrid), covered: None, options: Vec::new() };
        assert_eq!(host.hierarchies.len(), 2);
        assert_eq!(host.hierarchies.first().map(|one| one.controllers.join("+")), Some("cpu+cpuacct".into()));
        assert_eq!((host.is_v2(), host.hybrid()), (false, Some(Path::new("/c/unified"))));
        let tree = hierarchies("41 31 0:38 / /c rw - cgroup2 cgroup2 rw\n");
        let unified = Host { hierarchies: tree, covered: None, options: Vec::new() };
        assert_eq!((unified.is_v2(), unified.hybrid()), (true, None));
        let tree = "41 31 0:38 / /c rw - cgroup2 cgroup2 rw,nsdelegate,other,memory_recursiveprot\n";
        assert_eq!(options(tree), ["nsdelegate", "memory_recursiveprot"]);
        assert_eq!(options(hybrid), [""; 0]);
    }
}
