//! Programs of others that a run needs, as they are installed here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::problem::Problem;

/// How long a program may take to tell its version.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// A program that is there and starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Where it is.
    pub(crate) program: PathBuf,
    /// First line of its answer to `--version`.
    pub(crate) version: String,
}

impl Installed {
    /// The program of that name on `PATH`; `remedy` says how to get it.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] where there is none, or it does not start.
    pub(crate) fn find(name: &str, remedy: &str) -> Result<Self, Problem> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program =
            std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
        let program =
            program.ok_or_else(|| Problem::unavailable(format!("{name} is not on PATH"), remedy))?;
        match version(&program) {
            Ok(version) => Ok(Self { program, version }),
            Err(why) => {
                let why = format!("{} does not answer to --version: {why}", program.display());
                Err(Problem::unavailable(why, remedy))
            }
        }
    }
}

/// What a program answers to `--version`, in its first line; what happened where it does not.
fn version(program: &Path) -> Result<String, String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // crun makes its folder there before it answers.
    command.env("XDG_RUNTIME_DIR", "/proc/nowhere");
    let mut asked = command.spawn().map_err(|error| error.to_string())?;
    let until = Instant::now() + ANSWER_PATIENCE;
    while asked.try_wait().is_ok_and(|ended| ended.is_none()) {
        if Instant::now() > until {
            let _ = asked.kill();
            let _ = asked.wait();
            return Err(format!("nothing within {} s", ANSWER_PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = asked.wait_with_output().map_err(|error| error.to_string())?;
    let first = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().map(str::to_owned);
    // A number at least: `lxc-start` says no more.
    match first(&output.stdout).filter(|line| line.contains(|c: char| c.is_ascii_digit())) {
        Some(version) => Ok(version),
        None => Err(first(&output.stderr).unwrap_or_else(|| output.status.to_string())),
    }
}
