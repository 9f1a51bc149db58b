//! Why were forks refused?
//!
//! **Law.** The first refusal is an event, which says whose bound was met: the tenant's own `pids.limit`, or one of the machine.

use super::setting::{self, Advice};
use super::{Facts, Found, Run};

/// What the report calls the event.
const EVENT: &str = "pids-max";

/// Forks that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// When the first of them was (ms of the run).
    pub first_ms: u64,
    /// Forks that were refused.
    pub failed: u64,
    /// Forks that were due.
    pub due: u64,
    /// Children that lived and were reaped.
    pub completed: u64,
    /// The tenant's own bound, where that was met.
    pub limit: Option<u64>,
}

/// Whether forks of a tenant, by its label, were refused.
pub(super) fn were_refused(report: &crate::Report, label: &str) -> bool {
    report.events.iter().any(|event| event.what == EVENT && event.actor == label)
}

pub(super) fn explain(run: &Run<'_>, tenant: usize) -> Option<Found> {
    let (row, planned) = (run.row(tenant)?, run.planned(tenant)?);
    let label = row.label();
    let event = run.report.events.iter().find(|event| event.what == EVENT && event.actor == label)?;
    let forks = row.requests.as_ref()?;
    let own = event.target == label;
    let refused = Refused {
        first_ms: (event.at_s * 1000.0) as u64,
        failed: forks.failed,
        due: forks.sent,
        completed: forks.completed,
        limit: planned.pids_limit.filter(|_| own),
    };
    let advice = refused.limit.and_then(|_| Advice::raise(setting::of(planned, "pids.limit")));
    Some((Facts::Refused(refused), advice))
}
