//! The platforms of the contract, by their fixed names.

use serde::{Deserialize, Serialize};

macro_rules! platforms {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A way of running an application; each is a row of the mission.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Platform { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Platform {
            /// Every platform, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in scenario files, reports and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

platforms! {
    /// Processes side by side on one operating system, no bounds between them.
    BareMetal = "bare-metal",
    /// A root directory of one's own, nothing else.
    Chroot = "chroot",
    /// Isolation without limits.
    Namespaces = "namespaces",
    /// Limits without isolation.
    Cgroups = "cgroups",
    /// Catamaran's own container runtime.
    Container = "container",
    /// The reference OCI runtime.
    Runc = "runc",
    /// The OCI runtime in C.
    Crun = "crun",
    /// The OCI runtime in Rust.
    Youki = "youki",
    /// System containers.
    Lxc = "lxc",
    /// Docker, with its daemons.
    Docker = "docker",
    /// Podman, without a daemon.
    Podman = "podman",
    /// rkt's stages 0, 1 and 2.
    Rkt = "rkt",
    /// containerd under CRI.
    Containerd = "containerd",
    /// CRI-O under CRI.
    CriO = "cri-o",
    /// A hypervisor with a full guest.
    Vm = "vm",
    /// A type 2 hypervisor.
    VmHosted = "vm-hosted",
    /// A minimal monitor on KVM.
    Microvm = "microvm",
    /// A kernel in user space.
    Gvisor = "gvisor",
    /// A container in a light VM.
    Kata = "kata",
    /// Under an orchestrator.
    Kubernetes = "kubernetes",
}

impl Platform {
    /// The platform of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|platform| platform.name() == name)
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
