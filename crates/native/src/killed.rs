//! Who was killed for memory, by what the kernel counted: the worker's end by signal 9 and its own group's counter. The
//! counter alone would not do, for a child may be killed and its parent live; nor would the signal, which anybody may send.

use catamaran_report::report::{EventRow, TenantReport, TenantState};
use catamaran_scenario::plan::Tenant;

/// How a process that was killed ended, as the launcher says it.
const KILLED: &str = "signal 9";
/// Below its bound by less than this (bytes), a group's peak was at it: the kernel charges a core's stock of 64 pages at
/// once where there is room (`MEMCG_CHARGE_BATCH`).
const NEAR_BYTES: u64 = 64 * 4096;

/// The end of a tenant that was killed for memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OomKill {
    /// When that was heard of (ns from the origin).
    pub(crate) at_ns: u64,
    /// Whether its own limit was reached, and not the guard's.
    pub(crate) by_own_limit: bool,
}

impl OomKill {
    /// Whether and how the tenant of `row`, whose figures are in, was killed for memory; `ended` says how it ended and when.
    pub(crate) fn find(
        row: &TenantReport,
        plan: &Tenant,
        limited: bool,
        ended: Option<(&str, u64)>,
    ) -> Option<Self> {
        let (how, at_ns) = ended?;
        if how != KILLED || row.oom_kills.unwrap_or(0) == 0 {
            return None;
        }
        let limit = plan.memory.limit.filter(|_| limited);
        let reached =
            limit.zip(row.memory_peak_bytes).is_some_and(|(limit, peak)| peak + NEAR_BYTES >= limit.0);
        Some(Self { at_ns, by_own_limit: reached })
    }

    /// Sets the row's state, end and error.
    pub(crate) fn note(&self, row: &mut TenantReport) {
        row.state = TenantState::OomKilled;
        row.finished_s = Some(self.at_ns as f64 / 1e9);
        let why = if self.by_own_limit {
            "its memory.limit was reached"
        } else {
            "host.memory was full, and of all tenants it had the greatest badness (an OOM inside of the guard's control \
             group, which looks for its victim as that of a whole machine does)"
        };
        row.error = Some(format!("killed for memory: {why}; its figures are its last sample"));
    }

    /// What happened to a tenant of that label on that machine, in two rows from the index `first` on.
    pub(crate) fn events(&self, label: &str, machine: &str, first: usize) -> [EventRow; 2] {
        let at_s = self.at_ns as f64 / 1e9;
        let bound = if self.by_own_limit { label } else { machine };
        let row = |what: &str, target: &str, because| EventRow {
            at_s,
            actor: "kernel".into(),
            what: what.into(),
            target: target.into(),
            because,
            bytes: None,
        };
        let cause = u32::try_from(first).ok();
        [row("out-of-memory", bound, None), row("oom-kill", label, cause)]
    }
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::Plan;

    use super::*;

    #[test]
    fn a_kill_for_memory_is_told_from_other_ends() {
        let text = "schema = \"catamaran/scenario/v1\"\nname = \"k\"\nduration = \"1s\"\nplatforms = [\"cgroups\"]\n\
                    [[tenant]]\nname = \"x\"\nmemory = { limit = \"64MiB\" }\nworkload = { kind = \"idle\" }\n";
        let plan = Plan::from_toml(text, "killed.rs").unwrap();
        let (tenant, limit) = (&plan.tenants()[0], 64 << 20);
        for (what, kills, peak, limited, how, expected) in [
            ("its own limit", 1, limit, true, Some("signal 9"), Some(true)),
            ("less a stock of pages", 1, limit - 4096, true, Some("signal 9"), Some(true)),
            ("the guard's", 1, limit / 2, true, Some("signal 9"), Some(false)),
            ("no limit applies", 1, limit, false, Some("signal 9"), Some(false)),
            ("somebody's signal", 0, limit, true, Some("signal 9"), None),
            ("a child was killed", 1, limit, true, Some("0"), None),
            ("still at work", 1, limit, true, None, None),
        ] {
            let mut row = TenantReport::blank("x", 0);
            (row.oom_kills, row.memory_peak_bytes) = (Some(kills), Some(peak));
            let found = OomKill::find(&row, tenant, limited, how.map(|how| (how, 5)));
            assert_eq!(found.as_ref().map(|kill| kill.by_own_limit), expected, "{what}");
            if let Some(kill) = found {
                kill.note(&mut row);
                assert_eq!((row.state, row.finished_s), (TenantState::OomKilled, Some(5e-9)));
                let [out, killed] = kill.events("x", "node-1", 4);
                let host = if kill.by_own_limit { "x" } else { "node-1" };
                assert_eq!(
                    (out.target.as_str(), killed.target.as_str(), killed.because),
                    (host, "x", Some(4))
                );
            }
        }
    }
}
