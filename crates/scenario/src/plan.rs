//! The validated scenario. Everything here can only be made by the parser of this crate ([`Plan`]'s fields are private,
//! the parts are `#[non_exhaustive]`), so a backend never meets an invalid value.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Bytes, BytesPerSecond, MilliCpu, Nanos, Platform};

mod action;
mod cpu;
mod image;
mod instances;
mod lock;
mod memory;
mod server;
mod settings;
mod stand_ins;

pub use cpu::{Cpu, WeightRule};
pub use image::{Image, Layer};
pub use lock::Lock;
pub use memory::Memory;
use memory::is_default;
pub use server::{ArrivalProcess, Arrivals, Distribution, Server, Service};
pub use settings::{Guest, Migration, Namespace, PlatformSettings, Scheduler};

/// A validated scenario: tenants that share a machine, and the platforms to carry them out on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub(crate) name: String,
    pub(crate) title: Text,
    pub(crate) seed: u64,
    pub(crate) duration: Nanos,
    pub(crate) platforms: Vec<Platform>,
    pub(crate) host: Host,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) images: Vec<Image>,
    pub(crate) events: Vec<Event>,
    pub(crate) settings: BTreeMap<Platform, PlatformSettings>,
    #[serde(skip)]
    pub(crate) folder: std::path::PathBuf,
}

impl Plan {
    /// `kebab-case` name, unique among shipped scenarios.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The title for people.
    #[must_use]
    pub fn title(&self) -> &Text {
        &self.title
    }
    /// Every random stream derives from it; at most 2^53 − 1.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
    /// The run ends here (ns), or when nothing is left to do.
    #[must_use]
    pub fn duration(&self) -> Nanos {
        self.duration
    }
    /// Carried out once on each; never empty, no repeats.
    #[must_use]
    pub fn platforms(&self) -> &[Platform] {
        &self.platforms
    }
    /// The machine that is modelled, or that a native run is confined to.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }
    /// The tenants in file order; never empty, names unique.
    #[must_use]
    pub fn tenants(&self) -> &[Tenant] {
        &self.tenants
    }
    /// Images that tenants name.
    #[must_use]
    pub fn images(&self) -> &[Image] {
        &self.images
    }
    /// Events by time.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }
    /// `[platform.NAME]`; all unset where the scenario has no such table.
    #[must_use]
    pub fn settings(&self, platform: Platform) -> PlatformSettings {
        self.settings.get(&platform).cloned().unwrap_or_default()
    }
}

/// A text in both languages of the page; Korean falls back to English where it is not given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Text {
    /// English.
    pub en: String,
    /// Korean.
    pub ko: Option<String>,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Host {
    /// Cores, at least 1.
    pub cores: u32,
    /// Memory (bytes).
    pub memory: Bytes,
    /// Swap beside it (bytes).
    #[serde(skip_serializing_if = "is_default")]
    pub swap: Bytes,
    /// Disk, where it binds.
    pub disk: Option<HostDisk>,
    /// Network, where it binds.
    pub network: Option<HostNetwork>,
    /// Compressed bytes of images that it unpacks in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpack: Option<BytesPerSecond>,
    /// Nodes, at least 1; more than one is a cluster.
    pub nodes: u32,
}

/// What the host's disk can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HostDisk {
    /// Sequential read bandwidth (bytes/s).
    pub read: Option<BytesPerSecond>,
    /// Sequential write bandwidth (bytes/s).
    pub write: Option<BytesPerSecond>,
    /// Operations per second.
    pub iops: Option<u64>,
}

/// What the host's network can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HostNetwork {
    /// Bandwidth (bytes/s).
    pub bandwidth: Option<BytesPerSecond>,
    /// One-way latency (ns).
    pub latency: Option<Nanos>,
}

/// One application, possibly in several replicas.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tenant {
    /// Unique name, `kebab-case`.
    pub name: String,
    /// How many of it, at least 1.
    pub replicas: u32,
    /// Node it is placed on where no scheduler does it.
    pub node: u32,
    /// CPU request, limit and so on.
    pub cpu: Cpu,
    /// Memory request, limit and so on.
    pub memory: Memory,
    /// Disk weight and caps.
    pub io: Io,
    /// Most processes and threads (`pids.max`).
    pub pids_limit: Option<u64>,
    /// Ports that it listens on.
    pub ports: Vec<u16>,
    /// Library versions that it needs, by library.
    pub needs: BTreeMap<String, String>,
    /// When it starts (ns from the start of the run).
    pub start_at: Nanos,
    /// What happens when it ends.
    pub restart: Restart,
    /// Name of an image; `None` is the built-in worker.
    pub image: Option<String>,
    /// What it does.
    pub workload: Workload,
}

