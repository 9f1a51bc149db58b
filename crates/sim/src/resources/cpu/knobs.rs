//! The kernel's version and settings as inputs.

/// Which pick the fair class makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// Linux 6.6 on.
    Eevdf {
        /// `DELAY_DEQUEUE` (6.12 on): a sleeper that owes stays queued until its lag is paid.
        delay_dequeue: bool,
        /// `PICK_BUDDY` (6.14 on): a group that is marked as next is picked whatever its deadline, if it is eligible.
        pick_buddy: bool,
        /// An entity whose weight changes while it runs is placed as one that comes (6.13 to 6.19).
        places_running: bool,
    },
    /// Before 6.6.
    Cfs {
        /// `sched_latency_ns`.
        latency: u64,
        /// `sched_wakeup_granularity_ns`.
        wakeup_granularity: u64,
    },
}

/// Settings of the scheduler, all in nanoseconds, after the kernel's scaling by the number of cores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Knobs {
    pub(crate) pick: Pick,
    /// 1 s / CONFIG_HZ.
    pub(crate) tick: u64,
    /// `base_slice_ns`, or CFS's `sched_min_granularity_ns`.
    pub(crate) base_slice: u64,
    /// `sched_cfs_bandwidth_slice_us`.
    pub(crate) bandwidth_slice: u64,
    /// `sched_migration_cost_ns`: a thread that ran this recently counts as cache-hot.
    pub(crate) migration_cost: u64,
    /// A throttled thread is stopped on its own at its return to user mode (6.18 on), not with its whole queue.
    pub(crate) throttle_by_task: bool,
    /// `run_delay` goes on while a thread is throttled.
    pub(crate) run_delay_includes_throttled: bool,
    pub(crate) costs: Costs,
}

/// What scheduling itself costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Costs {
    /// CPU time of a switch to another thread (ns), charged to the one that comes.
    pub(crate) switch: u64,
    /// CPU time of a tick (ns), charged to the one that runs.
    pub(crate) tick: u64,
    /// Speed of a core while all are busy, relative to one busy.
    pub(crate) all_busy_factor: f64,
    /// Share of each core's time that is nobody's here: others have it, or the machine beneath. Who they are and when they
    /// come is not known; the exact model has them come with the ticks.
    pub(crate) taken: f64,
}

impl Costs {
    /// What is taken at a tick (ns).
    pub(super) fn taken_at_tick(&self, tick: u64) -> u64 {
        (self.taken * tick as f64) as u64
    }

    /// Speed of each core while `busy` of `cores` are: between one busy and all busy the model takes a straight line,
    /// since only these two ends are measured.
    pub(crate) fn speed(&self, busy: usize, cores: usize) -> f64 {
        if cores < 2 || busy < 2 {
            return 1.0;
        }
        1.0 - (1.0 - self.all_busy_factor) * (busy - 1) as f64 / (cores - 1) as f64
    }
}
