//! Advice for people.

use catamaran_report::advice::Advice;

use super::Answer;
use super::what_if::{Row, WhatIf};
use crate::table::{self, Cell, Column};
use crate::terminal::Terminal;
use crate::{figures, units};

pub(super) fn text(answer: &Answer<'_>, terminal: &Terminal) -> String {
    let title = format!(
        "{} on {}, native: {} trial(s) of {}",
        answer.scenario,
        answer.platform,
        answer.trials,
        units::seconds(answer.duration_s)
    );
    let rule: String = answer.rule.iter().map(|line| terminal.wrapped(&format!("  {line}"))).collect();
    [
        terminal.bold(&title) + "\n",
        table::lay_out(measured(answer.tenants), terminal),
        "\n".to_owned(),
        terminal.bold("Sizes") + "\n",
        table::lay_out(proposed(answer.tenants), terminal),
        remarks(answer.tenants, terminal),
        rule,
        "\n".to_owned(),
        what_if(answer.what_if, terminal),
    ]
    .concat()
}

fn names(tenants: &[Advice]) -> Column {
    Column::text("tenant", tenants.iter().map(|advice| advice.tenant.as_str()))
}

fn measured(tenants: &[Advice]) -> Vec<Column> {
    let cores = |cores: Option<f64>| cores.map(|cores| format!("{cores:.3}"));
    let column = |title: &str, figure: &dyn Fn(&Advice) -> Option<String>| {
        Column::numbers(title, tenants.iter().map(|advice| Cell::figure(figure(advice))))
    };
    vec![
        names(tenants),
        column("samples", &|advice| Some(advice.measured.samples.to_string())).ranked(3),
        column("cores, p90", &|advice| cores(advice.measured.cpu_p90_cores)),
        column("cores, most", &|advice| cores(advice.measured.cpu_most_cores)),
        column("memory, peak", &|advice| {
            advice.measured.memory_peak_bytes.map(|bytes| units::bytes(bytes as f64))
        }),
        column("killed for memory", &|advice| advice.measured.oom_kills.map(|kills| kills.to_string()))
            .ranked(2),
        column("periods throttled", &|advice| {
            advice.measured.throttled_periods.map(|periods| periods.to_string())
        })
        .ranked(1),
    ]
}

fn proposed(tenants: &[Advice]) -> Vec<Column> {
    let column = |number: usize| {
        let (title, _) = catamaran_report::advice::Sizes::default().fields()[number];
        let cells = tenants.iter().map(|advice| {
            let (_, size) = advice.proposed.fields()[number];
            let why = advice.absent.get(&title.replace('.', "_")).cloned();
            size.map_or(Cell::Unknown(why), Cell::from)
        });
        Column::numbers(title, cells)
    };
    std::iter::once(names(tenants)).chain((0..4).map(column)).collect()
}

/// What to keep in mind about the sizes that are there.
fn remarks(tenants: &[Advice], terminal: &Terminal) -> String {
    let of = |advice: &Advice| {
        let remarks = ["cpu", "state"].into_iter().filter_map(|name| advice.absent.get(name));
        remarks.map(|why| terminal.wrapped(&format!("{}: {why}", advice.tenant))).collect::<String>()
    };
    tenants.iter().map(of).collect()
}

fn what_if(what_if: &WhatIf, terminal: &Terminal) -> String {
    let title = terminal.bold("What the model says of these sizes") + "\n";
    if let Some(why) = &what_if.absent {
        return title + &terminal.wrapped(&format!("unknown: {why}"));
    }
    let cell = |row: &Row, value: Option<f64>| match value {
        Some(value) => Cell::from(figures::written(row.metric, value)),
        None => Cell::Unknown(row.absent.clone()),
    };
    let rows = &what_if.rows;
    let columns = vec![
        Column::text("tenant", rows.iter().map(|row| row.tenant.as_str())),
        Column::text("metric", rows.iter().map(|row| figures::title(row.metric))),
        Column::numbers("before", rows.iter().map(|row| cell(row, row.before))),
        Column::numbers("after", rows.iter().map(|row| cell(row, row.after))),
    ];
    title + &table::lay_out(columns, terminal) + &terminal.wrapped(&format!("modelled: {}", what_if.machine))
}
