//! `cargo xtask bench-container`: containers that do nothing, by our own runtimes, by runc and by crun, in turn.
//!
//! All start the same static program (which ends at once) with the same limits on CPU, memory and processes, in namespaces of the
//! same six kinds, with runc's default masks, read-only paths and capabilities. Three things are measured, each from the start of
//! a process to its end:
//!
//! - our container platform (`catamaran run`), create to delete, whole process, beside the others' `run`; it has a filter of system
//!   calls on top, and brings the program into a root that it makes, where the others are given one;
//! - `run` of the OCI runtimes, whole process, everything removed again;
//! - their `create`, `start` and `delete`, added up.

mod bundle;
mod groups;
mod life;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::shell::{Workspace, run};
use groups::Groups;
use life::{Runtime, time};

/// How it is measured.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Containers of each runtime
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(5..=10_000))]
    rounds: u32,
}

const TARGET: &str = "x86_64-unknown-linux-musl";
/// Profile of the OCI runtime as it is installed.
const PROFILE: &str = "small";
/// Rounds before the first one that counts: programs come into the page cache.
const WARM_UP: u32 = 3;

/// Ours may take at most these shares of the others' medians.
struct Bar {
    what: &'static str,
    ours: &'static str,
    /// What the others' figures are of: `run`, or `create, start, delete`.
    of: &'static str,
    bounds: [(&'static str, f64); 2],
}

const RUN: &str = "run";
const STEPS: &str = "create, start, delete";
const PLATFORM: &str = "catamaran";
const OURS: &str = "catamaran-oci";
const BARS: [Bar; 3] = [
    Bar { what: PLATFORM, ours: PLATFORM, of: RUN, bounds: [("runc", 0.25), ("crun", 0.6)] },
    Bar { what: "catamaran-oci run", ours: OURS, of: RUN, bounds: [("runc", 0.4), ("crun", 0.6)] },
    Bar {
        what: "catamaran-oci create, start, delete",
        ours: OURS,
        of: STEPS,
        bounds: [("runc", 0.4), ("crun", 0.6)],
    },
];

/// crun refuses a machine with both versions of control groups, unless it sees no v2 tree: this hides one from it, in a
/// mount namespace of its own.
const CRUN_WRAPPER: &str = "mount -t tmpfs -o size=1m none /sys/fs/cgroup/unified && exec \"$@\"";
const BARE: &str = "fork and exec";
const WRAPPER: &str = "crun's wrapper";
const WRAPPED: &str = "crun in its wrapper";

/// One thing that is measured.
struct Runner {
    name: &'static str,
    of: &'static str,
    once: Box<dyn Fn(u32) -> Result<Duration>>,
}

/// Its name, what it is of, and its median (ms).
type Median = (&'static str, &'static str, f64);

/// Whether the bounds hold.
pub(crate) fn bench(workspace: &Workspace, options: &Options) -> Result<bool> {
    let worker = build(workspace, &["--release"], "catamaran-worker", "release/catamaran-worker")?;
    let ours =
        build(workspace, &["--profile", PROFILE], "catamaran-oci-cli", &format!("{PROFILE}/catamaran-oci"))?;
    let folder = workspace.target().join("bench-container");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let runners = runners(workspace, &worker, &ours, &folder)?;
    let mut times: Vec<Vec<Duration>> = runners.iter().map(|_| Vec::new()).collect();
    for round in 0..WARM_UP + options.rounds {
        for (runner, times) in runners.iter().zip(&mut times) {
            let time = (runner.once)(round).with_context(|| runner.name.to_owned())?;
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    let medians: Vec<Median> = runners
        .iter()
        .zip(&mut times)
        .map(|(runner, times)| (runner.name, runner.of, show(runner, times)))
        .collect();
    fs::remove_dir_all(&folder).ok();
    Ok(judge(&medians))
}

/// Builds a static program; where it is.
fn build(workspace: &Workspace, profile: &[&str], package: &str, program: &str) -> Result<PathBuf> {
    let mut cargo = workspace.cargo(["build", "--package", package, "--target", TARGET, "--locked"]);
    run(cargo.args(profile)).with_context(|| format!("building the static {package}"))?;
    Ok(workspace.target().join(TARGET).join(program))
}

fn runners(workspace: &Workspace, worker: &Path, ours: &Path, folder: &Path) -> Result<Vec<Runner>> {
    let script = folder.join("start-script");
    fs::write(&script, Groups::find().context("control groups")?.script())?;
    let bundle = folder.join("bundle");
    bundle::make(&bundle, worker)?;
    let worker = worker.display().to_string();
    let script = script.display().to_string();
    let mut runners = vec![
        command(BARE, vec![worker.clone(), "true".to_owned()], folder),
        command(PLATFORM, vec![worker.clone(), "container".to_owned(), script], folder),
    ];
    let mut add = |name, words: Vec<String>| {
        for of in [RUN, STEPS] {
            let (words, state, bundle) = (words.clone(), folder.join(name), bundle.clone());
            let runtime = Runtime { name, words, state, bundle };
            let once: Box<dyn Fn(u32) -> Result<Duration>> = match of {
                RUN => Box::new(move |round| runtime.run(round)),
                _ => Box::new(move |round| runtime.create_start_delete(round)),
            };
            runners.push(Runner { name, of, once });
        }
    };
    add(OURS, vec![ours.display().to_string()]);
    match workspace.find("runc") {
        Some(runc) => add("runc", vec![runc.display().to_string()]),
        None => println!("runc is not here: `apt-get install runc` brings it"),
    }
    let Some(crun) = workspace.find("crun").map(|crun| crun.display().to_string()) else {
        println!("crun is not here: `apt-get install crun` brings it");
        return Ok(runners);
    };
    if !Path::new("/sys/fs/cgroup/unified").exists() {
        add("crun", vec![crun]);
        return Ok(runners);
    }
    let wrapper = ["unshare", "-m", "--propagation", "private", "sh", "-c", CRUN_WRAPPER, "sh"];
    let around = |inner: &[&str]| wrapper.iter().chain(inner).map(|word| (*word).to_owned()).collect();
    add(WRAPPED, around(&[&crun]));
    runners.push(command(WRAPPER, around(&[&worker, "true"]), folder));
    Ok(runners)
}

fn command(name: &'static str, words: Vec<String>, folder: &Path) -> Runner {
    let folder = folder.to_owned();
    let once = move |_| {
        let mut words = words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words);
        time(command, &folder)
    };
    Runner { name, of: RUN, once: Box::new(once) }
}

/// Prints one row; its median (ms).
fn show(runner: &Runner, times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() - 1) as f64 * share).round() as usize;
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let name = if runner.of == STEPS { format!("{}: {STEPS}", runner.name) } else { runner.name.to_owned() };
    println!("{name:42} median {:6.2} ms   (10 % {:6.2}, 90 % {:6.2})", at(0.5), at(0.1), at(0.9));
    at(0.5)
}

/// Whether ours keeps every bound that can be judged here; says so.
fn judge(medians: &[Median]) -> bool {
    let of = |name: &str, of: &str| {
        medians.iter().find(|row| (row.0, row.1) == (name, of)).map(|(_, _, median)| *median)
    };
    // The wrapper also starts a program that does nothing: what that takes belongs to crun.
    let wrapper = of(WRAPPER, RUN).zip(of(BARE, RUN)).map(|(wrapped, bare)| wrapped - bare);
    let crun = |what: &str| {
        // It is around each command.
        let times = if what == STEPS { 3.0 } else { 1.0 };
        of("crun", what).or_else(|| Some(of(WRAPPED, what)? - wrapper? * times))
    };
    let mut holds = true;
    for bar in BARS {
        let Some(ours) = of(bar.ours, bar.of) else {
            println!("{}: not measured", bar.what);
            return false;
        };
        for (name, bound) in bar.bounds {
            let theirs = if name == "crun" { crun(bar.of) } else { of(name, bar.of) };
            let Some(theirs) = theirs else { continue };
            let share = ours / theirs;
            let verdict = if share <= bound { "holds" } else { "does not hold" };
            println!(
                "{}: {ours:.2} ms, {share:.2} of {name}'s {theirs:.2} ms; at most {bound}: {verdict}",
                bar.what
            );
            holds &= share <= bound;
        }
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: [Median; 9] = [
        (PLATFORM, RUN, 3.0),
        (OURS, RUN, 5.0),
        (OURS, STEPS, 7.0),
        ("runc", RUN, 20.0),
        ("runc", STEPS, 30.0),
        (BARE, RUN, 0.5),
        (WRAPPER, RUN, 4.0),
        (WRAPPED, RUN, 12.0),
        (WRAPPED, STEPS, 22.5),
    ];

    #[test]
    fn bounds_are_judged_with_the_wrapper_taken_away() {
        assert!(judge(&HELD), "5.0 of 8.5 and 7.0 of 12.0");
        let changes: [Median; 5] = [
            (PLATFORM, RUN, 5.1),
            (OURS, RUN, 5.2),
            (OURS, STEPS, 7.3),
            (WRAPPER, RUN, 4.2),
            ("runc", STEPS, 17.0),
        ];
        for change in changes {
            let changed = HELD.map(|row| if (row.0, row.1) == (change.0, change.1) { change } else { row });
            assert!(!judge(&changed), "{change:?}");
        }
        let without: Vec<Median> = HELD.into_iter().filter(|row| row.0 != OURS).collect();
        assert!(!judge(&without), "what was not measured does not hold");
        let alone = [(PLATFORM, RUN, 5.0), (OURS, RUN, 5.0), (OURS, STEPS, 7.0), ("crun", RUN, 9.0)];
        assert!(judge(&alone), "without the others' steps there is nothing to hold them against");
    }
}
