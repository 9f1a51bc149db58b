//! From `process` of a configuration, or of `exec`, to what the process inside becomes.

use catamaran_oci_init::order::{MemoryPolicy, Process, Rlimit, Scheduling};
use oci_spec::runtime::{self, IOPriorityClass, Linux, LinuxSchedulerFlag, LinuxSchedulerPolicy, Scheduler};

use super::text;
use crate::capabilities::{self, Grantable};
use crate::{Problem, Warning, check, seccomp};

/// Highest CPU or node number that is taken: more than any kernel has.
const BITS_MAX: usize = 1 << 16;

/// What a process becomes. `sets_groups`: whether it may set its groups.
pub(crate) fn of(
    process: &runtime::Process,
    sets_groups: bool,
    grantable: Grantable,
    warnings: &mut Vec<Warning>,
) -> Result<Process, Problem> {
    let user = process.user();
    let wanted = process.capabilities().clone();
    let sets = match wanted {
        Some(wanted) => {
            let (sets, left_out) = capabilities::sets(&wanted, grantable);
            warnings.extend(left_out);
            sets
        }
        // Nothing is asked for, nothing is given.
        None => catamaran_oci_init::capability::Sets::default(),
    };
    let additional = user.additional_gids().clone().unwrap_or_default();
    let affinity = process.exec_cpu_affinity().as_ref();
    let cpus = |list: Option<&String>, at: &str| list.map(|list| bits(list, at)).transpose();
    Ok(Process {
        terminal: process.terminal().unwrap_or(false),
        console_size: process.console_size().map(|size| (clamp(size.height()), clamp(size.width()))),
        uid: user.uid(),
        gid: user.gid(),
        groups: (sets_groups || !additional.is_empty()).then_some(additional),
        umask: user.umask().map(|mask| mask & 0o777),
        args: process.args().clone().unwrap_or_default(),
        env: process.env().clone().unwrap_or_default(),
        cwd: text(process.cwd(), "process.cwd")?,
        capabilities: Some(sets),
        rlimits: process.rlimits().iter().flatten().map(rlimit).collect(),
        no_new_privileges: process.no_new_privileges().unwrap_or(false),
        apparmor: filled(process.apparmor_profile()),
        selinux: filled(process.selinux_label()),
        io_priority: process.io_priority().as_ref().map(io_priority).transpose()?,
        scheduling: process.scheduler().as_ref().map(scheduling).transpose()?,
        affinity: (
            cpus(affinity.and_then(|one| one.initial().as_ref()), "process.execCPUAffinity.initial")?,
            cpus(
                affinity.and_then(|one| one.cpu_affinity_final().as_ref()),
                "process.execCPUAffinity.final",
            )?,
        ),
        ..Process::default()
    })
}

/// What the table `linux` says of every process of the container.
pub(crate) fn of_linux(
    process: &mut Process,
    linux: &Linux,
    warnings: &mut Vec<Warning>,
) -> Result<(), Problem> {
    if let Some(filter) = linux.seccomp() {
        let (filter, left_out) = seccomp::compile(filter)?;
        warnings.extend(left_out);
        process.filter = Some(filter);
    }
    process.personality = linux.personality().as_ref().map(|persona| match persona.domain() {
        runtime::LinuxPersonalityDomain::PerLinux => 0,
        // `PER_LINUX32` (linux/personality.h).
        runtime::LinuxPersonalityDomain::PerLinux32 => 8,
    });
    process.memory_policy = linux.memory_policy().as_ref().map(memory_policy).transpose()?;
    Ok(())
}

/// What this runtime can give: everything in a user namespace of the container's own, what it has itself otherwise.
pub(crate) fn grantable(has_user: bool) -> Result<Grantable, Problem> {
    let read = |what: &str| {
        std::fs::read_to_string(what).map_err(|error| Problem::system(format!("read {what}"), error))
    };
    let last = read("/proc/sys/kernel/cap_last_cap")?.trim().parse().unwrap_or(63);
    if has_user {
        return Ok(Grantable::new(last, u64::MAX));
    }
    let status = read("/proc/self/status")?;
    let set = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
    };
    Ok(Grantable::new(last, set("CapPrm:") & set("CapBnd:")))
}

