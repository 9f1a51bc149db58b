//! Programs whose threads share a lock.

use super::program::{Program, Stage, Step};

impl Program {
    /// Whether it has a phase of waiting for a lock, in which CPU time passes without turns.
    pub(crate) fn spins(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.stage, Stage::Compute { lock: Some(_), .. }))
    }

    /// Its threads compute the same without a lock.
    pub(crate) fn without_locks(mut self) -> Self {
        for step in &mut self.steps {
            if let Stage::Compute { lock, .. } = &mut step.stage {
                *lock = None;
            }
        }
        self
    }

    /// The threads that wait for a lock that has been given back since the last answer, the longest first.
    pub(crate) fn take_freed(&mut self) -> Vec<usize> {
        let Some(Step { stage: Stage::Compute { lock: Some(lock), .. }, .. }) =
            self.steps.get_mut(self.current)
        else {
            return Vec::new();
        };
        lock.take_freed().to_vec()
    }
}
