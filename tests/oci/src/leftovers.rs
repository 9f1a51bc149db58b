//! After a case: everything of its containers must be gone, and what is not is removed here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{Bed, MARK};
use crate::call::wait_for;
use crate::check::{Verdict, wrong};
use crate::host::Host;
use crate::suite::PREFIX;

/// Longest time in which what was deleted goes away.
const GRACE: Duration = Duration::from_secs(3);

/// Deletes the case's containers and sees to it that nothing of them is left.
///
/// # Errors
/// What was left.
pub(crate) fn clear(bed: &mut Bed) -> Verdict {
    // What the case had before its calls may be gone.
    bed.through_program(&[]);
    for id in bed.ids().to_vec() {
        if bed.root().join(&id).exists() || !processes(&bed.id).is_empty() {
            // A container that can't be deleted leaves something, which is told below.
            let _ = bed.call(&["delete", "--force", &id]);
        }
    }
    let mark = bed.id.clone();
    let gone =
        wait_for(GRACE, || left(&mark, bed.host, bed.folder(), bed.mounted()).is_empty().then_some(()));
    let mut left =
        if gone.is_some() { Vec::new() } else { left(&mark, bed.host, bed.folder(), bed.mounted()) };
    left.extend(state(&bed.root()));
    sweep(&mark, bed.host, bed.folder());
    if left.is_empty() { Ok(()) } else { wrong(format!("left behind: {}", left.join(", "))) }
}

/// Removes what a suite left that was killed: everything is called after its process.
pub(crate) fn clear_after_the_dead(host: &Host) {
    let folders =
        fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten().map(|entry| entry.path());
    for place in folders.chain(host.groups_called(PREFIX)) {
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(mark) = mark_of_the_dead(&name) else { continue };
        sweep(&mark, host, &place);
        if place.starts_with(std::env::temp_dir()) {
            // What can't be removed is in nobody's way.
            let _ = fs::remove_dir_all(&place);
        }
    }
}

/// `catamaran-c7-12` of `catamaran-c7-12-x`, if process 7 has gone.
fn mark_of_the_dead(name: &str) -> Option<String> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    let (pid, number) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
    let gone = !Path::new("/proc").join(pid.to_string()).exists();
    gone.then(|| format!("{PREFIX}{pid}-{number}"))
}

/// What is there of the case, in words; what the case has mounted itself is its own.
fn left(mark: &str, host: &Host, folder: &Path, own: &[PathBuf]) -> Vec<String> {
    let mut found: Vec<String> =
        processes(mark).into_iter().map(|(pid, name)| format!("process {pid} ({name})")).collect();
    found.extend(host.groups_called(mark).iter().map(|group| format!("group {}", group.display())));
    let mut points = mounts(folder);
    for own in own {
        if let Some(at) = points.iter().position(|point| Path::new(point) == own) {
            points.remove(at);
        }
    }
    found.extend(points.into_iter().map(|point| format!("mount {point}")));
    found
}

/// What the runtime keeps of containers that are deleted: nothing but files that are none of a container's.
fn state(root: &Path) -> Vec<String> {
    let folders = fs::read_dir(root).into_iter().flatten().flatten();
    let of_containers = folders.filter(|entry| entry.file_name().to_string_lossy().starts_with("catamaran-"));
    of_containers.map(|entry| format!("state {}", entry.path().display())).collect()
}

/// Living processes that carry the mark in their variables or arguments, with their names.
fn processes(mark: &str) -> Vec<(i32, String)> {
    let marked = format!("{MARK}={mark}");
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let carry = |file: String, word: &str| {
        let text = fs::read(file).unwrap_or_default();
        text.windows(word.len()).any(|window| window == word.as_bytes())
    };
    pids.filter(|pid| *pid != own)
        .filter(|pid| {
            carry(format!("/proc/{pid}/environ"), &marked) || carry(format!("/proc/{pid}/cmdline"), mark)
        })
        .map(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            (pid, name.trim().to_owned())
        })
        .collect()
}

/// Mount points below the folder, innermost first.
fn mounts(folder: &Path) -> Vec<String> {
    let lines = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = lines.lines().filter_map(|line| line.split(' ').nth(4));
    let mut found: Vec<String> =
        points.filter(|point| Path::new(point).starts_with(folder)).map(str::to_owned).collect();
    found.reverse();
    found
}

/// Removes what is left, so that no other case meets it.
fn sweep(mark: &str, host: &Host, folder: &Path) {
    for (pid, _) in processes(mark) {
        if let Some(pid) = Pid::from_raw(pid) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    wait_for(GRACE, || processes(mark).is_empty().then_some(()));
    for point in mounts(folder) {
        // What can't be unmounted keeps its folder, and the next look tells so.
        let _ = unmount(point.as_str(), UnmountFlags::DETACH);
    }
    for group in host.groups_called(mark) {
        let _ = fs::write(group.join("freezer.state"), "THAWED");
        let _ = fs::write(group.join("cgroup.freeze"), "0");
        // Whoever was killed may be in it for a moment.
        wait_for(GRACE, || remove(&group).is_ok().then_some(()));
    }
}

/// Removes a group and those below it, which some runtimes make.
fn remove(group: &Path) -> std::io::Result<()> {
    for below in
        fs::read_dir(group)?.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
    {
        remove(&below.path())?;
    }
    fs::remove_dir(group)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_the_dead_have_left_is_known_by_its_name() {
        let own = std::process::id();
        // Numbers of processes end at 2^22 (proc(5)).
        assert_eq!(mark_of_the_dead("catamaran-c4194305-12-Ab"), Some("catamaran-c4194305-12".into()));
        assert_eq!(mark_of_the_dead("catamaran-c4194305-12"), Some("catamaran-c4194305-12".into()));
        for living in
            [format!("catamaran-c{own}-1"), "catamaran-c1".into(), "catamaran-cache".into(), "x".into()]
        {
            assert_eq!(mark_of_the_dead(&living), None, "{living}");
        }
    }

    #[test]
    fn groups_go_with_those_below_them() {
        // Empty folders go in the same way.
        let folder = tempfile::tempdir().unwrap();
        let group = folder.path().join("group");
        fs::create_dir_all(group.join("below/deeper")).unwrap();
        remove(&group).unwrap();
        assert!(!group.exists());
    }

    #[test]
    fn what_is_left_is_found() {
        let mark = format!("catamaran-left-{}", std::process::id());
        let host = Host::here().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut sleeper = Command::new("sleep").arg("1000").env(MARK, &mark).spawn().unwrap();
        // It is this program until it has become the other.
        let found = wait_for(GRACE, || processes(&mark).into_iter().find(|(_, name)| name == "sleep"));
        let left = left(&mark, &host, folder.path(), &[]);
        sweep(&mark, &host, folder.path());
        let status = sleeper.wait().unwrap();
        assert_eq!(found.map(|(pid, _)| pid), i32::try_from(sleeper.id()).ok());
        assert_eq!(left, [format!("process {} (sleep)", sleeper.id())]);
        assert!(!status.success(), "it was ended");
        assert_eq!(processes(&mark), []);
        fs::create_dir(folder.path().join("catamaran-x")).unwrap();
        assert_eq!(state(folder.path()).len(), 1, "state of a container");
    }
}
