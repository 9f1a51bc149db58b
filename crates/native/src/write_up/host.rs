//! The row of the machine as a whole.

use catamaran_report::Report;
use catamaran_report::report::TenantReport;
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::leak::Leak;
use catamaran_scenario::plan::{Tenant, Workload};
use catamaran_scenario::{fork_work, network_work};

use super::Outcome;
use crate::guard::number;
use crate::platform::NO_GROUPS;
use crate::program;

/// Why a platform costs nothing itself.
const NO_PROCESS: &str = "the platform has no process of its own";

/// Why it is not known what an engine holds.
const NO_SHARES: &str = "the kernel does not tell what the engine's processes hold (/proc/PID/smaps_rollup, CONFIG_PROC_PAGE_MONITOR)";
/// What an engine holds besides.
const NOT_THE_KERNELS: &str = "what daemons, shims and monitors held at the common start, shared pages by their share; \
                               what the kernel keeps for them is not in it, nor the engine's store";

impl Outcome<'_> {
    pub(super) fn fill_host(&self, report: &mut Report) {
        let cpu_s: f64 = report.tenants.iter().filter_map(|tenant| tenant.cpu_s).sum();
        let (turns, turning_s) = self.turns(&report.tenants);
        let capacity_s = report.elapsed_s * f64::from(self.plan.host().cores);
        let host = &mut report.host;
        host.cpu_utilisation = Some(cpu_s / capacity_s).filter(|share| share.is_finite());
        host.turns_per_cpu_s = Some(turns / turning_s).filter(|speed| speed.is_finite() && *speed > 0.0);
        host.steal = self.steal;
        // A trial beside somebody else's work measures that work as well.
        let engine_s = self.engine_time.map_or(0.0, |time| time.here_ns as f64 / 1e9);
        let others = (self.busy_s - cpu_s - engine_s).max(0.0) / capacity_s;
        host.others = Some(others).filter(|share| share.is_finite());
        host.memory_peak_bytes = number(self.guard.cgroup.guard_memory_peak().as_ref());
        if self.guard.cgroup.version() == 0 {
            host.explain_absence("host.memory", format!("{NO_GROUPS}: the tenants' memory is not bounded"));
            if self.plan.host().disk.is_some() {
                host.explain_absence("host.disk", format!("{NO_GROUPS}: the tenants' disk is not bounded"));
            }
        }
        host.overhead_cpu_s = self.engine_time.map(|time| time.all_ns as f64 / 1e9);
        let no_cpu_time = match self.has_engine {
            false => NO_PROCESS,
            true => "cpu and cpuacct are mounted together: the engine's time is in `others`",
        };
        host.overhead_memory_bytes = self.engine_bytes;
        match (self.has_engine, self.engine_bytes) {
            (false, _) => host.explain_absence("overhead_memory_bytes", NO_PROCESS),
            (true, None) => host.explain_absence("overhead_memory_bytes", NO_SHARES),
            (true, Some(_)) => host.explain_absence("overhead_memory_bytes.kernel", NOT_THE_KERNELS),
        }
        let reasons = [
            ("overhead_cpu_s", host.overhead_cpu_s.is_none(), no_cpu_time),
            ("cpu_utilisation", host.cpu_utilisation.is_none(), "the run took no time"),
            ("turns_per_cpu_s", host.turns_per_cpu_s.is_none(), "no tenant made a turn"),
            ("steal", host.steal.is_none(), "no clock tick passed"),
            ("others", host.others.is_none(), "the run took no time"),
            ("memory_peak_bytes", host.memory_peak_bytes.is_none(), "no memory controller"),
        ];
        for (field, absent, reason) in reasons {
            if absent {
                host.explain_absence(field, reason);
            }
        }
    }

    /// Turns made, and the CPU time that they took (s): all of those tenants that do nothing else but turns.
    fn turns(&self, rows: &[TenantReport]) -> (f64, f64) {
        // Whoever waits for a spin lock uses CPU time and makes no turns.
        let spins = |workload: &Workload| matches!(workload, Workload::Compute { lock: Some(_), .. });
        let no_turns = |workload: &Workload| {
            Leak::of(workload).is_some()
                || FileWork::of(workload).is_some()
                || fork_work::forks(workload)
                || program::is_one(workload)
                || spins(workload)
        };
        let touches = |tenant: &Tenant| match &tenant.workload {
            Workload::Phases(phases) => phases.iter().any(|phase| no_turns(&phase.workload)),
            workload => no_turns(workload),
        };
        let plans = self.plan.instances().filter_map(|(index, _)| self.plan.tenants().get(index));
        let talks = |tenant: &Tenant| {
            let index = self.plan.tenants().iter().position(|other| other.name == tenant.name);
            network_work::talks(&tenant.workload)
                || index.is_some_and(|index| network_work::serves(self.plan, index))
        };
        let turning = rows.iter().zip(plans).filter(|(_, plan)| !touches(plan) && !talks(plan));
        let turning = turning.map(|(row, _)| row);
        let figures = turning.filter_map(|row| Some((row.turns?, row.cpu_s?)));
        figures.fold((0.0, 0.0), |sum, row| (sum.0 + row.0, sum.1 + row.1))
    }
}