/// `tenant.io`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Io {
    /// `io.weight`, 1–10000.
    pub weight: Option<u32>,
    /// `io.max` rbps.
    pub read: Option<BytesPerSecond>,
    /// `io.max` wbps.
    pub write: Option<BytesPerSecond>,
    /// `io.max` riops and wiops.
    pub iops: Option<u64>,
}

/// `tenant.restart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Restart {
    /// Stays ended.
    #[default]
    Never,
    /// Restarted after a failure, with back-off.
    OnFailure,
    /// Restarted always, with back-off.
    Always,
}

/// What a tenant does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Workload {
    /// Computes `work` CPU seconds, split evenly over `threads`.
    Compute {
        /// At least 1.
        threads: u32,
        /// CPU time of the whole tenant at the calibrated speed of one busy core (ns), above 0.
        work: Nanos,
        /// A spin lock that its threads share.
        #[serde(skip_serializing_if = "Option::is_none")]
        lock: Option<Lock>,
    },
    /// Answers requests.
    Server(Server),
    /// Allocates, touches and leaks.
    Memory {
        /// Allocated and touched at the start.
        start: Bytes,
        /// Leaked per second.
        leak: BytesPerSecond,
        /// Leaks no further than this.
        limit_at: Option<Bytes>,
        /// Keeps touching its working set.
        touch_loop: bool,
    },
    /// Reads or writes a file.
    Disk {
        /// Which operation.
        op: DiskOp,
        /// Bytes in all.
        size: Bytes,
        /// Bytes an operation.
        block: Bytes,
        /// Operations in flight.
        depth: u32,
        /// fsync after each write.
        fsync: bool,
        /// At most this fast.
        rate: Option<BytesPerSecond>,
        /// Through the page cache rather than O_DIRECT.
        cached: bool,
        /// The layer of the image that the file lies in; `None`: a file of its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        layer: Option<Layer>,
    },
    /// Talks to another tenant.
    Network {
        /// The other tenant's name.
        to: String,
        /// A stream of bytes or a number of exchanges.
        what: NetworkWhat,
        /// Bytes a message.
        size: Bytes,
    },
    /// Spawns processes.
    Fork {
        /// Per second.
        rate: f64,
        /// Of each (ns).
        lifetime: Nanos,
        /// At most this many at once.
        max: Option<u64>,
    },
    /// A program of the user's own.
    Command {
        /// Program and arguments, never empty.
        argv: Vec<String>,
        /// TCP port that is open when it is ready.
        probe_tcp: Option<u16>,
        /// What the simulator takes in its place; never another `Command`.
        like: Option<Box<Workload>>,
    },
    /// Nothing.
    Idle,
    /// Workloads in order, never empty, never nested; an `Idle` or `Server` phase carries how long it lasts.
    Phases(Vec<Phase>),
}

impl Workload {
    /// Itself, and the workloads of its phases in order.
    pub fn and_its_phases(&self) -> impl Iterator<Item = &Self> {
        let phases: &[Phase] = match self {
            Self::Phases(phases) => phases,
            _ => &[],
        };
        std::iter::once(self).chain(phases.iter().map(|phase| &phase.workload))
    }
}

/// One of `phases`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Phase {
    /// What is done in it.
    pub workload: Workload,
    /// When it is over (ns from its start); `None`: when its work is done. Always set for `Idle` and `Server`, whose
    /// arrivals stop at its end.
    pub lasts: Option<Nanos>,
}

/// `disk.op`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DiskOp {
    /// Sequential read.
    Read,
    /// Sequential write.
    Write,
    /// Random read.
    RandRead,
    /// Random write.
    RandWrite,
}

/// `network.bytes` or `network.requests`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum NetworkWhat {
    /// A stream of so many bytes.
    Bytes(Bytes),
    /// So many request/response pairs.
    Requests(u64),
}

/// `[[event]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// When (ns from the start of the run).
    pub at: Nanos,
    /// What happens.
    pub action: Action,
}

/// `event.do`, with its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Action {
    /// A tenant gets so many replicas.
    Scale {
        /// Tenant.
        target: String,
        /// Wanted.
        replicas: u32,
    },
    /// A tenant is killed.
    Kill {
        /// Tenant.
        target: String,
    },
    /// A node is lost.
    FailNode {
        /// Node.
        target: u32,
    },
    /// A node is emptied.
    Drain {
        /// Node.
        target: u32,
    },
    /// A tenant gets another image.
    Update {
        /// Tenant.
        target: String,
        /// Image.
        image: String,
    },
    /// A tenant gets other limits.
    SetLimit {
        /// Tenant.
        target: String,
        /// New CPU limit.
        cpu: Option<MilliCpu>,
        /// New memory limit.
        memory: Option<Bytes>,
    },
    /// A tenant moves.
    Migrate {
        /// Tenant.
        target: String,
        /// Node.
        to: u32,
    },
    /// A node is cut off.
    Partition {
        /// Node.
        target: u32,
        /// For how long (ns).
        lasts: Nanos,
    },
}
