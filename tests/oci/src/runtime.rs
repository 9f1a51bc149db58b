//! A runtime under test: how it is called, which version it is of.

use std::process::Command;
use std::str::FromStr;

/// A program with runc's command line.
#[derive(Debug, Clone)]
pub(crate) struct Runtime {
    /// What it is called in tables and among the deviations.
    pub(crate) name: String,
    /// The program, and words that come before all options.
    words: Vec<String>,
    /// The last word of the first line of `--version`; empty until it was asked.
    pub(crate) version: String,
    /// The version of the specification that it says to implement; none where it does not say.
    pub(crate) specification: Option<(u32, u32, u32)>,
}

impl FromStr for Runtime {
    type Err = String;

    /// `NAME=PATH`, or `NAME=PATH WORD…`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, words) = text.split_once('=').ok_or("a runtime is given as NAME=PATH")?;
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        if name.is_empty() || words.is_empty() {
            return Err("a runtime is given as NAME=PATH".to_owned());
        }
        Ok(Self { name: name.to_owned(), words, version: String::new(), specification: None })
    }
}

impl Runtime {
    /// A call of it, without arguments yet.
    pub(crate) fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words);
        command
    }

    /// Whether `run` in the foreground does not always come back, as that of youki 0.7 where the program ends at once. Cases that
    /// are about something else then go by `create` and `start`.
    pub(crate) fn may_hang_in_run(&self) -> bool {
        self.name == "youki"
    }

    /// The same, with what it says of its version.
    ///
    /// # Errors
    /// Where it does not start, or says nothing.
    pub(crate) fn ask(mut self) -> Result<Self, String> {
        let output = self.command().arg("--version").output();
        let output = output.map_err(|error| format!("{}: {error}", self.words.join(" ")))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let first = said.lines().next().and_then(|line| line.split_whitespace().next_back());
        self.version =
            first.ok_or_else(|| format!("`{} --version` says nothing", self.words.join(" ")))?.to_owned();
        self.specification = said
            .lines()
            .find_map(|line| line.trim().strip_prefix("spec:"))
            .and_then(|text| version(text.trim()));
        Ok(self)
    }
}

/// `(1, 2, 0)` of `1.2.0`, also of `1.2.0-dev` and `1.2.0+dev`.
pub(crate) fn version(text: &str) -> Option<(u32, u32, u32)> {
    let plain = text.split(['-', '+']).next()?;
    let mut numbers = plain.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor), Ok(patch)) => Some((major, minor, patch)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_named_and_may_have_words() {
        let runtime: Runtime = "ours=/x/catamaran oci".parse().unwrap();
        assert_eq!((runtime.name.as_str(), runtime.words.len()), ("ours", 2));
        for bad in ["ours", "=x", "ours=", "ours= "] {
            assert!(bad.parse::<Runtime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("1.0.2-dev") < version("1.1.0") && version("1.10.0") > version("1.9.0"));
        assert_eq!((version("1.2"), version("one")), (None, None));
    }
}
