//! User namespace mappings (config-linux.md, "User namespace mappings"), which mounts have too (config.md, "Mounts").

use oci_spec::runtime::{Linux, LinuxIdMapping, LinuxNamespaceType as Kind};

use super::namespaces::Namespaces;
use super::{Found, refuse};

/// Entries that `/proc/PID/uid_map` takes (user_namespaces(7)).
const MOST: usize = 340;

pub(super) fn check(linux: &Linux, namespaces: &Namespaces<'_>) -> Found {
    for (at, mappings) in
        [("linux.uidMappings", linux.uid_mappings()), ("linux.gidMappings", linux.gid_mappings())]
    {
        let mappings = mappings.as_deref().unwrap_or_default();
        if !mappings.is_empty() && !namespaces.has(Kind::User) {
            refuse(at, "mappings", "they are a user namespace's; add the namespace `user`")?;
        }
        if mappings.is_empty() && namespaces.is_new(Kind::User) {
            refuse(at, "none", "in a new user namespace nobody would be anybody; map at least one id")?;
        }
        list(mappings, at)?;
    }
    Ok(())
}

/// What `/proc/PID/uid_map` would refuse: an empty or overlong list, an empty range, one that passes the last id, overlaps.
pub(super) fn list(mappings: &[LinuxIdMapping], at: &str) -> Found {
    if mappings.len() > MOST {
        return refuse(at, format!("{} mappings", mappings.len()), format!("the kernel takes {MOST}"));
    }
    for (place, one) in mappings.iter().enumerate() {
        let at = format!("{at}[{place}]");
        if one.size() == 0 {
            refuse(format!("{at}.size"), "0", "at least 1")?;
        }
        // The last id, (uid_t) -1, means "nobody in particular" to many calls: the kernel maps up to the one before.
        let passes = |first: u32| u64::from(first) + u64::from(one.size()) > u64::from(u32::MAX);
        if passes(one.host_id()) || passes(one.container_id()) {
            refuse(at.as_str(), "a range that passes the last id", format!("ids below {}", u32::MAX))?;
        }
        let before = mappings.get(..place).unwrap_or_default();
        if before.iter().any(|other| overlap(one, other)) {
            refuse(at, "a range that overlaps another", "each id at most once, on either side")?;
        }
    }
    Ok(())
}

fn overlap(one: &LinuxIdMapping, other: &LinuxIdMapping) -> bool {
    let touch = |a: u32, b: u32| {
        let (a, b) = (u64::from(a), u64::from(b));
        a < b + u64::from(other.size()) && b < a + u64::from(one.size())
    };
    touch(one.host_id(), other.host_id()) || touch(one.container_id(), other.container_id())
}

/// Whether `id` of the container is mapped.
pub(super) fn has(mappings: &[LinuxIdMapping], id: u32) -> bool {
    mappings.iter().any(|one| id.checked_sub(one.container_id()).is_some_and(|above| above < one.size()))
}
