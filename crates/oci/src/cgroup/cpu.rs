//! `linux.resources.cpu`: weight, bandwidth, real-time budget, CPUs and memory nodes.

use oci_spec::runtime::LinuxCpu;
use rustix::io::Errno;

use super::Manager;
use super::apply::{Control, ONLY_V1};
use super::hierarchy::Version;
use crate::Problem;

const SHARES: &str = "linux.resources.cpu.shares";
const QUOTA: &str = "linux.resources.cpu.quota";
const PERIOD: &str = "linux.resources.cpu.period";
const BURST: &str = "linux.resources.cpu.burst";
const IDLE: &str = "linux.resources.cpu.idle";
const RUNTIME: &str = "linux.resources.cpu.realtimeRuntime";
const RT_PERIOD: &str = "linux.resources.cpu.realtimePeriod";

/// Least and most shares that the kernel takes of version 1.
const SHARES_BOUNDS: (u64, u64) = (2, 262_144);
/// Most weight that it takes of version 2.
const WEIGHT_MAX: u64 = 10_000;

pub(super) fn apply(manager: &Manager, cpu: &LinuxCpu) -> Result<(), Problem> {
    real_time(manager, cpu)?;
    bandwidth(manager, cpu)?;
    let idle = |value: i64| manager.controller("cpu", IDLE)?.set(IDLE, "cpu.idle", value);
    // A group of SCHED_IDLE takes no weight: it has to be given one before, or stop to be idle first.
    if cpu.idle() == Some(0) {
        idle(0)?;
    }
    if let Some(shares) = cpu.shares().filter(|shares| *shares != 0) {
        weigh(&manager.controller("cpu", SHARES)?, shares)?;
    }
    if let Some(value) = cpu.idle().filter(|value| *value != 0) {
        idle(value)?;
    }
    for (at, file, list) in [
        ("linux.resources.cpu.cpus", "cpuset.cpus", cpu.cpus()),
        ("linux.resources.cpu.mems", "cpuset.mems", cpu.mems()),
    ] {
        if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
            manager.controller("cpuset", at)?.set(at, file, list)?;
        }
    }
    Ok(())
}

fn weigh(control: &Control, shares: u64) -> Result<(), Problem> {
    if control.version == Version::V2 {
        return control.set(SHARES, "cpu.weight", weight(shares));
    }
    control.set(SHARES, "cpu.shares", shares)?;
    // The kernel takes any number, and keeps the nearest that it allows.
    match control.figure("cpu.shares") {
        Some(kept) if kept != shares => Err(Problem::config(
            SHARES,
            shares.to_string(),
            format!("the kernel takes {} to {}", SHARES_BOUNDS.0, SHARES_BOUNDS.1),
        )),
        _ => Ok(()),
    }
}

/// `cpu.weight` of shares: quadratic in the logarithm, so that the default of version 1 (1024) becomes that of version 2
/// (100). runc since 1.3.2 and crun since 1.23 convert so (decision 1220).
fn weight(shares: u64) -> u64 {
    let (least, most) = SHARES_BOUNDS;
    if shares <= least {
        return 1;
    }
    if shares >= most {
        return WEIGHT_MAX;
    }
    let log = (shares as f64).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    (10_f64.powf(exponent).ceil() as u64).clamp(1, WEIGHT_MAX)
}

fn bandwidth(manager: &Manager, cpu: &LinuxCpu) -> Result<(), Problem> {
    let quota = cpu.quota().filter(|quota| *quota != 0);
    let period = cpu.period().filter(|period| *period != 0);
    if let (Some(quota), Some(burst)) = (quota, cpu.burst())
        && quota > 0
        && burst > quota as u64
    {
        return Err(Problem::config(BURST, burst.to_string(), format!("at most the quota, {quota} (µs)")));
    }
    if quota.is_none() && period.is_none() && cpu.burst().is_none() {
        return Ok(());
    }
    let at = if quota.is_some() {
        QUOTA
    } else if period.is_some() {
        PERIOD
    } else {
        BURST
    };
    let control = manager.controller("cpu", at)?;
    match control.version {
        Version::V1 => bandwidth_v1(&control, quota, period, cpu.burst()),
        Version::V2 => bandwidth_v2(&control, quota, period, cpu.burst()),
    }
}

/// Each file is checked against what stands in the others and in the groups above: a value that does not fit before the
/// quota may fit after it.
fn bandwidth_v1(
    control: &Control,
    quota: Option<i64>,
    period: Option<u64>,
    burst: Option<u64>,
) -> Result<(), Problem> {
    let mut after = Vec::new();
    let before = [(PERIOD, "cpu.cfs_period_us", period), (BURST, "cpu.cfs_burst_us", burst)];
    for (at, file, value) in before.into_iter().filter_map(|(at, file, value)| Some((at, file, value?))) {
        match control.folder.write(file, &value.to_string()) {
            Ok(()) => {}
            Err(Errno::INVAL) if quota.is_some() => after.push((at, file, value)),
            Err(_) => control.set(at, file, value)?,
        }
    }
    if let Some(quota) = quota {
        control.set(QUOTA, "cpu.cfs_quota_us", quota.max(-1))?;
    }
    after.into_iter().try_for_each(|(at, file, value)| control.set(at, file, value))
}

fn bandwidth_v2(
    control: &Control,
    quota: Option<i64>,
    period: Option<u64>,
    burst: Option<u64>,
) -> Result<(), Problem> {
    const FILE: &str = "cpu.max.burst";
    let before = match burst {
        Some(burst) if quota.is_some() => control.folder.write(FILE, &burst.to_string()) != Err(Errno::INVAL),
        _ => false,
    };
    let quota = quota.map(|quota| if quota < 0 { "max".to_owned() } else { quota.to_string() });
    match (quota, period) {
        // A period left out stays as it is.
        (Some(quota), None) => control.set(QUOTA, "cpu.max", quota)?,
        (Some(quota), Some(period)) => control.set(QUOTA, "cpu.max", format!("{quota} {period}"))?,
        (None, Some(period)) => {
            let now = control.folder.read("cpu.max").unwrap_or_default();
            let quota = now.split_ascii_whitespace().next().unwrap_or("max");
            control.set(PERIOD, "cpu.max", format!("{quota} {period}"))?;
        }
        (None, None) => {}
    }
    match burst {
        Some(burst) if !before => control.set(BURST, FILE, burst),
        _ => Ok(()),
    }
}

fn real_time(manager: &Manager, cpu: &LinuxCpu) -> Result<(), Problem> {
    let runtime = cpu.realtime_runtime().filter(|runtime| *runtime != 0);
    let period = cpu.realtime_period().filter(|period| *period != 0);
    let control = |at, value: String| {
        let control = manager.controller("cpu", at)?;
        match control.version {
            Version::V1 => Ok(control),
            Version::V2 => Err(Problem::config(at, value, ONLY_V1)),
        }
    };
    if let Some(period) = period {
        control(RT_PERIOD, period.to_string())?.set(RT_PERIOD, "cpu.rt_period_us", period)?;
    }
    if let Some(runtime) = runtime {
        control(RUNTIME, runtime.to_string())?.set(RUNTIME, "cpu.rt_runtime_us", runtime)?;
    }
    Ok(())
}
