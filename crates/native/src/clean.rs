//! Removes what dead runs left.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use catamaran_report::RunError;
use catamaran_scenario::Platform;
use catamaran_worker::folder::{door, home};
use rustix::io::Errno;

use crate::problem::{self, Problem};
use crate::run_folder::{Found, look, remove_run};

const AS_MAKER: &str = "run `catamaran clean` as the user who made the run, or as root";

/// What [`clean`] removed.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Cleaned {
    /// Dead runs found.
    pub runs: u32,
    /// What was removed, one line each.
    pub removed: Vec<String>,
    /// Live runs that were left alone (pid).
    pub live: Vec<u32>,
}

/// Removes whatever interrupted runs left; never touches a live one.
///
/// # Errors
/// [`RunError::Failed`] naming what could not be removed.
pub fn clean() -> Result<Cleaned, RunError> {
    clean_home(&home()).map_err(|what| match problem::errno(&what) {
        Some(Errno::PERM | Errno::ACCESS) | None => RunError::Failed { what, advice: AS_MAKER.to_owned() },
        _ => Problem::by_errno(what, AS_MAKER).on(Platform::BareMetal),
    })
}

fn clean_home(home: &Path) -> Result<Cleaned, String> {
    let mut cleaned = Cleaned::default();
    let told = |error: io::Error| format!("cannot look through {}: {error}", home.display());
    if !home.exists() {
        return Ok(cleaned);
    }
    let _door: File = door(home).map_err(told)?;
    for entry in fs::read_dir(home).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if !path.is_dir() {
            continue;
        }
        match look(&path).map_err(told)? {
            Found::Live(pid) => cleaned.live.push(pid),
            Found::Dead(_lock) => {
                cleaned.runs += 1;
                cleaned.removed.extend(remove_run(&path)?);
            }
            Found::Gone => {}
        }
    }
    Ok(cleaned)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::run_folder::RunFolder;

    /// A run that ends while others clean up: neither may stumble over what the other removes, and no live run may be
    /// taken for a dead one.
    #[test]
    fn runs_that_end_and_cleaners_do_not_get_in_each_others_way() {
        let home = tempfile::tempdir().expect("a folder");
        let ended = AtomicBool::new(false);
        let clean = || {
            while !ended.load(Ordering::Relaxed) {
                let cleaned = clean_home(home.path()).expect("whatever ends meanwhile");
                assert_eq!((cleaned.runs, cleaned.removed.len()), (0, 0), "all of these runs live");
            }
        };
        let run = || {
            for _ in 0..500 {
                RunFolder::make(home.path()).expect("a run").remove().expect("it ends");
            }
        };
        std::thread::scope(|scope| {
            let cleaners = [scope.spawn(clean), scope.spawn(clean)];
            let runs = [scope.spawn(run), scope.spawn(run)];
            let all_ended = runs.map(std::thread::ScopedJoinHandle::join);
            ended.store(true, Ordering::Relaxed);
            for thread in all_ended.into_iter().chain(cleaners.map(std::thread::ScopedJoinHandle::join)) {
                thread.expect("no quarrel");
            }
        });
    }
}
