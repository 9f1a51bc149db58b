//! The `catamaran` command line: thin glue over the library crates.
//!
//! *Architecture invariant*: what is computed is computed in a library; this crate reads arguments, shows answers and keeps the
//! promises of the contract about exit codes and streams.

mod advise;
mod args;
mod bench;
mod blast;
mod calibrate;
mod clean;
mod compare;
mod density;
mod doctor;
mod explain;
mod failure;
mod figures;
mod host;
mod interrupt;
mod interval;
mod lessons;
mod many;
mod native;
mod output;
mod plot;
mod probe;
mod run;
mod serve;
mod sim;
mod source;
mod starts;
mod sweep;
mod table;
mod terminal;
mod units;
mod why;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::LevelFilter;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    if is_called_oci() {
        return catamaran_oci_cli::run();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A reader that has gone away, as in `catamaran --help | head`, is nothing to complain about.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    if let Command::Oci(runtime) = cli.command {
        return catamaran_oci_cli::carry_out(runtime);
    }
    log();
    let terminal = Terminal::new(cli.quiet, cli.color);
    match carry_out(cli.command, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.error(&failure);
            ExitCode::from(&failure)
        }
    }
}

/// Whether this process was started through a link that has the OCI runtime's name.
fn is_called_oci() -> bool {
    let name = std::env::args_os().next();
    name.is_some_and(|name| Path::new(&name).file_name() == Some(catamaran_oci_cli::NAME.as_ref()))
}

fn carry_out(command: Command, terminal: &Terminal) -> Result<(), Failure> {
    interrupt::outlive_file_limits()?;
    if matches!(
        command,
        Command::Sim(_) | Command::Sweep(_) | Command::Lessons(_) | Command::Explain(_) | Command::Bench(_)
    ) {
        interrupt::exit_at_once()?;
    }
    match command {
        Command::Sim(args) => sim::sim(&args, terminal),
        Command::Sweep(args) => sweep::sweep(&args, terminal),
        Command::Run(args) => run::run(&args, terminal),
        Command::Compare(args) => compare::compare(&args, terminal),
        Command::Advise(args) => advise::advise(&args, terminal),
        Command::Density(args) => density::density(&args, terminal),
        Command::Calibrate(args) => calibrate::calibrate(&args, terminal),
        Command::Doctor(args) => doctor::doctor(&args, terminal),
        Command::Probe(args) => probe::probe(&args, terminal),
        Command::Lessons(args) => lessons::lessons(&args, terminal),
        Command::Explain(args) => explain::explain(&args, terminal),
        Command::Serve(args) => serve::serve(args, terminal),
        Command::Clean => clean::clean(terminal),
        Command::Bench(args) => bench::bench(&args, terminal),
        // Has exit codes and streams of its own.
        Command::Oci(_) => Ok(()),
    }
}

/// `CATAMARAN_LOG=debug` shows on standard error what the libraries do.
fn log() {
    let level = std::env::var("CATAMARAN_LOG").ok().and_then(|text| text.parse().ok());
    tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::OFF))
        .with_writer(std::io::stderr)
        .init();
}
