//! The text files of the working copy, read once.

use anyhow::Result;

use crate::shell::{Workspace, capture};

/// A text file.
pub(super) struct File {
    /// From the top folder, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// All text files that git knows or would take.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// Reads the working copy; what is not UTF-8 (pictures) is left out.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let mut git = workspace.command("git");
        let list = capture(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
        let files = list.split('\0').filter(|path| !path.is_empty()).filter_map(|path| {
            let text = std::fs::read_to_string(workspace.root().join(path)).ok()?;
            Some(File { path: path.to_owned(), text })
        });
        Ok(Self { files: files.collect() })
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Whether there is such a file, or a folder that holds one.
    pub(super) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.iter().any(|file| {
            file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Files whose names end so.
    pub(super) fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.ends_with(ending))
    }

    /// A tree for a test of a rule.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files =
            files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
        Self { files: files.collect() }
    }
}
