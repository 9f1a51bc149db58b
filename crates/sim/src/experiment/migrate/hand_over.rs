//! How an instance leaves a world, and comes to another one.

use super::{Before, Goods, Note, Parcel, Place, Wish};
use crate::experiment::engine::Timer;
use crate::experiment::world::{CPU_FIRST, Event, Instance, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::resources::cpu::ThreadId;

impl World {
    /// The last round is over: the instance leaves.
    pub(super) fn depart(&mut self, wish: Wish) {
        let Some(goods) = self.pack(wish.index) else { return self.give_up_move(wish.index, wish.cause) };
        if let Some(underway) = &mut self.moves.underway {
            underway.left = true;
        }
        self.moves.outbox.push(Parcel { to: wish.to, index: wish.index, goods: Some(Box::new(goods)) });
    }

    fn pack(&mut self, index: usize) -> Option<Goods> {
        let guest = self.engine.guests()?.take(index)?;
        let timers = self.take_timers(index);
        let throttling = self.instances.get(index).and_then(Option::as_ref).map(|one| one.group);
        let throttling = throttling.and_then(|group| self.engine.throttling(group)).unwrap_or_default();
        let here_peak = self.memory.as_ref().and_then(|memory| memory.peak_bytes(index)).unwrap_or(0);
        let threads = self.instances.get(index)?.as_ref()?.threads.clone();
        let memory = self.memory.as_mut().and_then(|memory| memory.pack(index, &threads));
        let instance = self.instances.get_mut(index)?.as_mut()?;
        instance.place = Place::Left;
        let Instance { program, start, lives, before, .. } = instance.clone();
        let before = Before {
            peak_bytes: before.peak_bytes.max(here_peak),
            throttled_ns: before.throttled_ns + throttling.ns,
            throttled_periods: before.throttled_periods + throttling.periods,
        };
        self.reap(index);
        Some(Goods { program, start, lives, before, guest, timers, memory })
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
        let needs = goods.memory.as_ref().map_or(0, |memory| memory.charged_bytes);
        !self.lost && self.memory.as_ref().is_none_or(|memory| memory.room_bytes() >= needs)
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
        let Some(underway) = self.moves.underway.take() else { return };
        let cause = underway.wish.cause;
        match back {
            None => {
                self.note(Note::Moved(index, underway.wish.to), cause);
            }
            Some(goods) => {
                self.unpack(index, *goods);
                self.note(Note::NotMoved(index), cause);
            }
        }
        self.next_move();
        self.settle_instant();
    }

    fn unpack(&mut self, index: usize, goods: Goods) {
        let Goods { program, start, lives, before, guest, timers, memory } = goods;
        let Some(Some(instance)) = self.instances.get_mut(index) else { return };
        let group = instance.group;
        let had = self.engine.throttling(group).unwrap_or_default();
        let threads = instance.threads.clone();
        (instance.program, instance.start, instance.lives) = (program, start, lives);
        instance.place = Place::Here;
        // What it had here before is told by its group.
        instance.before = Before {
            throttled_ns: before.throttled_ns.saturating_sub(had.ns),
            throttled_periods: before.throttled_periods.saturating_sub(had.periods),
            ..before
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
