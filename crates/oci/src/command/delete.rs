//! `delete`: nothing of a container is left.

use std::path::Path;

use catamaran_oci_init::hook;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::state::{Folder, State, Status};
use crate::{Problem, Warning, order};

/// How long a killed process may take to be gone (s).
const PATIENCE_S: i64 = 10;
/// How long one that runs may take to end by itself before it is refused (ns).
const GRACE_NS: i64 = 100_000_000;

/// Removes a stopped container (runtime.md, "Delete"), or a created one; with `force` any other too, and one that is not there is
/// no mistake.
///
/// # Errors
/// Where its program runs, where it does not exist, or something of it can't be removed.
pub fn delete(root: &Path, id: &str, force: bool, warnings: &mut Vec<Warning>) -> Result<(), Problem> {
    crate::state::check_id(id)?;
    if force && !root.join(id).exists() {
        return Ok(());
    }
    let folder = Folder::open(root, id)?;
    let state = match folder.read() {
        Ok(state) => state,
        // Its maker was killed before it had written anything.
        Err(_) if force => return folder.remove(),
        Err(problem) => return Err(problem),
    };
    let mut status = state.status(&folder.path);
    if !force && status == Status::Running && has_ended_soon(&state)? {
        status = Status::Stopped;
    }
    // As with runc and youki: of a container whose program never ran nothing can be lost.
    if !force && !matches!(status, Status::Stopped | Status::Created) {
        return Err(Problem::Usage(format!(
            "container {id} is {}; only a stopped or created container can be deleted: kill it first, or give --force",
            status.word()
        )));
    }
    end(&state, status)?;
    remove(folder, &state, warnings)
}

/// Who has just been killed, or was started to do next to nothing, is about to end.
fn has_ended_soon(state: &State) -> Result<bool, Problem> {
    let Some(handle) = state.process.and_then(|process| process.handle()) else { return Ok(true) };
    let grace = Timespec { tv_sec: 0, tv_nsec: GRACE_NS };
    let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&grace));
    ended.map(|count| count > 0).map_err(|error| Problem::system("wait for the container's end", error))
}

/// Kills what is left of a container and waits for its end.
pub(super) fn end(state: &State, status: Status) -> Result<(), Problem> {
    if status == Status::Stopped && state.own_pids {
        return Ok(());
    }
    if let Some(groups) = &state.groups {
        // Those of a pid namespace that it shares with others go only so.
        groups.kill()?;
    }
    let Some(process) = state.process else { return Ok(()) };
    let Some(handle) = process.handle() else { return Ok(()) };
    process.signal(Signal::KILL.as_raw())?;
    let patience = Timespec { tv_sec: PATIENCE_S, tv_nsec: 0 };
    match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&patience)) {
        Ok(0) => Err(Problem::system(
            format!("kill process {}", process.pid),
            format!("it is there after {PATIENCE_S} s; /proc/{}/stack tells what keeps it", process.pid),
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::system("wait for the container's end", error)),
    }
}

/// Removes what a container that has ended had, and runs the hooks for after its end.
pub(super) fn remove(folder: Folder, state: &State, warnings: &mut Vec<Warning>) -> Result<(), Problem> {
    if let Some(groups) = &state.groups {
        groups.remove()?;
    }
    if let Some(class) = &state.class {
        class.remove()?;
    }
    state.uncover()?;
    let hooks = if state.poststop { Some(folder.config()?) } else { None };
    folder.remove()?;
    if let Some(hooks) = hooks.and_then(|spec| spec.hooks().clone()) {
        let document = state.document(Status::Stopped).to_json()?;
        let failed = hook::run_all(&order::hooks_of(hooks.poststop()), "poststop", &document);
        warnings.extend(failed.into_iter().map(|what| Warning::new("hooks.poststop", what)));
    }
    Ok(())
}
