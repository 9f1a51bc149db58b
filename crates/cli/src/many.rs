//! Many simulations on many cores, with the same answer whatever their number.

use std::sync::atomic::{AtomicU64, Ordering};

use catamaran_report::RunError;
use catamaran_scenario::{Plan, Platform};
use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// One simulation that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) platform: Platform,
}

/// What `of` answers for every task, in their order, worked out on `jobs` cores (all of them where not said). Of several
/// failures the first in that order is told, so that they do not depend on the number of cores either.
pub(crate) fn each<T: Send>(
    tasks: &[Task<'_>],
    jobs: Option<usize>,
    terminal: &Terminal,
    of: impl Fn(&Task<'_>) -> Result<T, RunError> + Sync,
) -> Result<Vec<T>, Failure> {
    let progress = terminal.progress(tasks.len() as u64);
    let done = AtomicU64::new(0);
    let one = |task: &Task<'_>| {
        let answer = of(task);
        let what = format!("{} on {}, seed {}", task.plan.name(), task.platform, task.plan.seed());
        progress.at(done.fetch_add(1, Ordering::Relaxed) + 1, &what);
        answer
    };
    let answers = mapped(tasks, jobs, one);
    progress.finish();
    Ok(answers.into_iter().collect::<Result<_, _>>()?)
}

/// What `of` answers for every item, in their order, worked out on `jobs` cores (all of them where not said). Its threads have
/// ended when it returns.
pub(crate) fn mapped<I: Sync, T: Send>(
    items: &[I],
    jobs: Option<usize>,
    of: impl Fn(&I) -> T + Send + Sync,
) -> Vec<T> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = jobs.unwrap_or_else(cores).min(items.len());
    // One thread is this one; so it is where no others are to be had.
    let pool = (jobs > 1).then(|| ThreadPoolBuilder::new().num_threads(jobs).build().ok()).flatten();
    match pool {
        Some(pool) => pool.install(|| items.par_iter().map(of).collect()),
        None => items.iter().map(of).collect(),
    }
}
