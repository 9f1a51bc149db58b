//! One interface before the models of the CPU: exact, exact on two levels, fluid.

use super::guests::Guests;
use crate::kernel::Instant;
use crate::platform::vm::Guest;
use crate::resources::cpu::{
    CoreId, Cpu, CpuEvent, Fluid, GroupId, GroupSpec, Quota, ROOT, ThreadId, Throttling,
};

/// A model of the CPU.
#[derive(Debug, Clone)]
pub(super) enum Engine {
    Exact(Box<Cpu>),
    Guests(Box<Guests>),
    Fluid(Box<Fluid>),
}

/// What a model asks to be told at a later time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    Host(CpuEvent),
    /// The tick of a guest's core.
    GuestTick {
        guest: usize,
        core: CoreId,
    },
}

macro_rules! both {
    ($self:ident, $model:ident => $body:expr) => {
        match $self {
            Engine::Exact($model) => $body,
            Engine::Guests($model) => $body,
            Engine::Fluid($model) => $body,
        }
    };
}

/// A figure of a tenant's thread, which in a guest is the guest's own.
macro_rules! inside {
    ($self:ident, $thread:ident, $figure:ident) => {
        match $self {
            Engine::Exact(cpu) => cpu.$figure($thread),
            Engine::Guests(guests) => {
                let (cpu, own) = guests.inside($thread);
                cpu.$figure(own)
            }
            Engine::Fluid(fluid) => fluid.$figure($thread),
        }
    };
}

impl Engine {
    pub(super) fn add_group(&mut self, spec: GroupSpec) -> GroupId {
        match self {
            Engine::Exact(cpu) => cpu.add_group(spec),
            Engine::Guests(guests) => guests.host.add_group(spec),
            Engine::Fluid(_) => ROOT,
        }
    }

    /// The guest of an instance: its threads are those that are added next.
    pub(super) fn add_guest(
        &mut self,
        instance: usize,
        spec: &Guest,
        group: GroupId,
        (cores, nice): (&[CoreId], i32),
    ) {
        if let Engine::Guests(guests) = self {
            guests.add(instance, spec, group, (cores, nice));
        }
    }

    /// A thread of a tenant. Of a guest the monitor is nice, not the threads inside.
    pub(super) fn add_thread(
        &mut self,
        group: GroupId,
        core: usize,
        (allowed, nice): (&[usize], i32),
    ) -> ThreadId {
        match self {
            Engine::Exact(cpu) => cpu.add_thread(group, core, allowed, nice),
            Engine::Guests(guests) => guests.add_thread(),
            Engine::Fluid(fluid) => fluid.add_thread(),
        }
    }

    pub(super) fn set_now(&mut self, now: Instant) {
        both!(self, model => model.set_now(now));
    }

    pub(super) fn handle(&mut self, timer: Timer) {
        match (self, timer) {
            (Engine::Guests(guests), timer) => guests.handle(timer),
            (Engine::Exact(cpu), Timer::Host(event)) => cpu.handle(event),
            (Engine::Fluid(fluid), Timer::Host(event)) => fluid.handle(event),
            (_, Timer::GuestTick { .. }) => {}
        }
    }

    /// A sleeping thread's timer expires: answers whether it can be asked at once what next. If not, it is one of the idle
    /// hands when it can.
    pub(super) fn deliver(&mut self, thread: ThreadId) -> bool {
        match self {
            Engine::Guests(guests) => guests.deliver(thread),
            Engine::Exact(_) | Engine::Fluid(_) => true,
        }
    }

    pub(super) fn give_work(&mut self, thread: ThreadId, ns: f64, overhead_ns: u64) {
        match self {
            Engine::Exact(cpu) => cpu.give_work(thread, ns, overhead_ns),
            Engine::Guests(guests) => guests.give_work(thread, ns, overhead_ns),
            Engine::Fluid(fluid) => fluid.give_work(thread, ns),
        }
    }

    /// Gives a thread time in the kernel, which is no work of its own (ns).
    pub(super) fn give_kernel_time(&mut self, thread: ThreadId, ns: u64) {
        match self {
            Engine::Exact(cpu) => cpu.give_work(thread, 0.0, ns),
            Engine::Guests(guests) => guests.give_work(thread, 0.0, ns),
            Engine::Fluid(fluid) => fluid.give_work(thread, ns as f64),
        }
    }

    /// Has a running thread use its core without working, until it is given something. It is one of the idle hands whenever it
    /// comes onto a core.
    pub(super) fn spin(&mut self, thread: ThreadId) {
        match self {
            Engine::Exact(cpu) => cpu.spin(thread),
            Engine::Guests(guests) => guests.spin(thread),
            Engine::Fluid(_) => {}
        }
    }

    /// Whether a thread has a core, and a guest's thread one beneath it that runs.
    pub(super) fn is_at_work(&self, thread: ThreadId) -> bool {
        match self {
            Engine::Exact(cpu) => cpu.is_running(thread),
            Engine::Guests(guests) => guests.is_at_work(thread),
            Engine::Fluid(_) => false,
        }
    }

    pub(super) fn wake(&mut self, thread: ThreadId) {
        both!(self, model => model.wake(thread));
    }

