//! `catamaran sweep --p95`: how many machines a service level takes at each point.

use catamaran_report::cost::{Bill, Rates};
use catamaran_scenario::{Calibration, Nanos};
use catamaran_sim::servers_needed;
use serde::Serialize;

use super::{Changed, Point};
use crate::failure::Failure;
use crate::many::{self, Task};
use crate::table::{Cell, Column};
use crate::terminal::Terminal;

/// The machines, at the reference rates; all `None` where a machine for each tenant is not enough.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Level {
    p95_s: f64,
    servers: Option<u32>,
    watts: Option<f64>,
    usd_per_h: Option<f64>,
}

/// Finds them for each point, with its first seed.
pub(super) fn find(
    changed: &[Changed],
    points: &mut [Point],
    calibration: &Calibration,
    p95: Nanos,
    jobs: Option<usize>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let each = points.len() / changed.len().max(1);
    let platforms = points.iter().take(each).map(|point| point.platform).collect::<Vec<_>>();
    let first = changed.iter().filter_map(|(_, plans)| plans.first());
    let tasks = first.flat_map(|plan| platforms.iter().map(move |&platform| Task { plan, platform }));
    let tasks: Vec<Task<'_>> = tasks.collect();
    let found = many::each(&tasks, jobs, terminal, |task| {
        servers_needed(task.plan, task.platform, calibration, p95.seconds())
    })?;
    for (point, needed) in points.iter_mut().zip(found) {
        let bill = needed.as_ref().and_then(|needed| Bill::of(&needed.report, &Rates::REFERENCE));
        point.level = Some(Level {
            p95_s: p95.seconds(),
            servers: needed.map(|needed| needed.servers),
            watts: bill.map(|bill| bill.watts),
            usd_per_h: bill.map(|bill| bill.usd_per_h),
        });
    }
    Ok(())
}

/// The machines of each point as columns; none where nobody asked.
pub(super) fn columns(points: &[Point]) -> Vec<Column> {
    let Some(level) = points.iter().find_map(|point| point.level) else { return Vec::new() };
    let within = crate::units::seconds(level.p95_s);
    let column = |what: &str, of: &dyn Fn(Level) -> Option<String>| {
        let known = |point: &Point| point.level.and_then(of);
        let none = || Cell::Unknown(Some("not even with a machine for each tenant".into()));
        let cells = points.iter().map(|point| known(point).map_or_else(none, Cell::Known));
        Column::numbers(what, cells)
    };
    vec![
        column(&format!("servers for {within}"), &|level| Some(level.servers?.to_string())),
        column("their power", &|level| Some(format!("{:.1} W", level.watts?))).ranked(1),
        column("their cost", &|level| Some(format!("{:.3} $/h", level.usd_per_h?))).ranked(1),
    ]
}
