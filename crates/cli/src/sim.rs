//! `catamaran sim`.

use catamaran_report::Report;
use catamaran_scenario::{Calibration, Lang, Plan, Platform};
use catamaran_sim::{Options, Outcome, simulate};

use crate::args::Sim;
use crate::failure::Failure;
use crate::lessons::language_of_the_environment;
use crate::source::Scenario;
use crate::terminal::Terminal;
use crate::{figures, host, interval, plot, source, why};

pub(crate) fn sim(args: &Sim, terminal: &Terminal) -> Result<(), Failure> {
    let plans = plans(args, &source::scenario(&args.file)?)?;
    let calibration = match &args.host {
        Some(path) => host::read(path)?,
        None => Calibration::reference(),
    };
    let platforms = plans.first().map(|plan| args.on.or(plan)).unwrap_or_default();
    let charts = args.plot.as_ref().map_or(Ok(Vec::new()), |path| plot::paths(path, &platforms))?;
    let timeline = args.plot.is_some() || args.why;
    let outcomes = simulate_all(&plans, &platforms, &calibration, timeline, terminal)?;
    answer(args, &platforms, &outcomes, terminal)?;
    if let (true, Some(plan)) = (args.why, plans.first()) {
        let lang = args.lang.map_or_else(language_of_the_environment, Lang::from);
        for outcome in &outcomes {
            terminal.print(&why::text(plan, outcome, lang, terminal))?;
        }
    }
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
    platforms: &[Platform],
    outcomes: &[Outcome],
    terminal: &Terminal,
) -> Result<(), Failure> {
    let reports = outcomes.iter().map(|outcome| &outcome.report).collect::<Vec<&Report>>();
    if args.json {
        return terminal.print_json(&reports);
    }
    let tables = if args.seeds.is_some() {
        let of = |platform: &Platform| {
            reports.iter().copied().filter(|report| report.platform == *platform).collect::<Vec<_>>()
        };
        platforms.iter().map(|platform| interval::table(&of(platform), terminal)).collect::<Vec<_>>()
    } else {
        reports.iter().map(|report| figures::report(report, terminal)).collect()
    };
    terminal.print(&tables.join("\n"))
}
