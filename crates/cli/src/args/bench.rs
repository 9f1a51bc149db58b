//! `catamaran bench` as people type it.

use clap::{Args, Subcommand};

/// `catamaran bench`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = false,
    after_help = "\
Examples:
  catamaran bench w1 --hosts 1000 --tasks 100     shared hosts, 1.6 million tasks
  catamaran bench w1 --weights 1,2,4 --cap 0.75   the same, unequal
  catamaran bench w2 --pending 100000 --json      the event queue

Each workload has one right answer, which every exact engine gets; the CPU time is that of the whole program."
)]
pub(crate) struct Bench {
    /// The workload.
    #[command(subcommand)]
    pub(crate) workload: Workload,
}

/// What is simulated.
#[derive(Debug, Subcommand)]
pub(crate) enum Workload {
    /// Shared hosts: 8 cores and 16 containers each, which run tasks back to back
    W1(Hosts),
    /// The same, each container in a virtual machine of one virtual CPU
    W1Vm(Hosts),
    /// The event queue, by the hold model: each event that fires schedules another
    W2(Hold),
    /// One server at load 0.9: the mean sojourn time
    Mm1(Queueing),
}

/// Size of `w1` and `w1-vm`.
#[derive(Debug, Args)]
pub(crate) struct Hosts {
    /// Hosts
    #[arg(long, value_name = "H", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) hosts: u64,
    /// Tasks that each container runs, one after the other
    #[arg(long, value_name = "K", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) tasks: u64,
    /// Weights, dealt in turn to the containers of the first host, then of the next [default: all weigh 1]
    #[arg(long, value_name = "W,…", value_delimiter = ',', value_parser = weight)]
    pub(crate) weights: Vec<f64>,
    /// The most that each container may use, in cores [default: the 1 that a task can use]
    #[arg(long, value_name = "X", value_parser = cap)]
    pub(crate) cap: Option<f64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Size of `w2`.
#[derive(Debug, Args)]
pub(crate) struct Hold {
    /// Events that are pending at any time
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) pending: u32,
    /// Events that fire
    #[arg(long, value_name = "E", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub(crate) events: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Size of `mm1`.
#[derive(Debug, Args)]
pub(crate) struct Queueing {
    /// Customers
    #[arg(long, value_name = "C", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub(crate) customers: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How it is answered.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// The range of `cpu.weight`, in which fractions do no harm.
fn weight(text: &str) -> Result<f64, String> {
    within(text, 1e-3, 10_000.0).ok_or_else(|| "a weight is a number from 0.001 to 10000".into())
}

/// The least quota of CPU time that Linux takes is 1 ms in a second.
fn cap(text: &str) -> Result<f64, String> {
    within(text, 1e-3, 1024.0).ok_or_else(|| "a cap is a number of cores from 0.001 to 1024".into())
}

fn within(text: &str, least: f64, most: f64) -> Option<f64> {
    text.trim().parse().ok().filter(|value| (least..=most).contains(value))
}
