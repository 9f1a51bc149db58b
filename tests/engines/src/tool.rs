//! Commands of other people: run to their end, and told about when they fail.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long anything may take that ought to happen at once, before it is said that it never does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where a program is, if it is on `PATH` or among the system's.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Who is no administrator often lacks the system's folders.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// What a command said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A program with the options that each of its commands begins with.
#[derive(Clone)]
pub(crate) struct Tool {
    words: Vec<String>,
}

impl Tool {
    pub(crate) fn new(program: &Path) -> Self {
        Self { words: vec![program.display().to_string()] }
    }

    /// The same with more options.
    pub(crate) fn with<S: AsRef<str>>(mut self, options: &[S]) -> Self {
        self.words.extend(options.iter().map(|option| option.as_ref().to_owned()));
        self
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words).args(arguments).stdin(Stdio::null());
        command
    }

    /// A command as a shell takes it.
    pub(crate) fn typed(&self, arguments: &[String]) -> String {
        let words = self.words.iter().chain(arguments);
        let quoted: Vec<_> = words.map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        quoted.join(" ")
    }

    /// Runs a command, whatever its exit code. Its words are printed first: the last line tells what hangs.
    pub(crate) fn said<S: AsRef<str>>(&self, arguments: &[S]) -> Result<Said> {
        let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let name = self.words.first().and_then(|program| program.rsplit('/').next()).unwrap_or_default();
        println!("  {name} … {}", arguments.join(" "));
        let output = self.command(&arguments).output().with_context(|| format!("{name} does not start"))?;
        Ok(Said::of(&output))
    }

    /// Runs a command that has to succeed; what it printed, without white space around it.
    pub(crate) fn ok<S: AsRef<str>>(&self, arguments: &[S]) -> Result<String> {
        let said = self.said(arguments)?;
        if said.code != Some(0) {
            bail!("that failed: {said}");
        }
        Ok(said.out.trim().to_owned())
    }
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}, output {:?}, errors {:?}", self.code, self.out.trim(), self.err.trim())
    }
}

/// Asks again and again until there is an answer; after [`PATIENCE`] the last refusal is the error.
pub(crate) fn until<T>(what: &str, mut answer: impl FnMut() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match answer() {
            Ok(answer) => return Ok(answer),
            Err(error) if begun.elapsed() > PATIENCE => return Err(error.context(what.to_owned())),
            Err(_) => sleep(Duration::from_millis(30)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_words_as_they_are() {
        let words = ["a b", "it's", "$HOME", ""];
        let typed = Tool::new(Path::new("printf"))
            .typed(&["%s|".to_owned()].into_iter().chain(words.map(str::to_owned)).collect::<Vec<_>>());
        let shell = Tool::new(Path::new("sh"));
        assert_eq!(shell.ok(&["-c", &typed]).unwrap(), "a b|it's|$HOME||");
    }
}
