//! Where threads meet the disk: CPU time in the kernel, then the device, then the page cache's flush; from a guest by way of
//! its monitor.

use std::collections::{BTreeMap, BTreeSet};

use catamaran_report::RunError;
use catamaran_report::timeline::WaitFor;
use catamaran_scenario::calibration::{DiskCosts, OperationCosts};
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::plan::Workload;
use catamaran_scenario::{Calibration, Plan, Platform};

use super::layers::{LayerStep, Layers};
use super::refuse::refusal;
use super::virtio::Virtio;
use super::waits::Waits;
use super::world::{Event, TENANTS_SECOND, World};
use crate::Options;
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;
use crate::platform::disk::{self, DiskClaim};
use crate::platform::vm::Guest;
use crate::platform::{CpuClaim, costs};
use crate::resources::cpu::ThreadId;
use crate::resources::disk::{Bounds, Disk, DiskEvent, Jiffies, Kind, Op};
use crate::workload::FileOp;

/// Bytes for which the costs of an operation are calibrated; more are paid for by the byte.
pub(super) const CALIBRATED_BYTES: u64 = 4096;
/// A thread is told that its operation is done while it runs: it has to have a core for that (ns).
const NOTICE_NS: u64 = 1;

/// The machine's disk, as calibrated, and who may do what at it.
#[derive(Debug, Clone)]
pub(super) struct DiskSetting {
    costs: Option<DiskCosts>,
    host: Bounds,
    /// Of the instances, in the order of `Plan::instances`.
    claims: Vec<DiskClaim>,
    tick: u64,
    /// Whether what the page cache writes out is charged to whoever wrote it (cgroup v2).
    charges_writeback: bool,
    /// The disks of guests, where tenants are in some.
    virtio: Option<Virtio>,
    /// What a read from the page cache costs beyond the machine's own (ns).
    more_of_a_read: u64,
    /// The files of layers, where tenants use some.
    layers: Option<Layers>,
}

impl DiskSetting {
    pub(super) fn of(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        (cpu, guest): (&[CpuClaim], Option<&Guest>),
    ) -> Result<Self, RunError> {
        let user = plan.tenants().iter().find(|tenant| operates(&tenant.workload));
        if let (None, Some(tenant)) = (&calibration.disk, user) {
            let what = "a disk on a machine that was calibrated without it";
            let field = format!("tenant.{}.workload.kind", tenant.name);
            return Err(refusal(field, what, "calibrate anew with `catamaran calibrate`"));
        }
        let tenants = plan.instances().filter_map(|(index, _)| plan.tenants().get(index));
        let claim = |(tenant, cpu): (_, &CpuClaim)| disk::claim(tenant, calibration, cpu.own_group.is_some());
        Ok(Self {
            costs: user.and(calibration.disk.clone()),
            host: disk::host_bounds(plan.host().disk.as_ref()),
            claims: tenants.zip(cpu).map(claim).collect(),
            tick: 1_000_000_000 / u64::from(calibration.scheduler.hz.max(1)),
            charges_writeback: calibration.machine.cgroup_version == 2,
            virtio: guest.and_then(|guest| Some(Virtio::new(guest.disk?, guest.speed))),
            more_of_a_read: costs::extra(platform).read_4_kib.map_or(0, |ns| (ns + 0.5) as u64),
            layers: Layers::of(plan, platform, calibration.machine.page_bytes),
        })
    }

    /// What of an instance's claims is not applied.
    pub(super) fn absent(&self, index: usize) -> &[(&'static str, String)] {
        self.claims.get(index).map_or(&[], |claim| &claim.absent)
    }

    /// None where nobody uses it.
    pub(super) fn world(&self, plan: &Plan, options: &Options) -> Option<DiskWorld> {
        let costs = self.costs.clone()?;
        let slice = (costs.throttle_slice_ns / self.tick).max(1);
        let mut dice = SplitMix64::named(plan.seed(), &format!("disk/{}", options.throw));
        let jiffies = Jiffies { tick: self.tick, phase: dice.below(self.tick * slice), slice };
        let mut model = Disk::new(Kind { weighs: disk::weighs(&costs.scheduler), batches: costs.batches });
        let host = (!self.host.is_none()).then(|| model.add_bounds(&self.host, jiffies));
        for (group, claim) in self.claims.iter().enumerate() {
            let own = (!claim.bounds.is_none()).then(|| model.add_bounds(&claim.bounds, jiffies));
            model.add_group(group, claim.weight, own.into_iter().chain(host).collect());
        }
        // What nobody is charged for is bounded by nobody.
        model.add_group(self.claims.len(), 1, Vec::new());
        let unbounded = (!self.charges_writeback).then_some(self.claims.len());
        Some(DiskWorld {
            model,
            costs,
            writeback: unbounded,
            virtio: self.virtio.clone(),
            more_of_a_read: self.more_of_a_read,
            layers: self.layers.clone(),
            waits: options.timeline.then(Waits::default),
            flying: BTreeMap::new(),
            asked: BTreeSet::new(),
            orphans: BTreeMap::new(),
        })
    }
}

/// Whether a workload works on a file.
pub(super) fn operates(workload: &Workload) -> bool {
    match workload {
        Workload::Command { like: Some(like), .. } => operates(like),
        other => FileWork::all(other).next().is_some(),
    }
}

/// What a thread does in the course of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// CPU time in the kernel.
    Kernel(u64),
    /// The same, more where the device has to be told.
    Ask { cpu: u64, notify: u64 },
    /// Waits for the device.
    Device { group: usize, writes: bool, bytes: u64, service: u64, latency: u64 },
    /// Waits for the thread of its guest's monitor.
    Monitor(u64),
    /// That tells the device, where it has to be told.
    Tell(u64),
    /// The monitor's thread turns to the next request.
    LetGo,
    /// Time passes.
    Pass(u64),
    /// Something with the file of a layer.
    Layer(LayerStep),
}

