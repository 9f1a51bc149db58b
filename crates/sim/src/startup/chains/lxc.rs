//! LXC: `lxc-start` without a daemon of its own; a monitor process stays with each container.
//!
//! **Law.** `lxc-start` reads the container's configuration and forks the monitor; that prepares the root file system and the
//! network (a veth pair, one end on the bridge `lxcbr0`), starts the container's first process in new namespaces, which
//! mounts, turns its root, drops privileges and, once the monitor lets it, executes the container's own init; a system container then starts
//! services as a machine would.
//! **Source.** lxc `src/lxc/start.c` (`__lxc_start`, `lxc_spawn`, `do_start`), `conf.c` (`lxc_setup`), `network.c`;
//! `lxc.container.conf(5)`.

use crate::startup::chain::{Chain, kernel, unknown};

pub(super) fn chain() -> Chain {
    Chain::of(&[&[
        unknown("config", "lxc-start"),
        unknown("monitor", "lxc-start"),
        unknown("limits", "lxc monitor"),
        unknown("network", "lxc monitor"),
        kernel("clone"),
        unknown("rootfs", "container init"),
        kernel("pivot-root"),
        unknown("confine", "container init"),
        unknown("start", "lxc monitor"),
        kernel("exec"),
        unknown("services", "container init"),
    ]])
}