fn filled(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

fn clamp(cells: u64) -> u16 {
    u16::try_from(cells).unwrap_or(u16::MAX)
}

fn rlimit(limit: &runtime::PosixRlimit) -> Rlimit {
    use runtime::PosixRlimitType as Kind;
    // Numbers of asm-generic/resource.h.
    let resource = match limit.typ() {
        Kind::RlimitCpu => 0,
        Kind::RlimitFsize => 1,
        Kind::RlimitData => 2,
        Kind::RlimitStack => 3,
        Kind::RlimitCore => 4,
        Kind::RlimitRss => 5,
        Kind::RlimitNproc => 6,
        Kind::RlimitNofile => 7,
        Kind::RlimitMemlock => 8,
        Kind::RlimitAs => 9,
        Kind::RlimitLocks => 10,
        Kind::RlimitSigpending => 11,
        Kind::RlimitMsgqueue => 12,
        Kind::RlimitNice => 13,
        Kind::RlimitRtprio => 14,
        Kind::RlimitRttime => 15,
    };
    Rlimit { resource, soft: limit.soft(), hard: limit.hard() }
}

/// Value for ioprio_set(2).
fn io_priority(wanted: &runtime::LinuxIOPriority) -> Result<i32, Problem> {
    let class = match wanted.class() {
        IOPriorityClass::IoprioClassRt => 1,
        IOPriorityClass::IoprioClassBe => 2,
        IOPriorityClass::IoprioClassIdle => 3,
    };
    let level = i32::try_from(wanted.priority()).ok().filter(|level| (0..8).contains(level));
    let level = level.ok_or_else(|| {
        Problem::config("process.ioPriority.priority", wanted.priority().to_string(), "takes 0 to 7")
    })?;
    Ok(class << 13 | level)
}

fn scheduling(wanted: &Scheduler) -> Result<Scheduling, Problem> {
    // Numbers of linux/sched.h.
    let policy = match wanted.policy() {
        LinuxSchedulerPolicy::SchedOther => 0,
        LinuxSchedulerPolicy::SchedFifo => 1,
        LinuxSchedulerPolicy::SchedRr => 2,
        LinuxSchedulerPolicy::SchedBatch => 3,
        LinuxSchedulerPolicy::SchedIso => 4,
        LinuxSchedulerPolicy::SchedIdle => 5,
        LinuxSchedulerPolicy::SchedDeadline => 6,
    };
    let flag = |flag: &LinuxSchedulerFlag| match flag {
        LinuxSchedulerFlag::SchedResetOnFork => 0x01,
        LinuxSchedulerFlag::SchedFlagReclaim => 0x02,
        LinuxSchedulerFlag::SchedFlagDLOverrun => 0x04,
        LinuxSchedulerFlag::SchedFlagKeepPolicy => 0x08,
        LinuxSchedulerFlag::SchedFlagKeepParams => 0x10,
        LinuxSchedulerFlag::SchedFlagUtilClampMin => 0x20,
        LinuxSchedulerFlag::SchedFlagUtilClampMax => 0x40,
    };
    let priority = wanted.priority().unwrap_or(0);
    Ok(Scheduling {
        policy,
        flags: wanted.flags().iter().flatten().map(flag).fold(0, |all, one| all | one),
        nice: wanted.nice().unwrap_or(0),
        priority: u32::try_from(priority).map_err(|_| {
            Problem::config(
                "process.scheduler.priority",
                priority.to_string(),
                "takes 0, or 1 to 99 of SCHED_FIFO and SCHED_RR",
            )
        })?,
        runtime_ns: wanted.runtime().unwrap_or(0),
        deadline_ns: wanted.deadline().unwrap_or(0),
        period_ns: wanted.period().unwrap_or(0),
    })
}

fn memory_policy(wanted: &runtime::LinuxMemoryPolicy) -> Result<MemoryPolicy, Problem> {
    use runtime::{MemoryPolicyFlagType as Flag, MemoryPolicyModeType as Mode};
    // Numbers of linux/mempolicy.h.
    let mode = match wanted.mode() {
        Mode::MpolDefault => 0,
        Mode::MpolPreferred => 1,
        Mode::MpolBind => 2,
        Mode::MpolInterleave => 3,
        Mode::MpolLocal => 4,
        Mode::MpolPreferredMany => 5,
        Mode::MpolWeightedInterleave => 6,
    };
    let flag = |flag: &Flag| match flag {
        Flag::MpolFStaticNodes => 1 << 15,
        Flag::MpolFRelativeNodes => 1 << 14,
        Flag::MpolFNumaBalancing => 1 << 13,
    };
    let flags = wanted.flags().iter().flatten().map(flag).fold(0, |all, one| all | one);
    let nodes = filled(wanted.nodes()).map(|nodes| bits(&nodes, "linux.memoryPolicy.nodes")).transpose()?;
    Ok(MemoryPolicy { mode: mode | flags, nodes: nodes.unwrap_or_default() })
}

/// A list such as `0-3,7` as bits.
fn bits(list: &str, at: &str) -> Result<Vec<u64>, Problem> {
    let wrong = || Problem::config(at, format!("{list:?}"), "takes numbers and ranges such as 0-3,7");
    let mut words = Vec::new();
    for range in check::cpu_list(list).ok_or_else(wrong)? {
        let last = *range.end() as usize;
        if last >= BITS_MAX {
            return Err(wrong());
        }
        if words.len() <= last / 64 {
            words.resize(last / 64 + 1, 0);
        }
        for bit in range {
            if let Some(word) = words.get_mut(bit as usize / 64) {
                *word |= 1_u64 << (bit % 64);
            }
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_bits() {
        assert_eq!(bits("0-3,7", "x"), Ok(vec![0b1000_1111]));
        assert_eq!(bits("64", "x"), Ok(vec![0, 1]));
        for list in ["a", "3-1", "0-", "-1", "65536", "0-99999999999999999999"] {
            assert!(bits(list, "x").is_err(), "{list}");
        }
    }
}
