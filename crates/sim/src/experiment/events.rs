//! The events of a scenario, as far as one machine goes.
//!
//! **Law.** `kill`: SIGKILL to every replica. `set-limit`: `cpu.max` and `memory.max` are written, and hold as the kernel has
//! it (`resources::cpu`, `resources::memory`). `scale`: the lowest free numbers are started; those that do not run are given
//! up first, then the one that was started last, then the one that was restarted more, then the one with the highest number.
//! `update`: one replica after the other is stopped, and a new one is started in its place before the next is stopped.
//! `fail-node`: power is gone; nothing on the node goes on, nobody places it elsewhere. `migrate`, `partition`: `migrate`.
//! **Source.** `signal(7)`; Kubernetes `pkg/controller/controller_utils.go` (`ActivePodsWithRanks`), without a surge, which
//! takes room that a machine without a scheduler does not promise.

use std::cmp::Reverse;

use catamaran_scenario::plan::{self, Action};
use catamaran_scenario::{MilliCpu, Nanos, Plan, weight};

use super::build::Setting;
use super::lives::How;
use super::log::Note;
use super::migrate::{self, Place};
use super::world::{Event, Instance, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::kernel::trace::Cause;
use crate::resources::cpu::Quota;
use crate::resources::memory::Resized;

/// An event and whom it meets on this node.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    pub(super) action: Action,
    pub(super) instances: Vec<usize>,
}

/// The events that meet a node, with their times.
pub(super) fn of_node(plan: &Plan, setting: &Setting, node: u32) -> Vec<(Instant, Happening)> {
    let meets = |action: &Action, tenant: usize| {
        let name = plan.tenants().get(tenant).map(|tenant| tenant.name.as_str());
        match action {
            Action::FailNode { target } | Action::Partition { target, .. } | Action::Drain { target } => {
                *target == node
            }
            other => other.tenant().is_some_and(|target| Some(target) == name),
        }
    };
    let happening = |event: &plan::Event| {
        let comes = |one: (usize, u32)| migrate::place(plan, setting, node, one).is_some();
        let here = plan.instances().enumerate().filter(|(_, one)| comes(*one));
        let met = here.filter(|(_, (tenant, _))| meets(&event.action, *tenant));
        let instances: Vec<usize> = met.map(|(index, _)| index).collect();
        let happening = Happening { action: event.action.clone(), instances };
        (!happening.instances.is_empty()).then_some((event.at.0, happening))
    };
    plan.events().iter().filter_map(happening).collect()
}

impl World {
    /// Queues what will happen.
    pub(super) fn expect(&mut self, all: Vec<(Instant, Happening)>) {
        for (place, (at, happening)) in all.into_iter().enumerate() {
            self.happenings.push(happening);
            self.pending += 1;
            self.queue.push(at, TENANTS_SECOND, Event::Happen(place));
        }
    }

    /// Carries an event out.
    pub(super) fn happen(&mut self, place: usize) {
        self.pending -= 1;
        let Some(Happening { action, instances }) = self.happenings.get(place).cloned() else { return };
        let of_node =
            matches!(action, Action::FailNode { .. } | Action::Partition { .. } | Action::Drain { .. });
        let (instances, others): (Vec<usize>, Vec<usize>) =
            instances.into_iter().partition(|index| self.is_placed_here(*index));
        if let Action::SetLimit { cpu: Some(cpu), .. } = action {
            // Those that come later find it set.
            others.iter().for_each(|index| self.write_cpu_limit(*index, cpu));
        }
        if instances.is_empty() && !of_node {
            return;
        }
        let asked = self.note(Note::Asked(place), None);
        if self.lost && !matches!(action, Action::Migrate { .. } | Action::Drain { .. }) {
            return;
        }
        match action {
            Action::Kill { .. } => self.kill_all(&instances, asked),
            Action::FailNode { .. } => self.lose_all(&instances, asked),
            Action::SetLimit { cpu, memory, .. } => {
                for index in instances {
                    if let Some(cpu) = cpu {
                        self.set_cpu_limit(index, cpu, asked);
                    }
                    if let Some(memory) = memory {
                        self.set_memory_limit(index, memory.0, asked);
                    }
                }
            }
            Action::Scale { replicas, .. } => self.scale(&instances, replicas as usize, asked),
            Action::Update { .. } => {
                let there = instances.into_iter().filter(|index| self.is_there(*index));
                self.replace(&there.collect::<Vec<_>>(), asked);
            }
            Action::Migrate { to, .. } => self.migrate(&instances, to, asked),
            Action::Drain { .. } => self.drain(&instances, &others, asked),
            _ => {}
        }
        self.take_from_memory(asked);
    }

