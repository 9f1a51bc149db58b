//! `catamaran compare`.

mod recorded;
mod show;
mod trials;

use std::path::Path;

use catamaran_report::Report;
use catamaran_report::compare::{self as law, Naive, Pair, PlatformComparison};
use catamaran_scenario::{Calibration, Plan};
use catamaran_sim::{Options, naive, simulate};

use crate::args::Compare;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{host, interrupt, many, output, plot, run, source};

pub(crate) fn compare(args: &Compare, terminal: &Terminal) -> Result<(), Failure> {
    match &args.second {
        Some(second) => two_runs(&args.file, second, args.json, terminal),
        None => model_and_machine(args, terminal),
    }
}

/// Two saved runs.
fn two_runs(first: &str, second: &Path, json: bool, terminal: &Terminal) -> Result<(), Failure> {
    let (first, second) = (source::reports(first)?, source::reports(&second.to_string_lossy())?);
    let answers = law::saved(&first, &second).map_err(|error| Failure::input(error.to_string()))?;
    if json { terminal.print_json(&answers) } else { terminal.print(&show::saved(&answers, terminal)) }
}

/// The simulator against this machine, now or as recorded.
fn model_and_machine(args: &Compare, terminal: &Terminal) -> Result<(), Failure> {
    let plan = source::scenario(&args.file)?.plan()?;
    if let Some(path) = &args.plot {
        output::check(path)?;
    }
    let comparisons = match &args.native {
        Some(path) => judge_recorded(args, path, &plan, terminal)?,
        None => judge_now(args, &plan, terminal)?,
    };
    if args.json {
        terminal.print_json(&comparisons)?;
    } else {
        terminal.print(&show::comparisons(&plan, &comparisons, terminal))?;
    }
    match &args.plot {
        Some(path) => plot::comparison(path, plan.name(), &comparisons),
        None => Ok(()),
    }
}

fn judge_now(args: &Compare, plan: &Plan, terminal: &Terminal) -> Result<Vec<PlatformComparison>, Failure> {
    let platforms = args.on.or(plan);
    // What either backend can't carry out is refused before the machine works for minutes.
    run::commands(plan, &platforms)?;
    let known = match &args.host {
        Some(path) => Some(host::read(path)?),
        None => host::cached(),
    };
    let stand_in = Calibration::reference();
    for platform in &platforms {
        simulate(plan, *platform, known.as_ref().unwrap_or(&stand_in), &Options::default())?;
    }
    let interrupted = interrupt::flag()?;
    if let Some(folder) = &args.save {
        output::make_directory(folder)?;
    }
    let calibration = match known.filter(|_| args.host.is_some()) {
        Some(given) => given,
        None => host::calibrated(&interrupted, terminal)?,
    };
    let judge = Judge { plan, calibration: &calibration };
    if let Some(folder) = &args.save {
        recorded::prepare(folder, &calibration)?;
    }
    trials::make(&judge, &platforms, args, interrupted, terminal)
}

fn judge_recorded(
    args: &Compare,
    path: &Path,
    plan: &Plan,
    terminal: &Terminal,
) -> Result<Vec<PlatformComparison>, Failure> {
    interrupt::exit_at_once()?;
    let reports = recorded::reports(path, plan)?;
    let calibration = recorded::calibration(args.host.as_deref(), path, terminal)?;
    let judge = Judge { plan, calibration: &calibration };
    let platforms = args.on.or_those_of(&reports);
    let judged = platforms.iter().map(|platform| {
        let trials = reports.iter().filter(|report| report.platform == *platform);
        let pairs = trials.map(|native| judge.pair(native.clone())).collect::<Result<Vec<_>, _>>()?;
        if pairs.is_empty() {
            return Err(Failure::input(format!("{}: no native report on {platform}", path.display())));
        }
        Ok(judge.compare(*platform, &pairs))
    });
    judged.collect()
}

/// How often the dice are thrown for a trial. They are the same throws for each, so that the model adds nothing to the noise,
/// and so many that no single one decides.
const THROWS: u32 = 49;

/// What a native trial is judged by.
struct Judge<'a> {
    plan: &'a Plan,
    calibration: &'a Calibration,
}

impl Judge<'_> {
    /// The trial with the simulation and the naive predictions at the speed that it had.
    fn pair(&self, native: Report) -> Result<Pair, Failure> {
        let (plan, on, calibration) = (self.plan, native.platform, self.calibration);
        let host = &native.host;
        let taken = host.others.unwrap_or(0.0) + host.steal.unwrap_or(0.0);
        let options = Options { turns_per_cpu_s: host.turns_per_cpu_s, taken, ..Options::default() };
        let thrown = |&throw: &u32| {
            simulate(plan, on, calibration, &Options { throw, ..options }).map(|outcome| outcome.report)
        };
        // The machine is idle between trials: all its cores may help.
        let redrawn = many::mapped(&(1..THROWS).collect::<Vec<_>>(), None, thrown);
        Ok(Pair {
            simulated: thrown(&0)?,
            redrawn: redrawn.into_iter().collect::<Result<_, _>>()?,
            naive: Some(Naive {
                alone: naive::alone(plan, on, calibration, &options)?,
                fluid: naive::fluid(plan, on, calibration, &options)?,
            }),
            native,
        })
    }

    fn compare(&self, platform: catamaran_scenario::Platform, pairs: &[Pair]) -> PlatformComparison {
        law::compare(platform, self.plan.duration().seconds(), pairs)
    }
}
