//! Where a file of an image's layer lies, as the tenants of a platform have it.
//!
//! **Law.** Roots that are overlays over the same folders have the same files beneath, so that one page cache entry is for all;
//! who opens such a file for writing has it copied up whole, into a folder of its own, and writes there. Who has a root that was
//! copied has a file of its own, and each guest a disk of its own and a page cache of its own. Without roots of one's own there
//! is one file: whoever writes to it writes for all.
//! **Source.** OOM-6; Linux `fs/overlayfs/copy_up.c`, `Documentation/filesystems/overlayfs.rst` ("Changes to underlying
//! filesystems", "Non-directories"); rkt `stage0/run.go` (overlay where the kernel has it); LXC `lxc.container.conf(5)`, whose
//! default store is a folder (`dir`). The roots of an OCI runtime are made by whoever calls it: here, as containerd does it.
//! **Where the model is wrong.** Stores that are no overlay (`devicemapper`, `btrfs`, `zfs`; LXC's `overlay`).

use catamaran_scenario::Platform;

use super::has_guests;

/// Whose a layer's file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Everybody's, as it is.
    Common,
    /// Everybody's, beneath the roots of all.
    Overlay,
    /// Each tenant's own, on the machine's kernel.
    Own,
    /// Each tenant's own, in its guest.
    Guest,
}

/// Whose it is; where nobody has measured how it comes to a tenant, why not.
pub(crate) fn tree(platform: Platform) -> Result<Tree, &'static str> {
    match platform {
        Platform::BareMetal | Platform::Namespaces | Platform::Cgroups => Ok(Tree::Common),
        Platform::Chroot | Platform::Lxc => Ok(Tree::Own),
        Platform::Kata => Err("a layer that comes to a guest by virtio-fs, of which no figure is known"),
        Platform::Gvisor => Err("a layer under gVisor, whose gofer brings files: no figure of it is known"),
        _ if has_guests(platform) => Ok(Tree::Guest),
        _ => Ok(Tree::Overlay),
    }
}

/// Whether one that is started again is made anew, with nothing in the folder that its files were copied up to: a kubelet makes
/// another container of the same image, an engine starts the same one.
pub(crate) fn starts_anew(platform: Platform) -> bool {
    platform == Platform::Kubernetes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_one_file_where_a_kernel_and_a_layer_are_shared() {
        let of = |tree_of: Result<Tree, ()>| -> Vec<Platform> {
            Platform::ALL
                .iter()
                .copied()
                .filter(|platform| tree(*platform).map_err(drop) == tree_of)
                .collect()
        };
        assert_eq!(of(Ok(Tree::Common)), [Platform::BareMetal, Platform::Namespaces, Platform::Cgroups]);
        assert_eq!(of(Ok(Tree::Own)), [Platform::Chroot, Platform::Lxc]);
        assert_eq!(of(Ok(Tree::Guest)), [Platform::Vm, Platform::VmHosted, Platform::Microvm]);
        assert_eq!(of(Err(())), [Platform::Gvisor, Platform::Kata]);
        let overlays = of(Ok(Tree::Overlay));
        for platform in [Platform::Container, Platform::Docker, Platform::Podman, Platform::Kubernetes] {
            assert!(overlays.contains(&platform), "{platform}");
        }
    }
}
