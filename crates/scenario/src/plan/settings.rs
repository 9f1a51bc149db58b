//! Settings of single platforms.

use serde::Serialize;

use crate::{Bytes, Nanos};

/// `[platform.NAME]`; `None` is the default, from the calibration where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct PlatformSettings {
    /// Runtime under an engine.
    pub runtime: Option<String>,
    /// Without root.
    pub rootless: Option<bool>,
    /// Which pick.
    pub scheduler: Option<Scheduler>,
    /// Ticks a second.
    pub hz: Option<u32>,
    /// Base slice (ns), after the kernel's scaling by cores.
    pub base_slice: Option<Nanos>,
    /// `kernel.sched_autogroup_enabled`.
    pub autogroup: Option<bool>,
    /// vCPUs of each guest.
    pub vcpus: Option<u32>,
    /// Memory of each guest.
    pub memory: Option<Bytes>,
    /// What runs in the guest.
    pub guest: Option<Guest>,
    /// Accelerator: `kvm` or `tcg`.
    pub accel: Option<String>,
    /// Hypervisor type, 1 or 2.
    pub hypervisor_type: Option<u8>,
    /// Release whose rules are followed (`"1.20"`).
    pub compat: Option<String>,
    /// Namespaces of each tenant's own, in the order of [`Namespace::ALL`]. Left out of the digest where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unshare: Option<Vec<Namespace>>,
    /// How guests are moved while they run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
    /// How long a guest may stand still to be moved (ns).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime: Option<Nanos>,
    /// Whether equal pages of guests are merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_sharing: Option<bool>,
    /// Whether guests give back memory that they do not use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balloon: Option<bool>,
}

impl PlatformSettings {
    /// The namespaces that each tenant gets on `namespaces`: those of the scenario, else all but the user namespace.
    #[must_use]
    pub fn unshared(&self) -> Vec<Namespace> {
        let usual = || Namespace::ALL.iter().copied().filter(|kind| *kind != Namespace::User).collect();
        self.unshare.clone().unwrap_or_else(usual)
    }
}

macro_rules! namespaces {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A kind of namespace, by the name of its option of `unshare(1)`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Namespace { $($(#[$doc])* $variant,)* }

        impl Namespace {
            /// Every kind, in the order of lists.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Their names.
            pub(crate) const NAMES: &'static [&'static str] = &[$($name,)*];

            /// Name in scenarios.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

namespaces! {
    /// Mount points.
    Mount = "mount",
    /// Process numbers.
    Pid = "pid",
    /// Host name.
    Uts = "uts",
    /// Message queues, semaphores, shared memory.
    Ipc = "ipc",
    /// Network interfaces, addresses, ports.
    Net = "net",
    /// User numbers and what may be done with them.
    User = "user",
    /// View of the control groups.
    Cgroup = "cgroup",
}

/// The scheduler's pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// Linux 6.6 and later.
    Eevdf,
    /// Before 6.6.
    Cfs,
}

/// Whose rule a live migration follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Migration {
    /// QEMU's: as fast as it may, until the rest fits into the down-time.
    Qemu,
    /// That of Clark and others (2005), in Xen: each round a little faster than the guest writes.
    Clark,
}

/// What a VM runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Guest {
    /// A Linux kernel.
    Linux,
    /// Our own ring-3 loop, no kernel.
    Bare,
}
