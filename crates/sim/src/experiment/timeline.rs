//! From the world at its end to what can be drawn.

use catamaran_report::Timeline;
use catamaran_report::timeline::{Entry, GuestSlice, Period, Request, Slice, Throttle};
use catamaran_scenario::{Plan, Platform};

use super::engine::Engine;
use super::happened;
use super::migrate::Place;
use super::waits;
use super::world::World;
use crate::kernel::trace;
use crate::platform::visibility;
use crate::resources::cpu::{Cpu, CpuNote, GroupId, Ran, ThreadId};

/// Names for what the trace holds by number.
struct Names {
    tenants: Vec<String>,
    /// Of the threads of the machine, which are virtual CPUs where there are guests.
    owners: Vec<(usize, usize)>,
    /// Of the threads of tenants.
    inside: Vec<(usize, usize)>,
    groups: Vec<(GroupId, usize)>,
}

impl Names {
    fn thread(&self, thread: ThreadId) -> String {
        let Some(&(instance, own)) = self.owners.get(thread) else { return format!("thread-{thread}") };
        let name = self.tenants.get(instance).map_or("?", String::as_str);
        format!("{name}.{own}")
    }

    fn instance_of(&self, group: GroupId) -> Option<usize> {
        self.groups.iter().find(|(own, _)| *own == group).map(|(_, instance)| *instance)
    }

    fn group(&self, group: GroupId) -> String {
        let instance = self.instance_of(group).and_then(|instance| self.tenants.get(instance));
        instance.cloned().unwrap_or_else(|| format!("group-{group}"))
    }
}

pub(super) fn timeline(plan: &Plan, platform: Platform, mut world: World) -> Timeline {
    let names = names(plan, &world);
    let (requests, waits) = (requests(&world), waits::waits(&world));
    let now = world.now;
    let born_ns: Vec<u64> =
        world.instances.iter().map(|one| one.as_ref().map_or(now, |one| one.start)).collect();
    let guests = guest_slices(&mut world.engine, &names);
    let cpu = match &mut world.engine {
        Engine::Exact(cpu) => cpu,
        Engine::Guests(guests) => &mut guests.host,
        Engine::Fluid(_) => return Timeline::default(),
    };
    let ran = cpu.ran.take().unwrap_or_default();
    let cores = cpu.cores_count() as u32;
    let periods = periods(cpu, &names);
    let entries = cpu.take_trace();
    let trace = entries.iter().map(|entry| words(entry, &names)).collect();
    let label = |index: usize| names.tenants.get(index).cloned().unwrap_or_default();
    let trace = happened::merge(&world, &label, trace);
    Timeline {
        cores,
        slices: slices(&ran, &names),
        guests,
        throttles: throttles(&entries, &names, now),
        periods,
        requests,
        waits,
        views: visibility::views(plan, platform, &born_ns),
        trace,
    }
}

fn names(plan: &Plan, world: &World) -> Names {
    let label = |(tenant, replica): (usize, u32)| {
        let name = plan.tenants().get(tenant).map_or("?", |tenant| tenant.name.as_str());
        format!("{name}/{replica}")
    };
    let groups = world.instances.iter().enumerate();
    Names {
        tenants: plan.instances().map(label).collect(),
        owners: world.engine.carriers().unwrap_or_else(|| world.owners.clone()),
        inside: world.owners.clone(),
        groups: groups.filter_map(|(index, one)| Some((one.as_ref()?.group, index))).collect(),
    }
}

fn slices(ran: &[Ran], names: &Names) -> Vec<Slice> {
    let slice = |ran: &Ran| {
        let (tenant, thread) = names.owners.get(ran.thread).copied().unwrap_or_default();
        Slice {
            core: ran.core as u32,
            tenant: tenant as u32,
            thread: thread as u32,
            start_ns: ran.start,
            end_ns: ran.end,
        }
    };
    let mut slices: Vec<Slice> = ran.iter().map(slice).collect();
    slices.sort_by_key(|slice| (slice.start_ns, slice.core));
    slices
}

