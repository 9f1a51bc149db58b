//! The exact and the fluid model of whole plans, where the kernel itself is fluid: tenants that are pinned to cores which they
//! share with few, over seconds.
//!
//! **Law.** A set of cores that nobody else may use is a sharing problem of its own, solved by [`Shares`].
//! **Where they may differ.** Whose threads are free to go between cores has its share by what the balancer makes of it: three
//! hogs on two cores get half a core, half a core and a whole one for as long as nobody is moved, where the fluid model gives
//! two thirds to each. So do tenants of different weights on a pair of cores: the balancer moves threads by load, and one
//! more or less is not what the weights ask for. There the machine is the judge (`tests/accuracy`).

use std::collections::BTreeMap;

use catamaran_scenario::{Calibration, Plan, Platform};

use super::{Model, simulate};
use crate::Options;
use crate::kernel::rng::SplitMix64;
use crate::resources::cpu::share::{Claim, NodeId, Shares, TOP};

const PLANS: u64 = 200;
/// As `models.md` has it.
const TOLERANCE: f64 = 0.02;

/// A tenant to be drawn; `limit` in thousandths of a core.
struct Drawn {
    name: String,
    shares: u64,
    limit: Option<u64>,
    threads: u64,
    work_s: u64,
}

/// A set of cores and its tenants.
struct Island {
    cores: Vec<u64>,
    tenants: Vec<Drawn>,
}

fn draw(dice: &mut SplitMix64) -> (u64, Vec<Island>) {
    let cores = 2 + dice.below(3);
    let (mut first, mut islands) = (0, Vec::new());
    while first < cores {
        let width = 1 + dice.below(2.min(cores - first));
        let number = islands.len();
        // On a pair of cores the kernel is fluid if there is nothing to weigh: for one tenant, with as many threads on each.
        let tenants = if width == 1 { 1 + dice.below(3) } else { 1 };
        let tenants = (0..tenants).map(|own| drawn(dice, format!("t{number}-{own}"), width)).collect();
        islands.push(Island { cores: (first..first + width).collect(), tenants });
        first += width;
    }
    (cores, islands)
}

fn drawn(dice: &mut SplitMix64, name: String, width: u64) -> Drawn {
    let limit = (dice.below(3) == 0).then(|| 100 * (2 + dice.below(5)));
    // Several threads of a group that is throttled do not find their turns, and the kernel is not fluid.
    let threads = if limit.is_some() { 1 } else { width * (1 + dice.below(3)) };
    Drawn { name, shares: 256 * (1 + dice.below(8)), limit, threads, work_s: 2 + dice.below(6) }
}

fn toml(seed: u64, cores: u64, duration_s: u64, islands: &[Island]) -> String {
    let mut text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"pinned\"\nseed = {seed}\nduration = \"{duration_s}s\"\n\
         platforms = [\"cgroups\"]\n[host]\ncores = {cores}\nmemory = \"1GiB\"\n"
    );
    for island in islands {
        let set: Vec<String> = island.cores.iter().map(u64::to_string).collect();
        for tenant in &island.tenants {
            let milli = milli_of(tenant.shares);
            let limit = tenant
                .limit
                .map_or(String::new(), |limit| format!("limit = \"{limit}m\", period = \"10ms\", "));
            let request = tenant.limit.map_or(milli, |limit| limit.min(milli));
            text += &format!(
                "[[tenant]]\nname = \"{}\"\ncpu = {{ request = \"{request}m\", weight = \"v1\", {limit}set = \"{}\" }}\n\
                 workload = {{ kind = \"compute\", threads = {}, work = \"{}s\" }}\n",
                tenant.name,
                set.join(","),
                tenant.threads,
                tenant.work_s
            );
        }
    }
    text
}

/// The request whose shares these are: 1024 for each core.
fn milli_of(shares: u64) -> u64 {
    shares * 1000 / 1024
}

