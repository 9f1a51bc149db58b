//! What memory costs and weighs: pages touched, touched again and given back by the very program that tenants run, and
//! what such a program weighs before it holds anything.

use std::collections::BTreeMap;

use catamaran_report::statistics::median;
use catamaran_scenario::calibration::MemoryCosts;
use catamaran_scenario::leak::{Leak, STEP_NS};
use catamaran_scenario::{Bytes, BytesPerSecond, Plan, Platform};
use catamaran_worker::clock::now_ns;
use catamaran_worker::script::Script;
use catamaran_worker::tape::{head, phase, thread};

use super::scenario::{ON_ONE_CORE, Scenario};
use crate::density;
use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WorkerFile};
use crate::order::Order;
use crate::problem::Problem;
use crate::run::Run;

/// Memory that is touched in a round (bytes), as far as the machine has it.
const TOUCHED_BYTES: u64 = 128 << 20;
/// Rounds, of which the median counts.
const ROUNDS: usize = 7;
/// How long a round may take (ns): touching, and some steps of touching again.
const ROUND_NS: u64 = 400_000_000;
/// Threads of the tenants by which a further thread is weighed.
const THREADS: u64 = 9;
/// Tenants that are weighed together.
const TENANTS: u64 = 16;
/// Starts of a tenant that are looked at, of which the median counts.
const STARTS: usize = 5;
/// Platforms of which tenants are weighed, guests apart.
const PLATFORMS: [Platform; 5] =
    [Platform::BareMetal, Platform::Chroot, Platform::Namespaces, Platform::Cgroups, Platform::Container];

/// Measures; `turns_per_cpu_s` is for runs that make none.
pub(crate) fn measure(turns_per_cpu_s: f64, interrupt: &Interrupt) -> Result<MemoryCosts, Problem> {
    let PageCosts { touch_ns, retouch_ns, release_ns } = page_costs(&WorkerFile::make()?, 0, interrupt)?;
    let weights = density::weigh(&plan(1)?, &PLATFORMS, TENANTS, interrupt)?;
    let tenant_bytes: BTreeMap<_, _> = weights.iter().map(|one| (one.platform, one.bytes)).collect();
    let many = density::weigh(&plan(THREADS)?, &[Platform::BareMetal], TENANTS, interrupt)?;
    let one = weights.iter().find(|one| one.platform == Platform::BareMetal);
    let (Some(one), Some(many)) = (one, many.first()) else { return Err(no_controller()) };
    let thread_bytes = many.bytes.saturating_sub(one.bytes) / (THREADS - 1);
    let starts: Result<Vec<_>, _> =
        (0..STARTS).map(|_| density::given_back(&plan(1)?, Platform::BareMetal, interrupt)).collect();
    let starts: Vec<f64> = starts?.into_iter().flatten().map(|bytes| bytes as f64).collect();
    Ok(MemoryCosts {
        touch_ns,
        retouch_ns,
        release_ns,
        worker_bytes: one.bytes,
        thread_bytes,
        group_bytes: one.group_bytes,
        start_bytes: median(&starts).ok_or_else(no_controller)? as u64,
        worker_rss_bytes: weigh_for_the_killer(&plan(1)?, turns_per_cpu_s, interrupt)?,
        swap: None,
        tenant_bytes,
    })
}

/// What a page costs (ns), as in [`MemoryCosts`].
pub(super) struct PageCosts {
    pub(super) touch_ns: f64,
    pub(super) retouch_ns: f64,
    pub(super) release_ns: f64,
}

/// Touches pages of a process's, or, where `guest_bytes` is not 0, of a bare guest's with so much memory.
pub(super) fn page_costs(
    worker: &WorkerFile,
    guest_bytes: u64,
    interrupt: &Interrupt,
) -> Result<PageCosts, Problem> {
    let pages = TOUCHED_BYTES / rustix::param::page_size() as u64;
    let (mut touch, mut again, mut release) = (Vec::new(), Vec::new(), Vec::new());
    let round = |bytes, over_and_over| round((worker, guest_bytes), bytes, over_and_over, interrupt);
    for _ in 0..ROUNDS {
        let nothing = round(0, false)?;
        let once = round(TOUCHED_BYTES, false)?;
        let over = round(TOUCHED_BYTES, true)?;
        touch.push((once.cpu_ns - nothing.cpu_ns) / pages as f64);
        again.push((over.cpu_ns - once.cpu_ns) / (over.touches - once.touches).max(1.0));
        release.push((once.exit_ns - nothing.exit_ns) / pages as f64);
    }
    let page_cost = |figures: &[f64]| {
        // Noise can make nothing of something very small; nothing at all costs nothing.
        median(figures).map(|ns| ns.max(0.1)).ok_or_else(no_figures)
    };
    Ok(PageCosts {
        touch_ns: page_cost(&touch)?,
        retouch_ns: page_cost(&again)?,
        release_ns: page_cost(&release)?,
    })
}

