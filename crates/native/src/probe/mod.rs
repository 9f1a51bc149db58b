//! The isolation matrix of a platform, measured from inside: a tenant tells what it sees of the machine and tries what it
//! is let do to it; each finding stands beside what the platform promises.
//!
//! Nothing here can harm the machine: what is attacked is ours (a process, a file), and the tenant sits in a guard as
//! every other does.

mod expected;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use catamaran_report::RunError;
use catamaran_report::report::Sees;
use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::facts::{self, Facts};
use catamaran_worker::port::PLAYGROUND;
use catamaran_worker::script::{RootWay, Step};

use crate::engine::{self, Contained};
use crate::guard::{Guard, Shape};
use crate::image::Images;
use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WorkerFile};
use crate::order::Order;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::vm::Hypervisor;
use crate::{accept, isolation, platform};

pub use expected::Verdict;

/// What a platform hides and holds back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Probe {
    /// Where it was measured.
    pub platform: Platform,
    /// What a tenant sees.
    pub views: Vec<View>,
    /// What a tenant is let do.
    pub attacks: Vec<Attack>,
}

impl Probe {
    /// Whether everything was found as it was expected.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.views.iter().all(|view| view.holds) && self.attacks.iter().all(|attack| attack.holds)
    }
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct View {
    /// As in the report's `isolation`.
    pub resource: String,
    /// What the platform promises.
    pub expected: Sees,
    /// What was seen; `None` where it could not be told.
    pub seen: Option<Sees>,
    /// What exactly.
    pub detail: String,
    /// Whether it is as expected.
    pub holds: bool,
}

/// One attack.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Attack {
    /// What was tried.
    pub attack: String,
    /// What the platform promises.
    pub expected: Verdict,
    /// What came of it; `None` where the tenant did not come to it.
    pub seen: Option<Verdict>,
    /// What the kernel said.
    pub detail: String,
    /// Whether it is as expected.
    pub holds: bool,
}

/// The tenant that probes: its limits are what the attacks on resources run into.
const SCENARIO: &str = r#"
schema = "catamaran/scenario/v1"
name = "probe"
seed = 1
duration = "30s"
platforms = ["bare-metal"]
[host]
cores = 1
memory = "256MiB"
[[tenant]]
name = "probe"
cpu = { limit = "100m", period = "20ms" }
memory = { limit = "32MiB" }
pids = { limit = 32 }
workload = { kind = "idle" }
"#;

/// The finding that takes the kernel's count of throttled periods to be judged: less CPU time may be others' doing.
const EXHAUST_CPU: &str = "attack.exhaust-cpu";

/// The tenant's group.
const LABEL: &str = "probe.0";

/// More devices than this are counted, not named.
const DEVICES_SHOWN: usize = 8;

/// The same for a guest, whose memory is that of its machine.
const SCENARIO_IN_GUEST: &str = r#"
schema = "catamaran/scenario/v1"
name = "probe"
seed = 1
duration = "30s"
platforms = ["vm"]
[host]
cores = 1
memory = "512MiB"
[platform.vm]
vcpus = 1
memory = "128MiB"
[[tenant]]
name = "probe"
cpu = { limit = "100m", period = "20ms" }
workload = { kind = "idle" }
"#;

/// Memory that an attack on it touches at most (bytes): more than a tenant may have, or than a guest has at all.
const MEMORY_BYTES: u64 = 64 << 20;
const MEMORY_BYTES_IN_GUEST: u64 = 128 << 20;

