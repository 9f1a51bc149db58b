//! `start`: the program of a created container runs.

use std::path::Path;

use catamaran_oci_init::hook;

use crate::state::{Folder, State, Status};
use crate::{Problem, door, order};

/// Starts a created container; comes back when its program runs.
///
/// # Errors
/// Where it is not created, and where its program can't be run or a hook after the start fails: then it has stopped.
pub fn start(root: &Path, id: &str) -> Result<(), Problem> {
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
    let inside = match door::pass(&folder.door()) {
        Ok(()) => Ok(()),
        // runc, crun and youki do not hear of what fails inside, so their hooks run all the same, and are counted on.
        Err(problem @ Problem::Inside(_)) => Err(problem),
        Err(problem) => return Err(problem),
    };
    let hooks = after_start(&folder, &state);
    inside?;
    hooks.inspect_err(|_| kill(&state))
}

/// "If any poststart hook fails, the runtime MUST generate an error, stop the container" (runtime.md 1.3, "Lifecycle").
fn kill(state: &State) {
    // What failed first is of more use than that it can't be stopped either.
    let _ = super::delete::end(state, state.process.map_or(Status::Stopped, |_| Status::Running));
}

/// Hooks for after the start, up to the first that fails.
pub(super) fn after_start(folder: &Folder, state: &State) -> Result<(), Problem> {
    if !state.poststart {
        return Ok(());
    }
    let spec = folder.config()?;
    let hooks = spec.hooks().as_ref().map(|hooks| order::hooks_of(hooks.poststart())).unwrap_or_default();
    let document = state.document(Status::Running).to_json()?;
    hook::run(&hooks, "poststart", &document).map_err(Problem::Inside)
}
