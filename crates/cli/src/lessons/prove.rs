//! `catamaran lessons check`: every lesson keeps what it promises, by the simulator and this very command line.

use catamaran_lessons::{Lookup, Prover, Recorded, check};
use catamaran_report::Report;
use catamaran_report::report::BackendKind;
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, simulate};
use clap::Parser;

use crate::args::Cli;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Proves every lesson, and says what is wrong.
pub(super) fn all(terminal: &Terminal) -> Result<(), Failure> {
    let lessons = catamaran_lessons::all();
    let progress = terminal.progress(lessons.len() as u64);
    let mut broken = 0;
    let mut text = String::new();
    for (index, lesson) in lessons.iter().enumerate() {
        progress.at(index as u64, &format!("proving {}", lesson.id));
        let problems = check(lesson, &mut Proof { calibration: Calibration::reference() });
        broken += usize::from(!problems.is_empty());
        text += &match problems.len() {
            0 => format!("✓ {}: {PROVED}\n", lesson.id),
            count => format!("✗ {}: {count} problems\n", lesson.id),
        };
        for problem in problems {
            text += &format!("  {problem}\n");
        }
    }
    progress.finish();
    terminal.print(&text)?;
    match broken {
        0 => Ok(()),
        _ => Err(Failure::input(format!(
            "{broken} of {} lessons do not keep what they promise",
            lessons.len()
        ))),
    }
}

/// That both languages have every block is seen when the lessons are built in.
const PROVED: &str = "the start fails the goal, the solution meets it, the bet can be won, every figure of both languages \
                      is known, the command parses";

/// The simulator of the reference machine, and this program's own arguments.
struct Proof {
    calibration: Calibration,
}

impl Prover for Proof {
    fn simulate(&mut self, plan: &Plan, platform: Platform) -> Result<Lookup, String> {
        let outcome = simulate(plan, platform, &self.calibration, &Options::default());
        let report = outcome.map_err(|error| error.to_string())?.report;
        Ok(Box::new(move |path| report.value(path)))
    }

    fn command(&mut self, words: &[&str]) -> Result<(), String> {
        Cli::try_parse_from(words).map(drop).map_err(|error| error.to_string())
    }

    fn recorded(&mut self, text: &str) -> Result<Vec<Recorded>, String> {
        let reports = Report::many_from_json(text).map_err(|error| error.to_string())?;
        let recorded = |report: Report| Recorded {
            native: report.backend == BackendKind::Native,
            platform: report.platform,
            digest: report.identity.scenario_digest,
            machine: report.identity.machine.unwrap_or_default(),
        };
        Ok(reports.into_iter().map(recorded).collect())
    }
}
