//! What a tenant weighs before its workload touches anything.
//!
//! **Law.** A tenant's memory groups are charged for it being there. A process: the pages that it wrote to (its text is the
//! file's, and charged to whoever read that first), its page tables, a kernel stack and structures for each thread, and
//! its groups; and for as long as it starts what the image before `execve` left to be freed after a grace period (RCU). With
//! namespaces: the kernel's structures of each. With a root of its own: the copies of files on it, and their inodes. A guest:
//! every page of its memory that firmware, kernel and init have touched, and what its monitor holds beside it. Each further
//! thread adds its stacks and structures.
//! **Source.** Linux `mm/memcontrol.c` (`charge_memcg`, `__memcg_kmem_charge_page`, `mem_cgroup_css_alloc`),
//! `include/linux/gfp_types.h` (`GFP_KERNEL_ACCOUNT`); how much it is of each only the machine can say: the calibration.
//! **Judge.** `tests/tests/density.rs`: as many as the machine at hand takes in.

use catamaran_scenario::calibration::MemoryCosts;
use catamaran_scenario::{Calibration, Platform};

use super::is_container;
use super::vm::Guest;

/// What each tenant of a run weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Charged for a tenant with one thread (bytes).
    one_bytes: u64,
    /// Charged for each further thread (bytes).
    thread_bytes: u64,
    /// What of that is charged above the tenant's own group: that group itself (bytes).
    pub(crate) group_bytes: u64,
    /// Charged beside that while it starts (bytes).
    pub(crate) start_bytes: u64,
    /// What of all that is charged where it was cloned, before its program runs elsewhere (bytes).
    pub(crate) cloned_bytes: u64,
    /// Cores on which a tenant with one thread is charged.
    one_core: u64,
    /// Weight for the out-of-memory killer (bytes).
    pub(crate) rss_bytes: u64,
    /// Kernels beneath the tenant's own, with page tables of their own.
    pub(crate) kernels_beneath: u64,
    /// What of all that is not used, so that what is touched lies there first (bytes).
    pub(crate) reserve_bytes: u64,
    /// What of it is the same in each tenant, and is looked for (bytes).
    pub(crate) alike_bytes: u64,
}

/// What was measured of a tenant on a platform; a container that somebody else made weighs as ours does.
fn weighed(platform: Platform, costs: &MemoryCosts) -> Option<u64> {
    let own = costs.tenant_bytes.get(&platform);
    let ours = || costs.tenant_bytes.get(&Platform::Container).filter(|_| is_container(platform));
    own.or_else(ours).copied()
}

/// What a tenant is charged on the core on which the launcher clones it, where that sits in the tenant's own group: what any
/// clone is charged (stack, records, page tables, copied pages: the worker's own children are as small), and what the launcher
/// makes for it on this platform, namespaces or a root. The clone goes on elsewhere, as the launcher keeps this core busy
/// (`sched_exec`).
fn cloned_bytes(platform: Platform, calibration: &Calibration, costs: &MemoryCosts) -> u64 {
    let inherits = [Platform::BareMetal, Platform::Chroot, Platform::Namespaces].contains(&platform);
    let Some(fork) = calibration.fork.filter(|_| inherits) else { return 0 };
    let weight = |platform| costs.tenant_bytes.get(&platform).copied();
    let bare = weight(Platform::BareMetal).unwrap_or(costs.worker_bytes);
    fork.child_bytes + weight(platform).unwrap_or(bare).saturating_sub(bare)
}

impl Footprint {
    /// On a platform; in a guest the threads are the guest's own affair.
    pub(crate) fn of(
        platform: Platform,
        calibration: &Calibration,
        costs: &MemoryCosts,
        guest: Option<&Guest>,
    ) -> Self {
        // Version 2 has a process born in its group (`CLONE_INTO_CGROUP`): it waits for nobody.
        let waits = platform == Platform::Cgroups && calibration.machine.cgroup_version == 1;
        match guest {
            Some(guest) => Self {
                one_bytes: guest.charged_bytes,
                thread_bytes: 0,
                group_bytes: 0,
                start_bytes: 0,
                cloned_bytes: 0,
                one_core: 1,
                rss_bytes: guest.idle_bytes,
                kernels_beneath: 1,
                reserve_bytes: guest.reserve_bytes,
                alike_bytes: guest.alike_bytes,
            },
            None => Self {
                one_bytes: weighed(platform, costs).unwrap_or(costs.worker_bytes),
                thread_bytes: costs.thread_bytes,
                group_bytes: costs.group_bytes,
                // What the image before `execve` had is charged to whoever waits where it came from.
                start_bytes: if waits { 0 } else { costs.start_bytes },
                cloned_bytes: cloned_bytes(platform, calibration, costs),
                one_core: if waits { 2 } else { 1 },
                rss_bytes: costs.worker_rss_bytes,
                kernels_beneath: 0,
                reserve_bytes: 0,
                alike_bytes: 0,
            },
        }
    }

    /// Cores on which a tenant with so many threads is charged, where the machine has as many. A process that waits until
    /// somebody has put it into its groups wakes up on another than the one it was born on. A thread is born on the core
    /// with the least to do (`sched_balance_find_dst_group`). What it needs is charged where its parent runs, who makes it
    /// (`copy_process`, and the pages on which a C library begins a stack), but for records that are charged by the byte:
    /// each core keeps a page for those of its own (`obj_stock`), so that the first thread on a core takes one there
    /// (`refill_obj_stock`), and with it a whole stock (decision 0560).
    pub(crate) fn cores(&self, threads: u64) -> u64 {
        self.one_core.max(threads)
    }

    /// Charged to the own group of a tenant with so many threads (bytes).
    pub(crate) fn own_bytes(&self, threads: u64) -> u64 {
        self.bytes(threads).saturating_sub(self.group_bytes)
    }

    /// Charged for a tenant with so many threads (bytes).
    pub(crate) fn bytes(&self, threads: u64) -> u64 {
        self.one_bytes + threads.saturating_sub(1) * self.thread_bytes
    }
}
