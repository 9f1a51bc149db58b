//! From the world at its end to the report.

use std::collections::BTreeMap;

use catamaran_report::Report;
use catamaran_report::metric::FOUND_IN_CACHE;
use catamaran_report::report::{BackendKind, Identity, IsolationRow, Requests, TenantReport, TenantState};
use catamaran_scenario::{Calibration, Plan, Platform};

use super::build::Setting;
use super::engine::Engine;
use super::happened;
use super::lives::How;
use super::migrate::Place;
use super::world::{Instance, World};
use crate::{platform, startup};

const NOT_CALIBRATED: &str = "the machine was calibrated without memory";
const IN_GUESTS: &str = "guests that are swapped out are not modelled yet";

const IN_SENTRY: &str = "nobody has measured what gVisor's Sentry takes beside its program";

const HOST_NOT_MODELLED: [(&str, &str); 2] = [
    ("steal", "a simulated machine is not stolen from"),
    ("others", "nobody else is at work on a simulated machine"),
];

pub(super) fn report(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
    setting: &Setting,
    world: &World,
) -> Report {
    let identity = Identity {
        scenario_digest: plan.digest(),
        engine: format!("catamaran-sim {}", env!("CARGO_PKG_VERSION")),
        calibration_digest: Some(calibration.digest()),
        machine: facts(plan, platform, setting),
    };
    let mut report = Report::blank(plan, platform, BackendKind::Simulated, 0, identity);
    report.elapsed_s = world.now as f64 / 1e9;
    let labels: Vec<String> = report.tenants.iter().map(TenantReport::label).collect();
    for (index, row) in report.tenants.iter_mut().enumerate() {
        match world.instances.get(index).and_then(Option::as_ref) {
            Some(instance) if instance.place == Place::Here => {
                startup(row, plan, platform, setting, index);
                fill(row, calibration, setting, world, index, instance);
                if let Some(words) = happened::clash(world, index, &labels) {
                    failed(row, words);
                }
            }
            _ => {
                row.explain_absence("disk_bytes", "not part of this prediction");
                row.explain_absence("network_bytes", "not part of this prediction");
                row.explain_absence("cpu_s", "not part of this prediction");
            }
        }
    }
    host(&mut report, calibration, setting, world);
    match platform::bare::is_bare(plan, platform) {
        true => platform::bare::amend(&mut report),
        false => isolation(&mut report, plan, platform),
    }
    report.processes = startup::processes(platform, &plan.settings(platform));
    report.events = happened::events(world, &report.tenants);
    report.samples = happened::samples(world, &report.tenants);
    report
}

/// What is said of the platform itself, where there is anything to say.
fn facts(plan: &Plan, platform: Platform, setting: &Setting) -> Option<BTreeMap<String, String>> {
    if platform::bare::is_bare(plan, platform) {
        return Some(platform::bare::facts(plan));
    }
    let mut facts = setting.guest.map(|guest| guest.facts()).unwrap_or_default();
    facts.extend(platform::costs::extra(platform).facts());
    if platform == Platform::Gvisor {
        facts.insert("sandbox".into(), "kvm: systrap, which is the default today, was not measured".into());
    }
    (!facts.is_empty()).then_some(facts)
}

/// A tenant that could not start.
fn failed(row: &mut TenantReport, words: String) {
    row.state = TenantState::Failed;
    (row.finished_s, row.requests, row.throughput_per_s) = (None, None, None);
    for field in ["finished_s", "requests", "throughput_per_s"] {
        row.explain_absence(field, "it failed at its start");
    }
    row.error = Some(words);
}

/// What each tenant sees, also one that never starts: the platform decides it.
fn isolation(report: &mut Report, plan: &Plan, platform: Platform) {
    let sees = platform::isolation::sees(platform, &plan.settings(platform));
    for tenant in &report.tenants {
        let observer = tenant.label();
        report.isolation.extend(sees.iter().map(|(resource, sees)| IsolationRow {
            resource: (*resource).to_owned(),
            observer: observer.clone(),
            sees: *sees,
        }));
    }
}

