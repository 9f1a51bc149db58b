//! The command line as people type it.

mod advise;
pub(crate) mod bench;
mod many;

use std::path::PathBuf;

pub(crate) use advise::Advise;
pub(crate) use many::{Jobs, Sweep};

use catamaran_report::Report;
use catamaran_scenario::{Plan, Platform};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::terminal::ColorWhen;

/// The greatest seed (2^53 − 1): the greatest integer that every reader of JSON keeps exactly.
pub(crate) const GREATEST_SEED: u64 = (1 << 53) - 1;

/// `catamaran`.
#[derive(Debug, Parser)]
#[command(
    name = "catamaran",
    version,
    about = "Deploy the same workload on bare metal, in namespaces, under cgroups, in containers: simulated, and for real on Linux",
    after_help = EXAMPLES,
    after_long_help = LONG,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// No notes and no progress bars on standard error
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Colours on the terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: ColorWhen,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  catamaran sim lesson:cgroups                    simulate the scenario of a lesson
  catamaran run my.toml --on cgroups              carry it out for real (Linux)
  catamaran compare my.toml --plot chart.svg      both, side by side
  catamaran serve --open                          the lessons in the browser";

const LONG: &str = "\
Examples:
  catamaran sim lesson:cgroups                    simulate the scenario of a lesson
  catamaran run my.toml --on cgroups              carry it out for real (Linux)
  catamaran compare my.toml --plot chart.svg      both, side by side
  catamaran serve --open                          the lessons in the browser

FILE is a scenario in TOML, `lesson:ID` for the scenario of a lesson, or `-` for standard input.
`catamaran explain` documents the format, `catamaran doctor` what this machine can run.

Exit codes: 0 done · 1 bad input or usage · 2 platform not available here · 3 the run failed ·
130 interrupted and cleaned up.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate a scenario
    Sim(Sim),
    /// Simulate a scenario with each of several values of its fields
    Sweep(Sweep),
    /// Carry a scenario out for real on this machine (Linux)
    Run(Run),
    /// Run both backends side by side, or compare two saved runs
    Compare(Compare),
    /// Propose request and limit sizes from measured runs, and say what the model expects of them
    Advise(Advise),
    /// How many copies of a tenant fit into the machine's memory
    Density(Density),
    /// Measure this machine for the simulator
    Calibrate(Calibrate),
    /// Show what this machine can run for real, and why not
    Doctor(Doctor),
    /// Measure from inside what a platform hides and holds back (Linux)
    Probe(Probe),
    /// List, read, check or start lessons
    Lessons(Lessons),
    /// Document the scenario format, field by field
    Explain(Explain),
    /// Serve the lessons to a browser on this machine, with "run it for real"
    Serve(Serve),
    /// Remove whatever an interrupted run left; never touches a live one
    Clean,
    /// Time the simulator on workloads with known answers
    Bench(bench::Bench),
    /// Run containers from OCI bundles (Linux), as runc does
    Oci(catamaran_oci_cli::Runtime),
}

/// Platforms to carry the scenario out on.
#[derive(Debug, Args)]
pub(crate) struct On {
    /// Platforms instead of the scenario's own, separated by commas
    #[arg(long = "on", value_name = "PLATFORM,…", value_delimiter = ',', value_parser = platform(), hide_possible_values = true)]
    pub(crate) platforms: Vec<Platform>,
}

impl On {
    /// The platforms asked for, else those of the scenario.
    pub(crate) fn or(&self, plan: &Plan) -> Vec<Platform> {
        self.or_else(plan.platforms())
    }

    /// The platforms asked for, else those that the reports are of.
    pub(crate) fn or_those_of(&self, reports: &[Report]) -> Vec<Platform> {
        let of_reports = |platform: &Platform| reports.iter().any(|report| report.platform == *platform);
        self.or_else(&Platform::ALL.iter().copied().filter(of_reports).collect::<Vec<_>>())
    }

    fn or_else(&self, default: &[Platform]) -> Vec<Platform> {
        let mut platforms = Vec::new();
        for platform in if self.platforms.is_empty() { default } else { &self.platforms } {
            if !platforms.contains(platform) {
                platforms.push(*platform);
            }
        }
        platforms
    }
}

