//! Ending a process together with all that it started.

use std::process::Command;

/// Kills process `root` and its descendants, children first known before any of them is gone.
pub(crate) fn stop_tree(root: u32) {
    let parents = parents();
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    let pids = family.iter().map(u32::to_string);
    // A process that has ended meanwhile makes `kill` fail, which is what was wanted.
    let _ = Command::new("kill").arg("-KILL").args(pids).output();
}

/// Sends SIGTERM, which a program may answer by cleaning up.
pub(crate) fn ask_to_end(pid: u32) {
    // As above.
    let _ = Command::new("kill").arg("-TERM").arg(pid.to_string()).output();
}

/// Every process on this machine with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parent_in(&stat)?))
        })
        .collect()
}

/// The parent in a line of `/proc/PID/stat`: the second field after the name, which may hold blanks and brackets.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parent_in;

    #[test]
    fn the_parent_is_found_behind_odd_names() {
        assert_eq!(parent_in("12 (a) b) (c) S 7 12 12 0"), Some(7));
        assert_eq!(parent_in("12 (truncated"), None);
    }
}