fn fill(
    row: &mut TenantReport,
    calibration: &Calibration,
    setting: &Setting,
    world: &World,
    index: usize,
    instance: &Instance,
) {
    let children = world.forks.as_ref().map_or(&[][..], |forks| forks.threads_of(index));
    let threads = || instance.threads.iter().chain(children).copied();
    let seconds = |ns: u64| ns as f64 / 1e9;
    let before = instance.before;
    row.cpu_s = Some(seconds(
        before.cpu_ns
            + match &world.engine {
                // As the control group counts it: the guest charges its threads for stolen time too.
                Engine::Guests(guests) => guests.cpu_ns(index),
                engine => threads().map(|thread| engine.cpu_ns(thread)).sum(),
            },
    ));
    let waited: u64 = threads().map(|thread| world.engine.waited_ns(thread)).sum();
    row.waited_s = Some(seconds(before.waited_ns + waited));
    let work = before.work_ns + threads().map(|thread| world.engine.work_ns(thread)).sum::<f64>();
    row.turns = Some(work / 1e9 * calibration.cpu.turns_per_cpu_s);
    steal(row, setting, world, index);
    row.restarts = Some(instance.lives.restarts);
    finish(row, world, instance);
    row.disk_bytes = Some(instance.program.moved_bytes());
    if instance.program.uses_layers() {
        row.explain_absence(FOUND_IN_CACHE, "what the page cache had does not count");
    }
    let network = world.network.as_ref();
    row.network_bytes = Some(network.map_or(0, |net| net.moved.get(index).copied().unwrap_or(0)));
    memory(row, calibration, setting, world, index);
    throttling(row, world, instance);
    requests(row, world, instance);
    if let Some(claim) = setting.claims.get(index) {
        for (field, reason) in &claim.absent {
            row.explain_absence(field, reason.clone());
        }
    }
    if setting.guest.is_some() && instance.program.forks() {
        let reason = "a guest's memory is its own: that of children is not in it";
        row.explain_absence("memory_peak_bytes.children", reason);
    }
    for (field, reason) in setting.disk.absent(index) {
        row.explain_absence(field, reason.as_str());
    }
}

/// What the virtual CPUs waited for a core of the host.
fn steal(row: &mut TenantReport, setting: &Setting, world: &World, index: usize) {
    let (Some(guest), Engine::Guests(guests)) = (&setting.guest, &world.engine) else {
        return row.explain_absence("stolen_s", "no hypervisor on this platform");
    };
    let before = world.instances.get(index).and_then(Option::as_ref).map_or(0, |one| one.before.stolen_ns);
    row.stolen_s = Some((before + guests.stolen_ns(index)) as f64 / 1e9);
    if !guest.has_steal_clock() {
        let reason = "not the guest's steal clock: the run-queue wait of the threads that execute its processors, on this side";
        row.explain_absence("stolen_s.steal-clock", reason);
    }
}

fn startup(row: &mut TenantReport, plan: &Plan, platform: Platform, setting: &Setting, index: usize) {
    let tenant = plan.tenants().iter().find(|tenant| tenant.name == row.name);
    if tenant.is_some_and(|tenant| tenant.image.is_some()) && !startup::pull::has_images(platform) {
        row.explain_absence("tenant.image", "the platform runs a root directory and fetches no image");
    }
    let Some(start) = &setting.start else {
        return row.explain_absence("startup_s", "this platform's start was not calibrated");
    };
    let quota = tenant.and_then(|tenant| startup::quota(tenant, platform));
    let started = start.of(quota, setting.pulls.get(&index).map_or(&[], Vec::as_slice));
    row.startup_stages = started.rows;
    row.startup_s = started.whole_s;
    for (field, reason) in started.absent {
        row.explain_absence(field, reason);
    }
}

fn finish(row: &mut TenantReport, world: &World, instance: &Instance) {
    if let Some(killed) = instance.killed {
        row.finished_s = Some(killed.gone.unwrap_or(world.now) as f64 / 1e9);
        row.state = match killed.how {
            How::Memory => TenantState::OomKilled,
            How::Event | How::Node | How::Reset | How::Refused => TenantState::Failed,
            How::Unwanted | How::Replaced => TenantState::Completed,
        };
        return;
    }
    let finished = match instance.program.finished() {
        Some(at) => Some(at),
        None if instance.program.lasts_to_the_end() && world.now > instance.start => Some(world.now),
        None => None,
    };
    row.finished_s = finished.map(|at| at as f64 / 1e9);
    row.state = match finished {
        Some(_) => TenantState::Completed,
        None if world.now < instance.start => TenantState::Pending,
        None => TenantState::Running,
    };
    if finished.is_none() {
        row.explain_absence("finished_s", "still at work when the run ended");
    }
}

/// Why there are no figures of memory.
fn no_memory(calibration: &Calibration, setting: &Setting) -> &'static str {
    match (calibration.memory.is_some(), setting.guest.is_some()) {
        (false, _) => NOT_CALIBRATED,
        (true, true) => IN_GUESTS,
        (true, false) => IN_SENTRY,
    }
}

