//! Mounts (config.md, "Mounts", "Linux mount options", "POSIX-platform Mounts").

use catamaran_oci_init::mount::Options;
use oci_spec::runtime::{LinuxNamespaceType as Kind, Mount, Spec};

use super::namespaces::Namespaces;
use super::{Found, mappings, refuse, text};
use crate::mounts;

/// Bytes of a key or a value that fsconfig(2) takes with its NUL.
const PARAMETER_BYTES: usize = 256;
/// Bytes of all options that mount(2) takes with their NUL.
const PAGE_BYTES: usize = 4096;

pub(super) fn check(spec: &Spec, namespaces: &Namespaces<'_>) -> Found {
    for (place, mount) in spec.mounts().iter().flatten().enumerate() {
        check_one(mount, &format!("mounts[{place}]"), namespaces)?;
    }
    Ok(())
}

fn check_one(mount: &Mount, at: &str, namespaces: &Namespaces<'_>) -> Found {
    // "It MAY be a relative path, in which case it MUST be interpreted as relative to `/`."
    text::path(mount.destination(), &format!("{at}.destination"))?;
    let options = mounts::of(mount, at)?;
    if options.bind.is_some() {
        match mount.source() {
            Some(source) => text::path(source, &format!("{at}.source"))?,
            None => {
                refuse(format!("{at}.source"), "absent", "a bind mount is of a file or directory; name it")?;
            }
        }
    } else if !options.remount && mount.typ().as_deref().unwrap_or_default().is_empty() {
        refuse(format!("{at}.type"), "absent", "a file system of /proc/filesystems, or the option `bind`")?;
    }
    check_data(&options, mount, at)?;
    check_idmap(&options, mount, at, namespaces)
}

/// Overlay's layers may be longer: they are given one by one. All together fit into the page that mount(2) takes.
fn check_data(options: &Options, mount: &Mount, at: &str) -> Found {
    let layered = mount.typ().as_deref() == Some("overlay");
    let all: usize = options.data.iter().map(|word| word.len() + 1).sum();
    let too_long = |word: &&String| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let is_long = value.len() >= PARAMETER_BYTES && !(layered && key == "lowerdir");
        key.len() >= PARAMETER_BYTES || (is_long && all > PAGE_BYTES)
    };
    match options.data.iter().find(too_long) {
        None => Ok(()),
        Some(word) => {
            let found = format!("{}…", word.chars().take(32).collect::<String>());
            let accepted =
                format!("{} bytes of a word, {} of all together", PARAMETER_BYTES - 1, PAGE_BYTES - 1);
            refuse(format!("{at}.options"), found, accepted)
        }
    }
}

fn check_idmap(options: &Options, mount: &Mount, at: &str, namespaces: &Namespaces<'_>) -> Found {
    let (users, groups) = (mount.uid_mappings().as_deref(), mount.gid_mappings().as_deref());
    if users.is_some() != groups.is_some() {
        let (there, missing) =
            if users.is_some() { ("uidMappings", "gidMappings") } else { ("gidMappings", "uidMappings") };
        refuse(format!("{at}.{there}"), "alone", format!("it \"MUST be specified along with `{missing}`\""))?;
    }
    for (field, list) in [("uidMappings", users), ("gidMappings", groups)] {
        let Some(list) = list else { continue };
        let at = format!("{at}.{field}");
        if list.is_empty() {
            refuse(at.as_str(), "empty", "at least one mapping, or leave the field out")?;
        }
        mappings::list(list, &at)?;
    }
    if options.idmap.is_none() {
        return Ok(());
    }
    if options.bind.is_none() {
        // As runc: a file system that is made here has its owners by the namespace that it is made in.
        refuse(at, "an id-mapped mount that is no bind mount", "add the option `bind` or `rbind`")?;
    }
    if users.is_none() && !namespaces.has(Kind::User) {
        let accepted =
            "without mappings and without a user namespace \"an error MUST be returned\"; add either";
        refuse(format!("{at}.options"), "idmap", accepted)?;
    }
    Ok(())
}
