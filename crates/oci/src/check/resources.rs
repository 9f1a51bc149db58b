//! Limits of the cgroup (config-linux.md, "Control groups" and what follows).

use oci_spec::runtime::{
    LinuxCpu, LinuxDeviceCgroup, LinuxDeviceType, LinuxHugepageLimit, LinuxMemory, LinuxResources,
};

use super::cpu_list::cpu_list;
use super::{Facts, Found, block_io, devices, refuse, sorted};

const AT: &str = "linux.resources";

pub(super) fn check(resources: &LinuxResources, facts: &Facts) -> Found {
    for (place, rule) in resources.devices().iter().flatten().enumerate() {
        check_device(rule, &format!("{AT}.devices[{place}]"))?;
    }
    if let Some(memory) = resources.memory() {
        check_memory(memory)?;
    }
    if let Some(cpu) = resources.cpu() {
        check_cpu(cpu)?;
    }
    if let Some(block_io) = resources.block_io() {
        block_io::check(block_io)?;
    }
    for (place, limit) in resources.hugepage_limits().iter().flatten().enumerate() {
        check_hugepages(limit, facts, &format!("{AT}.hugepageLimits[{place}]"))?;
    }
    for (device, limits) in resources.rdma().iter().flat_map(sorted) {
        if limits.hca_handles().is_none() && limits.hca_objects().is_none() {
            let accepted = "\"You MUST specify at least one of the `hcaHandles` or `hcaObjects`\"";
            refuse(format!("{AT}.rdma.{device}"), "neither", accepted)?;
        }
    }
    check_unified(resources, facts)
}

/// "Allowed Device list". -1 is every number, as engines write it.
fn check_device(rule: &LinuxDeviceCgroup, at: &str) -> Found {
    if let Some(kind @ (LinuxDeviceType::U | LinuxDeviceType::P)) = rule.typ() {
        refuse(format!("{at}.type"), kind.as_str(), "`a`, `c` or `b`")?;
    }
    let numbers = [("major", rule.major(), devices::LARGEST.0), ("minor", rule.minor(), devices::LARGEST.1)];
    for (field, number, largest) in numbers {
        if let Some(number) = number.filter(|number| *number != -1) {
            devices::number(number, largest, &format!("{at}.{field}"))?;
        }
    }
    let access = rule.access().as_deref().unwrap_or_default();
    if access.chars().any(|one| !"rwm".contains(one)) {
        refuse(
            format!("{at}.access"),
            format!("{access:?}"),
            "\"A composition of `r` (read), `w` (write), and `m` (mknod)\"",
        )?;
    }
    Ok(())
}

fn check_memory(memory: &LinuxMemory) -> Found {
    let at = |field: &str| format!("{AT}.memory.{field}");
    for (field, bytes) in
        [("limit", memory.limit()), ("reservation", memory.reservation()), ("swap", memory.swap())]
    {
        if let Some(bytes) = bytes.filter(|bytes| *bytes < -1) {
            refuse(at(field), bytes.to_string(), "bytes, \"or `-1` for unlimited memory\"")?;
        }
    }
    if let Some(swappiness) = memory.swappiness().filter(|value| *value > 100) {
        refuse(at("swappiness"), swappiness.to_string(), "\"The values are from 0 to 100\"")?;
    }
    let limit = memory.limit().unwrap_or(0);
    if let Some(swap) = memory.swap().filter(|swap| *swap > 0 && (limit <= 0 || limit > *swap)) {
        // It is the sum of both: `memory.memsw.limit_in_bytes` may not be below `memory.limit_in_bytes`.
        refuse(
            at("swap"),
            swap.to_string(),
            "the limit of memory and swap together: at least `limit`, which must be set",
        )?;
    }
    Ok(())
}

/// `kernel/sched/core.c`, `tg_set_cfs_bandwidth`: a quota of at least 1 ms, a period of 1 ms to 1 s.
fn check_cpu(cpu: &LinuxCpu) -> Found {
    const SHORTEST_US: u64 = 1000;
    const LONGEST_US: u64 = 1_000_000;
    let at = |field: &str| format!("{AT}.cpu.{field}");
    if let Some(period) = cpu.period().filter(|us| *us != 0 && !(SHORTEST_US..=LONGEST_US).contains(us)) {
        refuse(at("period"), period.to_string(), format!("{SHORTEST_US} to {LONGEST_US} µs"))?;
    }
    let quota = cpu.quota().and_then(|us| u64::try_from(us).ok()).filter(|us| *us > 0);
    if let Some(quota) = quota.filter(|us| *us < SHORTEST_US) {
        refuse(at("quota"), quota.to_string(), format!("at least {SHORTEST_US} µs, or -1 for no limit"))?;
    }
    if let (Some(quota), Some(burst)) = (quota, cpu.burst())
        && burst > quota
    {
        refuse(
            at("burst"),
            burst.to_string(),
            format!("it \"MUST be no larger than any positive `quota`\", {quota}"),
        )?;
    }
    if let Some(idle) = cpu.idle().filter(|idle| !(0..=1).contains(idle)) {
        refuse(at("idle"), idle.to_string(), "\"0: default behavior, 1: SCHED_IDLE\"")?;
    }
    for (field, list) in [("cpus", cpu.cpus()), ("mems", cpu.mems())] {
        let list = list.as_deref().unwrap_or_default();
        if cpu_list(list).is_none() {
            refuse(at(field), format!("{list:?}"), "numbers and ranges, as in `0-3,7`")?;
        }
    }
    Ok(())
}

fn check_hugepages(limit: &LinuxHugepageLimit, facts: &Facts, at: &str) -> Found {
    let size = limit.page_size();
    let digits = ["KB", "MB", "GB"].iter().find_map(|unit| size.strip_suffix(unit)).unwrap_or_default();
    let formed =
        !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !formed {
        refuse(format!("{at}.pageSize"), format!("{size:?}"), "\"`<size><unit-prefix>B` (64KB, 2MB, 1GB)\"")?;
    }
    if !facts.hugepage_sizes.contains(size) {
        let has =
            if facts.hugepage_sizes.is_empty() { "none".to_owned() } else { facts.hugepage_sizes.join(", ") };
        refuse(format!("{at}.pageSize"), size.as_str(), format!("huge pages of this machine: {has}"))?;
    }
    if limit.limit() < 0 {
        refuse(format!("{at}.limit"), limit.limit().to_string(), "bytes")?;
    }
    Ok(())
}

/// "Unified": each key is a file's name.
fn check_unified(resources: &LinuxResources, facts: &Facts) -> Found {
    let Some(unified) = resources.unified().as_ref().filter(|unified| !unified.is_empty()) else {
        return Ok(());
    };
    if !facts.unified {
        let accepted =
            "files of cgroup v2, which this machine does not use; set the fields of the controllers";
        refuse(format!("{AT}.unified"), "set", accepted)?;
    }
    match sorted(unified)
        .into_iter()
        .find(|(key, _)| key.is_empty() || key.contains('/') || matches!(*key, "." | ".."))
    {
        None => Ok(()),
        Some((key, _)) => {
            refuse(format!("{AT}.unified"), format!("{key:?}"), "the name of a file, without `/`")
        }
    }
}
