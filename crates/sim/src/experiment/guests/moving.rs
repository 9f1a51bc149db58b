//! A guest that is made to stand still, and goes on where it was or on another host.
//!
//! **Law.** A guest that stands still has no thread of the host that would run: what comes due in it waits, and its virtual CPUs are
//! not stolen. When it goes on, each of them needs from the host what it had still to do. Its clock has gone on meanwhile.
//! **Source.** QEMU `system/cpus.c` (`pause_all_vcpus`, `resume_all_vcpus`), `migration/migration.c`.
//! **Where the model is wrong.** QEMU stops the clock of a guest under KVM as well: there a sleep ends later by as long as it
//! stood still.

use super::{Due, Guests, ThreadId};
use crate::resources::cpu::Cpu;

/// What a guest had on hosts before this one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    cpu_ns: u64,
    stolen_ns: u64,
}

/// A guest between two hosts.
#[derive(Debug, Clone)]
pub(in crate::experiment) struct MovedGuest {
    cpu: Cpu,
    /// What waits for each virtual CPU; threads by their number in the instance.
    due: Vec<Vec<Due>>,
    timers: u64,
    before: Before,
}

impl Guests {
    /// The guest of an instance.
    pub(in crate::experiment) fn guest_of(&self, instance: usize) -> Option<usize> {
        self.guests.iter().position(|guest| guest.instance == instance)
    }

    /// Has the guest of an instance stand still.
    pub(in crate::experiment) fn stand_still(&mut self, instance: usize) {
        let Some(index) = self.guest_of(instance) else { return };
        self.enter(index);
        let Self { host, guests, .. } = self;
        let guest = &mut guests[index];
        guest.still = true;
        for seat in &mut guest.seats {
            if !host.is_asleep(seat.thread) {
                host.halt(seat.thread);
            }
            seat.left = 0.0;
        }
    }

    /// Has it go on.
    pub(in crate::experiment) fn go_on(&mut self, instance: usize) {
        let Some(index) = self.guest_of(instance) else { return };
        let cpu = self.enter(index);
        (0..cpu.cores_count()).for_each(|core| cpu.ask_anew(core));
        self.guests[index].still = false;
    }

    /// Takes a guest that stands still off this host.
    pub(in crate::experiment) fn take(&mut self, instance: usize) -> Option<MovedGuest> {
        let index = self.guest_of(instance)?;
        self.enter(index);
        let before = Before { cpu_ns: self.cpu_ns(instance), stolen_ns: self.stolen_ns(instance) };
        let guest = &mut self.guests[index];
        let cpu = guest.cpu.clone();
        guest.cpu.ran = guest.cpu.ran.as_ref().map(|_| Vec::new());
        let owners = &guest.owners;
        let own = |due: &Due| match *due {
            Due::Tick => Some(Due::Tick),
            Due::Ask(thread) => owners.iter().position(|owner| *owner == thread).map(Due::Ask),
        };
        let due = guest.seats.iter().map(|seat| seat.due.iter().filter_map(own).collect()).collect();
        guest.seats.iter_mut().for_each(|seat| seat.due.clear());
        guest.before = Before::default();
        Some(MovedGuest { cpu, due, timers: std::mem::take(&mut guest.timers), before })
    }

    /// Puts a guest on this host, in the place that was made for it, and has it go on.
    pub(in crate::experiment) fn put(&mut self, instance: usize, moved: MovedGuest) {
        let Some(index) = self.guest_of(instance) else { return };
        let MovedGuest { cpu, due, timers, before } = moved;
        let had = Before { cpu_ns: self.host_cpu_ns(instance), stolen_ns: self.host_stolen_ns(instance) };
        let guest = &mut self.guests[index];
        guest.cpu = cpu;
        guest.timers += timers;
        // A guest that comes back finds its threads as they were: what these had is part of what it brings.
        guest.before = Before {
            cpu_ns: before.cpu_ns - had.cpu_ns.min(before.cpu_ns),
            stolen_ns: before.stolen_ns - had.stolen_ns.min(before.stolen_ns),
        };
        let owners = &guest.owners;
        let of_host = |due: Due| match due {
            Due::Tick => Some(Due::Tick),
            Due::Ask(own) => owners.get(own).copied().map(Due::Ask),
        };
        for (seat, due) in guest.seats.iter_mut().zip(due) {
            seat.due = due.into_iter().filter_map(of_host).collect();
            (seat.on, seat.left, seat.stolen_since) = (false, 0.0, None);
        }
        self.go_on(instance);
    }

    /// CPU time that the virtual CPUs of an instance have had (ns).
    pub(in crate::experiment) fn cpu_ns(&self, instance: usize) -> u64 {
        self.before(instance).cpu_ns + self.host_cpu_ns(instance)
    }

    /// For how long the virtual CPUs of an instance waited for a core (ns), as the host's threads count it.
    pub(in crate::experiment) fn stolen_ns(&self, instance: usize) -> u64 {
        self.before(instance).stolen_ns + self.host_stolen_ns(instance)
    }

    fn before(&self, instance: usize) -> Before {
        self.guest_of(instance).map_or_else(Before::default, |index| self.guests[index].before)
    }

    fn host_cpu_ns(&self, instance: usize) -> u64 {
        self.carriers_of(instance).map(|thread| self.host.cpu_ns(thread)).sum()
    }

    fn host_stolen_ns(&self, instance: usize) -> u64 {
        self.carriers_of(instance).map(|thread| self.host.waited_ns(thread)).sum()
    }

    fn carriers_of(&self, instance: usize) -> impl Iterator<Item = ThreadId> {
        let own = self.guests.iter().filter(move |guest| guest.instance == instance);
        own.flat_map(|guest| &guest.seats).map(|seat| seat.thread)
    }
}