/// Core-seconds and the end of each tenant by the fluid model.
fn by_fluid(islands: &[Island], plan: &Plan, duration_s: f64) -> BTreeMap<String, (f64, Option<f64>)> {
    let mut answers = BTreeMap::new();
    for island in islands {
        let mut shares = Shares::new(island.cores.len() as f64);
        let mut tasks: Vec<(NodeId, &Drawn, f64)> = Vec::new();
        for tenant in &island.tenants {
            let own = plan.tenants().iter().find(|own| own.name == tenant.name).unwrap();
            let weight = catamaran_scenario::weight::kernel_weight(&own.cpu) as f64;
            let cap = tenant.limit.map_or(f64::INFINITY, |limit| limit as f64 / 1000.0);
            let group = shares.add_group(TOP, Claim { weight, cap });
            for _ in 0..tenant.threads {
                let task = shares.add_task(group, Claim { weight: 1.0, cap: 1.0 });
                let work = tenant.work_s as f64 / tenant.threads as f64;
                shares.start(task, work);
                tasks.push((task, tenant, work));
            }
        }
        let mut ends: BTreeMap<&str, f64> = BTreeMap::new();
        let mut ended = Vec::new();
        while shares.next().is_some_and(|at| at < duration_s)
            && let Some(task) = shares.complete()
        {
            ended.push(task);
            if let Some((_, tenant, _)) = tasks.iter().find(|(own, ..)| *own == task) {
                ends.insert(&tenant.name, shares.now());
            }
        }
        shares.pass(duration_s);
        for tenant in &island.tenants {
            let own = tasks.iter().filter(|(_, whose, _)| whose.name == tenant.name);
            let (mut done, mut all) = (0.0, true);
            for &(task, _, work) in own {
                let is_over = ended.contains(&task);
                all &= is_over;
                done += if is_over { work } else { work - shares.left(task) };
            }
            let end = ends.get(tenant.name.as_str()).copied().filter(|_| all);
            answers.insert(tenant.name.clone(), (done, end));
        }
    }
    answers
}

fn ideal() -> Calibration {
    let mut calibration = Calibration::reference();
    let cpu = &mut calibration.cpu;
    (cpu.context_switch_ns, cpu.tick_ns, cpu.wakeup_idle_ns, cpu.all_busy_factor) = (0, 0, 0, 1.0);
    calibration
}

#[test]
fn exact_and_fluid_agree_on_plans_whose_tenants_are_pinned() {
    let (mut ends, mut pairs) = (0, 0);
    for seed in 0..PLANS {
        let mut dice = SplitMix64::named(seed, "pinned");
        let (cores, islands) = draw(&mut dice);
        let duration_s = 8 + dice.below(10);
        let text = toml(seed, cores, duration_s, &islands);
        let plan = Plan::from_toml(&text, "pinned.toml").unwrap();
        let exact = simulate(&plan, Platform::Cgroups, &ideal(), &Options::default(), Model::Exact).unwrap();
        let fluid = by_fluid(&islands, &plan, duration_s as f64);
        pairs += islands.iter().filter(|island| island.cores.len() == 2).count();
        for row in &exact.report.tenants {
            let (cpu_s, end_s) = fluid[&row.name];
            let off = |exact: f64, fluid: f64| (exact / fluid - 1.0).abs();
            let found = row.cpu_s.unwrap();
            assert!(
                off(found, cpu_s) <= TOLERANCE,
                "{} of {text}: {found} core-seconds, not {cpu_s}",
                row.name
            );
            // One that ends with the run may do so a moment before or after.
            let Some(end_s) = end_s.filter(|end| end * (1.0 + TOLERANCE) < duration_s as f64) else {
                continue;
            };
            let found = row.finished_s.unwrap_or(f64::INFINITY);
            assert!(off(found, end_s) <= TOLERANCE, "{} of {text}: ends at {found} s, not {end_s}", row.name);
            ends += 1;
        }
    }
    assert!(ends > PLANS && pairs > PLANS as usize / 2, "{ends} ends on {pairs} pairs");
}
