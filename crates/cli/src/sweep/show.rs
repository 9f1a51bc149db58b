//! A sweep as a table: a row for each point, a column for each figure that differs.

use catamaran_report::Metric;
use catamaran_report::cost::Bill;
use catamaran_scenario::Plan;

use super::{Point, level};
use crate::table::{self, Cell, Column};
use crate::terminal::Terminal;
use crate::{figures, interval, units};

/// Figures of a tenant in the order in which they are shown, with the rank in which they give way.
const FIGURES: [(Metric, u32); 5] = [
    (Metric::LatencyP95, 1),
    (Metric::Throttled, 3),
    (Metric::Finished, 2),
    (Metric::Throughput, 5),
    (Metric::OomKills, 4),
];

/// A figure of the machines: its title, its rank, and it in words.
type OfMachines = (&'static str, u32, fn(&Bill) -> String);

const MACHINES: [OfMachines; 4] = [
    ("busy", 6, |bill| units::percent(bill.utilisation)),
    ("servers", 7, |bill| bill.servers.to_string()),
    ("power", 8, |bill| format!("{:.1} W", bill.watts)),
    ("cost", 9, |bill| format!("{:.3} $/h", bill.usd_per_h)),
];

pub(super) fn table(plan: &Plan, points: &[Point], seeds: u32, terminal: &Terminal) -> String {
    let mut columns = settings(points);
    let fixed = columns.len();
    columns.extend(labels(points).iter().flat_map(|label| of_tenant(points, label)));
    columns.extend(MACHINES.iter().map(|machines| of_machines(points, machines)));
    // One point differs from nothing.
    let kept = |(at, column): &(usize, Column)| *at < fixed || points.len() == 1 || column.differs();
    let mut columns: Vec<Column> =
        columns.into_iter().enumerate().filter(kept).map(|(_, column)| column).collect();
    let same = columns.len() == fixed;
    columns.extend(level::columns(points));
    let title = format!("{}: {} points, simulated, {}", plan.name(), points.len(), over_seeds(seeds));
    let rows = format!("{}\n{}", terminal.bold(&title), table::lay_out(columns, terminal));
    if same { rows + &terminal.wrapped("no figure differs from point to point") } else { rows }
}

fn over_seeds(seeds: u32) -> String {
    match seeds {
        1 => "one seed each".to_owned(),
        seeds => format!("means over {seeds} seeds with 95 % intervals"),
    }
}

/// What each point is.
fn settings(points: &[Point]) -> Vec<Column> {
    let Some(first) = points.first() else { return Vec::new() };
    let path = |(at, path): (usize, &str)| {
        let value = |point: &Point| point.settings.get(at).map(|setting| setting.value.clone());
        Column::text(path, points.iter().map(|point| Cell::figure(value(point))))
    };
    let paths = first.settings.iter().map(|setting| setting.path.as_str()).enumerate();
    let mut columns: Vec<Column> = paths.map(path).collect();
    if points.iter().any(|point| point.platform != first.platform) {
        columns.push(Column::text("platform", points.iter().map(|point| point.platform.name())));
    }
    columns
}

/// The tenants of all points, in the order in which they come.
fn labels(points: &[Point]) -> Vec<String> {
    let mut labels = Vec::new();
    for tenant in points.iter().flat_map(Point::tenants) {
        if !labels.contains(&tenant.label()) {
            labels.push(tenant.label());
        }
    }
    labels
}

fn of_tenant<'a>(points: &'a [Point], label: &'a str) -> impl Iterator<Item = Column> + 'a {
    let known = move |metric: Metric| points.iter().any(|point| !point.values(label, metric).is_empty());
    FIGURES.iter().filter(move |(metric, _)| known(*metric)).map(move |&(metric, rank)| {
        let title = format!("{label} {}", figures::title(metric));
        Column::numbers(&title, points.iter().map(|point| cell(point, label, metric))).ranked(rank)
    })
}

fn cell(point: &Point, label: &str, metric: Metric) -> Cell {
    let values = point.values(label, metric);
    let one = |value: &f64| figures::written(metric, *value);
    match interval::written(metric, &values).or_else(|| values.first().map(one)) {
        Some(figure) => Cell::Known(figure),
        None => {
            let tenant = point.tenants().iter().find(|tenant| tenant.label() == label);
            Cell::Unknown(Some(tenant.map_or("not there".into(), |tenant| metric.absence(tenant))))
        }
    }
}

/// The mean over the seeds: the machines' figures hardly differ between them.
fn of_machines(points: &[Point], (title, rank, written): &OfMachines) -> Column {
    let cell = |point: &Point| Cell::figure(mean(&point.bills()).as_ref().map(written));
    Column::numbers(title, points.iter().map(cell)).ranked(*rank)
}

fn mean(bills: &[Bill]) -> Option<Bill> {
    let n = bills.len() as f64;
    let over = |of: fn(&Bill) -> f64| bills.iter().map(of).sum::<f64>() / n;
    let first = bills.first()?;
    Some(Bill {
        utilisation: over(|bill| bill.utilisation),
        watts: over(|bill| bill.watts),
        usd_per_h: over(|bill| bill.usd_per_h),
        ..*first
    })
}
