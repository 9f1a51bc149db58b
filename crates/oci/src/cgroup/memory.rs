//! `linux.resources.memory`. Sizes are bytes, -1 is no limit, 0 is "not given".
//!
//! In version 1 the limit of memory and swap together may never be below that of memory, so the order of the two writes
//! depends on where they come from. Version 2 bounds swap by itself.

use oci_spec::runtime::LinuxMemory;
use rustix::io::Errno;

use super::Manager;
use super::apply::{Control, ONLY_V1};
use super::hierarchy::Version;
use crate::Problem;

const LIMIT: &str = "linux.resources.memory.limit";
const SWAP: &str = "linux.resources.memory.swap";
const RESERVATION: &str = "linux.resources.memory.reservation";
const KERNEL: &str = "linux.resources.memory.kernel";
const KERNEL_TCP: &str = "linux.resources.memory.kernelTCP";
const SWAPPINESS: &str = "linux.resources.memory.swappiness";
const NO_OOM_KILLER: &str = "linux.resources.memory.disableOOMKiller";
const HIERARCHY: &str = "linux.resources.memory.useHierarchy";
const CHECK: &str = "linux.resources.memory.checkBeforeUpdate";

const MEMORY_V1: &str = "memory.limit_in_bytes";
const BOTH_V1: &str = "memory.memsw.limit_in_bytes";
const KERNEL_V1: &str = "memory.kmem.limit_in_bytes";
const MAX: &str = "memory.max";
const SWAP_MAX: &str = "memory.swap.max";

/// What is given of the sizes.
#[derive(Debug, Clone, Copy, Default)]
struct Sizes {
    limit: Option<i64>,
    swap: Option<i64>,
    reservation: Option<i64>,
    kernel: Option<i64>,
    kernel_tcp: Option<i64>,
}

pub(super) fn apply(manager: &Manager, memory: &LinuxMemory) -> Result<(), Problem> {
    let given = |value: Option<i64>| value.filter(|value| *value != 0);
    let sizes = Sizes {
        limit: given(memory.limit()),
        swap: given(memory.swap()),
        reservation: given(memory.reservation()),
        kernel: given(memory.kernel()),
        kernel_tcp: given(memory.kernel_tcp()),
    };
    let Some(at) = first(memory, &sizes) else { return Ok(()) };
    checked(memory, &sizes)?;
    let control = manager.controller("memory", at)?;
    match control.version {
        Version::V1 => v1(&control, memory, &sizes),
        Version::V2 => v2(&control, memory, &sizes),
    }
}

/// The first value that asks for something.
fn first(memory: &LinuxMemory, sizes: &Sizes) -> Option<&'static str> {
    let asked = [
        (LIMIT, sizes.limit.is_some()),
        (SWAP, sizes.swap.is_some()),
        (RESERVATION, sizes.reservation.is_some()),
        (KERNEL, sizes.kernel.is_some()),
        (KERNEL_TCP, sizes.kernel_tcp.is_some()),
        (SWAPPINESS, memory.swappiness().is_some()),
        (NO_OOM_KILLER, memory.disable_oom_killer() == Some(true)),
        (HIERARCHY, memory.use_hierarchy() == Some(true)),
    ];
    asked.into_iter().find(|(_, asked)| *asked).map(|(at, _)| at)
}

/// Refuses what no version takes.
fn checked(memory: &LinuxMemory, sizes: &Sizes) -> Result<(), Problem> {
    let all = [
        (LIMIT, sizes.limit),
        (SWAP, sizes.swap),
        (RESERVATION, sizes.reservation),
        (KERNEL, sizes.kernel),
        (KERNEL_TCP, sizes.kernel_tcp),
    ];
    if let Some((at, Some(value))) = all.into_iter().find(|(_, value)| value.is_some_and(|value| value < -1))
    {
        return Err(Problem::config(at, value.to_string(), "a number of bytes, or -1 for no limit"));
    }
    if let (Some(limit), Some(swap)) = (sizes.limit, sizes.swap)
        && swap != -1
        && (limit == -1 || swap < limit)
    {
        let accepted = format!("memory and swap together: at least the limit of memory ({limit}), or -1");
        return Err(Problem::config(SWAP, swap.to_string(), accepted));
    }
    match memory.swappiness() {
        Some(swappiness) if swappiness > 100 => {
            Err(Problem::config(SWAPPINESS, swappiness.to_string(), "0 to 100"))
        }
        _ => Ok(()),
    }
}

