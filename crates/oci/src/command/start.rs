//! `start`: the program of a created container runs.

use std::path::Path;

use catamaran_oci_init::hook;

use crate::state::{Folder, State, Status};
use crate::{Problem, Warning, door, order};

/// Starts a created container; comes back when its program runs.
///
/// # Errors
/// Where it is not created, and where its program can't be run: then it has stopped.
pub fn start(root: &Path, id: &str, warnings: &mut Vec<Warning>) -> Result<(), Problem> {
    let folder = Folder::open(root, id)?;
    let state = folder.read()?;
    match state.status(&folder.path) {
        Status::Created => {}
        status => {
            return Err(Problem::Usage(format!(
                "container {id} is {}; only a created container can be started",
                status.word()
            )));
        }
    }
    door::pass(&folder.door())?;
    after_start(&folder, &state, warnings)
}

/// Hooks for after the start: one that fails is said, and does not keep the others from running.
pub(super) fn after_start(
    folder: &Folder,
    state: &State,
    warnings: &mut Vec<Warning>,
) -> Result<(), Problem> {
    if !state.poststart {
        return Ok(());
    }
    let spec = folder.config()?;
    let hooks = spec.hooks().as_ref().map(|hooks| order::hooks_of(hooks.poststart())).unwrap_or_default();
    let document = state.document(Status::Running).to_json()?;
    let failed = hook::run_all(&hooks, "poststart", &document);
    warnings.extend(failed.into_iter().map(|what| Warning::new("hooks.poststart", what)));
    Ok(())
}
