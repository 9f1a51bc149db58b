//! `catamaran advise` as people type it.

use std::path::PathBuf;

use catamaran_scenario::Platform;
use clap::Args;

use super::platform;

/// `catamaran advise`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sudo catamaran advise my.toml                   run it once in containers, and size its tenants
  sudo catamaran advise my.toml --trials 3        from more samples
  sudo catamaran advise my.toml --on docker --json

It runs the scenario for real and proposes a request and a limit of CPU and memory for each tenant,
by the rule of Kubernetes' Vertical Pod Autoscaler, which it prints. Then it simulates the scenario
with these sizes; of a tenant of kind `command` the model knows only what its `like` says. A
percentile takes enough samples: 10 s of a run for that of the CPU.")]
pub(crate) struct Advise {
    /// Scenario: a TOML file, `lesson:ID`, or `-` for standard input
    pub(crate) file: String,
    /// Platform to measure on [default: container, or where that is not to be had the scenario's first]
    #[arg(long = "on", value_name = "PLATFORM", value_parser = platform(), hide_possible_values = true)]
    pub(crate) platform: Option<Platform>,
    /// How often it is run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=21))]
    pub(crate) trials: u32,
    /// The machine to model [default: this one where it was calibrated, else the reference machine]
    #[arg(long, value_name = "host.toml")]
    pub(crate) host: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}