fn memory(row: &mut TenantReport, calibration: &Calibration, setting: &Setting, world: &World, index: usize) {
    let instance = world.instances.get(index).and_then(Option::as_ref);
    let before = instance.map_or(0, |instance| instance.before.peak_bytes);
    let peak = world.memory.as_ref().and_then(|memory| memory.peak_bytes(index)).map(|peak| peak.max(before));
    row.memory_peak_bytes = peak;
    row.oom_kills = peak.and(instance).map(|instance| instance.lives.oom_kills);
    if peak.is_none() {
        row.explain_absence("memory_peak_bytes", no_memory(calibration, setting));
        row.explain_absence("oom_kills", no_memory(calibration, setting));
    }
    row.error = happened::error(world, index);
    for (field, reason) in happened::absences(world, index) {
        row.explain_absence(field, reason);
    }
    for (field, reason) in setting.memory_claims.get(index).iter().flat_map(|claim| &claim.absent) {
        row.explain_absence(field, *reason);
    }
}

fn throttling(row: &mut TenantReport, world: &World, instance: &Instance) {
    match world.engine.throttling(instance.group) {
        Some(throttling) => {
            let before = instance.before;
            row.throttled_s = Some((throttling.ns + before.throttled_ns) as f64 / 1e9);
            row.throttled_periods = Some(throttling.periods + before.throttled_periods);
        }
        None => {
            row.explain_absence("throttled_s", "no quota applies");
            row.explain_absence("throttled_periods", "no quota applies");
        }
    }
}

fn requests(row: &mut TenantReport, world: &World, instance: &Instance) {
    let Some(mut served) = instance.program.requests(world.now) else {
        let why = if instance.program.streams() { "a stream has no requests" } else { "no server" };
        row.explain_absence("requests", why);
        row.explain_absence("throughput_per_s", why);
        return;
    };
    served.retain(|request| request.sent);
    let failed = served.iter().filter(|request| request.failed.is_some()).count() as u64;
    let latency = |request: &crate::workload::Served| request.completed.map(|at| at - request.arrival);
    let mut latencies: Vec<u64> = served.iter().filter_map(latency).collect();
    // The report sorts them, too: what is in order already takes no time there, and the page has it built for size.
    latencies.sort_unstable();
    let completed = latencies.len() as f64;
    row.requests = Some(Requests::from_latencies_ns(served.len() as u64, failed, &mut latencies));
    let span = world.now.saturating_sub(instance.start) as f64 / 1e9;
    if span > 0.0 {
        row.throughput_per_s = Some(completed / span);
    } else {
        row.explain_absence("throughput_per_s", "it never started");
    }
}

fn host(report: &mut Report, calibration: &Calibration, setting: &Setting, world: &World) {
    for (field, reason) in HOST_NOT_MODELLED {
        report.host.explain_absence(field, reason);
    }
    report.host.memory_peak_bytes = world.memory.as_ref().map(|memory| memory.host_peak_bytes());
    if world.memory.is_none() {
        report.host.explain_absence("memory_peak_bytes", no_memory(calibration, setting));
    }
    overhead(report, setting, world);
    let cpu_s: f64 = report.tenants.iter().filter_map(|tenant| tenant.cpu_s).sum();
    if report.elapsed_s > 0.0 {
        report.host.cpu_utilisation = Some(cpu_s / report.elapsed_s / setting.cores as f64);
    } else {
        report.host.explain_absence("cpu_utilisation", "the run took no time");
    }
}

/// What the platform itself takes: with guests their monitors and kernels, and the exits, which the guests count as theirs.
fn overhead(report: &mut Report, setting: &Setting, world: &World) {
    match (&setting.guest, &world.engine) {
        (Some(guest), Engine::Guests(guests)) => {
            let never = |index: usize| {
                let one = world.instances.get(index).and_then(Option::as_ref);
                let killed = one.and_then(|one| one.killed).is_some_and(|killed| killed.gone == Some(0));
                killed || one.is_some_and(|one| one.place == Place::Expected)
            };
            let there = guests.guests.iter().filter(|guest| !never(guest.instance)).count();
            report.host.overhead_memory_bytes = Some(guest.idle_bytes * there as u64);
            report.host.overhead_cpu_s = Some(guests.overhead_ns() as f64 / 1e9);
            let what = "exits, which the guests count as theirs; the monitors' own threads are not modelled";
            report.host.explain_absence("overhead_cpu_s.monitors", what);
            if let Some(why) = platform::residents::unknown(report.platform) {
                report.host.explain_absence("overhead_memory_bytes.residents", why);
            }
            if guest.alike_bytes > 0 {
                let why = "nobody has published what ksmd takes of the CPU for a page";
                report.host.explain_absence("overhead_cpu_s.ksmd", why);
            }
        }
        _ => {
            let why = platform::residents::unknown(report.platform);
            let why = why.unwrap_or_else(|| "the platform has no process of its own".to_owned());
            report.host.explain_absence("overhead_memory_bytes", why);
            report.host.explain_absence("overhead_cpu_s", "the runner itself is not modelled");
        }
    }
}
