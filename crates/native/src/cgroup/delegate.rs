//! Where a guard may be made in the tree of version 2. A group that hands controllers down may hold no process, and
//! our own group holds at least us: so a guard below it needs a group that is ours alone, or one that hands the
//! controllers down already.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use catamaran_worker::script::Step;
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::write;
use crate::problem::{self, Problem};

/// Longest time that threads which have ended may still count in the group that we have left. It takes microseconds, unless
/// nobody lets them run to their end.
const ENDED_THREADS: Duration = Duration::from_secs(2);

/// A group below which a guard can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    /// The group.
    pub(crate) group: PathBuf,
    /// Where we have to move out of the way, before it can hand controllers down.
    pub(crate) aside: Option<PathBuf>,
    /// Controllers that it does not hand down yet.
    pub(crate) added: Vec<String>,
}

impl Base {
    /// Moves this process out of the way.
    pub(crate) fn step_aside(&self) -> Vec<Step> {
        self.aside.iter().flat_map(|aside| [Step::Make(aside.clone()), Step::Enter(aside.clone())]).collect()
    }

    /// Has the group hand the controllers down.
    pub(crate) fn hand_down(&self) -> Vec<Step> {
        let control = self.group.join("cgroup.subtree_control");
        if self.added.is_empty() { Vec::new() } else { vec![write(control, signed('+', &self.added))] }
    }
}

