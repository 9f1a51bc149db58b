//! Lives of containers through the OCI command line, each command timed from the start of its process to its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a program that does nothing may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A runtime.
pub(super) struct Runtime {
    pub(super) name: &'static str,
    /// Its program, or what wraps it and then its program.
    pub(super) words: Vec<String>,
    /// Folder with the states of its containers.
    pub(super) state: PathBuf,
    pub(super) bundle: PathBuf,
}

impl Runtime {
    /// `run`, in one command.
    pub(super) fn run(&self, round: u32) -> Result<Duration> {
        let bundle = self.bundle.display().to_string();
        self.time(&["run", "--bundle", &bundle, &id(round)])
    }

    /// `create`, `start` and `delete`: their times together, without what lies between them.
    pub(super) fn create_start_delete(&self, round: u32) -> Result<Duration> {
        let (id, bundle) = (id(round), self.bundle.display().to_string());
        let pid_file = self.state.join("pid");
        fs::create_dir_all(&self.state)?;
        let created =
            self.time(&["create", "--bundle", &bundle, "--pid-file", &pid_file.display().to_string(), &id])?;
        let started = self.time(&["start", &id])?;
        wait_for_end(&fs::read_to_string(&pid_file).context("the pid file")?)?;
        Ok(created + started + self.time(&["delete", &id])?)
    }

    fn time(&self, arguments: &[&str]) -> Result<Duration> {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words).arg("--root").arg(&self.state).args(arguments);
        time(command, &self.state).with_context(|| format!("{} {}", self.name, arguments.join(" ")))
    }
}

fn id(round: u32) -> String {
    format!("catamaran-bench-{round}")
}

/// From start to end of a process that must succeed. What it complains of goes to a file: a container that is created keeps its
/// streams open.
pub(super) fn time(mut command: Command, folder: &Path) -> Result<Duration> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let errors = folder.join("errors");
    let file = File::create(&errors).with_context(|| format!("cannot make {}", errors.display()))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let begun = Instant::now();
    let status = command.status()?;
    let took = begun.elapsed();
    if !status.success() {
        bail!("ended with {status}: {}", fs::read_to_string(&errors).unwrap_or_default().trim());
    }
    Ok(took)
}

/// Until a process is gone, or waits for whoever takes its exit code.
fn wait_for_end(pid: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let stat = format!("/proc/{}/stat", pid.trim());
    while !has_ended(&fs::read_to_string(&stat).unwrap_or_default()) {
        if Instant::now() > until {
            bail!("the container's process {} runs on", pid.trim());
        }
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// By its line in `/proc/PID/stat`, which is empty when it is gone.
fn has_ended(stat: &str) -> bool {
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_none_or(|state| matches!(state, "Z" | "X"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_process_is_known() {
        for (stat, ended) in
            [("", true), ("7 (a) Z 1", true), ("7 (a) Z) S 1", false), ("7 (worker) R 1", false)]
        {
            assert_eq!(has_ended(stat), ended, "{stat}");
        }
    }

    #[test]
    fn a_command_that_fails_is_quoted() {
        let folder = std::env::temp_dir().join(format!("catamaran-bench-test-{}", std::process::id()));
        let runtime = |script: &str| Runtime {
            name: "a runtime",
            words: ["sh", "-c", script].map(str::to_owned).into(),
            state: folder.clone(),
            bundle: PathBuf::new(),
        };
        assert!(runtime("true").run(1).unwrap() > Duration::ZERO);
        let said = format!("{:#}", runtime("echo why >&2; false").run(1).unwrap_err());
        fs::remove_dir_all(&folder).unwrap();
        assert!(said.contains("a runtime run") && said.contains("why"), "{said}");
    }
}
