//! Native trials, interleaved over the platforms, until the rows can be decided.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use catamaran_report::compare::{Disturbance, Pair, PlatformComparison, disturbance, needs_more_trials};
use catamaran_scenario::Platform;

use super::{Judge, recorded};
use crate::args::Compare;
use crate::failure::Failure;
use crate::native::Native;
use crate::terminal::Terminal;
use crate::units;

/// A machine with less to do (in threads) is taken for a quiet one.
const QUIET_LOAD: f64 = 0.5;

/// What was made on one platform.
struct Trials {
    platform: Platform,
    pairs: Vec<Pair>,
    comparison: PlatformComparison,
}

impl Trials {
    fn made(&self) -> u32 {
        self.pairs.len() as u32
    }

    fn wants_another(&self, args: &Compare) -> bool {
        let used = self.comparison.native.len() as u32;
        self.made() < args.most_trials.max(args.trials)
            && (used < args.trials || needs_more_trials(&self.comparison, self.made()))
    }
}

/// Makes the trials and judges them.
pub(super) fn make(
    judge: &Judge,
    platforms: &[Platform],
    args: &Compare,
    interrupted: Arc<AtomicBool>,
    terminal: &Terminal,
) -> Result<Vec<PlatformComparison>, Failure> {
    if let Some(load) = load().filter(|load| *load > QUIET_LOAD) {
        terminal.note(&format!(
            "other programs are at work on this machine (load {load}); the trials will compete with them"
        ));
    }
    let native = Native {
        plan: judge.plan,
        turns_per_cpu_s: Some(judge.calibration.cpu.turns_per_cpu_s),
        interrupted,
        progress: terminal.progress(0),
    };
    let mut all = platforms
        .iter()
        .map(|&platform| Trials { platform, pairs: Vec::new(), comparison: judge.compare(platform, &[]) })
        .collect::<Vec<_>>();
    let result = rounds(judge, &mut all, args, &native);
    native.progress.finish();
    result?;
    Ok(all.into_iter().map(|trials| trials.comparison).collect())
}

/// Runnable threads, averaged over the last minute.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// A round makes one trial on each platform that wants one; each begins with another platform, so that none is always first.
fn rounds(judge: &Judge, all: &mut [Trials], args: &Compare, native: &Native) -> Result<(), Failure> {
    let least = args.trials;
    let mut behind = 0;
    for round in 0.. {
        let wanting = all.iter().filter(|trials| trials.wants_another(args)).count() as u64;
        if wanting == 0 {
            break;
        }
        let foreseen: u64 = all.iter().map(|trials| u64::from(least.saturating_sub(trials.made()))).sum();
        native.progress.lengthen((behind + foreseen.max(wanting)) * native.steps());
        let first = round % all.len().max(1);
        for index in (first..all.len()).chain(0..first) {
            let Some(trials) = all.get_mut(index).filter(|trials| trials.wants_another(args)) else {
                continue;
            };
            trial(judge, trials, args, native, behind * native.steps())?;
            behind += 1;
        }
    }
    Ok(())
}

fn trial(
    judge: &Judge,
    trials: &mut Trials,
    args: &Compare,
    native: &Native,
    behind: u64,
) -> Result<(), Failure> {
    let number = trials.made();
    let what = format!("{} on {}, trial {}", judge.plan.name(), trials.platform, number + 1);
    let report = native.run(trials.platform, number, behind, &what)?;
    if let Some(folder) = &args.save {
        recorded::save(folder, &report)?;
    }
    if let Some(disturbance) = disturbance(&report) {
        let (who, share) = match disturbance {
            Disturbance::Steal(share) => ("the machine beneath", share),
            Disturbance::Others(share) => ("other processes", share),
        };
        native.progress.note(&format!("{what}: discarded, {who} took {}", units::percent(share)));
    }
    trials.pairs.push(judge.pair(report)?);
    // The first judgement can only come when all trials asked for are made.
    if trials.made() >= args.trials {
        trials.comparison = judge.compare(trials.platform, &trials.pairs);
    }
    Ok(())
}
