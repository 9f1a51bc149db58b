//! Two levels of scheduling: a machine whose threads are the virtual CPUs of guests, each of which is a machine again.
//!
//! **Law.** A guest's core is lent by the host's thread that carries it. While that thread has a core, the guest's core
//! runs, and as much work is done in it as the host's model says was done beneath; otherwise it stands. A guest's core
//! without business halts: its thread blocks, and a timer or a thread that is put there wakes it. A timer that comes due
//! while the core stands is delivered when it runs again, ticks at most once.
//!
//! **Source.** Linux `virt/kvm/kvm_main.c` (`kvm_vcpu_block`, `kvm_vcpu_kick`), `kernel/time/tick-sched.c`; steal is the
//! threads' `run_delay`, as `record_steal_time` in `arch/x86/kvm/x86.c` reads it.
//!
//! **Judge.** With one virtual CPU and one thread per guest, and costs of nothing, the host's schedule is that of the
//! threads themselves in control groups, to the nanosecond.

mod moving;
mod threads;

use std::collections::{BTreeSet, VecDeque};

use super::engine::Timer;
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;
use crate::platform;
use crate::resources::cpu::{CoreId, Cpu, CpuEvent, GroupId, ThreadId};

use moving::Before;
pub(super) use moving::MovedGuest;

/// What waits for a guest's core to run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Tick,
    /// This thread of a tenant has to be asked what next.
    Ask(ThreadId),
}

/// A virtual CPU.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// The host's thread that carries it.
    thread: ThreadId,
    on: bool,
    /// What the host's thread had still to do when the guest was last told.
    left: f64,
    due: Vec<Due>,
    /// Since when it would run and does not.
    stolen_since: Option<Instant>,
    /// When it would have run and did not, where that is recorded.
    pub(super) stolen: Option<Vec<(Instant, Instant)>>,
}

/// One guest.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) instance: usize,
    pub(super) cpu: Cpu,
    pub(super) seats: Vec<Seat>,
    /// The tenant's number of each of its threads.
    pub(super) owners: Vec<ThreadId>,
    timer_ns: u64,
    timers: u64,
    /// Whether it is made to stand still.
    still: bool,
    before: Before,
}

impl Guest {
    fn tick(&mut self, core: CoreId) {
        if self.cpu.has_thread(core) {
            self.timers += 1;
        }
        self.cpu.handle(CpuEvent::Tick(core));
    }
}

/// A host and its guests.
#[derive(Debug, Clone)]
pub(super) struct Guests {
    pub(super) host: Cpu,
    pub(super) guests: Vec<Guest>,
    /// (guest, virtual CPU) of each of the host's threads.
    carries: Vec<(usize, CoreId)>,
    /// (guest, number in it) of each thread of a tenant.
    pub(super) threads: Vec<(usize, ThreadId)>,
    now: Instant,
    dice: SplitMix64,
    /// Threads of tenants that have to be asked what next.
    ready: VecDeque<ThreadId>,
    /// Guests that the host has not been brought in line with.
    changed: BTreeSet<usize>,
    /// Ticks that guests have asked for.
    ticks: Vec<(Instant, Timer)>,
}

impl Guests {
    /// `host` without guests, whose kernels will throw dice of their own.
    pub(super) fn new(mut host: Cpu, dice: SplitMix64) -> Self {
        host.watch_switches();
        Self {
            host,
            guests: Vec::new(),
            carries: Vec::new(),
            threads: Vec::new(),
            now: 0,
            dice,
            ready: VecDeque::new(),
            changed: BTreeSet::new(),
            ticks: Vec::new(),
        }
    }

    /// A guest for an instance of the plan, its virtual CPUs in `group` of the host and on `cores` only (all if empty).
    pub(super) fn add(
        &mut self,
        instance: usize,
        spec: &platform::vm::Guest,
        group: GroupId,
        (cores, nice): (&[CoreId], i32),
    ) {
        let record = self.host.ran.is_some();
        let dice = SplitMix64::named(self.dice.next(), "kernel");
        let cpu = Cpu::new(spec.vcpus, spec.knobs, spec.speed, dice, record).lent();
        let mut seats = Vec::with_capacity(spec.vcpus);
        for vcpu in 0..spec.vcpus {
            let number = self.carries.len();
            let core = match cores {
                [] => number % self.host.cores_count(),
                cores => cores[number % cores.len()],
            };
            let thread = self.host.add_thread(group, core, cores, nice);
            self.carries.push((self.guests.len(), vcpu));
            let stolen = record.then(Vec::new);
            seats.push(Seat { thread, on: false, left: 0.0, due: Vec::new(), stolen_since: None, stolen });
        }
        self.guests.push(Guest {
            instance,
            cpu,
            seats,
            owners: Vec::new(),
            timer_ns: spec.timer_ns,
            timers: 0,
            still: false,
            before: Before::default(),
        });
    }

