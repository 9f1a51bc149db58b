//! The setting of the scenario that a cause depends on.

use catamaran_scenario::Platform;
use catamaran_scenario::plan::{Guest, Tenant, Workload};

use super::Run;

/// Share of the cores' time from which a machine counts as full.
const FULL: f64 = 0.95;

/// In which direction a setting is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// More of it.
    Raise,
    /// Less of it.
    Lower,
    /// This value.
    Set(String),
}

/// A setting to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Its path in the scenario, as [`catamaran_scenario::edit`] takes it.
    pub path: String,
    /// How.
    pub change: Change,
}

impl Advice {
    pub(super) fn raise(path: String) -> Option<Self> {
        Some(Self { path, change: Change::Raise })
    }

    pub(super) fn lower(path: String) -> Option<Self> {
        Some(Self { path, change: Change::Lower })
    }

    pub(super) fn set(path: String, value: &str) -> Option<Self> {
        Some(Self { path, change: Change::Set(value.to_owned()) })
    }
}

/// Whether a platform holds tenants to their limits.
pub(super) fn has_limits(platform: Platform) -> bool {
    !matches!(platform, Platform::BareMetal | Platform::Chroot | Platform::Namespaces)
}

/// Whether each tenant's threads are divided by a kernel of its own.
pub(super) fn has_guest_kernels(run: &Run<'_>) -> bool {
    let platform = run.report.platform;
    has_guests(platform) && run.plan.settings(platform).guest != Some(Guest::Bare)
}

/// Whether each tenant has a guest of its own, under its limits.
pub(super) fn has_guests(platform: Platform) -> bool {
    matches!(platform, Platform::Vm | Platform::VmHosted | Platform::Microvm | Platform::Kata)
}

/// Path of a tenant's field.
pub(super) fn of(tenant: &Tenant, field: &str) -> String {
    format!("tenant.{}.{field}", tenant.name)
}

/// Cores that a workload asks for (erlangs of a server, threads of a computation).
fn asks(workload: &Workload) -> f64 {
    match workload {
        Workload::Server(server) => server.arrivals.rate * server.service.cpu.seconds(),
        Workload::Compute { threads, .. } => f64::from(*threads),
        _ => 0.0,
    }
}

/// Path of the workload of a tenant, if it is of some kind; of its phases, of the one of that kind that asks for most, as that
/// is the one that makes it late.
fn workload(tenant: &Tenant, kind: fn(&Workload) -> bool) -> Option<(String, &Workload)> {
    let own = of(tenant, "workload");
    match &tenant.workload {
        Workload::Phases(phases) => {
            let phase = phases
                .iter()
                .enumerate()
                .filter(|(_, phase)| kind(&phase.workload))
                .rev()
                .max_by(|(_, one), (_, other)| asks(&one.workload).total_cmp(&asks(&other.workload)))?;
            Some((format!("{own}.phases[{}]", phase.0), &phase.1.workload))
        }
        Workload::Command { like: Some(like), .. } if kind(like) => {
            Some((format!("{own}.like"), like.as_ref()))
        }
        workload if kind(workload) => Some((own, workload)),
        _ => None,
    }
}

fn is_talk(workload: &Workload) -> bool {
    matches!(workload, Workload::Network { .. })
}

fn is_server(workload: &Workload) -> bool {
    matches!(workload, Workload::Server(_))
}

/// Path and number of the threads of a tenant that has several.
fn threads(tenant: &Tenant) -> Option<(String, u32)> {
    let many = |workload: &Workload| match workload {
        Workload::Compute { threads, .. } => *threads > 1,
        Workload::Server(server) => server.threads > 1,
        _ => false,
    };
    let (path, found) = workload(tenant, many)?;
    let count = match found {
        Workload::Compute { threads, .. } => *threads,
        Workload::Server(server) => server.threads,
        _ => return None,
    };
    Some((format!("{path}.threads"), count))
}

/// The quota stops it.
pub(super) fn more_quota(run: &Run<'_>, tenant: usize) -> Option<Advice> {
    Advice::raise(of(run.planned(tenant)?, "cpu.limit"))
}

/// Its guest stands still for as long as the last round takes.
pub(super) fn faster_link() -> Option<Advice> {
    Advice::raise("host.network.bandwidth".into())
}

/// It waits for a core that others have.
pub(super) fn more_core(run: &Run<'_>, tenant: usize, other: Option<usize>) -> Option<Advice> {
    let other = other.and_then(|other| run.planned(other));
    match other {
        Some(other) if Some(&other.name) == run.planned(tenant).map(|own| &own.name) => {}
        Some(other) if has_limits(run.report.platform) => return Advice::lower(of(other, "cpu.limit")),
        // Which of another's phases was in the way is not asked here.
        Some(other) if matches!(other.workload, Workload::Phases(_)) => {}
        Some(other) => {
            if let Some((path, _)) = threads(other) {
                return Advice::lower(path);
            }
        }
        None => {}
    }
    Advice::raise("host.cores".into())
}

/// Its own threads are more than the cores that there are, or others have these.
pub(super) fn less_waiting(run: &Run<'_>, tenant: usize, other: Option<usize>) -> Option<Advice> {
    let own = threads(run.planned(tenant)?);
    let platform = run.report.platform;
    let cores = match run.plan.settings(platform).vcpus {
        Some(vcpus) if has_guests(platform) => vcpus,
        _ => run.plan.host().cores,
    };
    match own {
        Some((path, count)) if count > cores => Advice::lower(path),
        _ => more_core(run, tenant, other),
    }
}

/// What is sent is long on its way over the link; none where there is none.
pub(super) fn wider_link(run: &Run<'_>) -> Option<Advice> {
    let link = run.plan.host().network.as_ref()?;
    match (link.latency, link.bandwidth) {
        (Some(latency), _) if latency.0 > 0 => Advice::lower("host.network.latency".into()),
        (_, Some(_)) => Advice::raise("host.network.bandwidth".into()),
        _ => None,
    }
}

/// Its messages are long.
pub(super) fn smaller_messages(run: &Run<'_>, tenant: usize) -> Option<Advice> {
    let (path, _) = workload(run.planned(tenant)?, is_talk)?;
    Advice::lower(format!("{path}.size"))
}

/// Cores that a tenant can have at a time: those of the machine, or of its guest.
fn cores_of_one(run: &Run<'_>) -> u32 {
    let cores = run.plan.host().cores;
    let platform = run.report.platform;
    let virtual_ones = run.plan.settings(platform).vcpus.filter(|_| has_guests(platform));
    virtual_ones.map_or(cores, |vcpus| vcpus.min(cores))
}

/// It waits behind other requests of its server.
pub(super) fn shorter_queue(run: &Run<'_>, tenant: usize) -> Option<Advice> {
    let (path, server) = workload(run.planned(tenant)?, is_server)?;
    let few = matches!(server, Workload::Server(server) if server.threads < cores_of_one(run));
    let room = run.report.host.cpu_utilisation.is_some_and(|busy| busy < FULL);
    if few && room { Advice::raise(format!("{path}.threads")) } else { less_work(run, tenant) }
}

/// The request itself is long.
pub(super) fn less_work(run: &Run<'_>, tenant: usize) -> Option<Advice> {
    let (path, _) = workload(run.planned(tenant)?, is_server)?;
    Advice::lower(format!("{path}.service.cpu"))
}
