//! `catamaran run`.

use catamaran_report::Report;
use catamaran_scenario::{Plan, Platform};

use crate::args::Run;
use crate::failure::Failure;
use crate::native::Native;
use crate::terminal::Terminal;
use crate::{figures, host, interrupt, source};

pub(crate) fn run(args: &Run, terminal: &Terminal) -> Result<(), Failure> {
    let plan = source::scenario(&args.file)?.plan()?;
    let platforms = args.on.or(&plan);
    let commands = commands(&plan, &platforms)?;
    if args.dry_run {
        return terminal.print(&script(&platforms, &commands));
    }
    let (reports, failure) = carry_out(&plan, &platforms, terminal)?;
    if args.json {
        // What was measured before a failure is not thrown away.
        if failure.is_none() || !reports.is_empty() {
            terminal.print_json(&reports)?;
        }
    } else {
        let tables = reports.iter().map(|report| figures::report(report, terminal)).collect::<Vec<_>>();
        terminal.print(&tables.join("\n"))?;
    }
    failure.map_or(Ok(()), Err)
}

/// What a person could type; and a refusal on any platform before anything is run on the first.
pub(crate) fn commands(plan: &Plan, platforms: &[Platform]) -> Result<Vec<Vec<String>>, Failure> {
    let commands = platforms.iter().map(|platform| Ok(catamaran_native::dry_run(plan, *platform)?));
    commands.collect()
}

fn script(platforms: &[Platform], commands: &[Vec<String>]) -> String {
    let block =
        |(platform, lines): (&Platform, &Vec<String>)| format!("# {platform}\n{}\n", lines.join("\n"));
    platforms.iter().zip(commands).map(block).collect::<Vec<_>>().join("\n")
}

/// The reports up to the first failure, and that failure.
fn carry_out(
    plan: &Plan,
    platforms: &[Platform],
    terminal: &Terminal,
) -> Result<(Vec<Report>, Option<Failure>), Failure> {
    let native = Native {
        plan,
        turns_per_cpu_s: host::cached().map(|calibration| calibration.cpu.turns_per_cpu_s),
        interrupted: interrupt::flag()?,
        progress: terminal.progress(0),
    };
    native.progress.lengthen(native.steps() * platforms.len() as u64);
    let mut reports = Vec::new();
    for (index, platform) in platforms.iter().enumerate() {
        let label = format!("{} on {platform}", plan.name());
        match native.run(*platform, 0, native.steps() * index as u64, &label) {
            Ok(report) => reports.push(report),
            Err(failure) => {
                native.progress.finish();
                return Ok((reports, Some(failure)));
            }
        }
    }
    native.progress.finish();
    Ok((reports, None))
}