    /// A thread of the tenant whose guest was added last, asleep.
    pub(super) fn add_thread(&mut self) -> ThreadId {
        let (number, index) = (self.threads.len(), self.guests.len().saturating_sub(1));
        let guest = &mut self.guests[index];
        let core = guest.owners.len() % guest.seats.len();
        let own = guest.cpu.add_thread(crate::resources::cpu::ROOT, core, &[], 0);
        guest.owners.push(number);
        self.threads.push((index, own));
        number
    }

    pub(super) fn set_now(&mut self, now: Instant) {
        self.now = now;
        self.host.set_now(now);
    }

    /// Carries out an event of the host or of a guest.
    pub(super) fn handle(&mut self, timer: Timer) {
        match timer {
            Timer::Host(event) => self.host.handle(event),
            Timer::GuestTick { guest, core } => self.guest_tick(guest, core),
        }
    }

    fn guest_tick(&mut self, index: usize, core: CoreId) {
        self.enter(index);
        let guest = &mut self.guests[index];
        // On a halted core it only finds out that there is nothing to do.
        if guest.seats[core].on || !guest.cpu.has_thread(core) {
            guest.tick(core);
        } else {
            guest.seats[core].due.push(Due::Tick);
        }
    }

    /// The timer of a sleeping thread expires, or it is to begin: answers whether it can be asked what next now; else that
    /// comes when its virtual CPU runs.
    pub(super) fn deliver(&mut self, thread: ThreadId) -> bool {
        let (index, own) = self.threads[thread];
        self.enter(index);
        let guest = &mut self.guests[index];
        guest.timers += 1;
        guest.cpu.burden(own, guest.timer_ns);
        let seat = &mut guest.seats[guest.cpu.core_of(own)];
        if !seat.on {
            seat.due.push(Due::Ask(thread));
        }
        seat.on
    }

    /// Whether a timer that wakes `thread` finds its virtual CPU halted and the host's core idle.
    pub(super) fn would_wake_idle(&self, thread: ThreadId) -> bool {
        let carrier = self.carrier(thread);
        self.host.is_asleep(carrier) && self.host.would_wake_idle(carrier)
    }

    /// Has a thread be gone from its guest, and forgets what was to be asked of it.
    pub(super) fn halt(&mut self, thread: ThreadId) {
        let (index, own) = self.threads[thread];
        self.ready.retain(|other| *other != thread);
        for seat in &mut self.guests[index].seats {
            seat.due.retain(|due| *due != Due::Ask(thread));
        }
        self.enter(index).halt(own);
    }

    /// A thread that has to be asked what next, after all that follows at this instant has been brought in line.
    pub(super) fn next_idle_hand(&mut self) -> Option<ThreadId> {
        loop {
            self.fall_in_line();
            let thread = self.ready.pop_front()?;
            let (index, own) = self.threads[thread];
            self.changed.insert(index);
            let guest = &mut self.guests[index];
            if !guest.cpu.is_to_be_told(own) {
                continue;
            }
            let seat = &mut guest.seats[guest.cpu.core_of(own)];
            if seat.on {
                return Some(thread);
            }
            // Its virtual CPU was pre-empted at this very instant.
            seat.due.push(Due::Ask(thread));
        }
    }

    pub(super) fn take_timers(&mut self) -> Vec<(Instant, Timer)> {
        let host = std::mem::take(&mut self.host.timers).into_iter();
        let mut all: Vec<_> = host.map(|(at, event)| (at, Timer::Host(event))).collect();
        all.append(&mut self.ticks);
        all
    }

    /// Brings a guest's clock up to now, and what its cores were given.
    pub(super) fn enter(&mut self, index: usize) -> &mut Cpu {
        self.changed.insert(index);
        let Guest { cpu, seats, .. } = &mut self.guests[index];
        cpu.set_now(self.now);
        for (core, seat) in seats.iter_mut().enumerate().filter(|(_, seat)| seat.on) {
            let left = self.host.left(seat.thread);
            cpu.feed(core, (seat.left - left).max(0.0));
            seat.left = left;
        }
        cpu
    }

    /// Lets host and guests follow each other until neither has news for the other.
    fn fall_in_line(&mut self) {
        loop {
            for thread in self.host.take_switched() {
                self.follow_switch(thread);
            }
            for thread in std::mem::take(&mut self.host.idle_hands) {
                self.follow_work(thread);
            }
            match self.changed.pop_first() {
                Some(index) => self.tell_host(index),
                None => return,
            }
        }
    }

