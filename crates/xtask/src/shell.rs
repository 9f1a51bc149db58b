//! Other programs: found among our own tools first, told apart in the log, stopped when they take too long.

mod stop;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub(crate) use stop::{ask_to_end, stop_tree};

/// The working copy that xtask was started from, and where its tools and builds go.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    path: OsString,
}

impl Workspace {
    /// The workspace that this xtask was built from.
    pub(crate) fn here() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.ancestors().nth(2).context("xtask lies in crates/xtask of the workspace")?;
        let program = std::env::current_exe().context("where xtask itself lies")?;
        let target = program.ancestors().nth(2).context("cargo puts programs into target/PROFILE")?;
        let mut path = OsString::from(root.join("target/tools/bin"));
        if let Some(inherited) = std::env::var_os("PATH") {
            path.push(":");
            path.push(inherited);
        }
        Ok(Self { root: root.to_path_buf(), target: target.to_path_buf(), path })
    }

    /// The top folder of the working copy.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds (`target`, or `CARGO_TARGET_DIR`).
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The file that `program` names on PATH, our own tools first.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path).map(|folder| folder.join(program)).find(|file| file.is_file())
    }

    /// A command in the top folder, with our own tools first on its PATH and nothing on its standard input.
    ///
    /// The name is resolved here because [`Command`] would look it up on xtask's own PATH.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.find(program).unwrap_or_else(|| program.into()));
        command.current_dir(&self.root).env("PATH", &self.path).stdin(Stdio::null());
        command
    }

    /// `cargo` with these arguments.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }
}

/// The command as a person would type it.
pub(crate) fn typed(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut line = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let plain = !argument.is_empty() && !argument.contains([' ', '"', '\'', '$', '*', ';']);
        let quote = if plain { "" } else { "'" };
        let _ = write!(line, " {quote}{argument}{quote}");
    }
    line
}

/// Runs a command whose output goes straight to ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", typed(command));
    let status = command.status().with_context(|| format!("could not start `{}`", typed(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", typed(command));
    }
    Ok(())
}

/// Standard output of a command that must succeed.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("could not start `{}`", typed(command)))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {}", typed(command), output.status, why.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command, giving its standard output line by line to `each`; whether it succeeded.
///
/// # Errors
/// Where it can't be started, or is still running at `until`: then it and all it started are stopped.
pub(crate) fn follow(command: &mut Command, until: Instant, each: impl FnMut(&str)) -> Result<bool> {
    follow_while_it_speaks(command, until, Duration::MAX, each)
}

/// The same of a program that is known to say something at least every `silence`.
///
/// # Errors
/// As [`follow`], and where it said nothing for so long: it is stopped then, too.
pub(crate) fn follow_while_it_speaks(
    command: &mut Command,
    until: Instant,
    silence: Duration,
    mut each: impl FnMut(&str),
) -> Result<bool> {
    println!("$ {}", typed(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", typed(command)))?;
    let lines = lines_of(&mut child);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left.min(silence)) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Timeout) if left > silence => {
                stop_tree(child.id());
                child.wait()?;
                bail!("`{}` was stopped: it said nothing for {}", typed(command), wall(silence));
            }
            Err(_) => break,
        }
    }
    end(&mut child, until).with_context(|| format!("`{}`", typed(command)))
}

/// The lines of a child's piped standard output as they come.
pub(crate) fn lines_of(child: &mut Child) -> Receiver<String> {
    let (send, lines) = std::sync::mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                // Nobody may be listening any more; the child must still be able to write.
                let _ = send.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
    }
    lines
}

/// Waits for the end of a child that has closed its output, until the deadline.
fn end(child: &mut Child, until: Instant) -> Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() >= until {
            stop_tree(child.id());
            child.wait()?;
            bail!("was stopped: its time was up");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A duration as people read it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn wall(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["install", "--locked", "a b", ""]);
        assert_eq!(typed(&command), "cargo install --locked 'a b' ''");
    }

    #[test]
    fn walls_are_readable() {
        for (milliseconds, text) in [(432, "0.4 s"), (12_000, "12 s"), (185_000, "3 min 05 s")] {
            assert_eq!(wall(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn output_is_followed_and_failure_is_seen() {
        let mut lines = Vec::new();
        let soon = Instant::now() + Duration::from_secs(20);
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two; exit 3"]);
        let success = follow(&mut command, soon, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((success, lines), (false, vec!["one".to_owned(), "two".to_owned()]));
    }

    #[test]
    fn what_outlives_its_time_is_stopped_with_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo $!; wait"]);
        let mut sleeper = String::new();
        let stopped =
            follow(&mut command, Instant::now() + Duration::from_millis(300), |pid| sleeper = pid.to_owned());
        assert!(format!("{:#}", stopped.unwrap_err()).contains("its time was up"));
        // A killed process is seen until its new parent has fetched its exit status.
        let gone = || {
            let state = std::fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        };
        let patience = Instant::now() + Duration::from_secs(20);
        while !gone() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(gone());
    }
}
