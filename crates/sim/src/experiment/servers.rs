//! How many servers a plan needs so that everybody is answered in time.
//!
//! **Law.** Tenants, each with all its replicas, go to servers like `host`, the heaviest first, each to the one that has the
//! least load so far (longest processing time first). The load of a server is its rate times its mean demand, that of
//! computing its threads, at most the cores of a machine; other work has none. There are as many servers as are needed for
//! the simulation to hold the service level: each tenant's 95th percentile of latency within the bound, no request failed, nobody
//! killed. They are tried one by one, up to one for each tenant: more help nobody, because a tenant is not split.
//! **Source.** Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17 (1969): no such placement loads a
//! server by more than 4/3 of what the best one would. **Judge.** Placements by hand; M/M/1, whose percentiles are known.

use catamaran_report::report::{Report, TenantReport, TenantState};
use catamaran_report::{Metric, RunError};
use catamaran_scenario::plan::{Tenant, Workload};
use catamaran_scenario::{Calibration, Plan, Platform};

use super::{Model, simulate};
use crate::{Options, ServersNeeded};

pub(crate) fn servers_needed(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
    p95_s: f64,
) -> Result<Option<ServersNeeded>, RunError> {
    let loads: Vec<f64> = plan.tenants().iter().map(|tenant| load(tenant, plan.host().cores)).collect();
    for servers in 1..=loads.len() as u32 {
        let places = dealt(&loads, servers);
        let Some(placed) = plan.placed(servers, &places) else { break };
        let report = simulate(&placed, platform, calibration, &Options::default(), Model::Exact)?.report;
        if holds(&report, p95_s) {
            return Ok(Some(ServersNeeded { servers, places, report }));
        }
    }
    Ok(None)
}

/// Cores that a tenant keeps busy on a machine without bounds.
fn load(tenant: &Tenant, cores: u32) -> f64 {
    f64::from(tenant.replicas) * of_workload(&tenant.workload, cores)
}

fn of_workload(workload: &Workload, cores: u32) -> f64 {
    match workload {
        Workload::Compute { threads, .. } => f64::from((*threads).min(cores)),
        Workload::Server(server) => server.arrivals.rate * server.service.cpu.seconds(),
        Workload::Phases(phases) => {
            phases.iter().map(|phase| of_workload(&phase.workload, cores)).fold(0.0, f64::max)
        }
        Workload::Command { like: Some(like), .. } => of_workload(like, cores),
        _ => 0.0,
    }
}

/// The server of each tenant.
fn dealt(loads: &[f64], servers: u32) -> Vec<u32> {
    let mut heaviest_first: Vec<(usize, f64)> = loads.iter().copied().enumerate().collect();
    // Stable, so that of equals the first of the file comes first.
    heaviest_first.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut places = vec![0; loads.len()];
    let mut on: Vec<(u32, f64)> = (0..servers).map(|server| (server, 0.0)).collect();
    for (tenant, load) in heaviest_first {
        let least = on.iter_mut().min_by(|one, other| one.1.total_cmp(&other.1));
        if let (Some(server), Some(place)) = (least, places.get_mut(tenant)) {
            *place = server.0;
            server.1 += load;
        }
    }
    places
}

/// Whether everybody was answered in time.
fn holds(report: &Report, p95_s: f64) -> bool {
    let in_time = |tenant: &TenantReport| match &tenant.requests {
        Some(requests) if requests.sent > 0 => {
            requests.failed == 0 && Metric::LatencyP95.of(tenant).is_some_and(|p95| p95 <= p95_s)
        }
        _ => true,
    };
    report.tenants.iter().all(|tenant| tenant.state != TenantState::OomKilled && in_time(tenant))
}

#[cfg(test)]
mod tests {
    use super::dealt;

    #[test]
    fn the_heaviest_come_first_each_to_the_least_loaded() {
        let table: [(&[f64], u32, &[u32]); 5] = [
            (&[0.5, 0.5], 1, &[0, 0]),
            (&[0.1, 0.9, 0.5], 2, &[1, 0, 1]),
            // Graham's worst case for two: 3 and 3 against 2, 2 and 2, of which the best placement has 6 and 6.
            (&[3.0, 3.0, 2.0, 2.0, 2.0], 2, &[0, 1, 0, 1, 0]),
            (&[0.0, 0.0, 0.0], 3, &[0, 0, 0]),
            (&[0.2, 0.2, 0.2], 3, &[0, 1, 2]),
        ];
        for (loads, servers, places) in table {
            assert_eq!(dealt(loads, servers), places, "{loads:?} on {servers}");
        }
    }
}
