//! Figures of version 2, in the fields of version 1.

use super::super::Folder;
use super::text::{figure, keyed, list, pressure};
use super::{Hugetlb, MemoryEntry, Statistics, block, sizes_of_pages};

/// Adds what a group tells, which is nothing of controllers that it has not got: files of theirs are not there.
pub(super) fn add(statistics: &mut Statistics, folder: &Folder) {
    if folder.has("cpu.stat") {
        cpu(statistics, folder);
    }
    if folder.has("cpuset.cpus.effective") {
        statistics.cpuset.cpus = list(&folder.read("cpuset.cpus.effective").unwrap_or_default());
        statistics.cpuset.mems = list(&folder.read("cpuset.mems.effective").unwrap_or_default());
    }
    if folder.has("memory.current") {
        memory(statistics, folder);
    }
    if folder.has("pids.current") {
        statistics.pids.current = figure(folder, "pids.current");
        statistics.pids.limit = Some(figure(folder, "pids.max")).filter(|max| *max != u64::MAX).unwrap_or(0);
    }
    if folder.has("io.stat") {
        statistics.blkio = block::v2(folder);
        statistics.blkio.psi = pressure(folder, "io.pressure");
    }
    for size in sizes_of_pages(folder, ".current") {
        let events = keyed(folder, &format!("hugetlb.{size}.events"));
        let usage = figure(folder, &format!("hugetlb.{size}.current"));
        let failcnt = events.get("max").copied().unwrap_or(0);
        statistics.hugetlb.insert(size, Hugetlb { usage, max: 0, failcnt });
    }
}

fn cpu(statistics: &mut Statistics, folder: &Folder) {
    let stat = keyed(folder, "cpu.stat");
    let of = |key| stat.get(key).copied().unwrap_or(0);
    let ns = |key| of(key).saturating_mul(1000);
    let cpu = &mut statistics.cpu;
    // In the hierarchy of a machine with both versions, these are all there is where version 1 tells nothing.
    if cpu.usage.total == 0 {
        (cpu.usage.total, cpu.usage.user, cpu.usage.kernel) =
            (ns("usage_usec"), ns("user_usec"), ns("system_usec"));
    }
    if stat.contains_key("nr_periods") {
        cpu.throttling.periods = of("nr_periods");
        cpu.throttling.throttled_periods = of("nr_throttled");
        cpu.throttling.throttled_time = ns("throttled_usec");
    }
    cpu.psi = pressure(folder, "cpu.pressure");
}

fn memory(statistics: &mut Statistics, folder: &Folder) {
    let of = |kind: &str, events: &str| {
        let of = |what: &str| figure(folder, &format!("memory{kind}.{what}"));
        let failcnt = keyed(folder, events).get("max").copied().unwrap_or(0);
        MemoryEntry { limit: of("max"), usage: of("current"), max: of("peak"), failcnt }
    };
    let memory = &mut statistics.memory;
    memory.usage = of("", "memory.events");
    let swap = of(".swap", "memory.swap.events");
    // Memory and swap together, as in version 1.
    memory.swap = MemoryEntry {
        limit: swap.limit.saturating_add(memory.usage.limit),
        usage: swap.usage.saturating_add(memory.usage.usage),
        max: 0,
        failcnt: swap.failcnt,
    };
    memory.raw = keyed(folder, "memory.stat");
    memory.cache = memory.raw.get("file").copied().unwrap_or(0);
    memory.kernel.usage = memory.raw.get("kernel").copied().unwrap_or(0);
    memory.psi = pressure(folder, "memory.pressure");
}
