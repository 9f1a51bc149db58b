//! Memory policy (config-linux.md of 1.3, "Memory policy"; set_mempolicy(2) says which nodes and flags go with which mode).

use oci_spec::runtime::{Linux, MemoryPolicyFlagType as Flag, MemoryPolicyModeType as Mode};

use super::cpu_list::cpu_list;
use super::{Found, refuse};

/// Modes that are known.
pub(crate) const MODES: [&str; 7] = [
    "MPOL_DEFAULT",
    "MPOL_BIND",
    "MPOL_INTERLEAVE",
    "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_PREFERRED",
    "MPOL_PREFERRED_MANY",
    "MPOL_LOCAL",
];
/// Flags that are known.
pub(crate) const FLAGS: [&str; 3] = ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"];

pub(super) fn check(linux: &Linux) -> Found {
    let Some(policy) = linux.memory_policy() else { return Ok(()) };
    const NODES: &str = "linux.memoryPolicy.nodes";
    let mode = policy.mode();
    let nodes = policy.nodes().as_deref().unwrap_or_default();
    if cpu_list(nodes).is_none() {
        refuse(NODES, format!("{nodes:?}"), "numbers and ranges, as in `0-3,7`")?;
    }
    match mode {
        Mode::MpolDefault | Mode::MpolLocal if !nodes.is_empty() => {
            refuse(NODES, nodes, format!("{mode} takes no nodes"))?;
        }
        Mode::MpolBind | Mode::MpolInterleave | Mode::MpolWeightedInterleave | Mode::MpolPreferredMany
            if nodes.is_empty() =>
        {
            refuse(NODES, "none", format!("{mode} needs nodes"))?;
        }
        _ => {}
    }
    let flags = policy.flags().as_deref().unwrap_or_default();
    let has = |flag| flags.contains(&flag);
    const AT: &str = "linux.memoryPolicy.flags";
    if has(Flag::MpolFStaticNodes) && has(Flag::MpolFRelativeNodes) {
        refuse(AT, "static and relative nodes", "one of the two")?;
    }
    if has(Flag::MpolFNumaBalancing) && !matches!(mode, Mode::MpolBind | Mode::MpolPreferredMany) {
        refuse(AT, "MPOL_F_NUMA_BALANCING", "it goes with MPOL_BIND or MPOL_PREFERRED_MANY")?;
    }
    Ok(())
}
