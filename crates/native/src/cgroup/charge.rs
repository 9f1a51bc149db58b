//! What a memory group is charged, to the page.
//!
//! **Law.** The group's own counter runs ahead: each core takes 64 pages at a time and keeps what is left of them for the
//! next charge. What is really held is the sum of anonymous pages, of files that are in memory only (tmpfs) and of the kernel's own.
//! Pages of files on a disk are charged to whoever read them first, serve all, and are given back before anybody is killed.
//! **Source.** Linux `mm/memcontrol.c` (`try_charge_memcg`, `refill_stock`, `memcg_stat_format`); statistics are gathered from
//! the cores every [`SETTLED`] (`FLUSH_TIME`).

use std::path::Path;
use std::time::Duration;

use super::keyed;

/// After so long without a change, what is read is exact.
pub(crate) const SETTLED: Duration = Duration::from_millis(2_200);

/// Memory charged to a group and those below it (bytes), counted by what it is.
pub(crate) fn charged(group: &Path) -> Option<u64> {
    let stat = std::fs::read_to_string(group.join("memory.stat")).ok()?;
    let either = |v1, v2| keyed(&stat, v1).or_else(|| keyed(&stat, v2));
    Some(either("total_rss", "anon")? + either("total_shmem", "shmem")? + kernel(group)?)
}

/// What a group is charged itself, without those below it: the kernel's records of these among it (bytes).
pub(crate) fn own(group: &Path) -> Option<u64> {
    let below = std::fs::read_dir(group).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let below: u64 = below.filter(|path| path.is_dir()).filter_map(|child| charged(&child)).sum();
    Some(charged(group)?.saturating_sub(below))
}

/// Memory of the kernel's own charged to a group and those below it now (bytes). Version 1 tells it to the page at any time;
/// version 2 gathers it from the cores as all statistics.
pub(crate) fn kernel(group: &Path) -> Option<u64> {
    match std::fs::read_to_string(group.join("memory.kmem.usage_in_bytes")) {
        Ok(text) => text.trim().parse().ok(),
        Err(_) => keyed(&std::fs::read_to_string(group.join("memory.stat")).ok()?, "kernel"),
    }
}

/// Takes the bound from a group whose processes are about to end. In a group that is full each call of theirs that takes a
/// page of the kernel's looks for something to reclaim in all groups below: thousands that end at once would keep the
/// machine busy for minutes.
pub(crate) fn lift(group: &Path) {
    for (file, none) in [("memory.limit_in_bytes", "-1"), ("memory.max", "max")] {
        let path = group.join(file);
        if path.exists()
            && let Err(error) = std::fs::write(&path, none)
        {
            tracing::debug!(%error, path = %path.display(), "a bound could not be lifted");
        }
    }
}

/// Whether a group has ever met its bound.
pub(crate) fn was_full(group: &Path) -> bool {
    let read = |file: &str| std::fs::read_to_string(group.join(file)).ok();
    let failed = read("memory.failcnt").and_then(|text| text.trim().parse::<u64>().ok());
    failed.or_else(|| keyed(&read("memory.events")?, "max")).is_some_and(|times| times > 0)
}

/// Kills for memory in a group and those below it that are still there.
pub(crate) fn kills(group: &Path) -> u64 {
    let read = |file: &str| keyed(&std::fs::read_to_string(group.join(file)).ok()?, "oom_kill");
    // Version 2 counts those below as well.
    if let Some(kills) = read("memory.events") {
        return kills;
    }
    let below = std::fs::read_dir(group).into_iter().flatten().filter_map(Result::ok);
    let below = below.map(|entry| entry.path()).filter(|path| path.is_dir());
    read("memory.oom_control").unwrap_or(0) + below.map(|group| kills(&group)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_lifted_where_there_is_one() {
        for (file, none) in [("memory.limit_in_bytes", "-1"), ("memory.max", "max")] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), "4096").unwrap();
            lift(folder.path());
            assert_eq!(std::fs::read_to_string(folder.path().join(file)).unwrap(), none);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no file is made");
        }
    }

    #[test]
    fn what_groups_below_are_charged_is_not_a_groups_own() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("tenant");
        std::fs::create_dir(&below).unwrap();
        for (group, kernel) in [(folder.path(), 900), (&*below, 200)] {
            std::fs::write(group.join("memory.stat"), format!("anon 100\nshmem 0\nkernel {kernel}\n"))
                .unwrap();
        }
        assert_eq!((kernel(folder.path()), own(folder.path())), (Some(900), Some(700)));
    }

    #[test]
    fn kills_are_counted_in_all_groups() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("engine/web.0.monitor");
        std::fs::create_dir_all(&below).unwrap();
        let control = |count| format!("oom_kill_disable 0\nunder_oom 0\noom_kill {count}\n");
        for (group, count) in [(folder.path(), 1), (&*below, 2)] {
            std::fs::write(group.join("memory.oom_control"), control(count)).unwrap();
        }
        assert_eq!(kills(folder.path()), 3);
        std::fs::write(folder.path().join("memory.events"), "low 0\nmax 9\noom_kill 5\n").unwrap();
        assert_eq!(kills(folder.path()), 5, "version 2 has added them up");
    }

    #[test]
    fn either_version_tells_what_is_held() {
        let table = [
            (
                vec![
                    ("memory.stat", "cache 1\nrss 2\ntotal_cache 9999\ntotal_shmem 4096\ntotal_rss 8192\n"),
                    ("memory.kmem.usage_in_bytes", "100\n"),
                    ("memory.failcnt", "3\n"),
                ],
                (Some(12_388), true),
            ),
            (
                vec![
                    ("memory.stat", "anon 4096\nfile 9999\nshmem 8192\nkernel 7\n"),
                    ("memory.events", "low 0\nhigh 0\nmax 0\n"),
                ],
                (Some(12_295), false),
            ),
            (vec![("memory.stat", "anon 4096\nfile 8192\n")], (None, false)),
        ];
        for (files, expected) in table {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                std::fs::write(folder.path().join(name), text).unwrap();
            }
            assert_eq!((charged(folder.path()), was_full(folder.path())), expected);
        }
    }
}