    fn is_placed_here(&self, index: usize) -> bool {
        self.instances.get(index).and_then(Option::as_ref).is_some_and(|one| one.place == Place::Here)
    }

    fn kill_all(&mut self, instances: &[usize], asked: Option<Cause>) {
        for &index in instances {
            if self.is_there(index) {
                let killed = self.note(Note::Killed(index), asked);
                self.end(index, How::Event, killed);
            }
        }
    }

    fn lose_all(&mut self, instances: &[usize], asked: Option<Cause>) {
        self.lost = true;
        for &index in instances {
            let there = self.is_there(index);
            let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { continue };
            // Whatever was to begin on this node does not.
            instance.lives.life += 1;
            instance.lives.wanted = false;
            if there {
                let lost = self.note(Note::Lost(index), asked);
                self.vanish(index, How::Node, lost);
            }
        }
    }

    fn set_cpu_limit(&mut self, index: usize, limit: MilliCpu, asked: Option<Cause>) {
        let limited = |one: &Instance| one.lives.terms.limits.is_some();
        if self.instances.get(index).and_then(Option::as_ref).is_some_and(limited) {
            self.write_cpu_limit(index, limit);
            self.note(Note::CpuLimit(index), asked);
        }
    }

    fn write_cpu_limit(&mut self, index: usize, limit: MilliCpu) {
        let Some(instance) = self.instances.get(index).and_then(Option::as_ref) else { return };
        let (group, Some((period, burst))) = (instance.group, instance.lives.terms.limits) else { return };
        let quota = weight::quota_us(limit, Nanos(period)) * 1000;
        self.engine.set_quota(group, Quota { quota, period, burst });
    }

    fn set_memory_limit(&mut self, index: usize, bytes: u64, asked: Option<Cause>) {
        let version_1 = self.version_1;
        let limited = |one: &Instance| one.lives.terms.limits.is_some();
        if !self.instances.get(index).and_then(Option::as_ref).is_some_and(limited) {
            return;
        }
        match self.resize(index, bytes, version_1) {
            Some(Resized::Done) => {
                self.note(Note::MemoryLimit(index), asked);
            }
            Some(Resized::Refused) => {
                self.note(Note::MemoryLimitRefused(index), asked);
            }
            Some(Resized::Killed(victims)) => {
                self.take_from_memory(asked);
                for victim in victims {
                    self.kill(victim);
                }
            }
            None => {}
        }
    }

    fn scale(&mut self, instances: &[usize], wanted: usize, asked: Option<Cause>) {
        let is_wanted = |world: &Self, index: usize| {
            world.instances.get(index).and_then(Option::as_ref).is_some_and(|one| one.lives.wanted)
        };
        let (mut here, others): (Vec<usize>, Vec<usize>) =
            instances.iter().partition(|index| is_wanted(self, **index));
        for &index in others.iter().take(wanted.saturating_sub(here.len())) {
            if let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) {
                instance.lives.wanted = true;
                instance.lives.life += 1;
            }
            self.begin_after(index, 0, asked);
        }
        let rank = |index: &usize| {
            let lives = self.instances.get(*index).and_then(Option::as_ref).map(|one| &one.lives);
            let (since, restarts) = lives.map_or((0, 0), |lives| (lives.since, lives.restarts));
            (self.is_there(*index), Reverse((since, restarts, *index)))
        };
        here.sort_by_key(rank);
        let surplus = here.len().saturating_sub(wanted);
        for index in here.into_iter().take(surplus) {
            let there = self.is_there(index);
            let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { continue };
            instance.lives.wanted = false;
            if there {
                let stopped = self.note(Note::Stopped(index), asked);
                self.end(index, How::Unwanted, stopped);
            } else {
                instance.lives.life += 1;
            }
        }
    }

    /// Stops the first of these, to be replaced, and has the others follow when that has come.
    pub(super) fn replace(&mut self, instances: &[usize], asked: Option<Cause>) {
        let Some((&first, rest)) = instances.split_first() else { return };
        if !self.is_there(first) {
            return self.replace(rest, asked);
        }
        if let Some(instance) = self.instances.get_mut(first).and_then(Option::as_mut) {
            instance.lives.then = Some((rest.to_vec(), asked));
        }
        let stopped = self.note(Note::Stopped(first), asked);
        self.end(first, How::Replaced, stopped);
    }
}