/// Finds the base for a process `me` in the group `own` of a tree mounted at `root`; `aside` names the group into
/// which it may move itself.
///
/// # Errors
/// [`Problem::Unavailable`] with what is in the way.
pub(crate) fn base(own: &Path, root: &Path, aside: &str, wanted: &[&str], me: u32) -> Result<Base, Problem> {
    let missing = |list: &str| -> Vec<String> {
        let has: Vec<&str> = list.split_ascii_whitespace().collect();
        wanted.iter().filter(|name| !has.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    // The root of the tree is the one group that may do both; it alone has no type.
    let is_root = own == root && !own.join("cgroup.type").exists();
    let alone = members(own) == [me];
    if (is_root || alone) && writable(own) {
        let lacking = missing(&read(&own.join("cgroup.controllers")));
        if !lacking.is_empty() {
            return Err(not_delegated(own, &lacking));
        }
        let added = missing(&read(&own.join("cgroup.subtree_control")));
        let aside = (!is_root && !added.is_empty()).then(|| own.join(aside));
        return Ok(Base { group: own.to_owned(), aside, added });
    }
    if let Some(parent) = own.parent().filter(|_| own != root && own.starts_with(root)) {
        let handed_down = missing(&read(&parent.join("cgroup.subtree_control"))).is_empty();
        if handed_down && writable(parent) {
            return Ok(Base { group: parent.to_owned(), aside: None, added: Vec::new() });
        }
    }
    Err(in_the_way(own))
}

/// Has a group hand controllers down that we have just left, which the kernel refuses (`EBUSY`) while anybody is in it. A thread
/// of ours that has ended is not moved with us and counts for a moment more, though it was waited for: who joins it is woken
/// before it leaves its group (Linux `kernel/exit.c`: `exit_mm` before `cgroup_exit`; `cgroup_migrate_add_task`). So it is
/// tried again for a bounded time.
///
/// # Errors
/// What `hand_down` says in the end.
pub(crate) fn once_left(mut hand_down: impl FnMut() -> Result<(), Problem>) -> Result<(), Problem> {
    let until = Instant::now() + ENDED_THREADS;
    loop {
        let outcome = hand_down();
        let busy = match &outcome {
            Err(Problem::Failed(what, _) | Problem::Unavailable(what, _)) => {
                problem::errno(what) == Some(Errno::BUSY)
            }
            Ok(()) | Err(Problem::Input { .. } | Problem::Interrupted) => false,
        };
        if !busy || Instant::now() >= until {
            return outcome;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// `+cpu +memory`, `-cpu -memory`.
pub(crate) fn signed(sign: char, controllers: &[String]) -> String {
    controllers.iter().map(|name| format!("{sign}{name}")).collect::<Vec<_>>().join(" ")
}

fn not_delegated(own: &Path, lacking: &[String]) -> Problem {
    let lacking = lacking.join(", ");
    Problem::unavailable(
        format!("the control group {} has not got the controllers {lacking}", own.display()),
        "systemd-run --scope -p Delegate=yes catamaran … (as root)",
    )
}

fn in_the_way(own: &Path) -> Problem {
    let why = if writable(own) {
        format!(
            "the control group {} holds other processes, so it can hand down no controllers",
            own.display()
        )
    } else {
        format!("the control group {} is not delegated to this user", own.display())
    };
    Problem::unavailable(
        why,
        "systemd-run --scope -p Delegate=yes catamaran … (add --user where you are not root)",
    )
}

fn members(group: &Path) -> Vec<u32> {
    read(&group.join("cgroup.procs")).lines().filter_map(|line| line.parse().ok()).collect()
}

fn writable(group: &Path) -> bool {
    ["", "cgroup.procs", "cgroup.subtree_control"]
        .into_iter()
        .all(|file| access(group.join(file), Access::WRITE_OK).is_ok())
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u32 = 42;
    const WANTED: [&str; 2] = ["cpu", "memory"];

    /// A group in a folder: what its processes, controllers, handed-down controllers are.
    fn group(path: &Path, procs: &str, controllers: &str, handed_down: &str) {
        fs::create_dir_all(path).unwrap();
        for (file, text) in [
            ("cgroup.procs", procs),
            ("cgroup.controllers", controllers),
            ("cgroup.subtree_control", handed_down),
        ] {
            fs::write(path.join(file), text).unwrap();
        }
    }

    #[test]
    fn a_scope_of_our_own_is_split() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("run.scope");
        group(root.path(), "", "cpu memory", "cpu memory");
        group(&own, "42\n", "cpu io memory", "");
        fs::write(own.join("cgroup.type"), "domain\n").unwrap();
        let base = base(&own, root.path(), "aside", &WANTED, ME).unwrap();
        assert_eq!(base.group, own);
        let control = write(own.join("cgroup.subtree_control"), "+cpu +memory");
        assert_eq!(base.step_aside(), [Step::Make(own.join("aside")), Step::Enter(own.join("aside"))]);
        assert_eq!(base.hand_down(), [control]);
    }

    #[test]
    fn whoever_is_about_to_leave_the_group_is_waited_for_and_nothing_else() {
        let refused = |errno: Errno| Err(Problem::unavailable(format!("cannot write: {errno}"), "advice"));
        let mut tries = 0;
        let busy_at_first = || {
            tries += 1;
            if tries < 4 { refused(Errno::BUSY) } else { Ok(()) }
        };
        assert_eq!((once_left(busy_at_first), tries), (Ok(()), 4));
        let mut tries = 0;
        let never = || {
            tries += 1;
            refused(Errno::ACCESS)
        };
        assert_eq!((once_left(never), tries), (refused(Errno::ACCESS), 1));
        let begun = Instant::now();
        assert_eq!(once_left(|| refused(Errno::BUSY)), refused(Errno::BUSY));
        assert!(begun.elapsed() >= ENDED_THREADS);
    }

    #[test]
    fn the_root_may_hold_processes_and_hand_down() {
        let root = tempfile::tempdir().unwrap();
        group(root.path(), "1\n42\n", "cpu memory", "memory");
        let base = base(root.path(), root.path(), "aside", &WANTED, ME).unwrap();
        assert_eq!(base.step_aside(), []);
        assert_eq!(base.hand_down(), [write(root.path().join("cgroup.subtree_control"), "+cpu")]);
    }

    #[test]
    fn beside_others_the_parent_serves_where_it_hands_down() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("session.scope");
        group(root.path(), "", "cpu memory", "cpu memory");
        group(&own, "7\n42\n", "cpu memory", "");
        let found = base(&own, root.path(), "aside", &WANTED, ME).unwrap();
        assert_eq!((found.group.as_path(), found.aside, found.added.len()), (root.path(), None, 0));
    }

    #[test]
    fn what_is_in_the_way_is_named_with_a_remedy() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("session.scope");
        group(root.path(), "", "cpu memory", "memory");
        group(&own, "7\n42\n", "memory", "");
        let table = [("7\n42\n", "holds other processes"), ("42\n", "has not got the controllers cpu")];
        for (procs, expected) in table {
            fs::write(own.join("cgroup.procs"), procs).unwrap();
            match base(&own, root.path(), "aside", &WANTED, ME) {
                Err(Problem::Unavailable(why, remedy)) => {
                    assert!(why.contains(expected), "{why}");
                    assert!(remedy.contains("systemd-run --scope -p Delegate=yes"), "{remedy}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
