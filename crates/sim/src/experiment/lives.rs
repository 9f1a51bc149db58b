//! The lives of an instance: how one ends, and when the next begins.
//!
//! **Law.** A killed process comes to its end in its own time: its threads have to get a core, the first of them gives its
//! memory back. What asked it is refused from then on, until it is there again. A next life is a new process in the same
//! groups: it begins after the back-off (`catamaran_scenario::back_off`) and after what a start takes on this platform. Whoever
//! runs for something that is gone with its node is gone at once.
//! **Source.** Linux `kernel/exit.c` (`do_exit`), `mm/oom_kill.c`; `connect(2)` (ECONNREFUSED); the calibration for the start.
//! **Left out.** A replica that is to end does so at once: no workload here does anything on SIGTERM.

use catamaran_scenario::plan::Restart;

use super::log::Note;
use super::migrate::Place;
use super::world::{Event, Instance, TENANTS_SECOND, World};
use crate::kernel::Instant;
use crate::kernel::trace::Cause;
use crate::orchestrator::back_off::BackOff;
use crate::platform::memory::MemoryClaim;
use crate::resources::cpu::ThreadId;

/// An instance that is not there yet has no beginning.
pub(super) const NEVER: Instant = Instant::MAX;

/// How a life was ended by force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// For memory, by the kernel.
    Memory,
    /// By an event.
    Event,
    /// Its peer is gone, in the middle of their talk.
    Reset,
    /// Nobody listened where it wanted to connect.
    Refused,
    /// With its node.
    Node,
    /// It is no longer wanted; its clients are gone with it.
    Unwanted,
    /// Another one takes its place.
    Replaced,
}

/// The forced end of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Killed {
    /// When the last of it was gone.
    pub(super) gone: Option<Instant>,
    pub(super) how: How,
    pub(super) cause: Option<Cause>,
}

/// What is agreed on an instance for all its lives.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) restart: Restart,
    /// From the request for a start to its end (ns), as calibrated; 0 where that is not known.
    pub(super) startup: u64,
    /// Period and burst of a quota (ns), where the platform has limits.
    pub(super) limits: Option<(u64, u64)>,
    pub(super) memory: Option<MemoryClaim>,
    /// Whether a replica of that number is there from the start.
    pub(super) first: bool,
}

/// Where an instance is in its lives.
#[derive(Debug, Clone)]
pub(super) struct Lives {
    pub(super) terms: Terms,
    /// Number of the present life: timers of another one are stale.
    pub(super) life: u32,
    /// When the present life began.
    pub(super) since: Instant,
    pub(super) wanted: bool,
    pub(super) restarts: u64,
    /// How often it was killed for memory.
    pub(super) oom_kills: u64,
    back_off: BackOff,
    /// Those that are replaced after it is there again, and the event that asks for it.
    pub(super) then: Option<(Vec<usize>, Option<Cause>)>,
}

impl Lives {
    pub(super) fn new(terms: Terms, start: Instant) -> Self {
        let wanted = terms.first;
        let back_off = BackOff::default();
        Self { terms, life: 0, since: start, wanted, restarts: 0, oom_kills: 0, back_off, then: None }
    }
}

impl Instance {
    /// Its present life is ended by force.
    pub(super) fn kill(&mut self, killed: Killed) {
        self.lives.oom_kills += u64::from(killed.how == How::Memory);
        self.killed = Some(killed);
    }
}

impl World {
    /// Whether a timer that a thread set in that life means nothing any more.
    pub(super) fn is_stale(&self, thread: ThreadId, life: u32) -> bool {
        self.is_killed(thread) || self.life_of(thread) != life
    }

    pub(super) fn life_of(&self, thread: ThreadId) -> u32 {
        let instance = self.owners.get(thread).and_then(|(index, _)| self.instances.get(*index)?.as_ref());
        instance.map_or(0, |instance| instance.lives.life)
    }

    /// Whether there is a process that can be killed.
    pub(super) fn is_there(&self, index: usize) -> bool {
        let instance = self.instances.get(index).and_then(Option::as_ref);
        let is = |one: &Instance| {
            one.killed.is_none()
                && one.place == Place::Here
                && one.clash.is_none()
                && one.start != NEVER
                && one.program.finished().is_none()
        };
        instance.is_some_and(is)
    }

