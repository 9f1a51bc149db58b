//! A room: namespaces of a container engine's own, in which nothing of the machine's engines can be seen or reached, and which
//! end with their first process. What it is like, and what is said between the runner and that process.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folder in the run's folder on which a file system in memory is mounted for the engine.
pub const STORE: &str = "room";
/// Longest message between the runner and the room (bytes).
pub const MESSAGE_BYTES_MAX: usize = 1 << 16;
/// What is kept of that which a command says on each of its two outputs (bytes).
pub const SAID_BYTES_MAX: u64 = 16_000;

/// What a room is like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomPlan {
    /// The run's folder, which stays to be seen at its place.
    pub folder: PathBuf,
    /// The user and group who are root in there, in a user namespace in which there is nobody else; none without one.
    pub user: Option<(u32, u32)>,
    /// Variables of all that is started in there, by name.
    pub variables: Vec<(String, String)>,
    /// Groups that are the root of all control groups in there.
    pub enter: Vec<PathBuf>,
    /// Groups in which its processes are at work.
    pub settle: Vec<PathBuf>,
    /// Folders that are shown in the place of others: the folder, and where.
    pub shown: Vec<(PathBuf, PathBuf)>,
    /// Folders of the machine's that are empty in there.
    pub hidden: Vec<PathBuf>,
}

impl RoomPlan {
    /// Where the engine may keep what it likes.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.folder.join(STORE)
    }

    /// As text, one thing a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("folder {}\n", self.folder.display());
        let lists = [("enter", &self.enter), ("settle", &self.settle), ("hide", &self.hidden)];
        for (word, path) in lists.into_iter().flat_map(|(word, list)| list.iter().map(move |p| (word, p))) {
            let _ = writeln!(text, "{word} {}", path.display());
        }
        if let Some((user, group)) = self.user {
            let _ = writeln!(text, "user {user}\t{group}");
        }
        for (name, value) in &self.variables {
            let _ = writeln!(text, "set {name}\t{value}");
        }
        for (folder, at) in &self.shown {
            let _ = writeln!(text, "show {}\t{}", folder.display(), at.display());
        }
        text
    }

    /// The plan of a text that [`Self::to_text`] made.
    ///
    /// # Errors
    /// The line that is none of a plan.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut plan = Self::default();
        for line in text.lines() {
            plan.take(line).ok_or_else(|| format!("not a line of a room's plan: {line:?}"))?;
        }
        Ok(plan)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "folder" => self.folder = rest.into(),
            "enter" => self.enter.push(rest.into()),
            "settle" => self.settle.push(rest.into()),
            "hide" => self.hidden.push(rest.into()),
            "user" => {
                let (user, group) = rest.split_once('\t')?;
                self.user = Some((user.parse().ok()?, group.parse().ok()?));
            }
            "set" => {
                let (name, value) = rest.split_once('\t')?;
                self.variables.push((name.to_owned(), value.to_owned()));
            }
            "show" => {
                let (folder, at) = rest.split_once('\t')?;
                self.shown.push((folder.into(), at.into()));
            }
            _ => return None,
        }
        Some(())
    }
}

/// A command for the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Whether it goes on by itself: then what it says goes into this file.
    pub log: Option<PathBuf>,
    /// Its program, and what it is told.
    pub words: Vec<String>,
}

impl Command {
    /// As a message: no word of it holds a zero byte.
    #[must_use]
    pub fn to_text(&self) -> String {
        let log = self.log.as_deref().unwrap_or(Path::new("")).display().to_string();
        std::iter::once(&log).chain(&self.words).cloned().collect::<Vec<_>>().join("\0")
    }

    /// The command of such a message; `None` where it is none.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split('\0').map(str::to_owned);
        let log = parts.next().filter(|path| !path.is_empty()).map(PathBuf::from);
        let words: Vec<String> = parts.collect();
        (!words.is_empty()).then_some(Self { log, words })
    }
}

/// How a command ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code, or `signal N`.
    pub end: String,
    /// The end of what came on its standard output.
    pub out: String,
    /// The end of what came on its standard error.
    pub err: String,
}

impl Said {
    /// As a message.
    #[must_use]
    pub fn to_text(&self) -> String {
        [&*self.end, &self.out, &self.err].join("\0")
    }

    /// What such a message tells; `None` where it is none.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '\0').map(str::to_owned);
        Some(Self { end: parts.next()?, out: parts.next()?, err: parts.next()? })
    }

    /// Whether it ended as it ought to.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.end == "0"
    }

    /// Its last words: those on standard error, where there are any.
    #[must_use]
    pub fn last_words(&self) -> &str {
        let texts = [&self.err, &self.out].into_iter();
        let mut lines = texts.flat_map(|text| text.lines().rev()).map(str::trim);
        lines.find(|line| !line.is_empty()).unwrap_or("it said nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_heard() {
        let plan = RoomPlan {
            folder: "/run/catamaran/1-2".into(),
            user: Some((1000, 100)),
            variables: vec![("HOME".to_owned(), "/with blank".to_owned())],
            enter: vec!["/sys/fs/cgroup/cpu/catamaran-1-2".into()],
            settle: vec!["/sys/fs/cgroup/cpu".into(), "/with blank".into()],
            shown: vec![("/a b".into(), "/c d".into())],
            hidden: vec!["/run".into()],
        };
        assert_eq!(RoomPlan::from_text(&plan.to_text()), Ok(plan));
        for wrong in ["folder /x\nshow /a", "user 0", "user 0\t-1", "set HOME"] {
            assert!(RoomPlan::from_text(wrong).is_err(), "{wrong:?}");
        }
        for log in [None, Some("/log".into())] {
            let command = Command { log, words: vec!["ctr".into(), String::new(), "a b\nc".into()] };
            assert_eq!(Command::from_text(&command.to_text()), Some(command));
        }
        assert_eq!(Command::from_text("/log"), None);
        let said = Said { end: "1".into(), out: "x\ny".into(), err: "first\nlast \n\n".into() };
        assert_eq!(said.last_words(), "last");
        assert_eq!(Said::from_text(&said.to_text()), Some(said));
    }
}