    /// The host's thread has come onto a core or left it, and the guest's core with it.
    fn follow_switch(&mut self, thread: ThreadId) {
        let ((index, core), on) = (self.carries[thread], self.host.is_running(thread));
        if self.guests[index].seats[core].on == on {
            return;
        }
        self.enter(index);
        let asleep = self.host.is_asleep(thread);
        let left = self.host.left(thread);
        let guest = &mut self.guests[index];
        let seat = &mut guest.seats[core];
        seat.on = on;
        if !on {
            guest.cpu.stand(core);
            seat.stolen_since = (!asleep).then_some(self.now);
            return;
        }
        seat.left = left;
        if let (Some(since), Some(stolen)) = (seat.stolen_since.take(), &mut seat.stolen)
            && since < self.now
        {
            stolen.push((since, self.now));
        }
        let due = std::mem::take(&mut seat.due);
        guest.cpu.go(core);
        for due in due {
            match due {
                Due::Tick => guest.tick(core),
                Due::Ask(thread) => self.ready.push_back(thread),
            }
        }
    }

    /// The host's thread has done what the guest's core had asked for.
    fn follow_work(&mut self, thread: ThreadId) {
        let (index, core) = self.carries[thread];
        self.enter(index);
        let Guest { cpu, seats, owners, .. } = &mut self.guests[index];
        // One that was pre-empted at this very instant is told when it runs again.
        if seats[core].on {
            cpu.reached(core);
            let hands = std::mem::take(&mut cpu.idle_hands);
            self.ready.extend(hands.into_iter().map(|own| owners[own]));
        }
    }

    /// Gives the host's threads what the guest's cores need; wakes and halts them.
    fn tell_host(&mut self, index: usize) {
        self.enter(index);
        self.changed.remove(&index);
        let Guest { cpu, owners, .. } = &mut self.guests[index];
        let hands = std::mem::take(&mut cpu.idle_hands);
        self.ready.extend(hands.into_iter().map(|own| owners[own]));
        let asked = self.ready.iter().any(|&thread| self.threads[thread].0 == index);
        let Self { host, guests, now, ticks, .. } = self;
        let Guest { cpu, seats, still, .. } = &mut guests[index];
        for (core, seat) in seats.iter_mut().enumerate() {
            if let Some(wanted) = cpu.wanted(core) {
                host.give_work(seat.thread, wanted, 0);
                seat.left = wanted;
            }
            let wants = !*still && (cpu.has_business(core) || !seat.due.is_empty());
            if wants && host.is_asleep(seat.thread) {
                seat.stolen_since = Some(*now);
                host.wake(seat.thread);
            } else if !wants && seat.on && !asked {
                host.block(seat.thread);
            }
        }
        for (at, event) in std::mem::take(&mut cpu.timers) {
            // A lent core asks for its ticks only: when its work is done it hears from beneath.
            if let CpuEvent::Tick(core) = event {
                ticks.push((at, Timer::GuestTick { guest: index, core }));
            }
        }
    }

    fn carrier(&self, thread: ThreadId) -> ThreadId {
        let (index, own) = self.threads[thread];
        let guest = &self.guests[index];
        guest.seats[guest.cpu.core_of(own)].thread
    }

    /// The guest's own account of a thread.
    pub(super) fn inside(&self, thread: ThreadId) -> (&Cpu, ThreadId) {
        let (index, own) = self.threads[thread];
        (&self.guests[index].cpu, own)
    }

    pub(super) fn note_if_held(&mut self, thread: ThreadId, since: Instant) {
        self.host.note_if_held(self.carrier(thread), since);
    }

    /// Brings all accounts up to now.
    pub(super) fn settle(&mut self) {
        self.fall_in_line();
        for index in 0..self.guests.len() {
            self.enter(index).settle();
            let now = self.now;
            for seat in &mut self.guests[index].seats {
                if let (Some(since), Some(stolen)) = (seat.stolen_since.take(), &mut seat.stolen)
                    && since < now
                {
                    stolen.push((since, now));
                }
            }
        }
        self.host.settle();
    }

    /// (instance, virtual CPU) of each of the host's threads.
    pub(super) fn carriers(&self) -> Vec<(usize, CoreId)> {
        self.carries.iter().map(|&(guest, vcpu)| (self.guests[guest].instance, vcpu)).collect()
    }

    /// CPU time that went into timers beyond what they cost without guests (ns).
    pub(super) fn overhead_ns(&self) -> u64 {
        self.guests.iter().map(|guest| guest.timers * guest.timer_ns).sum()
    }
}
