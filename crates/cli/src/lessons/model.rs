//! Figures of a lesson, each simulation made once.

use catamaran_lessons::{Lesson, Run, Source};
use catamaran_report::Report;
use catamaran_scenario::{Calibration, Plan, edit};
use catamaran_sim::{Options, simulate};

use crate::failure::Failure;
use crate::terminal::{Progress, Terminal};

/// The simulator behind a lesson's figures. It models the reference machine, so that every reader sees the same figures.
pub(super) struct Model {
    lesson: &'static Lesson,
    calibration: Calibration,
    reports: Vec<(Run, Report)>,
    failure: Option<Failure>,
    progress: Progress,
}

impl Model {
    pub(super) fn new(lesson: &'static Lesson, terminal: &Terminal) -> Self {
        let progress = terminal.progress(1);
        Self { lesson, calibration: Calibration::reference(), reports: Vec::new(), failure: None, progress }
    }

    /// The figure at `path` in the report of `source`; where nobody learns, `Source::Now` is the lesson's start.
    pub(super) fn value(&mut self, source: &Source, path: &str) -> Option<f64> {
        let run = match source {
            Source::Run(run) => *run,
            Source::Now => self.start()?,
        };
        if self.failure.is_none() && !self.reports.iter().any(|(known, _)| *known == run) {
            self.progress.at(0, &format!("simulating {}, {} done", self.lesson.id, self.reports.len()));
            match self.simulate(&run) {
                Ok(report) => self.reports.push((run, report)),
                Err(failure) => self.failure = Some(failure),
            }
        }
        let (_, report) = self.reports.iter().find(|(known, _)| *known == run)?;
        report.value(path)
    }

    /// The first thing that went wrong.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.progress.finish();
        self.failure.map_or(Ok(()), Err)
    }

    fn start(&self) -> Option<Run> {
        let platform = *self.lesson.platforms.first()?;
        Some(Run { file: "scenario", scenario: self.lesson.scenario(), platform, changes: &[] })
    }

    fn simulate(&self, run: &Run) -> Result<Report, Failure> {
        let mut text = run.scenario.to_owned();
        for change in run.changes {
            text = edit::set(&text, change.path, change.value)
                .map_err(|error| Failure::input(format!("{}.toml: {error}", run.file)))?;
        }
        let plan = Plan::from_toml(&text, &format!("{}.toml", run.file))?;
        Ok(simulate(&plan, run.platform, &self.calibration, &Options::default())?.report)
    }
}