pub(super) fn no_figures() -> Problem {
    Problem::new("touching memory could not be measured: no schedstat", "mount /proc; CONFIG_SCHED_INFO=y")
}

/// One worker that touches memory.
struct Round {
    cpu_ns: f64,
    touches: f64,
    /// From the thread's last word to the process's end.
    exit_ns: f64,
}

fn round(
    (worker, guest_bytes): (&WorkerFile, u64),
    bytes: u64,
    over_and_over: bool,
    interrupt: &Interrupt,
) -> Result<Round, Problem> {
    let leak =
        Leak { start: Bytes(bytes), leak: BytesPerSecond(0), most: Bytes(bytes), touch_loop: over_and_over };
    let tape = Order::leak(leak, ROUND_NS.max(STEP_NS)).write()?;
    let mut launcher = Launcher::start(worker, "memory", tape, interrupt)?;
    launcher.tape.set(head::GUEST_BYTES, guest_bytes);
    launcher.carry_out(&Script::default(), interrupt)?;
    let origin_ns = now_ns();
    launcher.tape.set(head::ORIGIN_NS, origin_ns);
    launcher.tape.set(head::BEGIN_NS, origin_ns);
    launcher.tape.go();
    launcher.wait_for_end(interrupt)?;
    let tape = &launcher.tape;
    let (at, phase_at) = (tape.layout().thread(0), tape.layout().phase(0));
    let done_ns = tape.get(head::DONE).checked_sub(1).map(|done| origin_ns + done);
    match (tape.get(at + thread::ENDED), done_ns, launcher.ended_ns) {
        (1, Some(done_ns), Some(ended_ns)) => Ok(Round {
            cpu_ns: tape.get(at + thread::CPU_NS) as f64,
            touches: tape.get(phase_at + phase::TOUCHES) as f64,
            exit_ns: ended_ns.saturating_sub(done_ns) as f64,
        }),
        _ => Err(no_figures()),
    }
}

/// Without its tenants: they are [`waiting`].
pub(super) const WAITING: Scenario<'_> =
    Scenario { name: "memory", duration: "300s", memory: "512MiB", ..ON_ONE_CORE };

/// Tenants with so many threads that wait.
pub(super) fn waiting(threads: u64) -> String {
    format!(
        "[[tenant]]\nname = \"waits\"\ncpu = {{ limit = \"500m\" }}\n\
         workload = {{ kind = \"server\", threads = {threads}, arrivals = {{ process = \"constant\", rate = \"0.01/s\" }}, \
         service = {{ cpu = \"1us\", distribution = \"constant\" }} }}"
    )
}

fn plan(threads: u64) -> Result<Plan, Problem> {
    Scenario { tenants: &waiting(threads), ..WAITING }.plan()
}

pub(super) fn no_controller() -> Problem {
    Problem::new(
        "tenants could not be weighed: no memory controller counts what they are charged",
        "use cgroup v1 with the controller memory, or Linux 5.18 or later with v2",
    )
}

/// What a tenant's process weighs for the kernel's killer (bytes).
pub(super) fn weigh_for_the_killer(
    plan: &Plan,
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
) -> Result<u64, Problem> {
    let platform = plan.platforms().first().copied().unwrap_or(Platform::BareMetal);
    let run = Run::start(plan, platform, turns_per_cpu_s, interrupt)?;
    run.first_tenant().and_then(badness_bytes).ok_or_else(no_figures)
}

/// Resident pages of every kind, swap and page tables of a process, as `oom_badness` sums them up.
fn badness_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    };
    Some((kib("VmRSS")? + kib("VmSwap").unwrap_or(0) + kib("VmPTE").unwrap_or(0)) << 10)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_first_touch_costs_more_than_another_and_a_worker_weighs_something() {
        match measure(1e8, &Interrupt::new(Arc::default())) {
            Ok(costs) => {
                println!("{costs:?}");
                assert!(
                    costs.touch_ns > 2.0 * costs.retouch_ns && costs.release_ns < costs.touch_ns,
                    "{costs:?}"
                );
                assert!((1 << 16..64 << 20).contains(&costs.worker_rss_bytes), "{costs:?}");
                assert!((1 << 16..64 << 20).contains(&costs.worker_bytes), "{costs:?}");
                assert!(costs.thread_bytes < 1 << 20, "{costs:?}");
            }
            Err(Problem::Unavailable(why, _)) => println!("skipped: memory calibration: {why}"),
            Err(problem) => panic!("{problem:?}"),
        }
    }
}
