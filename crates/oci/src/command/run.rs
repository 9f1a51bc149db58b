//! `run`: made, started, attended to until its end, and removed.

use super::New;
use super::new::{By, make};
use super::{delete, start};
use crate::foreground::{self, Foreground};
use crate::{Problem, Warning};

/// Makes and starts a container. With `detach` comes back once its program runs, with 0; without waits for its end, removes
/// it unless `keep`, and comes back with the program's exit code.
///
/// # Errors
/// Whatever keeps it from being made or started; then nothing is left of it.
pub fn run(new: &New, detach: bool, keep: bool, warnings: &mut Vec<Warning>) -> Result<u8, Problem> {
    let mut made = make(new, if detach { By::Leaver } else { By::Maker }, warnings)?;
    let foreground = match Foreground::prepare(made.console.take(), detach) {
        Ok(foreground) => foreground,
        Err(problem) => {
            made.attempt.undo();
            return Err(problem);
        }
    };
    if let Some(launch) = &mut made.attempt.launch
        && let Err(problem) = launch.run(warnings)
    {
        made.attempt.undo();
        return Err(problem);
    }
    if let Err(problem) = start::after_start(&made.attempt.folder, &made.attempt.state) {
        made.attempt.undo();
        return Err(problem);
    }
    let attempt = made.attempt;
    let (Some(foreground), Some(process)) = (foreground, attempt.state.process) else { return Ok(0) };
    // Other commands may act on it meanwhile.
    let (root, id) = (new.root.as_path(), new.id.as_str());
    drop(attempt);
    let code = foreground::attend(foreground, process)?;
    if !keep {
        // Somebody else may have deleted it.
        delete(root, id, true, warnings)?;
    }
    Ok(code)
}
