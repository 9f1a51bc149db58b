//! What the runtime specification's MUSTs refuse before anything is made, one file a chapter.
//!
//! **Source.** Runtime specification 1.2 and 1.3, config.md and config-linux.md; where they leave it open, what the kernel would
//! refuse later (the file says which call), and what runc refuses.

mod annotations;
mod block_io;
mod cpu_list;
mod devices;
mod facts;
mod hooks;
mod intel_rdt;
mod mappings;
mod memory_policy;
mod mounts;
mod names;
mod namespaces;
mod net_devices;
mod no_mounts;
mod paths;
mod personality;
mod prepare;
mod process;
mod resources;
mod rlimits;
mod root;
mod scheduler;
mod sysctl;
mod text;
mod time;
mod user;
mod version;

use std::collections::HashMap;

use oci_spec::runtime::{Process, Spec};

pub use cpu_list::cpu_list;
pub use facts::Facts;
pub(crate) use facts::mounted_at;
pub(crate) use memory_policy::{FLAGS as MEMORY_FLAGS, MODES as MEMORY_MODES};
pub use prepare::{prepare, prepare_process};
pub use sysctl::path as sysctl_path;

use crate::{Problem, Warning};
use namespaces::Namespaces;

/// What one chapter finds.
type Found = Result<(), Problem>;

/// A refusal of what stands at the JSON path `at`.
fn refuse(at: impl Into<String>, found: impl Into<String>, accepted: impl Into<String>) -> Found {
    Err(Problem::config(at, found, accepted))
}

/// The entries of a map by name: what is refused first must not depend on chance.
fn sorted<V>(map: &HashMap<String, V>) -> Vec<(&str, &V)> {
    let mut entries: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value)).collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    entries
}

/// What of `spec` can't be carried out on a machine with these `facts`.
///
/// # Errors
/// The first thing that has to be refused, with its place and its clause.
pub fn check(spec: &Spec, facts: &Facts) -> Result<Vec<Warning>, Problem> {
    let mut warnings = Vec::new();
    text::check(spec, "")?;
    version::check(spec.version(), &mut warnings)?;
    root::check(spec.root().as_ref())?;
    hooks::check(spec.hooks().as_ref())?;
    annotations::check(spec.annotations().as_ref())?;
    let namespaces = Namespaces::read(spec.linux().as_ref())?;
    names::check(spec, &namespaces)?;
    no_mounts::check(spec, &namespaces, facts, &mut warnings)?;
    mounts::check(spec, &namespaces)?;
    if let Some(linux) = spec.linux() {
        mappings::check(linux, &namespaces)?;
        time::check(linux, &namespaces)?;
        sysctl::check(linux, &namespaces, facts)?;
        devices::check(linux, &mut warnings)?;
        paths::check(linux)?;
        net_devices::check(linux, &namespaces, facts)?;
        intel_rdt::check(linux, facts, &mut warnings)?;
        memory_policy::check(linux)?;
        personality::check(linux)?;
        if let Some(resources) = linux.resources() {
            resources::check(resources, facts)?;
        }
        if let Some(seccomp) = linux.seccomp() {
            crate::seccomp::validate(seccomp)?;
        }
    }
    match spec.process() {
        Some(process) => process::check(process, spec, &namespaces, facts)?,
        None => refuse(
            "process",
            "absent",
            "it is \"REQUIRED when `start` is called\" (config.md, \"Process\"); add it",
        )?,
    }
    spec.linux().as_ref().map_or(Ok(()), |linux| process::mount_label(linux, facts))?;
    Ok(warnings)
}

/// The same for a process that joins the container of `spec` later (`exec`).
///
/// # Errors
/// See [`check`].
pub fn process(process: &Process, spec: &Spec, facts: &Facts) -> Result<(), Problem> {
    text::check(process, "process")?;
    process::check(process, spec, &Namespaces::read(spec.linux().as_ref())?, facts)
}

#[cfg(test)]
mod tests;
