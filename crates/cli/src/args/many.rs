//! Many simulations at once.

use std::path::PathBuf;

use catamaran_scenario::Nanos;
use clap::Args;

use super::On;

/// How many simulations at once.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Simulations at once [default: the number of cores]; the answer is the same whatever it is
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Jobs {
    /// How many, where it was said.
    pub(crate) fn wanted(&self) -> Option<usize> {
        self.jobs.map(usize::from)
    }
}

/// `catamaran sweep`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  catamaran sweep my.toml --vary tenant.batch.cpu.limit=0.5,1,2
  catamaran sweep my.toml --vary host.cores=1,2,4 --vary tenant.web.workload.arrivals.rate=50/s,100/s
  catamaran sweep my.toml --vary seed=1,2,3 --on cgroups,vm --json
  catamaran sweep my.toml --vary 'tenant.web.cpu.set=0;0,1' --seeds 20
  catamaran sweep my.toml --vary host.cores=2,4,8 --p95 50ms

A PATH is that of `catamaran explain`, with the tenant's name. Values are separated by commas, or by semicolons
where there is one. Several --vary give every combination, the last one changing fastest. The table has the
figures that differ. Power and cost are those of a server of 2 cores of 2008 (see docs/decisions/0521).")]
pub(crate) struct Sweep {
    /// Scenario: a TOML file, `lesson:ID`, or `-` for standard input
    pub(crate) file: String,
    /// A field and the values that it takes in turn
    #[arg(long, value_name = "PATH=VALUE,…", required = true)]
    pub(crate) vary: Vec<String>,
    #[command(flatten)]
    pub(crate) on: On,
    /// Simulate each with this many seeds, its own first; the table gives means with 95 % intervals
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(crate) seeds: Option<u32>,
    /// Also find out how many machines like `host` it takes so that each server's 95th percentile of latency is within this
    /// time, no request fails, and nobody is killed for memory (with the first seed)
    #[arg(long, value_name = "TIME")]
    pub(crate) p95: Option<Nanos>,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// The machine to model, as measured by `catamaran calibrate -o host.toml`
    #[arg(long, value_name = "host.toml")]
    pub(crate) host: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}
