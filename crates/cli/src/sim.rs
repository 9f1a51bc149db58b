//! `catamaran sim`.

use catamaran_report::Report;
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, Outcome, simulate};

use crate::args::Sim;
use crate::failure::Failure;
use crate::source::Scenario;
use crate::terminal::Terminal;
use crate::{blast, figures, host, interval, plot, source, starts};

pub(crate) fn sim(args: &Sim, terminal: &Terminal) -> Result<(), Failure> {
    let plans = plans(args, &source::scenario(&args.file)?)?;
    let calibration = match &args.host {
        Some(path) => host::read(path)?,
        None => Calibration::reference(),
    };
    let platforms = plans.first().map(|plan| args.on.or(plan)).unwrap_or_default();
    let charts = args.plot.as_ref().map_or(Ok(Vec::new()), |path| plot::paths(path, &platforms))?;
    let outcomes = simulate_all(&plans, &platforms, &calibration, args.plot.is_some(), terminal)?;
    answer(args, &plans, &platforms, &outcomes, terminal)?;
    for (path, outcome) in charts.iter().zip(&outcomes) {
        plot::timeline(path, outcome)?;
        terminal.note(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// The scenario with each of the seeds asked for.
fn plans(args: &Sim, scenario: &Scenario) -> Result<Vec<Plan>, Failure> {
    let own = scenario.plan()?;
    let seed = own.seed();
    match (args.seed, args.seeds) {
        (None, None) => Ok(vec![own]),
        (Some(seed), _) => Ok(vec![scenario.with_seed(seed)?]),
        (None, Some(seeds)) => (0..u64::from(seeds)).map(|k| scenario.with_seed(nth_seed(seed, k))).collect(),
    }
}

/// The seeds after the scenario's own, beginning anew at 0 after the greatest.
fn nth_seed(first: u64, k: u64) -> u64 {
    (first + k) % (crate::args::GREATEST_SEED + 1)
}

fn simulate_all(
    plans: &[Plan],
    platforms: &[Platform],
    calibration: &Calibration,
    timeline: bool,
    terminal: &Terminal,
) -> Result<Vec<Outcome>, Failure> {
    let progress = terminal.progress((plans.len() * platforms.len()) as u64);
    let options = Options { timeline, ..Options::default() };
    let mut outcomes = Vec::new();
    for plan in plans {
        for platform in platforms {
            progress
                .at(outcomes.len() as u64, &format!("{} on {platform}, seed {}", plan.name(), plan.seed()));
            let outcome = simulate(plan, *platform, calibration, &options);
            outcomes.push(outcome.inspect_err(|_| progress.finish())?);
        }
    }
    progress.finish();
    Ok(outcomes)
}

fn answer(
    args: &Sim,
    plans: &[Plan],
    platforms: &[Platform],
    outcomes: &[Outcome],
    terminal: &Terminal,
) -> Result<(), Failure> {
    let reports = outcomes.iter().map(|outcome| &outcome.report).collect::<Vec<&Report>>();
    if args.json {
        return terminal.print_json(&reports);
    }
    let mut tables = if args.seeds.is_some() {
        let of = |platform: &Platform| {
            reports.iter().copied().filter(|report| report.platform == *platform).collect::<Vec<_>>()
        };
        platforms.iter().map(|platform| interval::table(&of(platform), terminal)).collect::<Vec<_>>()
    } else {
        reports.iter().map(|report| figures::report(report, terminal)).collect::<Vec<_>>()
    };
    if args.stages {
        tables.extend(reports.iter().map(|report| starts::table(report, terminal)));
    }
    if let Some(plan) = plans.first().filter(|_| args.blast) {
        tables.push(blast::table(plan, platforms, terminal));
    }
    terminal.print(&tables.join("\n"))
}
