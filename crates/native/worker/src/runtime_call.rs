//! How a launcher hands its tenant to an OCI runtime: it becomes the runtime, in a mount namespace that shows the run's guard in
//! the place of all control groups.

use std::fmt::Write as _;
use std::path::PathBuf;

/// A call of an OCI runtime.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuntimeCall {
    /// Its program, and what it is told.
    pub words: Vec<String>,
    /// File in which it writes the number of the container's first process.
    pub pid_file: PathBuf,
    /// The folder on which the root of an image is mounted, where the tenant has one.
    pub root: PathBuf,
    /// Folders that are shown in the place of others: the folder, and where.
    pub shown: Vec<(PathBuf, PathBuf)>,
    /// Folders that are hidden.
    pub hidden: Vec<PathBuf>,
}

impl RuntimeCall {
    /// Name of the runtime's processes.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.first().map_or("", |program| program.rsplit('/').next().unwrap_or_default())
    }

    /// Adds its lines to a script's text.
    pub(crate) fn to_text(&self, text: &mut String) {
        for word in &self.words {
            let _ = writeln!(text, "runtime {word}");
        }
        let _ = writeln!(text, "pid-file {}", self.pid_file.display());
        let _ = writeln!(text, "root {}", self.root.display());
        for (folder, at) in &self.shown {
            let _ = writeln!(text, "show {}\t{}", folder.display(), at.display());
        }
        for folder in &self.hidden {
            let _ = writeln!(text, "hide {}", folder.display());
        }
    }

    /// Takes one of these lines.
    pub(crate) fn take(&mut self, word: &str, rest: &str) -> Option<()> {
        match word {
            "runtime" => self.words.push(rest.to_owned()),
            "pid-file" => self.pid_file = rest.into(),
            "root" => self.root = rest.into(),
            "show" => {
                let (folder, at) = rest.rsplit_once('\t')?;
                self.shown.push((folder.into(), at.into()));
            }
            "hide" => self.hidden.push(rest.into()),
            _ => return None,
        }
        Some(())
    }
}
