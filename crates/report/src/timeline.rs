//! What a simulation can tell beyond the report, for the Gantt chart, the throttling strip and "why?".

use serde::{Deserialize, Serialize};

/// Everything that can be drawn. Times are nanoseconds from the start of the run; `tenant` is an index into
/// `Report::tenants`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// Cores of the host.
    pub cores: u32,
    /// Who is on which core, when; by start, then core.
    pub slices: Vec<Slice>,
    /// On platforms with guests: which thread is on which virtual CPU, when; by start, then tenant and virtual CPU.
    #[serde(default)]
    pub guests: Vec<GuestSlice>,
    /// When a tenant's group was stopped by its quota; by start.
    pub throttles: Vec<Throttle>,
    /// Quota consumption, one per tenant with a limit and period; by start.
    pub periods: Vec<Period>,
    /// When threads waited for the disk; by start.
    #[serde(default)]
    pub waits: Vec<Wait>,
    /// Requests by arrival.
    pub requests: Vec<Request>,
    /// What each tenant sees of each thing of the machine, and of what is its own.
    #[serde(default)]
    pub views: Vec<View>,
    /// What happened and why; causes come before their effects.
    pub trace: Vec<Entry>,
}

/// A thread on a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Core from 0.
    pub core: u32,
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Thread of the tenant, from 0.
    pub thread: u32,
    /// From (ns).
    pub start_ns: u64,
    /// To (ns), above `start_ns`.
    pub end_ns: u64,
}

/// A stretch of time of a virtual CPU that is not halted. On these platforms [`Slice::thread`] is the virtual CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestSlice {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Virtual CPU of the tenant's guest, from 0.
    pub vcpu: u32,
    /// Thread of the tenant that runs; `None`: stolen, the virtual CPU would run and waits for a core of the host.
    pub thread: Option<u32>,
    /// From (ns).
    pub start_ns: u64,
    /// To (ns), above `start_ns`.
    pub end_ns: u64,
}

/// A tenant stopped by its quota: at least one of its threads would run and may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// From (ns).
    pub start_ns: u64,
    /// To (ns).
    pub end_ns: u64,
}

/// One enforcement period of a tenant with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Start of the period (ns).
    pub start_ns: u64,
    /// Quota (ns of CPU time).
    pub quota_ns: u64,
    /// CPU time consumed in it (ns).
    pub used_ns: u64,
    /// Whether it was throttled in it.
    pub throttled: bool,
}

/// A thread that waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Thread of the tenant, from 0.
    pub thread: u32,
    /// What for.
    pub what: WaitFor,
    /// From (ns).
    pub start_ns: u64,
    /// To (ns), above `start_ns`.
    pub end_ns: u64,
}

/// What a thread waits for at the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    /// What goes past the page cache, or is written out.
    Device,
    /// Pages that the page cache does not hold, which it reads or another is reading.
    NotCached,
    /// The whole file, which is copied up before it is written to.
    CopyUp,
}

/// A request of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Number of the arrival, from 0.
    pub index: u32,
    /// Intended arrival (ns).
    pub arrival_ns: u64,
    /// When a thread took it up (ns); `None`: failed before, or still queued.
    pub started_ns: Option<u64>,
    /// When it was answered (ns).
    pub completed_ns: Option<u64>,
    /// When it failed (ns): refused by a full queue or where nobody listens, timed out, or lost with its server.
    #[serde(default)]
    pub failed_ns: Option<u64>,
    /// The thread of the tenant that took it up.
    #[serde(default)]
    pub thread: Option<u32>,
}

/// One entry of the causal trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When (ns).
    pub at_ns: u64,
    /// `kernel`, `cgroup`, `timer`, or the tenant.
    pub actor: String,
    /// What: a fixed kebab-case word (`throttle`, `unthrottle`, `preempt`, `migrate`, `late-request`, …).
    pub what: String,
    /// To whom (`web/0.1` is thread 1 of replica 0 of `web`).
    pub target: String,
    /// Index in `trace` of the entry that caused it.
    pub because: Option<u32>,
}

/// A thing as one tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Index into `Report::tenants`: who looks.
    pub tenant: u32,
    /// What kind of thing: `process`, `file`, `mount`, `host-name`, `network`, `user`, `ipc`, `cgroup`.
    pub resource: String,
    /// Its name on the machine: of a process `init` or its tenant's, of a file its folder; empty where only the kind matters.
    pub thing: String,
    /// Whether it is this tenant's own; else it is the machine's, or another tenant's.
    pub own: bool,
    /// Whether the tenant sees it (a process: in its `/proc`).
    pub seen: bool,
    /// What the tenant calls it, where that is known; of a process its number.
    pub name: Option<String>,
    /// Of a process: whether the tenant can send it a signal.
    pub reach: Option<bool>,
    /// From when on it is there (ns).
    pub born_ns: u64,
}
