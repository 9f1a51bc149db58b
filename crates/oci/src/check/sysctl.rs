//! Kernel parameters (config-linux.md, "Sysctl"): only those that a namespace of the container's own has. All others are the
//! machine's, and runc refuses them too.

use std::path::PathBuf;

use oci_spec::runtime::{Linux, LinuxNamespaceType as Kind};

use super::namespaces::{Namespaces, word};
use super::{Facts, Found, refuse, sorted};

/// Parameters of an IPC namespace (ipc_namespaces(7)); `fs/mqueue` comes to them.
const IPC: [&str; 8] = [
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/sem",
    "kernel/shm_rmid_forced",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
];

pub(super) fn check(linux: &Linux, namespaces: &Namespaces<'_>, facts: &Facts) -> Found {
    linux.sysctl().iter().flat_map(sorted).try_for_each(|(name, _)| check_one(name, namespaces, facts))
}

fn check_one(name: &str, namespaces: &Namespaces<'_>, facts: &Facts) -> Found {
    let at = format!("linux.sysctl.{name}");
    let Some(path) = path(name) else {
        return refuse(at, format!("{name:?}"), "a name below /proc/sys, with dots or slashes");
    };
    let path = path.to_string_lossy().into_owned();
    if path == "kernel/hostname" {
        return refuse(at, name, "it has a field of its own: `hostname`");
    }
    let kind = match path.as_str() {
        "kernel/domainname" => Kind::Uts,
        path if IPC.contains(&path) || path.starts_with("fs/mqueue/") => Kind::Ipc,
        path if path.starts_with("net/") => Kind::Network,
        _ => return refuse(at, name, "it is of the whole machine: no namespace has it for itself"),
    };
    if !namespaces.has(kind) || (kind == Kind::Network && facts.joins_own_network) {
        let kind = word(kind);
        return refuse(
            at,
            name,
            format!("the container has the machine's {kind} namespace; add one of its own"),
        );
    }
    Ok(())
}

/// Where a parameter is below `/proc/sys`. As in sysctl(8) the first separator says which is meant: of
/// `net.ipv4.conf.eth0/100.mtu` and `net/ipv4/conf/eth0.100/mtu` both name the interface `eth0.100`. None, if the name could
/// lead anywhere else.
#[must_use]
pub fn path(name: &str) -> Option<PathBuf> {
    let dots_separate = name.chars().find(|one| matches!(one, '.' | '/')) != Some('/');
    let path: String = if dots_separate {
        name.chars()
            .map(|one| {
                if one == '.' {
                    '/'
                } else if one == '/' {
                    '.'
                } else {
                    one
                }
            })
            .collect()
    } else {
        name.to_owned()
    };
    let proper = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(proper).then(|| PathBuf::from(path))
}