    /// Ends a life by force: its threads stop, and one of them gives its memory back.
    pub(super) fn end(&mut self, index: usize, how: How, cause: Option<Cause>) {
        self.give_up_move(index, cause);
        let now = self.now;
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        instance.kill(Killed { gone: None, how, cause });
        instance.program.stop(now, how != How::Unwanted);
        let threads = instance.threads.clone();
        self.end_children(index);
        for &thread in &threads {
            self.stop_touching(thread);
            self.stop_operating(thread);
            self.stop_talking(thread);
            self.engine.give_work(thread, 0.0, 0);
        }
        let Some(&first) = threads.first() else { return };
        let exit_ns = self.release_ns(index);
        self.engine.give_kernel_time(first, exit_ns.max(1));
        self.engine.wake(first);
    }

    /// Ends a life at once, its memory given back.
    pub(super) fn vanish(&mut self, index: usize, how: How, cause: Option<Cause>) {
        self.give_up_move(index, cause);
        let now = self.now;
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        instance.kill(Killed { gone: Some(now), how, cause });
        instance.program.stop(now, true);
        let threads = instance.threads.clone();
        self.end_children(index);
        for thread in threads {
            self.stop_touching(thread);
            self.stop_operating(thread);
            self.stop_talking(thread);
            self.engine.halt(thread);
        }
        self.disconnect(index, cause);
        self.reap(index);
    }

    /// The last of a life is gone, or its work is done: is there to be another one?
    pub(super) fn follow_up(&mut self, index: usize) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        let lives = &mut instance.lives;
        if !lives.wanted {
            return;
        }
        let (delay, cause) = match (instance.killed, lives.terms.restart) {
            (Some(Killed { how: How::Replaced, cause, .. }), _) => (0, cause),
            (Some(Killed { how: How::Node | How::Unwanted, .. }), _) | (_, Restart::Never) => return,
            (None, Restart::OnFailure) => return,
            (Some(killed), _) => (lives.back_off.next(now), killed.cause),
            (None, Restart::Always) => (lives.back_off.next(now), None),
        };
        if instance.killed.is_none() {
            let finished = self.note(Note::Finished(index), None);
            return self.begin_after(index, delay, finished);
        }
        self.begin_after(index, delay, cause);
    }

    /// Asks for a life that begins after a delay and a start.
    pub(super) fn begin_after(&mut self, index: usize, delay: u64, cause: Option<Cause>) {
        let Some(instance) = self.instances.get(index).and_then(Option::as_ref) else { return };
        let Lives { terms, life, .. } = &instance.lives;
        let at = self.now.saturating_add(delay).saturating_add(terms.startup);
        self.pending += 1;
        self.queue.push(at, TENANTS_SECOND, Event::Begin { index, life: *life, cause });
    }

    /// A life begins, unless another event has come in between.
    pub(super) fn begin(&mut self, index: usize, life: u32, cause: Option<Cause>) {
        self.pending -= 1;
        let now = self.now;
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        if instance.lives.life != life {
            return;
        }
        let replaced = instance.killed.is_some_and(|killed| killed.how == How::Replaced);
        let restarts = match instance.killed {
            Some(killed) => killed.how != How::Replaced && killed.how != How::Unwanted,
            None => instance.program.finished().is_some(),
        };
        instance.lives.restarts += u64::from(restarts);
        instance.lives.life += 1;
        instance.lives.since = now;
        instance.killed = None;
        instance.start = instance.start.min(now);
        instance.program.restart(now);
        let (life, threads) = (instance.lives.life, instance.threads.clone());
        let then = instance.lives.then.take();
        instance.clash = None;
        if instance.wants.is_some() {
            self.queue.push(now, TENANTS_SECOND, Event::Start(index));
        }
        self.end_children(index);
        for &thread in &threads {
            self.stop_talking(thread);
            self.engine.halt(thread);
            self.queue.push(now, TENANTS_SECOND, Event::Wake(thread, life));
        }
        let note = if restarts { Note::Restarted(index) } else { Note::Started(index) };
        let begun = self.note(note, cause);
        self.admit_anew(index, begun);
        self.layers_of_next_life(index, replaced);
        if let Some((rest, asked)) = then {
            self.replace(&rest, asked);
        }
    }
}
