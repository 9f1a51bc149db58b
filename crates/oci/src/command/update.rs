//! `update`: other limits for a container that is there.

use std::path::Path;

use oci_spec::runtime::LinuxResources;

use super::pause::{groups, in_status};
use crate::state::Status;
use crate::{Problem, bundle};

/// Sets what `resources` (JSON of `linux.resources`) names, and leaves everything else as it is.
///
/// # Errors
/// Where the container has stopped, the document is wrong, or the kernel refuses a value.
pub fn update(root: &Path, id: &str, resources: &[u8]) -> Result<(), Problem> {
    let (_folder, state) = in_status(root, id, &[Status::Created, Status::Running, Status::Paused])?;
    let resources: LinuxResources = bundle::parse_at(resources, "--resources")?;
    groups(&state)?.update(&resources)
}
