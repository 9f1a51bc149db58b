//! What a probe finds, as its launcher or its worker tells it.

use std::time::Instant;

use catamaran_worker::facts::Facts;
use catamaran_worker::script::{Script, word};

use super::{LOOK_EVERY, Launcher, START_PATIENCE};
use crate::interrupt::Interrupt;
use crate::problem::Problem;

impl Launcher {
    /// Has the tenant probe; what it found by name, when it has ended.
    pub(crate) fn probe(&mut self, script: &Script, interrupt: &Interrupt) -> Result<Facts, Problem> {
        self.set_off(script, interrupt)?;
        self.findings(interrupt)
    }

    /// Hears what a probe finds, until it has ended or says that this is all.
    pub(crate) fn findings(&mut self, interrupt: &Interrupt) -> Result<Facts, Problem> {
        let deadline = Instant::now() + START_PATIENCE;
        let mut found = Facts::new();
        let mut message = String::new();
        while self.ended.is_none() && message != word::PROBED {
            interrupt.check()?;
            if Instant::now() > deadline {
                let seconds = START_PATIENCE.as_secs();
                return Err(Problem::new(
                    format!("the probe did not come to its end within {seconds} s"),
                    "try again on a quieter machine",
                ));
            }
            if self.wait(LOOK_EVERY) {
                message = self.hear()?;
                let finding = message.strip_prefix(word::FOUND).and_then(|finding| finding.split_once('\t'));
                found.extend(finding.map(|(name, what)| (name.to_owned(), what.to_owned())));
            }
        }
        Ok(found)
    }
}
