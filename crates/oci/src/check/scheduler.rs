//! How the process is scheduled (config.md, "Linux Process": `scheduler`, `ioPriority`, `execCPUAffinity`, `oomScoreAdj`).

use oci_spec::runtime::{LinuxIOPriority, LinuxSchedulerPolicy as Policy, Process, Scheduler};

use super::cpu_list::cpu_list;
use super::{Found, refuse};

pub(super) fn check(process: &Process) -> Found {
    if let Some(scheduler) = process.scheduler() {
        check_scheduler(scheduler)?;
    }
    if let Some(priority) = process.io_priority() {
        check_io_priority(priority)?;
    }
    if let Some(affinity) = process.exec_cpu_affinity() {
        for (field, list) in [("initial", affinity.initial()), ("final", affinity.cpu_affinity_final())] {
            let list = list.as_deref().unwrap_or_default();
            if cpu_list(list).is_none() {
                refuse(
                    format!("process.execCPUAffinity.{field}"),
                    format!("{list:?}"),
                    "CPUs, as in `0-3,7`",
                )?;
            }
        }
    }
    match process.oom_score_adj() {
        // proc_pid_oom_score_adj(5).
        Some(score) if !(-1000..=1000).contains(&score) => {
            refuse("process.oomScoreAdj", score.to_string(), "-1000 to 1000")
        }
        _ => Ok(()),
    }
}

/// What sched_setattr(2) would refuse, and fields of another policy, which it would ignore; runc refuses them too.
fn check_scheduler(scheduler: &Scheduler) -> Found {
    const AT: &str = "process.scheduler";
    let policy = *scheduler.policy();
    if policy == Policy::SchedIso {
        refuse(format!("{AT}.policy"), policy.to_string(), "no kernel has it; choose another")?;
    }
    if let Some(nice) = scheduler.nice().filter(|nice| !(-20..=19).contains(nice)) {
        refuse(format!("{AT}.nice"), nice.to_string(), "-20 to 19")?;
    }
    let priority = scheduler.priority().unwrap_or(0);
    let real_time = matches!(policy, Policy::SchedFifo | Policy::SchedRr);
    if real_time && !(1..=99).contains(&priority) {
        refuse(format!("{AT}.priority"), priority.to_string(), format!("{policy} takes 1 to 99"))?;
    }
    if !real_time && priority != 0 {
        refuse(
            format!("{AT}.priority"),
            priority.to_string(),
            "only SCHED_FIFO and SCHED_RR have priorities",
        )?;
    }
    check_deadline(scheduler, policy)
}

/// sched(7): runtime ≤ deadline ≤ period, the runtime at least 1024 ns.
fn check_deadline(scheduler: &Scheduler, policy: Policy) -> Found {
    const SHORTEST: u64 = 1024;
    const AT: &str = "process.scheduler";
    let [runtime, deadline, period] =
        [scheduler.runtime(), scheduler.deadline(), scheduler.period()].map(|one| one.unwrap_or(0));
    if policy != Policy::SchedDeadline {
        if [runtime, deadline, period] != [0; 3] {
            refuse(AT, "runtime, deadline or period", "only SCHED_DEADLINE has them")?;
        }
        return Ok(());
    }
    let period = if period == 0 { deadline } else { period };
    if runtime < SHORTEST || runtime > deadline || deadline > period {
        let found = format!("runtime {runtime}, deadline {deadline}, period {period} (ns)");
        refuse(AT, found, format!("{SHORTEST} ≤ runtime ≤ deadline ≤ period"))?;
    }
    Ok(())
}

fn check_io_priority(priority: &LinuxIOPriority) -> Found {
    let level = priority.priority();
    if (0..=7).contains(&level) {
        return Ok(());
    }
    refuse(
        "process.ioPriority.priority",
        level.to_string(),
        "\"an integer ranging from 0 (highest) to 7 (lowest)\"",
    )
}
