//! `ps`: the processes of a container.

use std::path::Path;

use super::pause::groups;
use crate::Problem;
use crate::state::{check_id, read};

/// Numbers of the processes of a container, as this process sees them.
///
/// # Errors
/// Where there is no such container, or its control groups can't be read.
pub fn ps(root: &Path, id: &str) -> Result<Vec<u32>, Problem> {
    check_id(id)?;
    groups(&read(&root.join(id))?)?.processes()
}