/// The disk and who is at it.
#[derive(Debug, Clone)]
pub(super) struct DiskWorld {
    model: Disk,
    costs: DiskCosts,
    /// The group of what the page cache writes out, where that is not the writer's.
    writeback: Option<usize>,
    pub(super) virtio: Option<Virtio>,
    more_of_a_read: u64,
    pub(super) layers: Option<Layers>,
    /// None where nobody asks.
    pub(super) waits: Option<Waits>,
    /// What each thread has still to do for its operation, the next last.
    pub(super) flying: BTreeMap<ThreadId, Vec<Step>>,
    /// Threads that wait for the device.
    asked: BTreeSet<ThreadId>,
    /// How many operations the device still has of each thread whose life has ended: they are done, and nobody hears of it.
    orphans: BTreeMap<ThreadId, usize>,
}

impl DiskWorld {
    /// Whether somebody waits for what the device has just done for a thread: its operations are done in their order.
    fn heard_of(&mut self, thread: ThreadId) -> bool {
        match self.orphans.get_mut(&thread) {
            Some(left @ 1..) => {
                *left -= 1;
                false
            }
            _ => self.asked.remove(&thread),
        }
    }

    /// What a way on the machine is from where the tenants are.
    fn way_of(&self, on_the_machine: [Step; 3], more: u64) -> Vec<Step> {
        match &self.virtio {
            Some(virtio) => virtio.way_of(on_the_machine, more),
            None => on_the_machine.to_vec(),
        }
    }

    /// A thread waits for the disk, for itself or for the page cache.
    fn waits_for_disk(&mut self, thread: ThreadId, now: Instant) {
        let reads_in = self.layers.as_ref().is_some_and(|layers| layers.is_reading(thread));
        let what = if reads_in { WaitFor::NotCached } else { WaitFor::Device };
        self.begins_to_wait(thread, now, what);
    }

    /// The steps of an operation of group `group`, the first last.
    pub(super) fn steps(&self, op: FileOp, group: usize) -> Vec<Step> {
        if let Some(place) = op.in_layer {
            return self.steps_in_layer(op, place);
        }
        let costs = &self.costs;
        let more = op.bytes.saturating_sub(CALIBRATED_BYTES);
        let mut steps = Vec::new();
        if op.cached {
            let cached = if op.writes { &costs.cached_write } else { &costs.cached_read };
            let sandbox = if op.writes { 0 } else { self.more_of_a_read };
            let cpu = cached.cpu_ns + by_the_byte(cached.cpu_ns_per_byte, more) + sandbox;
            steps.push(Step::Kernel(self.virtio.as_ref().map_or(cpu, |virtio| virtio.inside(cpu))));
        }
        if !op.cached || op.flushes {
            let charged = if op.cached { self.written_back_by(group) } else { group };
            steps.extend(self.way_to_the_device(op.bytes, op.writes, charged));
        }
        if op.flushes {
            steps.extend(self.flush(group));
        }
        steps.reverse();
        steps
    }

    /// The group of what the page cache writes out for a group.
    pub(super) fn written_back_by(&self, group: usize) -> usize {
        self.writeback.unwrap_or(group)
    }

    /// Reading or writing so many bytes past the page cache, in order.
    pub(super) fn way_to_the_device(&self, bytes: u64, writes: bool, group: usize) -> Vec<Step> {
        let costs = if writes { &self.costs.write } else { &self.costs.read };
        let more = bytes.saturating_sub(CALIBRATED_BYTES);
        self.way_of(on_the_device(costs, (bytes, writes), more, group), more)
    }