/// `catamaran sim`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  catamaran sim my.toml                           on the scenario's platforms
  catamaran sim my.toml --on cgroups --seeds 20   means with 95 % intervals over 20 seeds
  catamaran sim - --json < my.toml                an array of reports
  catamaran sim my.toml --host host.toml          as on the machine that was calibrated
  catamaran sim my.toml --on docker,runc --stages who starts a container, step by step
  catamaran sim my.toml --on docker,vm --blast    whom a fault reaches
  catamaran sim lesson:cgroups --why              why was it late, killed, slow to start, throttled?

Without --host the simulator's machine is the reference one, so that every machine gives the same answer.")]
pub(crate) struct Sim {
    /// Scenario: a TOML file, `lesson:ID`, or `-` for standard input
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) on: On,
    /// Seed instead of the scenario's own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=GREATEST_SEED))]
    pub(crate) seed: Option<u64>,
    /// Simulate this many seeds, the scenario's first; the table gives means with 95 % intervals
    #[arg(long, value_name = "N", conflicts_with = "seed", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(crate) seeds: Option<u32>,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    /// The machine to model, as measured by `catamaran calibrate -o host.toml`
    #[arg(long, value_name = "host.toml")]
    pub(crate) host: Option<PathBuf>,
    /// One JSON document on standard output: an array of reports, by seed, then by platform
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw who is on which core in the first second (with several platforms, a file for each)
    #[arg(long, value_name = "FILE.svg", conflicts_with = "seeds")]
    pub(crate) plot: Option<PathBuf>,
    /// Also the stages of each start: who does what, how long it takes, and who says so
    #[arg(long, conflicts_with_all = ["seeds", "json"])]
    pub(crate) stages: bool,
    /// Also whom a fault in each layer reaches on each platform
    #[arg(long, conflicts_with_all = ["seeds", "json"])]
    pub(crate) blast: bool,
    /// Say why: of each tenant its slowest request, its end, its start, its throttling and its waiting, and what to change
    #[arg(long, conflicts_with_all = ["seeds", "json"])]
    pub(crate) why: bool,
    /// Language of --why [default: from LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, requires = "why", hide_possible_values = false)]
    pub(crate) lang: Option<Language>,
}

/// `catamaran run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sudo catamaran run my.toml                      on the scenario's platforms
  catamaran run lesson:cgroups --dry-run          what a person could type instead
  sudo catamaran run my.toml --json > native.json

It cleans up after itself, also when interrupted; `catamaran doctor` says what can be run here.")]
pub(crate) struct Run {
    /// Scenario: a TOML file, `lesson:ID`, or `-` for standard input
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) on: On,
    /// Print what a person could type to get the same, and run nothing
    #[arg(long, conflicts_with = "json")]
    pub(crate) dry_run: bool,
    /// One JSON document on standard output: an array of reports
    #[arg(long)]
    pub(crate) json: bool,
}

/// `catamaran compare`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sudo catamaran compare my.toml                  at least 7 native trials a platform
  sudo catamaran compare my.toml --save runs/     keep every native report
  catamaran compare my.toml --native runs/        judge kept reports again, running nothing
  catamaran compare simulated.json native.json    two saved runs of one scenario

Each native trial is paired with a simulation at the speed that the trial had. Trials are added, up to 21
a platform, until the rows are decidable; trials that lost more than 1 % to the machine beneath or to other processes are discarded.")]
pub(crate) struct Compare {
    /// Scenario (a TOML file, `lesson:ID`, or `-`), or the first of two saved runs (JSON)
    pub(crate) file: String,
    /// The second of two saved runs (JSON)
    #[arg(conflicts_with_all = ["platforms", "trials", "most_trials", "plot", "host", "save", "native"])]
    pub(crate) second: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) on: On,
    /// Least number of native trials on each platform
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(7..=21))]
    pub(crate) trials: u32,
    /// Most native trials on each platform, where rows stay undecidable or trials are discarded
    #[arg(long, value_name = "N", default_value_t = 21, conflicts_with = "native", value_parser = clap::value_parser!(u32).range(7..=21))]
    pub(crate) most_trials: u32,
    /// Draw both backends side by side
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// The machine to model, instead of calibrating this one
    #[arg(long, value_name = "host.toml")]
    pub(crate) host: Option<PathBuf>,
    /// Write every native report into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "native")]
    pub(crate) save: Option<PathBuf>,
    /// Judge saved native reports (a directory or a file of JSON) instead of running
    #[arg(long, value_name = "DIR|FILE", conflicts_with = "trials")]
    pub(crate) native: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// `catamaran density`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  catamaran density idle.toml --on bare-metal,container,vm
  sudo catamaran density idle.toml --native        count on this machine as well

