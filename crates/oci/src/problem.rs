//! Why something could not be done.

/// What is wrong, where, and what to do about it. Every problem ends a command with exit code 1, as runc's do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The configuration asks for something that the specification or this runtime does not allow.
    #[error("config.json: {at}: {found}; {accepted}")]
    Config {
        /// JSON path: `linux.resources.cpu.quota`.
        at: String,
        /// What stands there.
        found: String,
        /// What could, and what to do.
        accepted: String,
    },
    /// The kernel refused something.
    #[error("{what}: {why}")]
    System {
        /// What was done, and to what.
        what: String,
        /// What the kernel answered, with a remedy where one is known.
        why: String,
    },
    /// The process inside of the container gave up.
    #[error("{0}")]
    Inside(String),
    /// A command does not fit the container: unknown, already there, in another state.
    #[error("{0}")]
    Usage(String),
}

impl Problem {
    /// A value of the configuration at the JSON path `at`.
    #[must_use]
    pub fn config(at: impl Into<String>, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        Self::Config {
            at: shortened(at.into()),
            found: shortened(found.into()),
            accepted: shortened(accepted.into()),
        }
    }

    /// Something that the kernel refused.
    #[must_use]
    pub fn system(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::System { what: shortened(what.into()), why: shortened(why.to_string()) }
    }

    /// What the process inside said at last.
    #[must_use]
    pub(crate) fn inside(what: String) -> Self {
        Self::Inside(shortened(what))
    }
}

/// Longest part of a message (characters); a configuration may have names of megabytes.
const LONGEST: usize = 1000;
/// Characters of its end that stay: they say what the kernel answered.
const END: usize = 300;

/// A text of which nobody reads more.
fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let begin: String = text.chars().take(LONGEST - END).collect();
    let mut end: Vec<char> = text.chars().rev().take(END).collect();
    end.reverse();
    format!("{begin}… ({} bytes) …{}", text.len(), end.into_iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_no_more_than_anybody_reads() {
        let long = "ä".repeat(1 << 20);
        for problem in [
            Problem::config(&long, &long, &long),
            Problem::system(&long, &long),
            Problem::inside(format!("{long}: the end")),
        ] {
            let said = problem.to_string();
            assert!(said.len() < 8192 && said.contains(&format!("{}", 2 << 20)[..4]), "{said}");
        }
        assert!(Problem::inside(format!("{long}: the end")).to_string().ends_with("ä: the end"));
        assert_eq!(Problem::system("short", "as it is").to_string(), "short: as it is");
    }
}
