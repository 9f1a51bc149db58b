//! Whom the process runs as (config.md, "POSIX-platform User").

use oci_spec::runtime::{Linux, LinuxIdMapping, LinuxNamespaceType as Kind, User};

use super::namespaces::Namespaces;
use super::{Found, mappings, refuse};

/// Groups that setgroups(2) takes (`NGROUPS_MAX`).
const MOST_GROUPS: usize = 65_536;

pub(super) fn check(user: &User, linux: Option<&Linux>, namespaces: &Namespaces<'_>) -> Found {
    let groups = user.additional_gids().as_deref().unwrap_or_default();
    const GROUPS: &str = "process.user.additionalGids";
    if groups.len() > MOST_GROUPS {
        refuse(GROUPS, format!("{} groups", groups.len()), format!("the kernel takes {MOST_GROUPS}"))?;
    }
    // In a namespace that is joined the mappings are there already, whatever they are.
    let Some(linux) = linux.filter(|_| namespaces.is_new(Kind::User)) else { return Ok(()) };
    let users = linux.uid_mappings().as_deref().unwrap_or_default();
    let map = linux.gid_mappings().as_deref().unwrap_or_default();
    mapped(user.uid(), users, "process.user.uid")?;
    mapped(user.gid(), map, "process.user.gid")?;
    groups.iter().try_for_each(|group| mapped(*group, map, GROUPS))
}

/// setuid(2) and setgid(2): EINVAL for an id that is not mapped.
fn mapped(id: u32, mappings: &[LinuxIdMapping], at: &str) -> Found {
    if mappings::has(mappings, id) {
        return Ok(());
    }
    refuse(at, id.to_string(), "an id that is mapped in the container's user namespace")
}
