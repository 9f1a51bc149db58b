//! `catamaran density`.

use catamaran_native::Count;
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::Density;
use serde::Serialize;

use crate::args;
use crate::failure::Failure;
use crate::table::{self, Cell, Column};
use crate::terminal::Terminal;
use crate::{host, interrupt, source, units};

/// How many fit on one platform.
#[derive(Debug, Serialize)]
struct Row {
    platform: Platform,
    host_bytes: u64,
    simulated: Fits,
    /// `None` where nobody asked.
    native: Option<Fits>,
}

/// One backend's answer.
#[derive(Debug, Serialize)]
struct Fits {
    tenants: u64,
    /// What each is charged (bytes); `None` where memory is not counted.
    tenant_bytes: Option<u64>,
    /// What the engine that started them holds beside them (bytes); `None` without an engine, and simulated.
    engine_bytes: Option<u64>,
    /// Whether these filled the memory; natively as many as were asked for, or came in time, may have been
    /// there before.
    full: bool,
}

impl From<Density> for Fits {
    fn from(density: Density) -> Self {
        let tenant_bytes = Some(density.tenant_bytes);
        Self { tenants: density.tenants, tenant_bytes, engine_bytes: None, full: true }
    }
}

impl From<Count> for Fits {
    fn from(count: Count) -> Self {
        let Count { tenants, tenant_bytes, engine_bytes, full, .. } = count;
        Self { tenants, tenant_bytes, engine_bytes, full }
    }
}

pub(crate) fn density(args: &args::Density, terminal: &Terminal) -> Result<(), Failure> {
    let plan = source::scenario(&args.file)?.plan()?;
    let interrupted = interrupt::flag()?;
    let calibration = match &args.host {
        Some(path) => host::read(path)?,
        None if args.native => host::calibrated(&interrupted, terminal)?,
        None => Calibration::reference(),
    };
    let mut rows = Vec::new();
    // What the model can't answer is refused before the machine works for minutes.
    for platform in args.on.or(&plan) {
        let fits = catamaran_sim::density(&plan, platform, &calibration)?;
        rows.push(Row { platform, host_bytes: fits.host_bytes, simulated: fits.into(), native: None });
    }
    for row in rows.iter_mut().filter(|_| args.native) {
        row.native = Some(count(&plan, row, args.most, &calibration, &interrupted, terminal)?.into());
    }
    if args.json {
        terminal.print_json(&rows)
    } else {
        terminal.print(&text(&plan, &rows, args.native, terminal))
    }
}

fn count(
    plan: &Plan,
    row: &Row,
    most: u64,
    calibration: &Calibration,
    interrupted: &std::sync::Arc<std::sync::atomic::AtomicBool>,
    terminal: &Terminal,
) -> Result<Count, Failure> {
    let progress = terminal.progress(row.simulated.tenants.min(most));
    let turns_per_cpu_s = calibration.cpu.turns_per_cpu_s;
    let label = format!("{} on {}", plan.name(), row.platform);
    let told = &mut |tenants| progress.at(tenants, &label);
    let count = catamaran_native::density(plan, row.platform, most, turns_per_cpu_s, interrupted, told);
    progress.finish();
    Ok(count?)
}

fn text(plan: &Plan, rows: &[Row], native: bool, terminal: &Terminal) -> String {
    let simulated =
        |cell: &dyn Fn(&Fits) -> Cell| rows.iter().map(|row| cell(&row.simulated)).collect::<Vec<_>>();
    let natively = |cell: &dyn Fn(&Fits) -> Cell| {
        let cells = rows.iter().map(|row| row.native.as_ref().map_or(Cell::Unknown(None), cell));
        cells.collect::<Vec<_>>()
    };
    let mut columns = vec![
        Column::text("platform", rows.iter().map(|row| row.platform.name())),
        Column::numbers("each, simulated", simulated(&each)).ranked(1),
        Column::numbers("fit, simulated", simulated(&fit)),
    ];
    if native {
        columns.push(Column::numbers("each, native", natively(&each)).ranked(1));
        columns.push(Column::numbers("fit, native", natively(&fit)));
        let has_engine = |row: &Row| row.native.as_ref().is_some_and(|fits| fits.engine_bytes.is_some());
        if rows.iter().any(has_engine) {
            columns.push(Column::numbers("engine, native", natively(&engine)).ranked(2));
        }
    }
    let host = rows.first().map_or(0, |row| row.host_bytes);
    let title = format!("{}: copies that fit into {}", plan.name(), units::bytes(host as f64));
    terminal.bold(&title) + "\n" + &table::lay_out(columns, terminal)
}

fn each(fits: &Fits) -> Cell {
    Cell::figure(fits.tenant_bytes.map(|bytes| units::bytes(bytes as f64)))
}

fn engine(fits: &Fits) -> Cell {
    Cell::figure(fits.engine_bytes.map(|bytes| units::bytes(bytes as f64)))
}

fn fit(fits: &Fits) -> Cell {
    if fits.full { fits.tenants.to_string().into() } else { format!("at least {}", fits.tenants).into() }
}
