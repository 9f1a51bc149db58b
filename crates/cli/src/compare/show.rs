//! Comparisons for people, as they are.

use catamaran_report::compare::{
    AbsentRow, CONSERVED_LIMIT, Group, MIN_TRIALS, NOISE_LIMIT, Row, RunDifference, Saved, StageComparison,
};
use catamaran_report::compare::{PlatformComparison, Prediction, Summary};
use catamaran_report::{Metric, words};
use catamaran_scenario::{Lang, Plan};

use crate::figures;
use crate::table::{self, Cell, Column};
use crate::terminal::Terminal;
use crate::units;

/// Every platform in turn, then the summary.
pub(super) fn comparisons(plan: &Plan, all: &[PlatformComparison], terminal: &Terminal) -> String {
    let parts = all.iter().map(|one| platform(plan.name(), one, terminal)).collect::<Vec<_>>();
    format!(
        "{}\n{}\n{}",
        parts.join("\n"),
        terminal.bold("summary of the judged rows"),
        summary(all, terminal)
    )
}

/// Two saved runs.
pub(super) fn saved(answers: &[Saved], terminal: &Terminal) -> String {
    let parts = answers.iter().map(|answer| match answer {
        Saved::ModelAndMachine(comparison) => platform("two saved runs", comparison, terminal),
        Saved::TwoRuns(difference) => two_runs(difference, terminal),
    });
    parts.collect::<Vec<_>>().join("\n")
}

fn platform(name: &str, one: &PlatformComparison, terminal: &Terminal) -> String {
    let used = one.native.len();
    let discarded = match one.summary.discarded_trials {
        0 => String::new(),
        count => format!(", {count} discarded"),
    };
    let mut text =
        terminal.bold(&format!("{name} on {}: native trials: {used}{discarded}", one.platform)) + "\n";
    if (used as u32) < MIN_TRIALS {
        text += &format!("fewer than {MIN_TRIALS} trials: nothing is decided yet\n");
    }
    for (group, title) in [
        (Group::Conserved, format!("conserved (within {})", units::percent(CONSERVED_LIMIT))),
        (Group::Judged, "judged".to_owned()),
    ] {
        let rows = one.rows.iter().filter(|row| row.group == group).collect::<Vec<_>>();
        if !rows.is_empty() {
            text +=
                &format!("{}\n{}", terminal.bold(&title), table::lay_out(columns(&rows, group), terminal));
        }
    }
    text + &stages(&one.stages, terminal)
        + &absent(&one.absent, terminal)
        + &seen(one, terminal)
        + &terminal.wrapped(&words::summary(Lang::En, one))
}

/// Start-up stages, where there are any.
fn stages(stages: &[StageComparison], terminal: &Terminal) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let figure = |value: Option<f64>| Cell::figure(value.map(units::seconds));
    let columns = vec![
        Column::text("stage", stages.iter().map(|stage| &stage.name)),
        Column::text("by", stages.iter().map(|stage| &stage.actor)).ranked(1),
        Column::numbers("simulated", stages.iter().map(|stage| figure(stage.simulated_s))),
        Column::numbers("native", stages.iter().map(|stage| figure(Some(stage.native_s)))),
        Column::numbers("ratio", stages.iter().map(|stage| logarithm(stage.ratio))),
        Column::numbers("starts", stages.iter().map(|stage| stage.starts.to_string())).ranked(2),
    ];
    let title = terminal.bold("start-up, medians of each stage");
    format!("{title}\n{}", table::lay_out(columns, terminal))
}

/// What tenants see, where anything is hidden from them.
fn seen(one: &PlatformComparison, terminal: &Terminal) -> String {
    let both = one.simulated.as_ref().zip(one.native.first());
    let rows = both.map_or_else(Vec::new, |(simulated, native)| words::seen(simulated, native));
    if words::nothing_is_hidden(&rows) {
        return String::new();
    }
    let columns = vec![
        Column::text("tenant", rows.iter().map(|row| &row.observer)),
        Column::text("what it sees", rows.iter().map(|row| words::resource(Lang::En, &row.resource))),
        Column::text("simulated", rows.iter().map(|row| words::sees(Lang::En, row.simulated))),
        Column::text(
            "native",
            rows.iter()
                .map(|row| Cell::figure(row.native.map(|sees| words::sees(Lang::En, sees).to_owned()))),
        ),
    ];
    let summary = terminal.wrapped(&words::seen_summary(Lang::En, &rows));
    format!("{}\n{}{summary}", terminal.bold("what is seen"), table::lay_out(columns, terminal))
}

