//! What `catamaran calibrate` measures of processes: a child that the tenants' program forks, which does nothing but sleep.
//!
//! **Law.** A fork takes CPU time of the parent; a refused one does, too, as the kernel asks whether one more is permitted when nearly
//! all of it is made (`cgroup_can_fork` in Linux `kernel/fork.c`, `copy_process`). The child takes some before it sleeps (pages that
//! it writes to are copied) and some for its end, in which it gives all back and tells its parent; reaping it takes some of the parent.
//! Whoever makes a child for a core that idles, or ends while its parent's core idles, interrupts that core, and pays for it
//! (`ttwu_queue`, `__resched_curr` in `kernel/sched/core.c`): on busy cores the same steps take less.

use serde::{Deserialize, Serialize};

/// Forks and their children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForkCosts {
    /// CPU time of the parent for a fork, the child's core being idle (ns).
    pub fork_ns: u64,
    /// CPU time of the parent for a fork that `pids.max` refuses (ns).
    pub refused_ns: u64,
    /// CPU time of a child from its first instruction in the kernel to its sleep, on a core that idled (ns).
    pub start_ns: u64,
    /// CPU time of a child from the end of its sleep to its own end, its parent's core being idle (ns).
    pub exit_ns: u64,
    /// CPU time of the parent for reaping one (ns).
    pub reap_ns: u64,
    /// From a fork to the child's first instruction, and from a child's end to its parent's, on a core that idles (ns).
    pub wakeup_idle_ns: u64,
    /// What a child that sleeps is charged: kernel stack, page tables, copied pages (bytes).
    pub child_bytes: u64,
    /// What steps take where all cores are busy; files of before it was measured have none, and the same as above is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<BusyForkCosts>,
}

/// Forks and their children where nobody has to be woken on a core that idles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusyForkCosts {
    /// CPU time of the parent for a fork (ns).
    pub fork_ns: u64,
    /// CPU time of a child from its first instruction in the kernel to its sleep (ns).
    pub start_ns: u64,
    /// CPU time of a child from the end of its sleep to its own end (ns).
    pub exit_ns: u64,
}

impl ForkCosts {
    /// What steps take where all cores are busy.
    #[must_use]
    pub fn on_busy_cores(&self) -> BusyForkCosts {
        let Self { fork_ns, start_ns, exit_ns, .. } = *self;
        self.busy.unwrap_or(BusyForkCosts { fork_ns, start_ns, exit_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Calibration;

    #[test]
    fn what_busy_cores_cost_is_kept_and_may_be_missing() {
        let mut machine = Calibration::reference();
        let fork = machine.fork.unwrap();
        assert_eq!(fork.on_busy_cores().fork_ns, fork.fork_ns, "the recorded machine was measured without");
        let busy = BusyForkCosts { fork_ns: 3, start_ns: 2, exit_ns: 1 };
        machine.fork = Some(ForkCosts { busy: Some(busy), ..fork });
        let read = Calibration::from_toml(&machine.to_toml(), "host.toml").unwrap();
        assert_eq!(read, machine);
        assert_eq!(read.fork.map(|fork| fork.on_busy_cores()), Some(busy));
    }
}