    /// Having the device write its cache out, in order.
    pub(super) fn flush(&self, group: usize) -> Vec<Step> {
        let flush = &self.costs.flush;
        let (service, latency) = (flush.service_ns, flush.latency_ns);
        let device = Step::Device { group, writes: true, bytes: 0, service, latency };
        self.way_of([Step::Ask { cpu: flush.cpu_ns, notify: 0 }, device, Step::Kernel(NOTICE_NS)], 0)
    }
}

fn on_the_device(costs: &OperationCosts, (bytes, writes): (u64, bool), more: u64, group: usize) -> [Step; 3] {
    [
        Step::Ask { cpu: costs.cpu_ns + by_the_byte(costs.cpu_ns_per_byte, more), notify: costs.notify_ns },
        Step::Device {
            group,
            writes,
            bytes,
            service: costs.service_ns + by_the_byte(costs.service_ns_per_byte, more),
            latency: costs.latency_ns + by_the_byte(costs.latency_ns_per_byte, more),
        },
        Step::Kernel(NOTICE_NS),
    ]
}

pub(super) fn by_the_byte(ns: f64, bytes: u64) -> u64 {
    (ns * bytes as f64) as u64
}

impl World {
    /// Begins an operation.
    pub(super) fn operate(&mut self, thread: ThreadId, op: FileOp) {
        let group = self.owners.get(thread).map_or(0, |(index, _)| *index);
        let slept = self.overhead(thread, false);
        if let Some(disk) = &mut self.disk {
            let mut steps = disk.steps(op, group);
            steps.extend((slept > 0).then_some(Step::Kernel(slept)));
            disk.flying.insert(thread, steps);
        }
        self.operate_on(thread);
    }

    pub(super) fn is_operating(&self, thread: ThreadId) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.flying.contains_key(&thread))
    }

    /// The next step of an operation.
    pub(super) fn operate_on(&mut self, thread: ThreadId) {
        let now: Instant = self.now;
        let Some(disk) = &mut self.disk else { return };
        let step = disk.flying.get_mut(&thread).and_then(Vec::pop);
        let cpu = match step {
            None => {
                disk.flying.remove(&thread);
                return self.go_on(thread);
            }
            Some(Step::Kernel(ns)) => ns,
            Some(Step::Ask { cpu, notify }) => cpu + if disk.model.is_idle() { notify } else { 0 },
            Some(Step::Device { group, writes, bytes, service, latency }) => {
                disk.waits_for_disk(thread, now);
                disk.asked.insert(thread);
                disk.model.submit(now, Op { owner: thread, group, writes, bytes, service, latency });
                self.engine.block(thread);
                return self.take_disk_timers();
            }
            Some(Step::Monitor(service)) => {
                disk.waits_for_disk(thread, now);
                return self.join_monitor(thread, service);
            }
            Some(Step::Tell(notify)) if disk.model.is_idle() => return self.monitor_tells(thread, notify),
            Some(Step::Tell(_)) => return self.operate_on(thread),
            Some(Step::Layer(step)) => return self.layer_step(thread, step),
            Some(Step::LetGo) => {
                self.let_go_of_monitor(thread);
                return self.operate_on(thread);
            }
            Some(Step::Pass(ns)) => {
                disk.asked.insert(thread);
                self.queue.push(now + ns, TENANTS_SECOND, Event::Disk(DiskEvent::Done(thread)));
                return self.engine.block(thread);
            }
        };
        disk.has_waited(thread, now, false);
        self.engine.give_kernel_time(thread, cpu.max(1));
        self.engine.wake(thread);
    }

    /// Something happens at the disk.
    pub(super) fn disk_event(&mut self, event: DiskEvent) {
        let done = self.disk.as_mut().and_then(|disk| {
            let thread = disk.model.handle(self.now, event)?;
            disk.heard_of(thread).then_some(thread)
        });
        self.take_disk_timers();
        if let Some(thread) = done {
            self.operate_on(thread);
        }
    }

    /// A thread's life ends: its operation goes no further than the device.
    pub(super) fn stop_operating(&mut self, thread: ThreadId) {
        self.let_go_of_monitor(thread);
        self.stop_at_layers(thread);
        let Some(disk) = &mut self.disk else { return };
        disk.flying.remove(&thread);
        disk.gives_up_waiting(thread);
        if disk.asked.remove(&thread) {
            *disk.orphans.entry(thread).or_default() += 1;
        }
    }

    fn take_disk_timers(&mut self) {
        let Some(disk) = &mut self.disk else { return };
        for (at, event) in disk.model.timers.drain(..) {
            self.queue.push(at, TENANTS_SECOND, Event::Disk(event));
        }
    }
}