fn columns(rows: &[&Row], group: Group) -> Vec<Column> {
    let numbers =
        |title: &str, cell: &dyn Fn(&Row) -> Cell| Column::numbers(title, rows.iter().map(|row| cell(row)));
    let mut columns = vec![
        Column::text("tenant", rows.iter().map(|row| label(&row.tenant, row.replica))),
        Column::text("metric", rows.iter().map(|row| &row.metric)),
        numbers("simulated", &|row| value(&row.metric, Some(row.simulated))),
        numbers("native", &|row| value(&row.metric, Some(row.native))),
        numbers("error", &|row| logarithm(Some(row.error))),
        numbers("noise", &|row| logarithm(row.noise)),
    ];
    if group == Group::Judged {
        columns.push(numbers("excess", &|row| logarithm(row.excess)));
        columns.push(numbers("alone", &|row| logarithm(row.alone_error)).ranked(2));
        columns.push(numbers("fluid", &|row| logarithm(row.fluid_error)).ranked(1));
    }
    columns.push(Column::text("", rows.iter().map(|row| verdict(row))));
    columns
}

fn value(metric: &str, value: Option<f64>) -> Cell {
    let metric = Metric::from_name(metric);
    Cell::figure(
        value.map(|value| metric.map_or_else(|| value.to_string(), |metric| figures::written(metric, value))),
    )
}

fn verdict(row: &Row) -> &'static str {
    match (row.undecidable, row.within) {
        (true, _) => "undecidable",
        (false, Some(true)) => "within",
        (false, Some(false)) => "BEYOND",
        (false, None) => "",
    }
}

/// What could not be compared, a line for each reason.
fn absent(rows: &[AbsentRow], terminal: &Terminal) -> String {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for row in rows {
        let what = format!("{} of {}", row.metric, label(&row.tenant, row.replica));
        match reasons.iter_mut().find(|(reason, _)| *reason == row.reason) {
            Some((_, whats)) => whats.push(what),
            None => reasons.push((&row.reason, vec![what])),
        }
    }
    let lines = reasons.iter().map(|(reason, whats)| format!("left out: {}: {reason}", whats.join(", ")));
    lines.map(|line| terminal.wrapped(&line)).collect()
}

fn summary(all: &[PlatformComparison], terminal: &Terminal) -> String {
    let numbers = |title: &str, cell: &dyn Fn(&Summary) -> Cell| {
        Column::numbers(title, all.iter().map(|one| cell(&one.summary)))
    };
    let columns = vec![
        Column::text("platform", all.iter().map(|one| one.platform.name())),
        numbers("median excess", &|one| logarithm(one.median_excess)),
        numbers("90 %", &|one| logarithm(one.p90_excess)),
        numbers("worst", &|one| logarithm(one.worst_excess)),
        numbers("skill", &|one| logarithm(one.skill)),
        Column::text("against", all.iter().map(|one| against(one.summary.skill_against))).ranked(1),
        numbers("undecidable", &|one| format!("{} of {}", one.undecidable_rows, one.judged_rows).into()),
        numbers("conserved beyond", &|one| one.conserved_beyond_limit.to_string().into()),
        numbers("discarded", &|one| one.discarded_trials.to_string().into()).ranked(2),
    ];
    let legend = format!(
        "Errors are natural logarithms: 0.10 is about 10 %. Excess is the error beyond the noise of the machine itself; \
         rows with a noise above {NOISE_LIMIT:.2} are undecidable. Alone and fluid are the errors of two naive \
         predictions: each tenant alone on the machine, and all threads sharing the cores evenly; skill is what the model \
         saves of the better one's."
    );
    table::lay_out(columns, terminal) + &terminal.wrapped(&legend)
}

fn against(prediction: Option<Prediction>) -> Cell {
    Cell::figure(prediction.map(|prediction| match prediction {
        Prediction::Alone => "alone".to_owned(),
        Prediction::Fluid => "fluid".to_owned(),
    }))
}

fn two_runs(difference: &RunDifference, terminal: &Terminal) -> String {
    let RunDifference { first, second, rows } = difference;
    let title = |run: &catamaran_report::compare::Run| {
        let backend = format!("{:?}", run.backend).to_lowercase();
        let trials = if run.trials == 1 { String::new() } else { format!(", median of {}", run.trials) };
        format!("{backend} on {}{trials}", run.platform)
    };
    let columns = vec![
        Column::text("tenant", rows.iter().map(|row| label(&row.tenant, row.replica))),
        Column::text("metric", rows.iter().map(|row| &row.metric)),
        Column::numbers("first", rows.iter().map(|row| value(&row.metric, row.first))),
        Column::numbers("second", rows.iter().map(|row| value(&row.metric, row.second))),
        Column::numbers("difference", rows.iter().map(|row| logarithm(row.difference))),
    ];
    let heading = terminal.bold(&format!("first: {}; second: {}", title(first), title(second)));
    format!(
        "{heading}\n{}differences are natural logarithms: 0.10 is about 10 %\n",
        table::lay_out(columns, terminal)
    )
}

fn label(tenant: &str, replica: u32) -> String {
    if replica == 0 { tenant.to_owned() } else { format!("{tenant}/{replica}") }
}

fn logarithm(value: Option<f64>) -> Cell {
    Cell::figure(value.map(|value| format!("{value:.3}")))
}
