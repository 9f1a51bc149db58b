//! What a fork and its child cost and weigh, by the very program that tenants run: children that come one by one, on cores that idle
//! and on cores that never do, forks that a bound refuses, and many children at once.

use catamaran_report::Report;
use catamaran_report::statistics::median;
use catamaran_scenario::Platform;
use catamaran_scenario::calibration::{BusyForkCosts, ForkCosts};
use catamaran_worker::tape::{Tape, phase, thread};

use super::scenario::{ON_ONE_CORE, Scenario};
use super::tenants::Overheads;
use crate::interrupt::Interrupt;
use crate::problem::Problem;
use crate::run::Run;

/// With groups that bound processes.
const ON_TWO_CORES: Scenario<'_> =
    Scenario { platforms: &[Platform::Cgroups], cores: 2, memory: "256MiB", ..ON_ONE_CORE };

/// One child every 2 ms, each of which is gone before long; the phase ends before the run, so that the parent says what it took.
const ONE_BY_ONE: Scenario<'_> = Scenario {
    name: "forks",
    tenants: r#"
[[tenant]]
name = "parent"
workload = { phases = [{ kind = "fork", rate = "500/s", lifetime = "5ms", for = "600ms" }] }
"#,
    ..ON_TWO_CORES
};
/// Two threads beside them: none of the two cores idles.
const HOGS: &str = r#"[[tenant]]
name = "hogs"
workload = { kind = "compute", threads = 2, work = "1h" }
"#;
/// Sleeps of the parent for each child: until it is due, and until it is dead.
const SLEEPS: f64 = 2.0;

/// One fork every half a millisecond, of which each is refused; the parent sleeps before each.
const REFUSED: Scenario<'_> = Scenario {
    name: "refused",
    duration: "300ms",
    tenants: r#"
[[tenant]]
name = "parent"
pids = { limit = 2 }
workload = { kind = "fork", rate = "2000/s", lifetime = "1s" }
"#,
    ..ON_TWO_CORES
};

/// Children that come and stay.
const MANY: Scenario<'_> = Scenario {
    name: "children",
    duration: "550ms",
    tenants: r#"
[[tenant]]
name = "parent"
workload = { kind = "fork", rate = "1000/s", lifetime = "10s" }
"#,
    ..ON_TWO_CORES
};
/// Children that come of [`MANY`] in a second, and samples of memory taken in one.
const MANY_PER_S: f64 = 1000.0;
const SAMPLES_PER_S: f64 = 10.0;

/// How often each situation is measured, by turns, so that a machine that drifts drifts under all; the medians count.
const ROUNDS: usize = 3;

/// Measures; none where the machine has no control groups that bound processes, or a single core.
pub(crate) fn measure(
    turns_per_cpu_s: f64,
    switch_ns: u64,
    overheads: Overheads,
    interrupt: &Interrupt,
) -> Result<Option<ForkCosts>, Problem> {
    let carry_out = |scenario: Scenario<'_>| carry_out(&scenario, turns_per_cpu_s, interrupt);
    let tenants = beside_hogs();
    let beside_hogs = Scenario { tenants: &tenants, ..ONE_BY_ONE };
    let own = (switch_ns as f64, overheads.sleep_ns as f64);
    let (mut refused, mut idle, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let Ok((report, _)) = carry_out(REFUSED) else { return Ok(None) };
        refused.extend(refused_ns(&report).map(|ns| ns - own.0 - own.1));
        for (scenario, situation) in [(ONE_BY_ONE, &mut idle), (beside_hogs, &mut busy)] {
            let Ok((report, stamps)) = carry_out(scenario) else { return Ok(None) };
            situation
                .extend(cpu_ns(&report).zip(stamps).map(|(cpu_ns, stamps)| Steps::of(stamps, cpu_ns, own)));
        }
    }
    let Ok((many, _)) = carry_out(MANY) else { return Ok(None) };
    let refused_ns = median(&refused);
    let figures = refused_ns.zip(child_bytes(&many)).zip(Steps::middle(&idle).zip(Steps::middle(&busy)));
    let Some(((refused_ns, child_bytes), (idle, busy))) = figures else { return Ok(None) };
    Ok(Some(ForkCosts {
        fork_ns: whole(idle.fork_ns),
        refused_ns: whole(refused_ns),
        start_ns: whole(idle.start_ns),
        exit_ns: whole(idle.exit_ns),
        reap_ns: whole(idle.reap_ns),
        wakeup_idle_ns: whole(idle.awake_ns),
        child_bytes: whole(child_bytes),
        busy: Some(BusyForkCosts {
            fork_ns: whole(busy.fork_ns),
            start_ns: whole(busy.start_ns),
            exit_ns: whole(busy.exit_ns),
        }),
    }))
}

/// The same children beside a thread on each core that never rests.
fn beside_hogs() -> String {
    format!("{}{HOGS}", ONE_BY_ONE.tenants)
}

/// What the steps of forks took.
#[derive(Debug, Clone, Copy)]
struct Steps {
    fork_ns: f64,
    start_ns: f64,
    exit_ns: f64,
    reap_ns: f64,
    awake_ns: f64,
}