/// Who is on which virtual CPU, and when it was stolen.
fn guest_slices(engine: &mut Engine, names: &Names) -> Vec<GuestSlice> {
    let Engine::Guests(guests) = engine else { return Vec::new() };
    let mut all = Vec::new();
    for guest in &mut guests.guests {
        let tenant = guest.instance as u32;
        for ran in guest.cpu.ran.take().unwrap_or_default() {
            let owner = guest.owners.get(ran.thread).and_then(|&thread| names.inside.get(thread));
            let thread = owner.map(|&(_, own)| own as u32);
            all.push(GuestSlice {
                tenant,
                vcpu: ran.core as u32,
                thread,
                start_ns: ran.start,
                end_ns: ran.end,
            });
        }
        for (vcpu, seat) in guest.seats.iter().enumerate() {
            let stolen = seat.stolen.iter().flatten();
            all.extend(stolen.map(|&(start_ns, end_ns)| GuestSlice {
                tenant,
                vcpu: vcpu as u32,
                thread: None,
                start_ns,
                end_ns,
            }));
        }
    }
    all.sort_by_key(|slice| (slice.start_ns, slice.tenant, slice.vcpu));
    all
}

fn periods(cpu: &Cpu, names: &Names) -> Vec<Period> {
    let of = |&(group, instance): &(GroupId, usize)| {
        let period = move |one: &crate::resources::cpu::PeriodUse| Period {
            tenant: instance as u32,
            start_ns: one.start,
            quota_ns: one.quota,
            used_ns: one.used,
            throttled: one.throttled,
        };
        cpu.periods(group).iter().map(period).collect::<Vec<_>>()
    };
    let mut periods: Vec<Period> = names.groups.iter().flat_map(of).collect();
    periods.sort_by_key(|period| (period.start_ns, period.tenant));
    periods
}

fn requests(world: &World) -> Vec<Request> {
    let mut all = Vec::new();
    for (tenant, instance) in world.instances.iter().enumerate() {
        let here = instance.as_ref().filter(|instance| instance.place == Place::Here);
        let served = here.and_then(|instance| instance.program.requests(world.now));
        let numbered = served.unwrap_or_default().into_iter().enumerate();
        for (index, request) in numbered.filter(|(_, request)| request.sent) {
            all.push(Request {
                tenant: tenant as u32,
                index: index as u32,
                arrival_ns: request.arrival,
                started_ns: request.started,
                completed_ns: request.completed,
                failed_ns: request.failed,
                thread: request.thread.map(|thread| thread as u32),
            });
        }
    }
    all.sort_by_key(|request| (request.arrival_ns, request.tenant, request.index));
    all
}

/// When each group was throttled on some core.
fn throttles(entries: &[trace::Entry<CpuNote>], names: &Names, now: u64) -> Vec<Throttle> {
    let mut open: std::collections::BTreeMap<GroupId, (usize, u64)> = std::collections::BTreeMap::new();
    let mut closed = Vec::new();
    for entry in entries {
        match entry.what {
            CpuNote::Throttle { group, .. } => open.entry(group).or_insert((0, entry.at)).0 += 1,
            CpuNote::Unthrottle { group, .. } => {
                let Some((depth, since)) = open.get_mut(&group) else { continue };
                *depth -= 1;
                if *depth == 0 {
                    closed.push((group, *since, entry.at));
                    open.remove(&group);
                }
            }
            _ => {}
        }
    }
    closed.extend(open.into_iter().map(|(group, (_, since))| (group, since, now)));
    let throttle = |(group, start_ns, end_ns)| {
        let tenant = names.instance_of(group)? as u32;
        Some(Throttle { tenant, start_ns, end_ns })
    };
    let mut throttles: Vec<Throttle> = closed.into_iter().filter_map(throttle).collect();
    throttles.sort_by_key(|throttle| (throttle.start_ns, throttle.tenant));
    throttles
}

fn words(entry: &trace::Entry<CpuNote>, names: &Names) -> Entry {
    let (actor, what, target) = match entry.what {
        CpuNote::Throttle { group, core } => (format!("cpu{core}"), "throttle", names.group(group)),
        CpuNote::Unthrottle { group, core } => (format!("cpu{core}"), "unthrottle", names.group(group)),
        CpuNote::Late { thread } => (names.thread(thread), "late-answer", names.thread(thread)),
        CpuNote::Migrate { thread, to, .. } => (format!("cpu{to}"), "migrate", names.thread(thread)),
        CpuNote::Preempt { thread, victim, .. } => (names.thread(thread), "preempt", names.thread(victim)),
    };
    Entry { at_ns: entry.at, actor, what: what.into(), target, because: entry.because }
}
