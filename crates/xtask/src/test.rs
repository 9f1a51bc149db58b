//! `cargo xtask test`: everything that is checked before a change lands, in one order, with one closing line.

mod ahead;
mod build;
mod engines;
mod guest;
mod guest_machine;
mod initramfs;
mod oci;
mod said;
mod steps;
mod tally;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::setup::Need;
use crate::shell::{Workspace, follow, typed, wall};
use ahead::Ahead;
use build::TestProgram;
use steps::STEPS;
use tally::{Failure, Skip, Tally};

pub(crate) use ahead::compile as compile_ahead;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these steps
    #[arg(long, value_delimiter = ',', value_name = "STEP", value_parser = steps::names())]
    only: Vec<String>,
    /// All but these steps
    #[arg(long, value_delimiter = ',', value_name = "STEP", value_parser = steps::names())]
    skip: Vec<String>,
    /// Stop what is still running after this many minutes; it counts as failed
    #[arg(long, default_value_t = 120)]
    minutes: u64,
}

/// Failures of a program that are looked at once more: more of them are no chance.
const MOST_REPEATED: usize = 3;

/// One step: a name to choose it by, what it needs, what it does.
struct Step {
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    /// Whether it runs native test programs, which are built first.
    programs: bool,
    /// Whether some of them may run beside what is compiled ahead.
    patient: bool,
    run: fn(&mut Run) -> Result<()>,
}

/// A step while it runs.
struct Run<'a> {
    workspace: &'a Workspace,
    /// Native test programs; empty unless a chosen step runs some.
    programs: &'a [TestProgram],
    /// What is compiled meanwhile.
    ahead: &'a mut Ahead,
    /// When it must have ended.
    until: Instant,
    tally: Tally,
}

/// A step that has ended.
struct Done {
    name: &'static str,
    took: Duration,
    tally: Tally,
}

impl Run<'_> {
    /// Runs a program that prints test results; a failure outside of its tests counts as one.
    fn tests(&mut self, command: &mut Command) -> Result<()> {
        let before = self.tally.failed.len();
        let success = follow(command, self.until, |line| {
            println!("{line}");
            self.tally.line(line);
        })?;
        if !success && self.tally.failed.len() == before {
            self.tally.fail(format!("`{}` failed outside of a test", typed(command)));
        }
        Ok(())
    }

    /// The same of a program that holds the machine to something: what failed is run once more by `again`, by itself. On a machine
    /// that others use, too, a test that measures may be hit by what is none of ours.
    fn tests_of_the_machine(
        &mut self,
        command: &mut Command,
        again: impl Fn(&[String]) -> Command,
    ) -> Result<()> {
        let before = self.tally.failed.len();
        self.tests(command)?;
        let failed = self.tally.names_failed(before);
        if !(1..=MOST_REPEATED).contains(&failed.len()) {
            return Ok(());
        }
        println!("\nonce more, each by itself: {}", failed.join(", "));
        let mut lines = Vec::new();
        follow(&mut again(&failed), self.until, |line| {
            println!("{line}");
            lines.push(line.to_owned());
        })?;
        self.tally.repeat(before, lines.iter().map(String::as_str));
        Ok(())
    }

    /// Runs a program whose success is one check.
    fn check(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let success = follow(command, self.until, |line| println!("{line}"))?;
        self.tally.check(name, success);
        Ok(())
    }
}

