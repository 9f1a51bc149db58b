//! `pause` and `resume`: the freezer.

use std::path::Path;

use crate::Problem;
use crate::cgroup::Manager;
use crate::state::{Folder, State, Status};

/// Freezes a container.
///
/// # Errors
/// Where it is neither created nor running, and where it has no freezer.
pub fn pause(root: &Path, id: &str) -> Result<(), Problem> {
    let (_folder, state) = in_status(root, id, &[Status::Created, Status::Running])?;
    groups(&state)?.freeze()
}

/// Thaws a paused container.
///
/// # Errors
/// Where it is not paused.
pub fn resume(root: &Path, id: &str) -> Result<(), Problem> {
    let (_folder, state) = in_status(root, id, &[Status::Paused])?;
    groups(&state)?.thaw()
}

/// The container, locked, if it is where it must be in its life.
pub(super) fn in_status(root: &Path, id: &str, fitting: &[Status]) -> Result<(Folder, State), Problem> {
    let folder = Folder::open(root, id)?;
    let state = folder.read()?;
    let status = state.status(&folder.path);
    if fitting.contains(&status) {
        return Ok((folder, state));
    }
    let words: Vec<_> = fitting.iter().map(|status| status.word()).collect();
    Err(Problem::Usage(format!("container {id} is {}; it must be {}", status.word(), words.join(" or "))))
}

/// Its control groups.
pub(super) fn groups(state: &State) -> Result<&Manager, Problem> {
    state
        .groups
        .as_ref()
        .ok_or_else(|| Problem::Usage(format!("container {} has no control groups of its own", state.id)))
}
