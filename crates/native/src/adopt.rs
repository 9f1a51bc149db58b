//! Whose child a tenant is that another program has started: ours, once that program is gone.

use std::sync::{Mutex, PoisonError};

use rustix::process::{getpid, set_child_subreaper};

/// How many of our threads wait for a child of that kind.
static WAITING: Mutex<u32> = Mutex::new(0);

/// As long as it lives, processes below us whose parents end become our own children (`PR_SET_CHILD_SUBREAPER`). No longer than
/// it takes: whoever else loses its parent below us would be ours as well, and nobody would wait for it.
#[derive(Debug)]
pub(crate) struct Adoption(());

impl Adoption {
    pub(crate) fn begin() -> rustix::io::Result<Self> {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        set_child_subreaper(Some(getpid()))?;
        *waiting += 1;
        Ok(Self(()))
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting -= 1;
        if *waiting == 0 {
            let _ = set_child_subreaper(None);
        }
    }
}
