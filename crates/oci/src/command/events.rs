//! `events`: what a container has used.

use std::path::Path;

use serde_json::json;

use super::pause::{groups, in_status};
use crate::Problem;
use crate::state::Status;

/// One event `stats`, as runc writes it; `None` once the container has stopped.
///
/// # Errors
/// Where there is no such container, or its control groups can't be read.
pub fn statistics(root: &Path, id: &str) -> Result<String, Problem> {
    let (_folder, state) = in_status(root, id, &[Status::Created, Status::Running, Status::Paused])?;
    let data = groups(&state)?.statistics()?;
    Ok(json!({ "type": "stats", "id": id, "data": data }).to_string())
}

/// Whether the container has stopped or is gone.
#[must_use]
pub fn has_stopped(root: &Path, id: &str) -> bool {
    crate::state::read(&root.join(id)).map_or(true, |state| state.status(&root.join(id)) == Status::Stopped)
}