/// Measures the isolation matrix of a platform.
///
/// # Errors
/// [`RunError::Unavailable`] where the platform is not to be had here, [`RunError::Failed`], [`RunError::Interrupted`].
pub fn probe(platform: Platform, interrupted: &Arc<AtomicBool>) -> Result<Probe, RunError> {
    crate::clean()?;
    let on = |problem: Problem| problem.on(platform);
    accept::check_platform(platform, false)?;
    if platform == Platform::Microvm {
        let (why, remedy) =
            ("a bare guest has no kernel to ask what it sees".to_owned(), "probe vm".to_owned());
        return Err(RunError::Unavailable { platform, why, remedy });
    }
    let text = if platform == Platform::Vm { SCENARIO_IN_GUEST } else { SCENARIO };
    let plan = Plan::from_toml(text, "probe")
        .map_err(|error| on(Problem::new(error.to_string(), "this is a defect of catamaran")))?;
    let tenant = plan.tenants().first();
    let tenant =
        tenant.ok_or_else(|| on(Problem::new("no tenant probes", "this is a defect of catamaran")))?;
    let interrupt = Interrupt::new(Arc::clone(interrupted));
    let found = measure(&plan, tenant, platform, &interrupt).map_err(on)?;
    let outside = facts::read(Path::new("/proc/self"));
    let elsewhere = found.get(isolation::KERNEL).is_some_and(|id| outside.get(isolation::KERNEL) != Some(id));
    let attacks = attacks(platform, &found, elsewhere);
    Ok(Probe { platform, views: views(platform, &found, &outside), attacks })
}

/// Has the tenant tell what it finds.
fn measure(
    plan: &Plan,
    tenant: &Tenant,
    platform: Platform,
    interrupt: &Interrupt,
) -> Result<Facts, Problem> {
    let hypervisor = (platform == Platform::Vm).then(|| Hypervisor::find(plan)).transpose()?;
    let runtime = Runtime::find(platform)?;
    let engine = engine::Found::find(platform, &plan.settings(platform))?;
    let mut guard = Guard::make(&Shape::of(plan, platform)?)?;
    let runtime = runtime.map(|runtime| runtime.prepare(&mut guard)).transpose()?;
    let worker = WorkerFile::make()?;
    let try_out = |vm: Hypervisor| vm.try_out(plan, &worker, guard.path(), interrupt);
    let hypervisor = hypervisor.map(try_out).transpose()?;
    let images = Images::default();
    let open = |found: engine::Found| found.open((plan, &images), &mut guard, &worker, interrupt);
    let engine = engine.map(open).transpose()?;
    let order = Order::turns(1, 1);
    // Waits for a script that never comes: a process of ours to be attacked.
    let outside = Launcher::start(&worker, guard.id(), order.write()?, interrupt)?;
    let host_file = lay_out_file(guard.path())?;
    let mut how = guard.place(platform, &plan.settings(platform)).plan(tenant, LABEL);
    let playground = guard.make_playground()?;
    let inside = match how.script.root.as_ref().map(|root| root.way) {
        Some(RootWay::Chroot | RootWay::Pivot) => Path::new("/tmp"),
        None if runtime.is_some() || engine.is_some() => Path::new("/tmp"),
        None if hypervisor.is_some() => Path::new(PLAYGROUND),
        None => &playground,
    };
    let (file, inside) = (host_file.display().to_string(), inside.display().to_string());
    let most = if hypervisor.is_some() { MEMORY_BYTES_IN_GUEST } else { MEMORY_BYTES };
    let targets = vec![outside.pid().to_string(), file, inside, most.to_string()];
    if let Some(mut engine) = engine {
        let contained = Contained { plan, images: &images, how: &how, tenant, label: LABEL };
        let (launcher, mut found, group) =
            engine.probe(&guard, &contained, &targets, &order.write()?, interrupt)?;
        // Whoever connects to a Unix socket runs on the same kernel; LXC shows its containers another boot id.
        found.extend(facts::read(Path::new("/proc/self")).remove_entry(isolation::KERNEL));
        let throttled = throttled(&guard, platform, &group);
        drop((launcher, outside, engine));
        return close(guard, found, throttled);
    }
    let mut launcher = Launcher::start(&worker, guard.id(), order.write()?, interrupt)?;
    guard.receive(&how, launcher.pid(), platform::has_limits(platform))?;
    let found = match &hypervisor {
        Some(vm) => {
            // Under the limit it would take half a minute to boot.
            let (late, early): (Vec<_>, _) = how.script.limits.into_iter().partition(limits_cpu);
            how.script.limits = early;
            let mut guest =
                vm.boot(&mut launcher, how.script, (guard.path(), LABEL), (tenant, None), interrupt)?;
            guard.perform(&late, 0)?;
            guest.probe(guard.id(), &targets, interrupt)
        }
        None => {
            how.script.probe = targets;
            if let Some(runtime) = &runtime {
                runtime.lay_out(&mut guard, &mut how, tenant, LABEL)?;
            }
            launcher.probe(&how.script, interrupt)
        }
    };
    drop((launcher, outside));
    let throttled = throttled(&guard, platform, LABEL);
    close(guard, found?, throttled)
}

