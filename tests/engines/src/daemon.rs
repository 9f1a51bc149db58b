//! A daemon of an engine: started for us alone, ended with us.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::place::Place;
use crate::tool::{Tool, until};

/// Lines of its log that are shown when something goes wrong.
const TAIL: usize = 15;

pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts it with its log in the place, and waits until `answers` succeeds.
    pub(crate) fn start(
        tool: &Tool,
        arguments: &[&str],
        place: &Place,
        mut answers: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let log = place.folder.join("daemon.log");
        let file = File::create(&log)?;
        let child = tool.command(arguments).stdout(file.try_clone()?).stderr(file).spawn();
        let mut daemon = Self { child: child.context("the daemon does not start")?, log };
        let answered = until("waiting for the daemon", || {
            if let Some(status) = daemon.child.try_wait()? {
                return Ok(Err(anyhow::anyhow!("the daemon ended: {status}")));
            }
            answers().map(Ok)
        });
        answered.and_then(|answer| answer).with_context(|| daemon.tail())?;
        Ok(daemon)
    }

    /// Asks it to end.
    pub(crate) fn end(mut self) -> Result<()> {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process has a number")?;
        kill_process(pid, Signal::TERM)?;
        let status = until("waiting for the daemon's end", || match self.child.try_wait()? {
            Some(status) => Ok(status),
            None => bail!("it goes on"),
        })
        .with_context(|| self.tail())?;
        ensure!(status.success(), "the daemon ended by {status}");
        Ok(())
    }

    /// The last lines of its log.
    fn tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Daemon {
    /// After a failure: the end of the log may tell why. The daemon itself ends with its namespace.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            println!("the daemon's log ends in:\n{}", self.tail());
        }
    }
}
