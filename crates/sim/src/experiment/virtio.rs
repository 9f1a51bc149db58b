//! The way of an operation from a guest to the machine's disk and back.
//!
//! **Law.** The virtual CPU's time in its own kernel, and that of exits and interrupts; the guest's turn at its monitor's thread,
//! in which is the machine's own path; the machine's disk, with the bounds and weight of the guest's group; then what passes
//! beside. A monitor that waits lets go of the request when the machine's disk is done with it, another as soon as it has passed
//! it on. A flush is a request as any other.
//!
//! **Source.** `platform/virtio.rs`. **Judge.** `a_guests_disk_is_a_station_before_the_machines`.

use std::collections::BTreeMap;

use catamaran_scenario::calibration::VirtioCosts;

use super::disk::{Step, by_the_byte};
use super::world::{Event, TENANTS_SECOND, World};
use crate::resources::cpu::ThreadId;
use crate::resources::disk::{Begun, Station};

/// The disks of guests.
#[derive(Debug, Clone)]
pub(super) struct Virtio {
    costs: VirtioCosts,
    /// Speed of a guest.
    speed: f64,
    /// The monitor of each instance that has asked for something.
    monitors: BTreeMap<usize, Station>,
}

impl Virtio {
    pub(super) fn new(costs: VirtioCosts, speed: f64) -> Self {
        Self { costs, speed, monitors: BTreeMap::new() }
    }

    /// CPU time in a guest for what takes `ns` on the machine.
    pub(super) fn inside(&self, ns: u64) -> u64 {
        (ns as f64 / self.speed) as u64
    }

    /// The steps of a request of which those on the machine are known, `more` bytes larger than a small one.
    pub(super) fn way_of(&self, [ask, device, notice]: [Step; 3], more: u64) -> Vec<Step> {
        let costs = &self.costs;
        let (cpu, notify) = match ask {
            Step::Ask { cpu, notify } => (cpu, notify),
            _ => (0, 0),
        };
        let service = costs.service_ns + by_the_byte(costs.service_ns_per_byte, more) + cpu;
        let pass = Step::Pass(costs.latency_ns + by_the_byte(costs.latency_ns_per_byte, more));
        let mut way = vec![Step::Kernel(self.inside(cpu) + costs.cpu_ns), Step::Monitor(service)];
        way.push(Step::Tell(notify));
        way.extend(if costs.waits { [device, Step::LetGo] } else { [Step::LetGo, device] });
        way.extend([pass, notice]);
        way
    }
}

impl World {
    /// A thread's request waits for its monitor.
    pub(super) fn join_monitor(&mut self, thread: ThreadId, service: u64) {
        self.engine.block(thread);
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        let virtio = self.disk.as_mut().and_then(|disk| disk.virtio.as_mut());
        let begun = virtio.and_then(|virtio| virtio.monitors.entry(index).or_default().join(thread, service));
        self.expect_monitor(index, begun);
    }

    /// The monitor that serves a thread's request is at it for so much longer.
    pub(super) fn monitor_tells(&mut self, thread: ThreadId, notify: u64) {
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        let virtio = self.disk.as_ref().and_then(|disk| disk.virtio.as_ref());
        let monitor = virtio.and_then(|virtio| virtio.monitors.get(&index));
        let goes_on = monitor.and_then(|monitor| monitor.goes_on(notify));
        self.expect_monitor(index, goes_on);
    }

    /// The monitor of an instance turns to another request, if a thread's is there and others wait.
    pub(super) fn let_go_of_monitor(&mut self, thread: ThreadId) {
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        let virtio = self.disk.as_mut().and_then(|disk| disk.virtio.as_mut());
        let monitor = virtio.and_then(|virtio| virtio.monitors.get_mut(&index));
        let begun = monitor.and_then(|monitor| monitor.let_go(thread));
        self.expect_monitor(index, begun);
    }

    fn expect_monitor(&mut self, index: usize, begun: Option<Begun>) {
        if let Some(Begun { number, service }) = begun {
            self.queue.push(self.now + service, TENANTS_SECOND, Event::Monitor { index, number });
        }
    }

    /// A monitor's service ends.
    pub(super) fn monitor_served(&mut self, index: usize, number: u64) {
        let virtio = self.disk.as_ref().and_then(|disk| disk.virtio.as_ref());
        let monitor = virtio.and_then(|virtio| virtio.monitors.get(&index));
        if let Some(thread) = monitor.and_then(|monitor| monitor.served(number)) {
            self.operate_on(thread);
        }
    }
}
