//! A container without a mount namespace of its own: it "MUST inherit the runtime namespace" (config-linux.md, "Namespaces"), so
//! what is mounted for it is among the machine's mounts. Below its root file system it may be; whatever would change more of them is
//! refused by its place.

use catamaran_oci_init::order::Mounting;
use oci_spec::runtime::{LinuxNamespaceType as Kind, Spec};

use super::namespaces::Namespaces;
use super::{Facts, Found, refuse};
use crate::{Warning, order};

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
    if !propagation.is_empty() {
        let accepted =
            "without a mount namespace it would be that of the machine's mounts; add the namespace `mount`";
        refuse("linux.rootfsPropagation", propagation, accepted)?;
    }
    if namespaces.has(Kind::User) {
        let accepted = "in a user namespace the default devices are mounted; add the namespace `mount`";
        refuse("linux.namespaces", "a user namespace without a mount namespace", accepted)?;
    }
    let lasting = if order::mounting(spec, &order::Namespaces::of(spec)?) == Mounting::Nothing {
        "devices are made in the folder"
    } else {
        "its mounts are among the machine's, below the root file system, until it is deleted"
    };
    let what = format!(
        "no mount namespace: the root is changed by chroot(2), out of which a process with CAP_SYS_CHROOT finds its way; {lasting}"
    );
    warnings.push(Warning::new("linux.namespaces", what));
    Ok(())
}