fn v1(control: &Control, memory: &LinuxMemory, sizes: &Sizes) -> Result<(), Problem> {
    limits_v1(control, sizes)?;
    if let Some(reservation) = sizes.reservation {
        control.set(RESERVATION, "memory.soft_limit_in_bytes", reservation)?;
    }
    match sizes.kernel {
        // Kernels without such a limit, as from 5.16 to 6.6, have none to be lifted.
        Some(-1) => drop(control.folder.write(KERNEL_V1, "-1")),
        Some(kernel) => control.set(KERNEL, KERNEL_V1, kernel)?,
        None => {}
    }
    if let Some(tcp) = sizes.kernel_tcp {
        control.set(KERNEL_TCP, "memory.kmem.tcp.limit_in_bytes", tcp)?;
    }
    if memory.use_hierarchy() == Some(true) {
        control.set(HIERARCHY, "memory.use_hierarchy", 1)?;
    }
    if let Some(swappiness) = memory.swappiness() {
        control.set(SWAPPINESS, "memory.swappiness", swappiness)?;
    }
    if memory.disable_oom_killer() == Some(true) {
        control.set(NO_OOM_KILLER, "memory.oom_control", 1)?;
    }
    Ok(())
}

fn limits_v1(control: &Control, sizes: &Sizes) -> Result<(), Problem> {
    // Without any limit of memory there is none of both together either, unless one is given.
    let freed = (sizes.limit == Some(-1) && control.folder.has(BOTH_V1)).then_some(-1);
    let swap = sizes.swap.or(freed);
    let set_limit = |limit: Option<i64>| match limit {
        Some(limit) => control.set_with(LIMIT, MEMORY_V1, limit, |errno| too_little(control, errno)),
        None => Ok(()),
    };
    let set_swap = |swap: Option<i64>| swap.map_or(Ok(()), |swap| control.set(SWAP, BOTH_V1, swap));
    // Raised: the sum first, as memory may not pass it.
    let raised = match (sizes.limit, swap) {
        (Some(_), Some(-1)) => true,
        (Some(_), Some(swap)) => control.figure(MEMORY_V1).is_some_and(|now| now < swap as u64),
        _ => false,
    };
    if raised {
        set_swap(swap)?;
        set_limit(sizes.limit)
    } else {
        set_limit(sizes.limit)?;
        set_swap(swap)
    }
}

/// What EBUSY means of a limit.
fn too_little(control: &Control, errno: Errno) -> Option<String> {
    let used = control.figure("memory.usage_in_bytes").filter(|_| errno == Errno::BUSY)?;
    let peak = control.figure("memory.max_usage_in_bytes").unwrap_or(used);
    Some(format!(
        "the container uses more and it can't be reclaimed (now {used} bytes, at most {peak} so far)"
    ))
}

fn v2(control: &Control, memory: &LinuxMemory, sizes: &Sizes) -> Result<(), Problem> {
    let no_counterpart = [
        (KERNEL, sizes.kernel.filter(|size| *size > 0).map(|size| size.to_string())),
        (KERNEL_TCP, sizes.kernel_tcp.filter(|size| *size > 0).map(|size| size.to_string())),
        (SWAPPINESS, memory.swappiness().map(|swappiness| swappiness.to_string())),
        (NO_OOM_KILLER, memory.disable_oom_killer().filter(|disable| *disable).map(|_| "true".to_owned())),
    ];
    if let Some((at, Some(value))) = no_counterpart.into_iter().find(|(_, value)| value.is_some()) {
        return Err(Problem::config(at, value, ONLY_V1));
    }
    if let Some(limit) = sizes.limit.filter(|_| memory.check_before_update() == Some(true)) {
        let used = control.figure("memory.current").unwrap_or(0);
        if limit >= 0 && (limit as u64) < used {
            let accepted = format!("at least what the container uses now ({used} bytes), as {CHECK} is set");
            return Err(Problem::config(LIMIT, limit.to_string(), accepted));
        }
    }
    let words = |bytes: i64| if bytes < 0 { "max".to_owned() } else { bytes.to_string() };
    if let Some(swap) = swap_v2(control, sizes)? {
        let swap = words(swap);
        // Without swap in the kernel there is none to be bounded.
        if control.folder.has(SWAP_MAX) || !["max", "0"].contains(&swap.as_str()) {
            control.set(SWAP, SWAP_MAX, swap)?;
        }
    }
    if let Some(limit) = sizes.limit {
        control.set(LIMIT, MAX, words(limit))?;
    }
    match sizes.reservation {
        Some(reservation) => control.set(RESERVATION, "memory.low", words(reservation)),
        None => Ok(()),
    }
}

/// Swap alone, out of memory and swap together.
fn swap_v2(control: &Control, sizes: &Sizes) -> Result<Option<i64>, Problem> {
    let limit = sizes.limit.or_else(|| i64::try_from(control.figure(MAX)?).ok());
    match (sizes.swap, limit) {
        (None, _) => Ok((sizes.limit == Some(-1)).then_some(-1)),
        (Some(-1), _) => Ok(Some(-1)),
        (Some(both), Some(limit)) if limit >= 0 && both >= limit => Ok(Some(both - limit)),
        (Some(both), limit) => {
            let limit = limit.map_or("no limit".to_owned(), |limit| limit.to_string());
            let accepted =
                format!("at least the limit of memory ({limit}): give linux.resources.memory.limit too");
            Err(Problem::config(SWAP, both.to_string(), accepted))
        }
    }
}
