//! What both backends need to put a report together.

use std::collections::BTreeMap;

use catamaran_scenario::{Plan, Platform};

use crate::cost;
use crate::report::{BackendKind, HostReport, Identity, Report, SCHEMA, TenantReport, TenantState};

impl Report {
    /// A report of `plan` with nothing in it yet: every tenant [blank](TenantReport::blank), in the order of
    /// `Plan::instances`.
    #[must_use]
    pub fn blank(
        plan: &Plan,
        platform: Platform,
        backend: BackendKind,
        trial: u32,
        identity: Identity,
    ) -> Self {
        let tenants = plan
            .instances()
            .filter_map(|(index, replica)| {
                plan.tenants().get(index).map(|tenant| TenantReport::blank(&tenant.name, replica))
            })
            .collect();
        Self {
            schema: SCHEMA.into(),
            scenario: plan.name().into(),
            platform,
            backend,
            seed: plan.seed(),
            trial,
            elapsed_s: 0.0,
            tenants,
            host: HostReport {
                reference_servers: cost::reference_servers(plan.host()),
                ..HostReport::blank()
            },
            isolation: Vec::new(),
            processes: Vec::new(),
            samples: None,
            events: Vec::new(),
            identity,
        }
    }

    /// Paths of figures that are unknown without a reason in `absent`: a defect of the backend that made the report.
    #[must_use]
    pub fn unexplained(&self) -> Vec<String> {
        let host = self.host.unexplained().into_iter().map(|field| format!("host.{field}"));
        let tenants = self.tenants.iter().flat_map(|tenant| {
            tenant.unexplained().into_iter().map(|field| format!("tenant.{}.{field}", tenant.label()))
        });
        host.chain(tenants).collect()
    }
}

impl TenantReport {
    /// A tenant that never started and of which nothing is known.
    #[must_use]
    pub fn blank(name: &str, replica: u32) -> Self {
        Self {
            name: name.into(),
            replica,
            state: TenantState::Pending,
            startup_s: None,
            startup_stages: Vec::new(),
            finished_s: None,
            cpu_s: None,
            waited_s: None,
            throttled_s: None,
            throttled_periods: None,
            stolen_s: None,
            throughput_per_s: None,
            requests: None,
            memory_peak_bytes: None,
            oom_kills: None,
            restarts: None,
            disk_bytes: None,
            network_bytes: None,
            turns: None,
            absent: BTreeMap::new(),
            error: None,
        }
    }

    /// Says why `field` (its name in the JSON) is `null`.
    pub fn explain_absence(&mut self, field: &str, reason: impl Into<String>) {
        self.absent.insert(field.into(), reason.into());
    }

    /// `name`, or `name/replica` from the second replica on, as in [`Series::tenant`](crate::report::Series::tenant).
    #[must_use]
    pub fn label(&self) -> String {
        if self.replica == 0 { self.name.clone() } else { format!("{}/{}", self.name, self.replica) }
    }

    fn unexplained(&self) -> Vec<&'static str> {
        let fields = [
            ("startup_s", self.startup_s.is_none()),
            ("finished_s", self.finished_s.is_none()),
            ("cpu_s", self.cpu_s.is_none()),
            ("waited_s", self.waited_s.is_none()),
            ("throttled_s", self.throttled_s.is_none()),
            ("throttled_periods", self.throttled_periods.is_none()),
            ("stolen_s", self.stolen_s.is_none()),
            ("throughput_per_s", self.throughput_per_s.is_none()),
            ("requests", self.requests.is_none()),
            ("memory_peak_bytes", self.memory_peak_bytes.is_none()),
            ("oom_kills", self.oom_kills.is_none()),
            ("restarts", self.restarts.is_none()),
            ("disk_bytes", self.disk_bytes.is_none()),
            ("network_bytes", self.network_bytes.is_none()),
            ("turns", self.turns.is_none()),
        ];
        without_reason(&fields, &self.absent)
    }
}

impl HostReport {
    /// A host of which nothing is known.
    #[must_use]
    pub fn blank() -> Self {
        Self {
            cpu_utilisation: None,
            memory_peak_bytes: None,
            overhead_memory_bytes: None,
            overhead_cpu_s: None,
            turns_per_cpu_s: None,
            steal: None,
            others: None,
            nodes: None,
            reference_servers: None,
            absent: BTreeMap::new(),
        }
    }

    /// Says why `field` (its name in the JSON) is `null`.
    pub fn explain_absence(&mut self, field: &str, reason: impl Into<String>) {
        self.absent.insert(field.into(), reason.into());
    }

    fn unexplained(&self) -> Vec<&'static str> {
        let fields = [
            ("cpu_utilisation", self.cpu_utilisation.is_none()),
            ("memory_peak_bytes", self.memory_peak_bytes.is_none()),
            ("overhead_memory_bytes", self.overhead_memory_bytes.is_none()),
            ("overhead_cpu_s", self.overhead_cpu_s.is_none()),
            ("turns_per_cpu_s", self.turns_per_cpu_s.is_none()),
            ("steal", self.steal.is_none()),
            ("others", self.others.is_none()),
        ];
        without_reason(&fields, &self.absent)
    }
}

fn without_reason(fields: &[(&'static str, bool)], reasons: &BTreeMap<String, String>) -> Vec<&'static str> {
    fields
        .iter()
        .filter(|(name, unknown)| *unknown && !reasons.contains_key(*name))
        .map(|(name, _)| *name)
        .collect()
}
