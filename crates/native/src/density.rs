//! How many copies of one tenant fit into `host.memory`: started one after the other until there is no room for another.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use catamaran_report::RunError;
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::plan::Workload;
use catamaran_scenario::{Plan, Platform, fork_work};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::accept;
use crate::cgroup::charge;
use crate::crowd::Crowd;
use crate::interrupt::Interrupt;
use crate::network;
use crate::problem::Problem;

/// How many fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// On which platform.
    pub platform: Platform,
    /// `host.memory` (bytes).
    pub host_bytes: u64,
    /// What each was charged (bytes), over all that were counted; `None` where memory is not counted.
    pub tenant_bytes: Option<u64>,
    /// What the engine that started them holds itself when they are there (bytes): daemons, shims, monitors, each page by its share.
    /// `None` without an engine, and where the kernel does not tell. It is outside of `host.memory`, but for LXC's monitors.
    pub engine_bytes: Option<u64>,
    /// How many were there.
    pub tenants: u64,
    /// Whether they filled the memory; where not, as many were counted as were asked for, or as came within the plan's
    /// duration.
    pub full: bool,
}

/// Starts copies of the plan's only tenant in a guard of `host.memory` until one of them is killed or can't be started for
/// want of memory, at most `most`, and no longer than
/// the plan's duration. `turns_per_cpu_s` as in [`crate::RunnerOptions`]; `progress` gets how many there are.
///
/// # Errors
/// As a run; [`RunError::Unsupported`] also where the plan has more than one tenant, or swap.
pub fn density(
    plan: &Plan,
    platform: Platform,
    most: u64,
    turns_per_cpu_s: f64,
    interrupted: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(u64),
) -> Result<Count, RunError> {
    crate::clean()?;
    accept::check_but_bounds_in_guests(plan, platform)?;
    check(plan)?;
    let interrupt = Interrupt::new(Arc::clone(interrupted));
    count(plan, platform, most, turns_per_cpu_s, &interrupt, progress).map_err(|problem| problem.on(platform))
}

/// Refuses what is not counted.
fn check(plan: &Plan) -> Result<(), RunError> {
    let any = |is: &dyn Fn(&Workload) -> bool| plan.tenants().iter().any(|tenant| is(&tenant.workload));
    let on_disk = any(&|workload| FileWork::all(workload).next().is_some());
    let (others, work) = ("leave the others out", "take another workload");
    let table = [
        ("tenant", plan.tenants().get(1).is_some(), "more than one kind of tenant", others),
        ("tenant.workload", any(&fork_work::forks), "tenants that fork", work),
        ("tenant.workload", on_disk, "tenants with files", work),
        ("tenant.workload", network::is_used(plan), "tenants that talk", work),
    ];
    let swap = plan.host().swap.0 > 0;
    accept::refuse(swap, "host.swap", "a density with swap", "leave it out")?;
    table.into_iter().try_for_each(|(field, wrong, what, advice)| {
        accept::refuse(wrong, field, &format!("a density of {what}"), advice)
    })
}

/// Descriptors that each copy takes: a handle on its process.
const DESCRIPTORS: u64 = 1;
/// Those that we have beside them.
const DESCRIPTORS_OF_OURS: u64 = 256;

