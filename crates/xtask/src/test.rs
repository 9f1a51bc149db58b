//! `cargo xtask test`: everything that is checked before a change lands, in one order, with one closing line.

mod steps;
mod tally;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::setup::Need;
use crate::shell::{Workspace, follow, wall};
use steps::STEPS;
use tally::Tally;

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

/// One step: a name to choose it by, what it needs, what it does.
struct Step {
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    run: fn(&mut Run) -> Result<()>,
}

/// A step while it runs.
struct Run<'a> {
    workspace: &'a Workspace,
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
    fn tests(&mut self, command: &mut std::process::Command) -> Result<()> {
        let before = self.tally.failed.len();
        let success = follow(command, self.until, |line| self.tally.line(line))?;
        if !success && self.tally.failed.len() == before {
            self.tally.failed.push(format!("`{}` failed outside of a test", crate::shell::typed(command)));
        }
        Ok(())
    }

    /// Runs a program whose success is one check.
    fn check(&mut self, name: &str, command: &mut std::process::Command) -> Result<()> {
        let success = follow(command, self.until, |_| ())?;
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
    let (unmet, set_up) = set_up(workspace, &needs);
    let mut all = vec![set_up];
    for step in chosen {
        let lacks: Vec<_> = step.needs.iter().filter(|need| unmet.contains(need)).copied().collect();
        all.push(carry_out(workspace, step, &lacks, until));
    }
    print_summary(&all, begun.elapsed());
    let tallies: Vec<_> = all.iter().map(|done| &done.tally).collect();
    println!("{}", Tally::closing_line(&tallies));
    tallies.iter().all(|tally| tally.failed.is_empty())
}

impl Options {
    fn chosen(&self, name: &str) -> bool {
        let is = |list: &[String]| list.iter().any(|listed| listed == name);
        (self.only.is_empty() || is(&self.only)) && !is(&self.skip)
    }
}

/// Meets the needs of the chosen steps; what can't be met fails here, by name, and the steps that need it fail too.
fn set_up(workspace: &Workspace, needs: &[Need]) -> (Vec<Need>, Done) {
    let begun = Instant::now();
    let mut tally = Tally::default();
    let mut unmet = Vec::new();
    heading("setup", "install what is missing");
    for &need in needs {
        if let Err(error) = need.meet(workspace) {
            println!("error: {error:#}");
            tally.failed.push(format!("{error:#}"));
            unmet.push(need);
        }
    }
    (unmet, Done { name: "setup", took: begun.elapsed(), tally })
}

fn carry_out(workspace: &Workspace, step: &Step, lacks: &[Need], until: Instant) -> Done {
    heading(step.name, step.about);
    let begun = Instant::now();
    let mut run = Run { workspace, until, tally: Tally::default() };
    let outcome = if lacks.is_empty() {
        (step.run)(&mut run)
    } else {
        Err(anyhow::anyhow!("not run: the set-up of {lacks:?} failed"))
    };
    if let Err(error) = outcome.with_context(|| format!("step {}", step.name)) {
        println!("error: {error:#}");
        run.tally.failed.push(format!("{error:#}"));
    }
    let took = begun.elapsed();
    let word = if run.tally.failed.is_empty() { "passed" } else { "FAILED" };
    println!("== {} {word} in {}", step.name, wall(took));
    Done { name: step.name, took, tally: run.tally }
}

fn heading(name: &str, about: &str) {
    println!("\n== {name}: {about}");
}

fn print_summary(all: &[Done], whole: Duration) {
    println!("\n== summary");
    println!("{:<12} {:>13} {:>7} {:>7} {:>8}", "step", "wall", "passed", "failed", "skipped");
    for Done { name, took, tally } in all {
        let (failed, skipped) = (tally.failed.len(), tally.skipped.len());
        println!("{name:<12} {:>13} {:>7} {failed:>7} {skipped:>8}", wall(*took), tally.passed);
    }
    println!("{:<12} {:>13}", "together", wall(whole));
    for Done { name, tally, .. } in all {
        for skip in &tally.skipped {
            println!("skipped in {name}: {}: {}", skip.name, skip.reason);
        }
    }
    for Done { name, tally, .. } in all {
        for failure in &tally.failed {
            println!("FAILED in {name}: {failure}");
        }
    }
    println!();
}
