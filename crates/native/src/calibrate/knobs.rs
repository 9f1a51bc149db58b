//! The kernel scheduler's knobs: read where the kernel shows them, else by the rule of its source for this version.
//!
//! Rules, all of `kernel/sched/fair.c`: `sysctl_sched_base_slice` is 0.70 ms since commit 2ae891b82695 (6.15; stable
//! 6.14.9, 6.12.31, 6.6.93) and was 0.75 ms before; CFS had `sched_latency` 6 ms, `sched_min_granularity` 0.75 ms and
//! `sched_wakeup_granularity` 1 ms; all are multiplied by 1 + floor(log2(min(CPUs, 8)))
//! (`get_update_sysctl_factor`); `sysctl_sched_migration_cost` is 0.5 ms. EEVDF came with 6.6, `DELAY_DEQUEUE` with
//! 6.12, `PICK_BUDDY` with 6.14 (commit 2a77e4be12cb), throttling by task with 6.18;
//! a running entity is placed anew when its weight changes from 6.13 (commit 6d71a9c61604) to 6.19 (101f3498b4bd).

use std::fs;
use std::path::Path;

use catamaran_scenario::calibration::SchedulerKnobs;
use catamaran_scenario::plan::Scheduler;

use crate::machine;

/// Where a mounted debugfs shows the scheduler; often it is not mounted, or locked down.
const DEBUG: &str = "/sys/kernel/debug/sched";

/// The knobs of this machine; `hz` and `run_delay_includes_throttled` were measured.
pub(crate) fn read(hz: u32, run_delay_includes_throttled: bool) -> SchedulerKnobs {
    let release = machine::kernel_release();
    let rules = Rules::of(&release, machine::cpus_online());
    let debug = |name: &str| number(&Path::new(DEBUG).join(name));
    let sysctl = |name: &str| number(&Path::new("/proc/sys/kernel").join(name));
    SchedulerKnobs {
        kind: rules.kind,
        hz,
        base_slice_ns: debug("base_slice_ns")
            .or_else(|| debug("min_granularity_ns"))
            .unwrap_or(rules.base_slice_ns),
        latency_ns: debug("latency_ns").unwrap_or(rules.latency_ns),
        wakeup_granularity_ns: debug("wakeup_granularity_ns").unwrap_or(rules.wakeup_granularity_ns),
        autogroup: sysctl("sched_autogroup_enabled") == Some(1),
        bandwidth_slice_ns: sysctl("sched_cfs_bandwidth_slice_us").unwrap_or(5000) * 1000,
        migration_cost_ns: debug("migration_cost_ns").unwrap_or(500_000),
        throttle_by_task: rules.throttle_by_task,
        delay_dequeue: rules.delay_dequeue,
        pick_buddy: rules.pick_buddy,
        places_running: rules.places_running,
        run_delay_includes_throttled,
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// What follows from the version and the number of CPUs.
#[derive(Debug, PartialEq, Eq)]
struct Rules {
    kind: Scheduler,
    base_slice_ns: u64,
    latency_ns: u64,
    wakeup_granularity_ns: u64,
    throttle_by_task: bool,
    delay_dequeue: bool,
    pick_buddy: bool,
    places_running: bool,
}

impl Rules {
    fn of(release: &str, cpus: u32) -> Self {
        let version = machine::kernel_version(release);
        let eevdf = version >= (6, 6);
        let factor = u64::from(1 + cpus.clamp(1, 8).ilog2());
        let patch = machine::kernel_patch(release);
        let short_slice = version >= (6, 15)
            || (version == (6, 14) && patch >= 9)
            || (version == (6, 12) && patch >= 31)
            || (version == (6, 6) && patch >= 93);
        Self {
            kind: if eevdf { Scheduler::Eevdf } else { Scheduler::Cfs },
            base_slice_ns: if short_slice { 700_000 } else { 750_000 } * factor,
            latency_ns: 6_000_000 * factor,
            wakeup_granularity_ns: 1_000_000 * factor,
            throttle_by_task: version >= (6, 18),
            delay_dequeue: version >= (6, 12),
            pick_buddy: version >= (6, 14),
            places_running: ((6, 13)..(7, 0)).contains(&version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_by_release_and_cpus() {
        let table = [
            ("6.18.44-fc", 2, Scheduler::Eevdf, 1_400_000, [true, true, true, true]),
            ("6.12.30", 8, Scheduler::Eevdf, 3_000_000, [false, true, false, false]),
            ("6.12.31-amd64", 4, Scheduler::Eevdf, 2_100_000, [false, true, false, false]),
            ("6.8.0-60-generic", 1, Scheduler::Eevdf, 750_000, [false, false, false, false]),
            ("6.1.0-30-amd64", 64, Scheduler::Cfs, 3_000_000, [false, false, false, false]),
        ];
        for (release, cpus, kind, base_slice_ns, features) in table {
            let rules = Rules::of(release, cpus);
            let has = [rules.throttle_by_task, rules.delay_dequeue, rules.pick_buddy, rules.places_running];
            assert_eq!((rules.kind, rules.base_slice_ns), (kind, base_slice_ns), "{release} on {cpus}");
            assert_eq!(has, features, "{release}");
        }
    }
}
