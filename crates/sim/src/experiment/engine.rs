//! One interface before the exact and the fluid model of the CPU.

use crate::kernel::Instant;
use crate::resources::cpu::{Cpu, CpuEvent, Fluid, GroupId, GroupSpec, ROOT, ThreadId, Throttling};

/// A model of the CPU.
#[derive(Debug)]
pub(super) enum Engine {
    Exact(Box<Cpu>),
    Fluid(Fluid),
}

macro_rules! both {
    ($self:ident, $model:ident => $body:expr) => {
        match $self {
            Engine::Exact($model) => $body,
            Engine::Fluid($model) => $body,
        }
    };
}

impl Engine {
    pub(super) fn add_group(&mut self, spec: GroupSpec) -> GroupId {
        match self {
            Engine::Exact(cpu) => cpu.add_group(spec),
            Engine::Fluid(_) => ROOT,
        }
    }

    pub(super) fn add_thread(&mut self, group: GroupId, core: usize, allowed: &[usize]) -> ThreadId {
        match self {
            Engine::Exact(cpu) => cpu.add_thread(group, core, allowed),
            Engine::Fluid(fluid) => fluid.add_thread(),
        }
    }

    pub(super) fn set_now(&mut self, now: Instant) {
        both!(self, model => model.set_now(now));
    }

    pub(super) fn handle(&mut self, event: CpuEvent) {
        both!(self, model => model.handle(event));
    }

    pub(super) fn give_work(&mut self, thread: ThreadId, ns: f64, overhead_ns: u64) {
        match self {
            Engine::Exact(cpu) => cpu.give_work(thread, ns, overhead_ns),
            Engine::Fluid(fluid) => fluid.give_work(thread, ns),
        }
    }

    /// Gives a thread time in the kernel, which is no work of its own (ns).
    pub(super) fn give_kernel_time(&mut self, thread: ThreadId, ns: u64) {
        match self {
            Engine::Exact(cpu) => cpu.give_work(thread, 0.0, ns),
            Engine::Fluid(fluid) => fluid.give_work(thread, ns as f64),
        }
    }

    pub(super) fn wake(&mut self, thread: ThreadId) {
        both!(self, model => model.wake(thread));
    }

    pub(super) fn block(&mut self, thread: ThreadId) {
        both!(self, model => model.block(thread));
    }

    /// Whether a timer that wakes `thread` finds its core idle.
    pub(super) fn would_wake_idle(&self, thread: ThreadId) -> bool {
        match self {
            Engine::Exact(cpu) => cpu.would_wake_idle(thread),
            Engine::Fluid(_) => false,
        }
    }

    pub(super) fn cpu_ns(&self, thread: ThreadId) -> u64 {
        both!(self, model => model.cpu_ns(thread))
    }

    pub(super) fn waited_ns(&self, thread: ThreadId) -> u64 {
        both!(self, model => model.waited_ns(thread))
    }

    pub(super) fn work_ns(&self, thread: ThreadId) -> f64 {
        both!(self, model => model.work_ns(thread))
    }

    pub(super) fn throttling(&self, group: GroupId) -> Option<Throttling> {
        match self {
            Engine::Exact(cpu) => cpu.throttling(group),
            Engine::Fluid(_) => None,
        }
    }

    /// Notes that a thread has answered a request that arrived at `since`, if its quota made it late.
    pub(super) fn note_if_held(&mut self, thread: ThreadId, since: Instant) {
        if let Engine::Exact(cpu) = self {
            cpu.note_if_held(thread, since);
        }
    }

    pub(super) fn settle(&mut self) {
        if let Engine::Exact(cpu) = self {
            cpu.settle();
        }
    }

    pub(super) fn take_timers(&mut self) -> Vec<(Instant, CpuEvent)> {
        both!(self, model => std::mem::take(&mut model.timers))
    }

    pub(super) fn next_idle_hand(&mut self) -> Option<ThreadId> {
        both!(self, model => if model.idle_hands.is_empty() { None } else { Some(model.idle_hands.remove(0)) })
    }
}