/// Runs the chosen steps, all of them even after a failure; whether nothing failed. The closing line is the last one.
pub(crate) fn test(workspace: &Workspace, options: &Options) -> bool {
    let begun = Instant::now();
    let until = begun + Duration::from_mins(options.minutes);
    let chosen: Vec<_> = STEPS.iter().filter(|step| options.chosen(step.name)).collect();
    let mut needs: Vec<Need> = chosen.iter().flat_map(|step| step.needs).copied().collect();
    needs.sort_unstable();
    needs.dedup();
    // What is built from source takes minutes and is needed late.
    let (built, found): (Vec<Need>, Vec<Need>) = needs.into_iter().partition(|need| need.is_built());
    let mut built = Some(built).filter(|built| !built.is_empty());
    let mut all = Vec::new();
    let mut unmet = Vec::new();
    all.push(timed("setup", "install what is missing", |tally| {
        unmet = set_up(workspace, &found, tally);
        Ok(())
    }));
    let mut ahead = Ahead::new(chosen.iter().any(|step| step.name == "browser"));
    let mut programs = None;
    for step in chosen {
        if step.programs && programs.is_none() {
            all.push(timed("build", "compile all tests at once", |_| {
                programs = Some(Vec::new());
                programs = Some(build::build(workspace, until)?);
                Ok(())
            }));
        }
        if step.needs.iter().any(|need| need.is_built())
            && let Some(built) = built.take()
        {
            all.push(timed("tools", "install what is built from source", |tally| {
                ahead.end(until)?;
                unmet.extend(set_up(workspace, &built, tally));
                Ok(())
            }));
        }
        let lacks: Vec<_> = step.needs.iter().filter(|need| unmet.contains(need)).collect();
        all.push(timed(step.name, step.about, |tally| {
            if !lacks.is_empty() {
                bail!("not run: the set-up of {lacks:?} failed");
            }
            let mut run = Run {
                workspace,
                programs: programs.as_deref().unwrap_or_default(),
                ahead: &mut ahead,
                until,
                tally: Tally::default(),
            };
            if !step.patient {
                run.ahead.end(until)?;
            }
            let outcome = (step.run)(&mut run);
            *tally = run.tally;
            outcome
        }));
    }
    print_summary(&all, begun.elapsed());
    let tallies: Vec<_> = all.iter().map(|done| &done.tally).collect();
    println!("{}", Tally::closing_line(&tallies));
    tallies.iter().all(|tally| tally.failed.is_empty())
}

impl Options {
    fn chosen(&self, name: &str) -> bool {
        let is = |list: &[String]| list.iter().any(|listed| listed == name);
        let usual = self.only.is_empty() && !steps::ONLY_WHERE_NAMED.contains(&name);
        (usual || is(&self.only)) && !is(&self.skip)
    }
}

/// Meets the needs of the chosen steps; what can't be met fails here, by name, and the steps that need it fail too.
fn set_up(workspace: &Workspace, needs: &[Need], tally: &mut Tally) -> Vec<Need> {
    let mut unmet = Vec::new();
    for &need in needs {
        if let Err(error) = need.meet(workspace) {
            println!("error: {error:#}");
            tally.fail(format!("{error:#}"));
            unmet.push(need);
        }
    }
    unmet
}

/// Carries a step out under its heading; its error is a failure like any other.
fn timed(name: &'static str, about: &str, work: impl FnOnce(&mut Tally) -> Result<()>) -> Done {
    println!("\n== {name}: {about}");
    let begun = Instant::now();
    let mut tally = Tally::default();
    if let Err(error) = work(&mut tally) {
        println!("error: {error:#}");
        tally.fail(format!("{error:#}"));
    }
    let took = begun.elapsed();
    let word = if tally.failed.is_empty() { "passed" } else { "FAILED" };
    println!("== {name} {word} in {}", wall(took));
    Done { name, took, tally }
}

/// The steps come last but for what failed: of a long output often only the end is kept.
fn print_summary(all: &[Done], whole: Duration) {
    println!("\n== summary");
    for Done { name, tally, .. } in all {
        for (reason, names) in by_reason(&tally.skipped) {
            println!("skipped in {name}: {reason}: {}", names.join(", "));
        }
    }
    println!("\n{:<12} {:>13} {:>7} {:>7} {:>8}", "step", "wall", "passed", "failed", "skipped");
    for Done { name, took, tally } in all {
        let (failed, skipped) = (tally.failed.len(), tally.skipped.len());
        println!("{name:<12} {:>13} {:>7} {failed:>7} {skipped:>8}", wall(*took), tally.passed);
    }
    println!("{:<12} {:>13}", "together", wall(whole));
    let tell = |what: &str, name: &str, failures: &[Failure]| {
        for failure in failures {
            println!("{what} in {name}: {}", failure.name);
            failure.said.iter().for_each(|line| println!("    {line}"));
        }
    };
    for Done { name, tally, .. } in all {
        tell("passed only when repeated", name, &tally.repeated);
        tell("FAILED", name, &tally.failed);
    }
    println!();
}

/// Names of what was skipped, by the reason.
fn by_reason(skipped: &[Skip]) -> BTreeMap<&str, Vec<&str>> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for skip in skipped {
        reasons.entry(&skip.reason).or_default().push(&skip.name);
    }
    reasons
}
