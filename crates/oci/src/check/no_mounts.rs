//! A container without a mount namespace of its own: it "MUST inherit the runtime namespace" (config-linux.md, "Namespaces"), so
//! nothing may be mounted for it, and whatever takes a mount is refused by its place.

use oci_spec::runtime::{LinuxNamespaceType as Kind, Process, Root, Spec};

use super::namespaces::Namespaces;
use super::{Facts, Found, refuse};
use crate::Warning;

const ACCEPTED: &str =
    "without a mount namespace it would be mounted on the machine; add the namespace `mount`";

pub(super) fn check(
    spec: &Spec,
    namespaces: &Namespaces<'_>,
    facts: &Facts,
    warnings: &mut Vec<Warning>,
) -> Found {
    if facts.joins_own_mounts {
        let accepted = "the path of another one: this is the runtime's own, whose mounts are the machine's";
        refuse("linux.namespaces", "the runtime's mount namespace by its path", accepted)?;
    }
    if namespaces.has(Kind::Mount) {
        return Ok(());
    }
    let linux = spec.linux().as_ref();
    let propagation = linux.and_then(|linux| linux.rootfs_propagation().as_deref()).unwrap_or_default();
    let asks = [
        ("mounts", spec.mounts().as_ref().is_some_and(|mounts| !mounts.is_empty()), "mounts"),
        ("root.readonly", spec.root().as_ref().and_then(Root::readonly).unwrap_or(false), "true"),
        ("process.terminal", spec.process().as_ref().and_then(Process::terminal).unwrap_or(false), "true"),
        ("linux.rootfsPropagation", !propagation.is_empty(), propagation),
    ];
    for (at, asked, found) in asks {
        if asked {
            refuse(at, found, ACCEPTED)?;
        }
    }
    if namespaces.has(Kind::User) {
        let accepted = "in a user namespace the default devices are mounted; add the namespace `mount`";
        refuse("linux.namespaces", "a user namespace without a mount namespace", accepted)?;
    }
    let what = "no mount namespace: the root is changed by chroot(2), out of which a process with CAP_SYS_CHROOT finds its way; devices are made in the folder";
    warnings.push(Warning::new("linux.namespaces", what));
    Ok(())
}
