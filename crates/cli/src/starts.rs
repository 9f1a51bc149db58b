//! The stages of a start for people.

use catamaran_report::Report;
use catamaran_report::report::StageRow;

use crate::table::{self, Cell, Column};
use crate::terminal::Terminal;
use crate::units;

/// The stages of the first tenant, who is started as all are but for its image.
pub(crate) fn table(report: &Report, terminal: &Terminal) -> String {
    let Some(tenant) = report.tenants.first() else { return String::new() };
    let stages = &tenant.startup_stages;
    let figure = |value: Option<f64>| Cell::figure(value.map(units::seconds));
    let source = |stage: &StageRow| match (&stage.source, stage.length()) {
        (Some(source), _) => source.clone(),
        (None, Some(_)) => "host.toml".to_owned(),
        (None, None) => "nobody has measured it".to_owned(),
    };
    let columns = vec![
        Column::text("stage", stages.iter().map(|stage| stage.name.clone())),
        Column::text("actor", stages.iter().map(|stage| stage.actor.clone())),
        Column::numbers("begins", stages.iter().map(|stage| figure(stage.start_s))).ranked(2),
        Column::numbers("takes", stages.iter().map(|stage| figure(stage.length()))),
        Column::text("source", stages.iter().map(source)).ranked(1),
    ];
    let whole = match (tenant.startup_s, tenant.absent.get("startup_s")) {
        (Some(whole), _) => units::seconds(whole),
        (None, Some(why)) => format!("unknown: {why}"),
        (None, None) => "unknown".to_owned(),
    };
    let heading = format!("start of {} on {}", tenant.label(), report.platform);
    let whole = terminal.wrapped(&format!("in all {whole}"));
    format!("{}\n{}{whole}", terminal.bold(&heading), table::lay_out(columns, terminal))
}
