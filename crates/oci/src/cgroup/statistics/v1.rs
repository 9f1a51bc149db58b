//! Figures of version 1, controller by controller.

use super::super::Folder;
use super::text::{figure, figures, keyed, list};
use super::{Cpuset, Hugetlb, MemoryEntry, Statistics, block, sizes_of_pages};

/// Length of a tick of `cpuacct.stat` (ns): `USER_HZ` is 100 on every architecture but Alpha.
const TICK_NS: u64 = 10_000_000;

/// Adds what a group tells of one of its controllers.
pub(super) fn add(statistics: &mut Statistics, controller: &str, folder: &Folder) {
    match controller {
        "cpu" => throttling(statistics, folder),
        "cpuacct" => usage(statistics, folder),
        "cpuset" => statistics.cpuset = cpuset(folder),
        "memory" => memory(statistics, folder),
        "pids" => {
            statistics.pids.current = figure(folder, "pids.current");
            statistics.pids.limit =
                Some(figure(folder, "pids.max")).filter(|max| *max != u64::MAX).unwrap_or(0);
        }
        "blkio" => statistics.blkio = block::v1(folder),
        "hugetlb" => {
            for size in sizes_of_pages(folder, ".usage_in_bytes") {
                let of = |what: &str| figure(folder, &format!("hugetlb.{size}.{what}"));
                let pages = Hugetlb {
                    usage: of("usage_in_bytes"),
                    max: of("max_usage_in_bytes"),
                    failcnt: of("failcnt"),
                };
                statistics.hugetlb.insert(size, pages);
            }
        }
        _ => {}
    }
}

fn throttling(statistics: &mut Statistics, folder: &Folder) {
    let stat = keyed(folder, "cpu.stat");
    let of = |key| stat.get(key).copied().unwrap_or(0);
    let throttling = &mut statistics.cpu.throttling;
    throttling.periods = of("nr_periods");
    throttling.throttled_periods = of("nr_throttled");
    throttling.throttled_time = of("throttled_time");
}

fn usage(statistics: &mut Statistics, folder: &Folder) {
    let stat = keyed(folder, "cpuacct.stat");
    let of = |key| stat.get(key).copied().unwrap_or(0).saturating_mul(TICK_NS);
    let usage = &mut statistics.cpu.usage;
    usage.total = figure(folder, "cpuacct.usage");
    (usage.user, usage.kernel) = (of("user"), of("system"));
    usage.percpu = figures(&folder.read("cpuacct.usage_percpu").unwrap_or_default());
    // A line of names, then one for each CPU: its number, user, system.
    for line in folder.read("cpuacct.usage_all").unwrap_or_default().lines().skip(1) {
        if let [_, user, kernel] = figures(line).as_slice() {
            usage.percpu_user.push(*user);
            usage.percpu_kernel.push(*kernel);
        }
    }
}

fn cpuset(folder: &Folder) -> Cpuset {
    let of = |file: &str| figure(folder, &format!("cpuset.{file}"));
    let numbers = |file| list(&folder.read(file).unwrap_or_default());
    let level = folder.read("cpuset.sched_relax_domain_level").unwrap_or_default();
    Cpuset {
        cpus: numbers("cpuset.cpus"),
        cpu_exclusive: of("cpu_exclusive"),
        mems: numbers("cpuset.mems"),
        mem_hardwall: of("mem_hardwall"),
        mem_exclusive: of("mem_exclusive"),
        memory_migrate: of("memory_migrate"),
        memory_spread_page: of("memory_spread_page"),
        memory_spread_slab: of("memory_spread_slab"),
        memory_pressure: of("memory_pressure"),
        sched_load_balance: of("sched_load_balance"),
        sched_relax_domain_level: level.trim().parse().unwrap_or(0),
    }
}

fn memory(statistics: &mut Statistics, folder: &Folder) {
    let of = |kind: &str| {
        let of = |what: &str| figure(folder, &format!("memory{kind}.{what}"));
        MemoryEntry {
            limit: of("limit_in_bytes"),
            usage: of("usage_in_bytes"),
            max: of("max_usage_in_bytes"),
            failcnt: of("failcnt"),
        }
    };
    let memory = &mut statistics.memory;
    (memory.usage, memory.swap) = (of(""), of(".memsw"));
    (memory.kernel, memory.kernel_tcp) = (of(".kmem"), of(".kmem.tcp"));
    memory.raw = keyed(folder, "memory.stat");
    memory.cache = memory.raw.get("cache").copied().unwrap_or(0);
}
