//! `cargo xtask bench-container`: a container that does nothing, create to delete, whole process, by our own runtime, by
//! runc and by crun, in turn.
//!
//! All three start the same static program (which ends at once) with the same limits on CPU, memory and processes, in
//! namespaces of the same six kinds, with runc's default masks, read-only paths and capabilities; ours has a filter of
//! system calls on top, and brings the program into a root that it makes, where the others are given one. What is measured is
//! the time from starting the runtime's process to its end, everything removed again.

mod bundle;
mod groups;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell::{Workspace, run};
use groups::Groups;

/// How it is measured.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Containers of each runtime
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(5..=10_000))]
    rounds: u32,
}

const TARGET: &str = "x86_64-unknown-linux-musl";
/// Rounds before the first one that counts: programs come into the page cache.
const WARM_UP: u32 = 3;
/// At most these shares of the others' medians.
const BOUNDS: [(&str, f64); 2] = [("runc", 0.25), ("crun", 0.6)];

/// crun refuses a machine with both versions of control groups, unless it sees no v2 tree: this hides one from it, in a
/// mount namespace of its own.
const CRUN_WRAPPER: &str = "mount -t tmpfs -o size=1m none /sys/fs/cgroup/unified && exec \"$@\"";

/// One thing that is measured.
struct Runner {
    name: &'static str,
    command: Box<dyn Fn(u32) -> Command>,
}

/// Whether the bounds hold.
pub(crate) fn bench(workspace: &Workspace, options: &Options) -> Result<bool> {
    let worker = build(workspace)?;
    let folder = workspace.target().join("bench-container");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let groups = Groups::find().context("control groups")?;
    let runners = runners(workspace, &worker, &folder, &groups)?;
    let mut times: Vec<Vec<Duration>> = runners.iter().map(|_| Vec::new()).collect();
    for round in 0..WARM_UP + options.rounds {
        for (runner, times) in runners.iter().zip(&mut times) {
            let time = time((runner.command)(round)).with_context(|| runner.name.to_owned())?;
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    let medians: Vec<(&str, f64)> = runners
        .iter()
        .zip(&mut times)
        .map(|(runner, times)| (runner.name, show(runner.name, times)))
        .collect();
    fs::remove_dir_all(&folder).ok();
    Ok(judge(&medians))
}

fn build(workspace: &Workspace) -> Result<PathBuf> {
    let build = ["build", "--release", "--package", "catamaran-worker", "--target", TARGET];
    run(&mut workspace.cargo(build)).context("building the static worker")?;
    Ok(workspace.target().join(TARGET).join("release/catamaran-worker"))
}

fn runners(workspace: &Workspace, worker: &Path, folder: &Path, groups: &Groups) -> Result<Vec<Runner>> {
    let script = folder.join("start-script");
    fs::write(&script, groups.script())?;
    let bundle = folder.join("bundle");
    bundle::make(&bundle, worker)?;
    let worker_path = worker.to_path_buf();
    let mut runners = vec![
        Runner { name: "fork and exec", command: command(worker, &["true".into()]) },
        Runner {
            name: "catamaran",
            command: Box::new(move |_| {
                let mut command = Command::new(&worker_path);
                command.arg("container").arg(&script);
                command
            }),
        },
    ];
    let state = |name: &str| folder.join(name).display().to_string();
    match workspace.find("runc") {
        Some(runc) => runners.push(oci("runc", vec![runc.display().to_string()], state("runc"), &bundle)),
        None => println!("runc is not here: `apt-get install runc` brings it"),
    }
    let Some(crun) = workspace.find("crun") else {
        println!("crun is not here: `apt-get install crun` brings it");
        return Ok(runners);
    };
    let crun = crun.display().to_string();
    if !Path::new("/sys/fs/cgroup/unified").exists() {
        runners.push(oci("crun", vec![crun], state("crun"), &bundle));
        return Ok(runners);
    }
    let wrapper: Vec<String> = ["unshare", "-m", "--propagation", "private", "sh", "-c", CRUN_WRAPPER, "sh"]
        .map(str::to_owned)
        .into();
    let around = |inner: &str| [wrapper.clone(), vec![inner.to_owned()]].concat();
    let alone = around(&worker.display().to_string());
    let alone = [alone, vec!["true".to_owned()]].concat();
    runners.push(Runner { name: "crun's wrapper", command: command(Path::new("/usr/bin/env"), &alone) });
    runners.push(oci("crun in its wrapper", around(&crun), state("crun"), &bundle));
    Ok(runners)
}

fn command(program: &Path, arguments: &[String]) -> Box<dyn Fn(u32) -> Command> {
    let (program, arguments) = (program.to_path_buf(), arguments.to_vec());
    Box::new(move |_| {
        let mut command = Command::new(&program);
        command.args(&arguments);
        command
    })
}

/// A runtime with the OCI command line; `words` begin with its program or what wraps it.
fn oci(name: &'static str, words: Vec<String>, state: String, bundle: &Path) -> Runner {
    let bundle = bundle.to_path_buf();
    let command = move |round: u32| {
        let mut words = words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words).args(["--root", &state, "run", "--bundle"]).arg(&bundle);
        command.arg(format!("catamaran-bench-{round}"));
        command
    };
    Runner { name, command: Box::new(command) }
}

/// From start to end of a process that must succeed.
fn time(mut command: Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let begun = Instant::now();
    let output = command.output()?;
    let took = begun.elapsed();
    if !output.status.success() {
        bail!("ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(took)
}

/// Prints one row; its median (ms).
fn show(name: &str, times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() - 1) as f64 * share).round() as usize;
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!("{name:20} median {:6.2} ms   (10 % {:6.2}, 90 % {:6.2})", at(0.5), at(0.1), at(0.9));
    at(0.5)
}

/// Whether ours keeps every bound that can be judged here; says so.
fn judge(medians: &[(&str, f64)]) -> bool {
    let of = |wanted: &str| medians.iter().find(|(name, _)| *name == wanted).map(|(_, median)| *median);
    let Some(ours) = of("catamaran") else { return false };
    // The wrapper also starts a program that does nothing: what that takes belongs to crun.
    let wrapper = of("crun's wrapper").zip(of("fork and exec")).map(|(wrapped, bare)| wrapped - bare);
    let crun = of("crun").or_else(|| Some(of("crun in its wrapper")? - wrapper?));
    let mut holds = true;
    for (name, bound) in BOUNDS {
        let Some(theirs) = (if name == "crun" { crun } else { of(name) }) else { continue };
        let share = ours / theirs;
        let verdict = if share <= bound { "holds" } else { "does not hold" };
        println!("catamaran takes {share:.2} of {name}'s {theirs:.2} ms; at most {bound}: {verdict}");
        holds &= share <= bound;
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_judged_with_the_wrapper_taken_away() {
        let table: [(&[(&str, f64)], bool); 5] = [
            (&[("catamaran", 5.0), ("runc", 20.0), ("crun", 9.0)], true),
            (&[("catamaran", 5.1), ("runc", 20.0)], false),
            (&[("catamaran", 5.0), ("crun", 8.0)], false),
            (
                &[
                    ("catamaran", 5.0),
                    ("fork and exec", 0.5),
                    ("crun's wrapper", 4.0),
                    ("crun in its wrapper", 12.0),
                ],
                true,
            ),
            (&[("runc", 20.0)], false),
        ];
        for (medians, holds) in table {
            assert_eq!(judge(medians), holds, "{medians:?}");
        }
    }
}