impl Steps {
    /// From what stands on the tape and CPU time of parent and children; what a switch and a sleep take of their own is
    /// not part of them.
    fn of(stamps: Stamps, cpu_ns: f64, (switch_ns, sleep_ns): (f64, f64)) -> Self {
        let children_ns = (cpu_ns - stamps.parent_ns) / stamps.children;
        let start_ns = stamps.start_ns / stamps.children;
        let reap_ns = stamps.reap_ns / stamps.children;
        let exit_ns = children_ns - start_ns - switch_ns;
        // What a child's own sleep took of its end was over before its stamp; the parent has slept, too.
        let awake_ns = stamps.to_reaped_ns - (exit_ns - sleep_ns) - reap_ns - switch_ns - sleep_ns;
        Self {
            fork_ns: stamps.parent_ns / stamps.children - reap_ns - SLEEPS * (sleep_ns + switch_ns),
            start_ns: start_ns - switch_ns,
            exit_ns,
            reap_ns,
            awake_ns,
        }
    }

    fn middle(all: &[Self]) -> Option<Self> {
        let of = |get: fn(&Self) -> f64| median(&all.iter().map(get).collect::<Vec<_>>());
        Some(Self {
            fork_ns: of(|one| one.fork_ns)?,
            start_ns: of(|one| one.start_ns)?,
            exit_ns: of(|one| one.exit_ns)?,
            reap_ns: of(|one| one.reap_ns)?,
            awake_ns: of(|one| one.awake_ns)?,
        })
    }
}

fn whole(ns: f64) -> u64 {
    ns.max(0.0).round() as u64
}

/// What stands on the tape of [`ONE_BY_ONE`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamps {
    children: f64,
    /// CPU time of the parent's thread (ns).
    parent_ns: f64,
    /// CPU time of all children before their sleep (ns).
    start_ns: f64,
    /// Time that reaping took, in all (ns).
    reap_ns: f64,
    /// From the end of a child's sleep to when it was reaped, in the median (ns).
    to_reaped_ns: f64,
}

impl Stamps {
    fn read(tape: &Tape) -> Option<Self> {
        let (at, hand) = (tape.layout().phase(0), tape.layout().thread(0));
        let (count, arrays) =
            (tape.get(at + phase::REQUESTS) as usize, tape.get(at + phase::ARRAYS) as usize);
        let instant = |array: usize, number: usize| tape.get(arrays + array * count + number);
        let reaped = |number: &usize| (1..phase::FAILED_REFUSED).contains(&instant(3, *number));
        let done: Vec<usize> = (0..count).filter(reaped).collect();
        let lengths: Vec<f64> =
            done.iter().map(|&number| instant(3, number) as f64 - instant(2, number) as f64).collect();
        let parent_ns =
            (tape.get(hand + thread::ENDED) == 1).then(|| tape.get(hand + thread::CPU_NS) as f64)?;
        Some(Self {
            children: done.len() as f64,
            parent_ns,
            start_ns: tape.get(at + phase::START_CPU_NS) as f64,
            reap_ns: tape.get(at + phase::REAP_NS) as f64,
            to_reaped_ns: median(&lengths)?,
        })
    }
}

fn carry_out(
    scenario: &Scenario<'_>,
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
) -> Result<(Report, Option<Stamps>), Problem> {
    let plan = scenario.plan()?;
    let mut run = Run::start(&plan, Platform::Cgroups, turns_per_cpu_s, interrupt)?;
    let report = run.carry_through(0, &mut None)?;
    let stamps = run.first_tape().and_then(Stamps::read);
    run.close()?;
    Ok((report, stamps))
}

/// CPU time of the first tenant (ns).
fn cpu_ns(report: &Report) -> Option<f64> {
    Some(report.tenants.first()?.cpu_s? * 1e9)
}

/// CPU time of a refused fork, and of the sleep before it (ns): the parent does nothing else.
fn refused_ns(report: &Report) -> Option<f64> {
    let failed = report.tenants.first()?.requests.as_ref()?.failed;
    (failed > 0).then_some(cpu_ns(report)? / failed as f64)
}

/// What each further child is charged (bytes), from the first sample to the last.
fn child_bytes(report: &Report) -> Option<f64> {
    let samples = report.samples.as_ref()?;
    let charged = &samples.series.iter().find(|series| series.metric == "memory")?.values;
    let (first, last) = (charged.first()?, charged.last()?);
    let children = (charged.len() - 1) as f64 * MANY_PER_S / SAMPLES_PER_S;
    (children > 0.0).then_some((last - first) / children)
}

#[cfg(test)]
mod tests {
    use super::*;
    use catamaran_scenario::fork_work::ForkWork;

    /// On a machine that has what it takes: nothing of it costs nothing, and a child is charged a kernel stack and page tables at least.
    #[test]
    fn forks_and_children_are_measured() {
        let interrupt = Interrupt::new(std::sync::Arc::default());
        let overheads = Overheads { request_ns: 51, sleep_ns: 10_101 };
        let Ok(Some(costs)) = measure(1e8, 1510, overheads, &interrupt) else { return };
        println!("{costs:?}");
        assert!(
            costs.fork_ns > 0 && costs.refused_ns > 0 && costs.exit_ns > 0 && costs.reap_ns > 0,
            "{costs:?}"
        );
        assert!((16 << 10..4 << 20).contains(&costs.child_bytes), "{costs:?}");
    }

    #[test]
    fn the_scenarios_of_the_calibration_are_valid() {
        let work = |scenario: Scenario<'_>| {
            ForkWork::all(&scenario.plan().unwrap().tenants()[0].workload).next().unwrap()
        };
        // The parent sleeps before each fork and before each end: these never fall together.
        let one = work(ONE_BY_ONE);
        assert_ne!(one.lifetime_ns % one.due_ns(1), 0);
        assert_eq!(work(Scenario { tenants: &beside_hogs(), ..ONE_BY_ONE }), one);
        assert_eq!(work(MANY).rate, MANY_PER_S);
        assert!(work(REFUSED).rate > 0.0);
    }
}