/// A file of the machine's, for tenants to write to.
fn lay_out_file(folder: &Path) -> Result<PathBuf, Problem> {
    let file = folder.join("outside");
    std::fs::write(&file, "untouched").map_err(|error| {
        let what = format!("cannot write {}: {error}", file.display());
        Problem::by_errno(what, "make room on the file system of /run")
    })?;
    Ok(file)
}

/// Whether the group of that name has been throttled.
fn throttled(guard: &Guard, platform: Platform, group: &str) -> bool {
    let accounts = guard.cgroup.accounts(group, platform::has_limits(platform));
    let throttling = accounts.throttling.and_then(|path| std::fs::read_to_string(path).ok());
    guard.cgroup.usage(None, throttling.as_deref()).throttled_periods > 0
}

/// Removes what was made, and judges what took whoever was outside.
fn close(guard: Guard, mut found: Facts, throttled: bool) -> Result<Facts, Problem> {
    guard.remove()?;
    if let Some(finding) = found.get_mut(EXHAUST_CPU).filter(|_| throttled) {
        *finding = finding.replace("permitted\t", "limited\t");
    }
    Ok(found)
}

/// Whether a step sets a limit of CPU time, on either version of control groups.
fn limits_cpu(step: &Step) -> bool {
    let Step::Write { file, .. } = step else { return false };
    file.file_name().is_some_and(|name| name == "cpu.cfs_quota_us" || name == "cpu.max")
}

fn views(platform: Platform, found: &Facts, outside: &Facts) -> Vec<View> {
    let mut seen: std::collections::BTreeMap<_, _> = isolation::sees(found, outside).into_iter().collect();
    // Whether a process outside can be seen is asked of `/proc` itself, not told from the namespace.
    let listed = found.get("outside").map(|seen| if seen == "seen" { Sees::Host } else { Sees::Own });
    seen.extend(listed.map(|sees| ("process", sees)));
    let views = expected::views(platform).into_iter().map(|(resource, expected)| {
        let seen = seen.get(resource).copied();
        View {
            resource: resource.to_owned(),
            expected,
            seen,
            detail: detail(resource, found),
            holds: seen == Some(expected),
        }
    });
    views.collect()
}

/// What exactly was seen of a resource.
fn detail(resource: &str, found: &Facts) -> String {
    let fact = |name: &str| found.get(name).cloned().unwrap_or_default();
    match resource {
        "process" => format!("{} processes, one outside is {}", fact("processes"), fact("outside")),
        "mount" => format!("{} mounts, root {}", fact("mounts"), fact("root")),
        "host-name" => fact("host-name"),
        "user" => format!("mapped {} (inside, outside, how many)", fact("user-map")),
        "network" => fact("interfaces"),
        "device" => match fact("devices") {
            names if names.split(' ').count() > DEVICES_SHOWN => {
                format!("{} devices", names.split(' ').count())
            }
            names => names,
        },
        "kernel" => fact("kernel"),
        other => fact(&format!("ns.{other}")),
    }
}

/// `elsewhere`: the kernel that let it was not the machine's.
fn attacks(platform: Platform, found: &Facts, elsewhere: bool) -> Vec<Attack> {
    let attacks = expected::attacks(platform).into_iter().map(|(attack, expected)| {
        let finding = found.get(&format!("attack.{attack}"));
        let finding = finding.and_then(|finding| finding.split_once('\t'));
        let seen = finding.and_then(|(word, _)| Verdict::from_word(word));
        let seen = match seen {
            Some(Verdict::Permitted) if elsewhere => Some(Verdict::Inside),
            other => other,
        };
        Attack {
            attack: attack.to_owned(),
            expected,
            seen,
            detail: finding.map_or_else(String::new, |(_, detail)| detail.to_owned()),
            holds: seen.is_some_and(|seen| expected.is_met_by(seen)),
        }
    });
    attacks.collect()
}
