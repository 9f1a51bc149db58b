//! `catamaran sweep`: one scenario with each combination of several values of its fields.

mod document;
mod level;
mod show;
mod vary;

use catamaran_report::cost::{Bill, Rates};
use catamaran_report::report::TenantReport;
use catamaran_report::{Metric, Report};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, Outcome, simulate as simulate_one};

use crate::args::Sweep;
use crate::failure::Failure;
use crate::many::{self, Task};
use crate::source::Scenario;
use crate::terminal::Terminal;
use crate::{host, sim, source};

use vary::{Setting, Vary};

/// Simulations of one sweep at most: what fits into memory, and into a day.
const MOST: usize = 10_000;

/// One combination of values, on one platform.
struct Point {
    settings: Vec<Setting>,
    platform: Platform,
    /// One for each seed, without what no figure needs.
    reports: Vec<Report>,
    /// What a service level takes, where that was asked for.
    level: Option<level::Level>,
}

pub(crate) fn sweep(args: &Sweep, terminal: &Terminal) -> Result<(), Failure> {
    let scenario = source::scenario(&args.file)?;
    let own = scenario.plan()?;
    let vary = args.vary.iter().map(|text| Vary::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let platforms = args.on.or(&own);
    let seeds = args.seeds.unwrap_or(1);
    let combinations = vary::combinations(&vary, MOST / platforms.len().max(1) / seeds as usize)?;
    let calibration = match &args.host {
        Some(path) => host::read(path)?,
        None => Calibration::reference(),
    };
    let changed = combinations.into_iter().map(|settings| -> Result<Changed, Failure> {
        let plans = plans(&scenario, &settings, seeds)?;
        Ok((settings, plans))
    });
    let changed = changed.collect::<Result<Vec<Changed>, Failure>>()?;
    let jobs = args.jobs.wanted();
    let mut points = simulate(&changed, &platforms, &calibration, jobs, terminal)?;
    if let Some(p95) = args.p95 {
        level::find(&changed, &mut points, &calibration, p95, jobs, terminal)?;
    }
    if args.json {
        return terminal.print_json(&document::document(&own, &vary, &points));
    }
    terminal.print(&show::table(&own, &points, seeds, terminal))
}

/// The scenario with these values, with each of the seeds.
fn plans(scenario: &Scenario, settings: &[Setting], seeds: u32) -> Result<Vec<Plan>, Failure> {
    let mut changed = scenario.clone();
    for setting in settings {
        changed = changed.with(&setting.path, &setting.value)?;
    }
    let own = changed.plan().map_err(|failure| at(settings, failure))?;
    let first = own.seed();
    let others = (1..u64::from(seeds)).map(|k| changed.with_seed(sim::nth_seed(first, k)));
    std::iter::once(Ok(own)).chain(others).collect()
}

/// A failure, with the values at which it comes.
fn at(settings: &[Setting], failure: Failure) -> Failure {
    let settings = settings.iter().map(|setting| format!("{} = {}", setting.path, setting.value));
    let settings = settings.collect::<Vec<_>>().join(", ");
    match failure {
        Failure::Input(message) => Failure::Input(format!("with {settings}: {message}")),
        other => other,
    }
}

/// A combination of values, and the scenario with it, with each of the seeds.
type Changed = (Vec<Setting>, Vec<Plan>);

fn simulate(
    changed: &[Changed],
    platforms: &[Platform],
    calibration: &Calibration,
    jobs: Option<usize>,
    terminal: &Terminal,
) -> Result<Vec<Point>, Failure> {
    let each = || changed.iter().flat_map(|one| platforms.iter().map(move |on| (one, *on)));
    let mut tasks = Vec::new();
    for ((_, plans), platform) in each() {
        tasks.extend(plans.iter().map(|plan| Task { plan, platform }));
    }
    let reports = many::each(&tasks, jobs, terminal, |task| {
        simulate_one(task.plan, task.platform, calibration, &Options::default()).map(without_series)
    })?;
    let mut reports = reports.into_iter();
    let mut points = Vec::new();
    for ((settings, plans), platform) in each() {
        let reports = reports.by_ref().take(plans.len()).collect();
        points.push(Point { settings: settings.clone(), platform, reports, level: None });
    }
    Ok(points)
}

/// The report without what takes room and is no figure.
fn without_series(outcome: Outcome) -> Report {
    let mut report = outcome.report;
    report.samples = None;
    report.events = Vec::new();
    report.isolation = Vec::new();
    for tenant in &mut report.tenants {
        tenant.startup_stages = Vec::new();
        if let Some(requests) = &mut tenant.requests {
            requests.histogram = Vec::new();
        }
    }
    report
}

impl Point {
    /// Its tenants, those of the first seed.
    fn tenants(&self) -> &[TenantReport] {
        self.reports.first().map_or(&[], |report| report.tenants.as_slice())
    }

    /// The bills of its machines at the reference rates.
    fn bills(&self) -> Vec<Bill> {
        self.reports.iter().filter_map(|report| Bill::of(report, &Rates::REFERENCE)).collect()
    }

    /// A figure of the tenant of that label, by seed.
    fn values(&self, label: &str, metric: Metric) -> Vec<f64> {
        self.reports.iter().filter_map(|report| metric.of(report.tenant(label)?)).collect()
    }
}