FILE has one tenant; copies of it are added until `host.memory` is full, whatever its `replicas`.
Natively they are started for real, one after the other, until the kernel kills one, has no memory
to start another, or `duration` is over. Where an engine starts them (podman, containerd, docker, lxc)
it is told what that holds itself, outside of `host.memory`. Memory alone is counted: CPU time bounds no number of copies, it only gets scarce.")]
pub(crate) struct Density {
    /// Scenario: a TOML file, `lesson:ID`, or `-` for standard input
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) on: On,
    /// Count on this machine as well (Linux)
    #[arg(long)]
    pub(crate) native: bool,
    /// Natively, count no further than this; what each takes is then measured all the same
    #[arg(long, value_name = "N", requires = "native", default_value_t = 2_500, value_parser = clap::value_parser!(u64).range(1..=16_000))]
    pub(crate) most: u64,
    /// The machine to model [default: with --native this one, else the reference machine]
    #[arg(long, value_name = "host.toml")]
    pub(crate) host: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// `catamaran calibrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without -o the figures go to the cache ($XDG_CACHE_HOME/catamaran/host.toml), where `compare` finds them.
Leave the machine alone meanwhile: it measures how fast a quiet machine is.")]
pub(crate) struct Calibrate {
    /// Write the figures here instead (`-`: standard output)
    #[arg(short, long, value_name = "host.toml")]
    pub(crate) output: Option<PathBuf>,
}

/// `catamaran doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// `catamaran probe`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sudo catamaran probe --on container             what a container sees, and what it is let do
  sudo catamaran probe --on docker                what docker lets its containers
  sudo catamaran probe --on chroot --json

A tenant looks around and attacks what is ours: a process and a file outside, and its own limits.
Nothing that it tries can harm the machine. Exit code 3: something was not as the platform promises.")]
pub(crate) struct Probe {
    /// The platform
    #[arg(long = "on", value_name = "PLATFORM", value_parser = platform(), hide_possible_values = true)]
    pub(crate) platform: Platform,
    /// One JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// `catamaran lessons`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  catamaran lessons                               the list
  catamaran lessons cgroups --lang ko             read one in Korean
  catamaran lessons check                         prove all of them"
)]
pub(crate) struct Lessons {
    /// The lesson to read; without it, the list
    pub(crate) id: Option<String>,
    /// Language [default: from LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, hide_possible_values = false)]
    pub(crate) lang: Option<Language>,
    #[command(subcommand)]
    pub(crate) action: Option<LessonsAction>,
}

/// What else can be done with lessons.
#[derive(Debug, Subcommand)]
pub(crate) enum LessonsAction {
    /// Prove every lesson: its start fails the goal, its solution passes, both languages are complete, its commands parse
    Check,
    /// Start a new lesson
    New {
        /// Its id, in kebab-case
        id: String,
    },
}

/// Languages of the lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// Korean
    Ko,
}

/// `catamaran explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  catamaran explain                               the overview
  catamaran explain tenant.cpu.limit              one field")]
pub(crate) struct Explain {
    /// Path of a field; without it, the overview
    pub(crate) field: Option<String>,
}

/// `catamaran serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
It listens on the loopback interface only, and a run needs the token in the URL that it prints.
Ctrl-C ends it, and a run in progress with it.")]
pub(crate) struct Serve {
    /// Loopback address and port to listen on (port 0: any free one)
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) addr: String,
    /// The built page [default: `dist` here, or beside the workspace that this program was built in]
    #[arg(long, value_name = "DIR")]
    pub(crate) dist: Option<PathBuf>,
    /// Open it in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

pub(crate) fn platform() -> impl TypedValueParser<Value = Platform> {
    let names = Platform::ALL.iter().map(|platform| platform.name());
    PossibleValuesParser::new(names)
        .try_map(|name| Platform::from_name(&name).ok_or_else(|| format!("no platform is called `{name}`")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