/// Has this process take as many descriptors as so many copies need, as far as it may: the usual bounds are lower.
fn make_room_for_descriptors(most: u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = most.saturating_mul(DESCRIPTORS).saturating_add(DESCRIPTORS_OF_OURS);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let beyond = Rlimit { current: Some(wanted), maximum: maximum.map(|maximum| maximum.max(wanted)) };
    if setrlimit(Resource::Nofile, beyond).is_err() {
        // Where that does not do either, a copy that can't be started says why.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

fn count(
    plan: &Plan,
    platform: Platform,
    most: u64,
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
    progress: &mut dyn FnMut(u64),
) -> Result<Count, Problem> {
    make_room_for_descriptors(most);
    let mut crowd = Crowd::gather(plan, platform, turns_per_cpu_s, interrupt)?;
    let filled = fill(&mut crowd, plan, most, progress);
    let (charged, engine_bytes) = (crowd.charged(), crowd.held_by_engine());
    let is_whole = crowd.is_whole();
    // Whatever came of it: a crowd that is left to itself in a full guard would be a burden to the machine.
    crowd.disperse()?;
    let (tenants, full) = filled?;
    let host_bytes = plan.host().memory.0;
    let charged = charged.map(|bytes| if full && !is_whole { host_bytes } else { bytes });
    let tenant_bytes = charged.filter(|_| tenants > 0).map(|bytes| bytes / tenants);
    Ok(Count { platform, host_bytes, tenant_bytes, engine_bytes, tenants, full })
}

/// Adds one after the other; how many there are, and whether there was no room for another. The first ones end when the plan's
/// duration is over: no more are added then.
fn fill(
    crowd: &mut Crowd<'_>,
    plan: &Plan,
    most: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(u64, bool), Problem> {
    let until = Instant::now() + Duration::from_nanos(plan.duration().0).mul_f64(0.9);
    let mut tenants = 0;
    while tenants < most && (tenants == 0 || Instant::now() < until) {
        if !crowd.join()? {
            if crowd.is_whole() {
                std::thread::sleep(charge::SETTLED);
            }
            return Ok((tenants, true));
        }
        tenants += 1;
        progress(tenants);
    }
    std::thread::sleep(charge::SETTLED);
    Ok((tenants, false))
}

/// Memory of the kernel's own that the plan's only tenant is charged just after its start and no more when it is at rest (bytes).
pub(crate) fn given_back(
    plan: &Plan,
    platform: Platform,
    interrupt: &Interrupt,
) -> Result<Option<u64>, Problem> {
    let mut crowd = Crowd::gather(plan, platform, 1.0, interrupt)?;
    crowd.join()?;
    std::thread::sleep(charge::SETTLED);
    let given_back =
        crowd.kernel_at_start.zip(crowd.kernel()).map(|(start, rest)| start.saturating_sub(rest));
    crowd.disperse()?;
    Ok(given_back)
}

/// What a run's groups are charged for one copy of a tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    pub(crate) platform: Platform,
    /// All of it (bytes).
    pub(crate) bytes: u64,
    /// What of that is charged above the copy's own group: that group itself (bytes).
    pub(crate) group_bytes: u64,
}

/// Weighs `count` copies of the plan's only tenant on each of `platforms`: all are there at the same time, each platform in a
/// guard of its own. Platforms that this machine does not offer are left out.
pub(crate) fn weigh(
    plan: &Plan,
    platforms: &[Platform],
    count: u64,
    interrupt: &Interrupt,
) -> Result<Vec<Weight>, Problem> {
    let mut crowds = Vec::new();
    for &platform in platforms {
        let mut crowd = match Crowd::gather(plan, platform, 1.0, interrupt) {
            Err(Problem::Unavailable(why, _)) => {
                tracing::debug!(%platform, why, "tenants are not weighed");
                continue;
            }
            gathered => gathered?,
        };
        while (crowd.len() as u64) < count {
            if !crowd.join()? {
                let what = format!("{count} idle tenants do not fit into {} MiB", plan.host().memory.0 >> 20);
                return Err(Problem::new(what, "this is a defect of catamaran"));
            }
        }
        crowds.push((platform, crowd));
    }
    std::thread::sleep(charge::SETTLED);
    let weight = |(platform, crowd): &(Platform, Crowd<'_>)| {
        let (bytes, group_bytes) = (crowd.charged()? / count, crowd.charged_beside()? / count);
        Some(Weight { platform: *platform, bytes, group_bytes })
    };
    let weighed = crowds.iter().filter_map(weight).collect();
    crowds.into_iter().try_for_each(|(_, crowd)| crowd.disperse())?;
    Ok(weighed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_counted_is_refused_by_its_field() {
        let tenant = |work: &str| format!("[[tenant]]\nname = \"a\"\nworkload = {{ {work} }}\n");
        let idle = tenant("kind = \"idle\"");
        let table = [
            (idle.clone(), None),
            (idle.clone() + &idle.replace("\"a\"", "\"b\""), Some("tenant")),
            ("swap = \"1MiB\"\n".to_owned() + &idle, Some("host.swap")),
            (tenant("kind = \"fork\", rate = \"5/s\", lifetime = \"1s\""), Some("tenant.workload")),
            (tenant("kind = \"disk\", op = \"read\", size = \"1MiB\""), Some("tenant.workload")),
            (tenant("kind = \"command\", argv = [\"true\"]"), None),
        ];
        for (text, expected) in table {
            let text = format!(
                "schema = \"catamaran/scenario/v1\"\nname = \"d\"\nseed = 1\nduration = \"1s\"\nplatforms = [\"container\"]\n\
                 [host]\ncores = 1\nmemory = \"64MiB\"\n{text}"
            );
            let plan = Plan::from_toml(&text, "d.toml").expect("a valid scenario");
            let refused = match check(&plan) {
                Err(RunError::Unsupported { field, .. }) => Some(field),
                _ => None,
            };
            assert_eq!(refused.as_deref(), expected, "{text}");
        }
    }
}
