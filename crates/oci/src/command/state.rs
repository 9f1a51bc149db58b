//! `state`: what the specification says a state is.

use std::path::Path;

use crate::Problem;
use crate::state::{check_id, read};

/// The state of a container, as a JSON document.
///
/// # Errors
/// Where there is none.
pub fn state(root: &Path, id: &str) -> Result<String, Problem> {
    check_id(id)?;
    let folder = root.join(id);
    let state = read(&folder)?;
    state.document(state.status(&folder)).to_text()
}