    /// Wakes a thread for which another one, which runs, has something.
    pub(super) fn wake_by(&mut self, thread: ThreadId, waker: ThreadId) {
        match self {
            Engine::Exact(cpu) => cpu.wake_by(thread, waker),
            Engine::Guests(guests) => guests.wake(thread),
            Engine::Fluid(fluid) => fluid.wake(thread),
        }
    }

    pub(super) fn block(&mut self, thread: ThreadId) {
        both!(self, model => model.block(thread));
    }

    /// Has a thread be gone at once, whatever it was at.
    pub(super) fn halt(&mut self, thread: ThreadId) {
        match self {
            Engine::Exact(cpu) => cpu.halt(thread),
            Engine::Guests(guests) => guests.halt(thread),
            Engine::Fluid(fluid) => fluid.block(thread),
        }
    }

    /// Sets the quota of a group.
    pub(super) fn set_quota(&mut self, group: GroupId, quota: Quota) {
        match self {
            Engine::Exact(cpu) => cpu.set_quota(group, quota),
            Engine::Guests(guests) => guests.host.set_quota(group, quota),
            Engine::Fluid(_) => {}
        }
    }

    /// Where the threads of a guest each are, and there are any.
    pub(super) fn guests(&mut self) -> Option<&mut Guests> {
        match self {
            Engine::Guests(guests) => Some(guests),
            Engine::Exact(_) | Engine::Fluid(_) => None,
        }
    }

    /// Whether a timer that wakes `thread` finds its core idle.
    pub(super) fn would_wake_idle(&self, thread: ThreadId) -> bool {
        match self {
            Engine::Exact(cpu) => cpu.would_wake_idle(thread),
            Engine::Guests(guests) => guests.would_wake_idle(thread),
            Engine::Fluid(_) => false,
        }
    }

    /// Whether a running thread that wakes `thread` finds its core idle.
    pub(super) fn would_wake_idle_by(&mut self, thread: ThreadId, waker: ThreadId) -> bool {
        match self {
            Engine::Exact(cpu) => cpu.would_wake_idle_by(thread, waker),
            Engine::Guests(guests) => guests.would_wake_idle(thread),
            Engine::Fluid(_) => false,
        }
    }

    pub(super) fn cpu_ns(&self, thread: ThreadId) -> u64 {
        inside!(self, thread, cpu_ns)
    }

    pub(super) fn waited_ns(&self, thread: ThreadId) -> u64 {
        inside!(self, thread, waited_ns)
    }

    pub(super) fn work_ns(&self, thread: ThreadId) -> f64 {
        inside!(self, thread, work_ns)
    }

    pub(super) fn throttling(&self, group: GroupId) -> Option<Throttling> {
        match self {
            Engine::Exact(cpu) => cpu.throttling(group),
            Engine::Guests(guests) => guests.host.throttling(group),
            Engine::Fluid(_) => None,
        }
    }

    /// Notes that a thread has answered a request that arrived at `since`, if its quota made it late.
    pub(super) fn note_if_held(&mut self, thread: ThreadId, since: Instant) {
        match self {
            Engine::Exact(cpu) => cpu.note_if_held(thread, since),
            Engine::Guests(guests) => guests.note_if_held(thread, since),
            Engine::Fluid(_) => {}
        }
    }

    pub(super) fn settle(&mut self) {
        match self {
            Engine::Exact(cpu) => cpu.settle(),
            Engine::Guests(guests) => guests.settle(),
            Engine::Fluid(_) => {}
        }
    }

    /// Hands over the events that the model has asked for, in their order.
    pub(super) fn drain_timers(&mut self, mut each: impl FnMut(Instant, Timer)) {
        let own = match self {
            Engine::Exact(cpu) => &mut cpu.timers,
            Engine::Guests(guests) => {
                return guests.take_timers().into_iter().for_each(|(at, timer)| each(at, timer));
            }
            Engine::Fluid(fluid) => &mut fluid.timers,
        };
        own.drain(..).for_each(|(at, event)| each(at, Timer::Host(event)));
    }

    pub(super) fn next_idle_hand(&mut self) -> Option<ThreadId> {
        let hands = match self {
            Engine::Exact(cpu) => return cpu.next_idle_hand(),
            Engine::Guests(guests) => return guests.next_idle_hand(),
            Engine::Fluid(fluid) => &mut fluid.idle_hands,
        };
        if hands.is_empty() { None } else { Some(hands.remove(0)) }
    }

    /// Whether a thread of a tenant has a core, in a guest one of the guest's that has itself one.
    pub(super) fn is_running(&self, thread: ThreadId) -> bool {
        match self {
            Engine::Exact(cpu) => cpu.is_running(thread),
            Engine::Guests(guests) => {
                let (cpu, own) = guests.inside(thread);
                cpu.is_running(own)
            }
            Engine::Fluid(_) => false,
        }
    }

    /// (instance, virtual CPU) of each of the host's threads, where they carry guests.
    pub(super) fn carriers(&self) -> Option<Vec<(usize, usize)>> {
        match self {
            Engine::Guests(guests) => Some(guests.carriers()),
            Engine::Exact(_) | Engine::Fluid(_) => None,
        }
    }
}
