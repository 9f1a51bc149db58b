//! How an instance leaves a world, and comes to another one.

use super::{Before, Goods, Note, Parcel, Place, Underway, Wish};
use crate::experiment::engine::{Engine, Timer};
use crate::experiment::lives::{How, Killed};
use crate::experiment::world::{CPU_FIRST, Event, Instance, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::resources::cpu::ThreadId;

impl World {
    /// The last round is over: the instance leaves.
    pub(super) fn depart(&mut self, wish: &Wish) {
        let Some(goods) = self.pack(wish.index) else { return self.give_up_move(wish.index, wish.cause) };
        self.send(wish, goods);
    }

    /// Stops an instance that can't be moved while it runs, and sends it away to be started elsewhere.
    pub(super) fn stop_to_move(&mut self, wish: &Wish) {
        let stopped = self.note(Note::Stopped(wish.index), wish.cause);
        self.vanish(wish.index, How::Replaced, stopped);
        if let Some(goods) = self.pack_stopped(wish.index) {
            self.send(wish, goods);
        }
    }

    fn send(&mut self, wish: &Wish, goods: Goods) {
        if let Some(underway) = &mut self.moves.underway {
            underway.left = true;
        }
        self.moves.outbox.push(Parcel { to: wish.to, index: wish.index, goods: Some(Box::new(goods)) });
    }

    fn pack(&mut self, index: usize) -> Option<Goods> {
        let guest = self.engine.guests()?.take(index)?;
        let timers = self.take_timers(index);
        let threads = self.instances.get(index)?.as_ref()?.threads.clone();
        let memory = self.memory.as_mut().and_then(|memory| memory.pack(index, &threads));
        let before = self.had(index, false);
        let instance = self.instances.get_mut(index)?.as_mut()?;
        instance.place = Place::Left;
        let Instance { program, start, lives, .. } = instance.clone();
        self.reap(index);
        let needs_bytes = memory.as_ref().map_or(0, |memory| memory.charged_bytes);
        Some(Goods { program, start, lives, before, guest: Some(guest), timers, memory, needs_bytes })
    }

    fn pack_stopped(&mut self, index: usize) -> Option<Goods> {
        let before = self.had(index, true);
        let instance = self.instances.get_mut(index)?.as_mut()?;
        instance.place = Place::Left;
        let Instance { program, start, lives, .. } = instance.clone();
        let needs_bytes = self.memory.as_ref().map_or(0, |memory| memory.idle_bytes(&program));
        Some(Goods {
            program,
            start,
            lives,
            before,
            guest: None,
            timers: Vec::new(),
            memory: None,
            needs_bytes,
        })
    }

    /// What an instance has had up to now; `all`: also what a guest would take along.
    fn had(&self, index: usize, all: bool) -> Before {
        let before =
            self.instances.get(index).and_then(Option::as_ref).map(|one| one.before).unwrap_or_default();
        before.and(&self.here(index), all)
    }

    /// What an instance has had on this node.
    fn here(&self, index: usize) -> Before {
        let Some(Some(instance)) = self.instances.get(index) else { return Before::default() };
        let threads = || instance.threads.iter().copied();
        let throttling = self.engine.throttling(instance.group).unwrap_or_default();
        let (cpu_ns, stolen_ns) = match &self.engine {
            Engine::Guests(guests) => (guests.cpu_ns(index), guests.stolen_ns(index)),
            engine => (threads().map(|thread| engine.cpu_ns(thread)).sum(), 0),
        };
        Before {
            cpu_ns,
            stolen_ns,
            waited_ns: threads().map(|thread| self.engine.waited_ns(thread)).sum(),
            work_ns: threads().map(|thread| self.engine.work_ns(thread)).sum(),
            peak_bytes: self.memory.as_ref().and_then(|memory| memory.peak_bytes(index)).unwrap_or(0),
            throttled_ns: throttling.ns,
            throttled_periods: throttling.periods,
        }
    }

    /// Takes what an instance has set for later out of the queue, its threads called by their number in it.
    fn take_timers(&mut self, index: usize) -> Vec<(Instant, Event)> {
        let Some(Some(instance)) = self.instances.get(index) else { return Vec::new() };
        let threads = instance.threads.clone();
        let guest = self.engine.guests().and_then(|guests| guests.guest_of(index));
        let is = |event: &Event| match event {
            Event::Expire(thread, _) | Event::Wake(thread, _) | Event::Cut { thread, .. } => {
                threads.contains(thread)
            }
            Event::Start(other) => *other == index,
            Event::Cpu(Timer::GuestTick { guest: other, .. }) => Some(*other) == guest,
            _ => false,
        };
        let own = |thread: ThreadId| threads.iter().position(|other| *other == thread).unwrap_or(0);
        let timers = self.queue.extract(is);
        timers.into_iter().map(|(at, event)| (at, renamed(event, own, 0))).collect()
    }

    /// Whether there is room for an instance that comes.
    fn has_room(&self, goods: &Goods) -> bool {
        !self.lost && self.memory.as_ref().is_none_or(|memory| memory.room_bytes() >= goods.needs_bytes)
    }

    /// An instance comes from another node, at `at`; answers with it where there is no room.
    pub(in crate::experiment) fn receive(
        &mut self,
        at: Instant,
        index: usize,
        goods: Option<Box<Goods>>,
    ) -> Option<Box<Goods>> {
        self.moves.expecting = self.moves.expecting.saturating_sub(1);
        let goods = goods?;
        if !self.has_room(&goods) {
            return Some(goods);
        }
        self.advance_to(at);
        self.unpack(index, *goods);
        None
    }

    /// What became of the instance that left last: it goes on elsewhere, or has come back.
    pub(in crate::experiment) fn hear(&mut self, index: usize, back: Option<Box<Goods>>) {
        let Some(Underway { mut wish, rounds, since, .. }) = self.moves.underway.take() else { return };
        match back {
            None => {
                if rounds.is_some() {
                    self.note(Note::Moved(index, wish.to), wish.cause);
                }
                self.moves.keep_from(index, &wish.or);
            }
            Some(goods) => match if rounds.is_none() { wish.next() } else { None } {
                Some(next) => {
                    wish.to = next;
                    self.moves.underway =
                        Some(Underway { wish: wish.clone(), rounds, since, told: 0, last: true, left: true });
                    self.moves.outbox.push(Parcel { to: next, index, goods: Some(goods) });
                    return;
                }
                None => {
                    self.unpack(index, *goods);
                    self.go_on_to_the_next(wish);
                }
            },
        }
        self.next_move();
        self.settle_instant();
    }

    fn unpack(&mut self, index: usize, goods: Goods) {
        let Goods { program, start, lives, before, guest, timers, memory, .. } = goods;
        // What it had here before is told by what is here.
        let here = self.here(index);
        let Some(Some(instance)) = self.instances.get_mut(index) else { return };
        let threads = instance.threads.clone();
        (instance.program, instance.start, instance.lives) = (program, start, lives);
        (instance.place, instance.before) = (Place::Here, before.less(&here, guest.is_none()));
        let Some(guest) = guest else {
            let now = self.now;
            instance.killed = Some(Killed { gone: Some(now), how: How::Replaced, cause: None });
            return self.begin_after(index, 0, None);
        };
        if let Some(memory) = memory {
            self.take_memory_over(index, memory, &threads);
        }
        let number = self.engine.guests().and_then(|guests| {
            guests.put(index, guest);
            guests.guest_of(index)
        });
        for (at, event) in timers {
            let thread = |own: ThreadId| threads.get(own).copied().unwrap_or(own);
            let event = renamed(event, thread, number.unwrap_or(0));
            let priority = if matches!(event, Event::Cpu(_)) { CPU_FIRST } else { TENANTS_SECOND };
            self.queue.push(at.max(self.now), priority, event);
        }
        self.settle_instant();
    }
}

impl Before {
    /// Both together; `all`: also what a guest takes along.
    fn and(self, here: &Self, all: bool) -> Self {
        let carried = if all { *here } else { Self::default() };
        Self {
            cpu_ns: self.cpu_ns + carried.cpu_ns,
            waited_ns: self.waited_ns + carried.waited_ns,
            stolen_ns: self.stolen_ns + carried.stolen_ns,
            work_ns: self.work_ns + carried.work_ns,
            peak_bytes: self.peak_bytes.max(here.peak_bytes),
            throttled_ns: self.throttled_ns + here.throttled_ns,
            throttled_periods: self.throttled_periods + here.throttled_periods,
        }
    }

    /// Without what is told by what is here; `all`: also of what a guest takes along.
    fn less(self, here: &Self, all: bool) -> Self {
        let carried = if all { *here } else { Self::default() };
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(carried.cpu_ns),
            waited_ns: self.waited_ns.saturating_sub(carried.waited_ns),
            stolen_ns: self.stolen_ns.saturating_sub(carried.stolen_ns),
            work_ns: (self.work_ns - carried.work_ns).max(0.0),
            peak_bytes: self.peak_bytes,
            throttled_ns: self.throttled_ns.saturating_sub(here.throttled_ns),
            throttled_periods: self.throttled_periods.saturating_sub(here.throttled_periods),
        }
    }
}

/// The same event of a guest with other numbers.
fn renamed(event: Event, rename: impl Fn(ThreadId) -> ThreadId, guest: usize) -> Event {
    match event {
        Event::Expire(thread, life) => Event::Expire(rename(thread), life),
        Event::Wake(thread, life) => Event::Wake(rename(thread), life),
        Event::Cut { thread, phase, life } => Event::Cut { thread: rename(thread), phase, life },
        Event::Cpu(Timer::GuestTick { core, .. }) => Event::Cpu(Timer::GuestTick { guest, core }),
        other => other,
    }
}
