//! What two tenants cannot both have where they share it.
//!
//! **Law.** A port can be bound once in a network namespace: whoever comes second gets EADDRINUSE and ends. A path of a file
//! system holds one version of a library: whoever is installed second finds that of the first, and cannot start. Neither
//! happens where the network, or the root, is the tenant's own. A port is free again when its holder has ended; what is
//! installed stays.
//! **Source.** `bind(2)` ("EADDRINUSE"), `network_namespaces(7)`; one name, one inode: `path_resolution(7)`.
//! **Judge.** `tests/laws/clash.rs`.

use std::collections::BTreeMap;

use catamaran_scenario::Platform;
use catamaran_scenario::plan::{Namespace, PlatformSettings, Tenant};

use super::visibility::Surroundings;

/// Why a tenant cannot start; `with` is the instance that came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clash {
    Port { port: u16, with: usize },
    Library { name: String, wanted: String, found: String, with: usize },
}

impl Clash {
    pub(crate) const fn with(&self) -> usize {
        match self {
            Self::Port { with, .. } | Self::Library { with, .. } => *with,
        }
    }

    /// What an event is called.
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Port { .. } => "port-clash",
            Self::Library { .. } => "library-clash",
        }
    }

    /// What the tenant is told; `first` is the label of the instance that came first.
    pub(crate) fn words(&self, first: &str) -> String {
        match self {
            Self::Port { port, .. } => {
                format!("port {port} is taken by {first:?}: they share one network (EADDRINUSE)")
            }
            Self::Library { name, wanted, found, .. } => format!(
                "{name} {wanted} is needed, but {first:?} has brought {name} {found}: they share one file system, and it \
                 holds one version of a library"
            ),
        }
    }
}

/// What is taken on one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    network_is_shared: bool,
    files_are_shared: bool,
    ports: BTreeMap<u16, usize>,
    libraries: BTreeMap<String, (String, usize)>,
}

impl Taken {
    pub(crate) fn nothing(platform: Platform, settings: &PlatformSettings) -> Self {
        let around = Surroundings::of(platform, settings);
        Self {
            network_is_shared: !around.has(Namespace::Net),
            files_are_shared: !around.root && !around.guest,
            ports: BTreeMap::new(),
            libraries: BTreeMap::new(),
        }
    }

    /// An instance starts: what it lacks, else it takes what it wants.
    pub(crate) fn start(
        &mut self,
        instance: usize,
        tenant: &Tenant,
        lives: impl Fn(usize) -> bool,
    ) -> Option<Clash> {
        if self.files_are_shared {
            for (name, wanted) in &tenant.needs {
                match self.libraries.get(name) {
                    Some((found, with)) if found != wanted => {
                        let (name, wanted, found) = (name.clone(), wanted.clone(), found.clone());
                        return Some(Clash::Library { name, wanted, found, with: *with });
                    }
                    _ => {}
                }
            }
            for (name, wanted) in &tenant.needs {
                self.libraries.entry(name.clone()).or_insert_with(|| (wanted.clone(), instance));
            }
        }
        if self.network_is_shared {
            let holder = |port: &u16| self.ports.get(port).copied().filter(|&holder| lives(holder));
            let clash = tenant.ports.iter().find_map(|port| Some((*port, holder(port)?)));
            if let Some((port, with)) = clash {
                return Some(Clash::Port { port, with });
            }
            self.ports.extend(tenant.ports.iter().map(|port| (*port, instance)));
        }
        None
    }
}
