//! Bounds over all tenants together, so that no scenario hangs a backend or takes memory without bound.

use crate::diagnostic::Problem;
use crate::file_work::FileWork;
use crate::network_work::NetworkWork;
use crate::plan::{Action, ArrivalProcess, Event, Phase, Server, Tenant, Workload};
use crate::{Nanos, leak, weight};

use super::Scope;
use super::reader::Reader;
use super::tenant::Located;

/// Most requests, operations on files, pieces of messages, forks and steps of touching memory that a run is expected to have.
const REQUESTS_MAX: f64 = 10_000_000.0;
/// Most replicas of all tenants together.
const REPLICAS_MAX: u64 = 10_000;
/// Most threads of all tenants together.
const THREADS_MAX: u64 = 65_536;

/// Refuses the tenant with which a bound is crossed.
pub(super) fn check(root: &Reader<'_>, scope: &Scope, tenants: &[Located], events: &[Event]) {
    let (mut requests, mut replicas, mut threads) = (0.0, 0, 0);
    for Located { tenant, workload } in tenants {
        let most = most_replicas(tenant, events);
        let left = Nanos(scope.duration.0.saturating_sub(tenant.start_at.0));
        requests += expected(&tenant.workload, left) * most as f64;
        replicas += most;
        threads += most * weight::threads(&tenant.workload);
        let (what, found, most, advice) = if requests > REQUESTS_MAX {
            (
                "requests, operations on files, pieces of messages, forks and steps of touching memory expected in the run",
                requests,
                REQUESTS_MAX,
                "lower the rate or the size, or shorten the duration",
            )
        } else if replicas > REPLICAS_MAX {
            (
                "replicas, with scale events counted in",
                replicas as f64,
                REPLICAS_MAX as f64,
                "use fewer replicas",
            )
        } else if threads > THREADS_MAX {
            ("threads of all replicas", threads as f64, THREADS_MAX as f64, "use fewer threads or replicas")
        } else {
            continue;
        };
        let problem = Problem::new(format!("with this tenant there are {found:.0} {what}"));
        root.fail_at(
            workload,
            problem.accepts(format!("at most {most:.0} over all tenants")).advises(advice),
        );
        return;
    }
}

fn most_replicas(tenant: &Tenant, events: &[Event]) -> u64 {
    let scaled = events.iter().filter_map(|event| match &event.action {
        Action::Scale { target, replicas } if *target == tenant.name => Some(*replicas),
        _ => None,
    });
    u64::from(scaled.fold(tenant.replicas, u32::max))
}

/// Requests, operations, forks or steps of touching of one replica within `left`.
fn expected(workload: &Workload, left: Nanos) -> f64 {
    match workload {
        Workload::Server(server) => expected_requests(server, left),
        Workload::Fork { rate, .. } => rate * left.seconds(),
        Workload::Disk { .. } => {
            FileWork::of(workload).map_or(0.0, |work| work.expected_within(left.seconds()))
        }
        Workload::Network { .. } => NetworkWork::of(workload).map_or(0.0, |work| work.expected()),
        Workload::Memory { .. } => left.0 as f64 / leak::STEP_NS as f64,
        Workload::Command { like: Some(like), .. } => expected(like, left),
        Workload::Phases(phases) => {
            phases.iter().map(|phase| expected(&phase.workload, span(phase, left))).sum()
        }
        _ => 0.0,
    }
}

fn span(phase: &Phase, left: Nanos) -> Nanos {
    phase.lasts.map_or(left, |lasts| lasts.min(left))
}

fn expected_requests(server: &Server, left: Nanos) -> f64 {
    let mean = server.arrivals.rate * left.seconds();
    match server.arrivals.process {
        // The first burst comes at once, however low the rate.
        ArrivalProcess::Burst { size } => mean + f64::from(size),
        _ => mean,
    }
}
