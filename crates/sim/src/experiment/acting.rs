//! Threads do what their programs say, one piece after the other.

use super::migrate::Place;
use super::world::{Event, TENANTS_SECOND, World};
use crate::resources::cpu::ThreadId;
use crate::workload::Action;

impl World {
    /// Asks a thread's program what comes next, and does it.
    pub(super) fn go_on(&mut self, thread: ThreadId) {
        if self.is_killed(thread) {
            return self.exit(thread);
        }
        if self.is_touching(thread) {
            return self.touch_on(thread);
        }
        if self.is_operating(thread) {
            return self.operate_on(thread);
        }
        if self.is_forking(thread) {
            return self.fork_on(thread);
        }
        if self.is_talking(thread) {
            return self.talk_on(thread);
        }
        let Some(&(index, own)) = self.owners.get(thread) else { return };
        let Some(instance) = self.instances.get_mut(index).and_then(Option::as_mut) else { return };
        if let Some(arrival) = instance.program.answering(own) {
            self.engine.note_if_held(thread, arrival);
        }
        let (action, phase_ended) = instance.program.next(own, self.now);
        let is_done = phase_ended && instance.program.finished().is_some();
        let working = instance.threads.iter().copied().take(instance.program.working_threads());
        let others: Vec<ThreadId> = match phase_ended {
            true => working.filter(|&other| other != thread).collect(),
            false => Vec::new(),
        };
        let waiting = instance.program.take_freed();
        let waiting: Vec<ThreadId> =
            waiting.into_iter().filter_map(|own| instance.threads.get(own).copied()).collect();
        self.act(thread, action);
        for other in others {
            self.go_on(other);
        }
        // Whoever spins on a core sees at once that a lock is free.
        if let Some(first) = waiting.into_iter().find(|&other| self.engine.is_at_work(other)) {
            self.go_on(first);
        }
        if is_done {
            self.finished(index);
        }
    }

    fn act(&mut self, thread: ThreadId, action: Action) {
        if !matches!(action, Action::Talk { .. }) {
            self.hang_up(thread);
        }
        match action {
            Action::Work { ns, request, until } => {
                self.cut_at(thread, until);
                let overhead = self.overhead(thread, request);
                self.engine.give_work(thread, ns, overhead);
                self.engine.wake(thread);
            }
            Action::Touch { pages, until } => {
                self.cut_at(thread, until);
                self.touch(thread, pages);
            }
            Action::TouchAgain { until } => {
                self.cut_at(thread, until);
                self.touch_again(thread);
            }
            Action::Operate(op) => self.operate(thread, op),
            Action::Spin => self.engine.spin(thread),
            Action::Talk { talk, until } => {
                self.cut_at(thread, until);
                self.talk(thread, talk);
            }
            Action::Fork => self.fork(thread),
            Action::Reap => self.begin_to_reap(thread),
            Action::AwaitChild(at) => self.await_child(thread, at),
            Action::EndChildren => {
                let index = self.owners.get(thread).map_or(0, |(index, _)| *index);
                self.end_children(index);
                self.go_on(thread);
            }
            Action::SleepUntil(at) => {
                self.engine.block(thread);
                self.slept[thread] = true;
                self.queue.push(at, TENANTS_SECOND, Event::Expire(thread, self.life_of(thread)));
            }
            Action::Wait | Action::Exit => self.engine.block(thread),
        }
    }

    /// Whether a thread's instance was killed, or never came to start.
    pub(super) fn is_killed(&self, thread: ThreadId) -> bool {
        let instance = self.owners.get(thread).and_then(|(index, _)| self.instances.get(*index)?.as_ref());
        instance.is_some_and(|one| one.killed.is_some() || one.clash.is_some() || one.place != Place::Here)
    }
}
