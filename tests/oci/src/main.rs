//! A conformance suite for OCI runtimes: what the clauses of the runtime specification promise, asked of any program with
//! runc's command line. It knows nothing of our own runtime.
//!
//! **Source.** opencontainers/runtime-spec v1.2 and v1.3: `runtime.md`, `runtime-linux.md`, `config.md`, `config-linux.md`,
//! `features.md`, `features-linux.md`. Each case names its clause in its own short words.

mod bed;
mod call;
mod cases;
mod check;
mod host;
mod judge;
mod leftovers;
mod net;
mod report;
mod runtime;
mod socket;
mod suite;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use nix::sched::CloneFlags;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};

use host::Host;
use judge::{Deviations, Judgement};
use report::Judged;
use runtime::Runtime;
use suite::Chosen;

/// The static program of every container.
const PROBE: &[u8] = include_bytes!(env!("CATAMARAN_PROBE"));

/// Cases at a time: they wait for the kernel more than they compute.
const JOBS: usize = 3;

/// Asks OCI runtimes for what the clauses of the specification promise.
#[derive(Parser)]
struct Options {
    /// A runtime with runc's command line: NAME=PATH, or NAME='PATH WORD…' with words that come before all options
    #[arg(long = "runtime", value_name = "NAME=PATH")]
    runtimes: Vec<Runtime>,
    /// Only cases whose names contain one of these words
    #[arg(long, value_delimiter = ',', value_name = "WORDS")]
    only: Vec<String>,
    /// Print everything as JSON instead of lines and a table
    #[arg(long)]
    json: bool,
    /// Name the cases with their clauses, and run nothing
    #[arg(long)]
    list: bool,
    /// So many cases at a time; 3 where nothing is said
    #[arg(long)]
    jobs: Option<usize>,
    /// As test programs have it; --jobs goes before it
    #[arg(long, hide = true)]
    test_threads: Option<usize>,
    /// As test programs have it; lines are always shown
    #[arg(long, hide = true)]
    show_output: bool,
}

fn main() -> ExitCode {
    match carry_out(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing failed.
fn carry_out(options: &Options) -> Result<bool, String> {
    let all = cases::all();
    let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    let deviations = Deviations::written()?;
    let unknown = deviations.unknown(&names);
    if !unknown.is_empty() {
        return Err(format!("deviations.toml names cases that are not there: {}", unknown.join(", ")));
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|word| name.contains(word));
    let mut chosen: Vec<Chosen> = all.into_iter().filter(|(name, _)| wanted(name)).collect();
    if options.list {
        chosen.iter().for_each(|(name, case)| println!("{name}\t{}", case.clause));
        println!("{} cases", chosen.len());
        return Ok(true);
    }
    if !rustix::process::geteuid().is_root() {
        println!("test conformance of OCI runtimes ... ignored, needs root");
        return Ok(true);
    }
    let mut host = Host::here().map_err(|error| error.to_string())?;
    let asked = chosen.len();
    chosen.retain(|(_, case)| host.is_v2() || !case.of_v2);
    if !options.json && chosen.len() < asked {
        println!("{} cases are of cgroup v2 and asked where there is nothing else", asked - chosen.len());
    }
    let probe = probe().map_err(|error| format!("the probe can't be written: {error}"))?;
    leftovers::clear_after_the_dead(&host);
    stay_private().map_err(|error| format!("no mount namespace of our own: {error}"))?;
    let mut judged = Vec::new();
    for runtime in &options.runtimes {
        judged.extend(with_runtime(
            options,
            &runtime.clone().ask()?,
            &mut host,
            &probe.1,
            &chosen,
            &deviations,
        )?);
    }
    let names: Vec<String> = options.runtimes.iter().map(|runtime| runtime.name.clone()).collect();
    if options.json {
        println!("{}", report::json(&judged));
    } else {
        println!("\n{}", report::table(&judged, &names));
    }
    Ok(!judged.iter().any(|(_, judgement)| matches!(judgement, Judgement::Failed(_))))
}

/// The probe as a file of which every bundle has a link.
fn probe() -> std::io::Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::Builder::new().prefix("catamaran-probe-").tempdir()?;
    let file = folder.path().join("probe");
    fs::write(&file, PROBE)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    Ok((folder, file))
}

/// What cases and runtimes mount is seen by nobody else, and goes with this process. In here mounts are shared as they are on
/// most machines.
fn stay_private() -> std::io::Result<()> {
    nix::sched::unshare(CloneFlags::CLONE_NEWNS)?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    Ok(mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)?)
}

fn with_runtime(
    options: &Options,
    runtime: &Runtime,
    host: &mut Host,
    probe: &Path,
    chosen: &[Chosen],
    deviations: &Deviations,
) -> Result<Vec<Judged>, String> {
    let cgroup = if host.is_v2() { "v2" } else { "v1" };
    if !options.json {
        println!("\n{} {}, cgroup {cgroup}", runtime.name, runtime.version);
    }
    // crun refuses a tree of version 2 beside those of version 1.
    host.covered = host.hybrid().filter(|_| runtime.name == "crun").map(Path::to_owned);
    if let Some(unified) = &host.covered {
        let size = Some(c"size=32m");
        mount("none", unified, "tmpfs", MountFlags::empty(), size)
            .map_err(|error| format!("no tmpfs over {}: {error}", unified.display()))?;
    }
    let tell = |outcome: &suite::Outcome| {
        if !options.json {
            println!("{}", report::line(outcome, &deviations.judge(outcome, cgroup)));
        }
    };
    let jobs = options.jobs.or(options.test_threads).unwrap_or(JOBS);
    let outcomes = suite::run(runtime, host, probe, chosen, jobs, &tell);
    if let Some(unified) = host.covered.take() {
        unmount(unified, UnmountFlags::DETACH).map_err(|error| error.to_string())?;
    }
    let judge = |outcome: suite::Outcome| {
        let judgement = deviations.judge(&outcome, cgroup);
        (outcome, judgement)
    };
    Ok(outcomes.into_iter().map(judge).collect())
}
