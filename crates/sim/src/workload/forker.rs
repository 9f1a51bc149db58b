//! The one thread of a `fork` workload: children at regular times, each of which sleeps and exits.
//!
//! **Law.** That of [`catamaran_scenario::fork_work`]. **Judge.** The native worker, which follows the same rule.

use std::collections::VecDeque;

use catamaran_scenario::fork_work::ForkWork;

use super::Served;
use super::program::{Action, Program, Stage};
use crate::kernel::Instant;

#[derive(Debug, Clone, Copy)]
struct Child {
    /// Number of its fork.
    number: usize,
    dead: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Forker {
    work: ForkWork,
    /// What became of each fork that was tried, in order.
    forks: Vec<Served>,
    /// The children that are there, the oldest first.
    children: VecDeque<Child>,
    /// Beginning and end of its phase, once that has begun.
    span: Option<(Instant, Instant)>,
}

impl Forker {
    pub(super) fn new(work: ForkWork) -> Self {
        Self { work, forks: Vec::new(), children: VecDeque::new(), span: None }
    }

    /// What the thread does at `now`, in a phase from `began` to `until`; none when that is over and no child is left.
    pub(super) fn next(&mut self, now: Instant, began: Instant, until: Instant) -> Option<Action> {
        self.span = Some((began, until));
        if self.children.front().is_some_and(|child| child.dead) {
            return Some(Action::Reap);
        }
        if now >= until {
            return (!self.children.is_empty()).then_some(Action::EndChildren);
        }
        let has_room = self.work.most.is_none_or(|most| (self.children.len() as u64) < most);
        let due = self.due(began, self.forks.len());
        Some(match has_room {
            true if due <= now => Action::Fork,
            true => Action::AwaitChild(due.min(until)),
            false => Action::AwaitChild(until),
        })
    }

    fn due(&self, began: Instant, number: usize) -> Instant {
        began.saturating_add(self.work.due_ns(number as u64))
    }

    /// The fork that was due first has been tried: the number of the child, if it was made.
    fn forked(&mut self, now: Instant, made: bool) -> Option<usize> {
        let number = self.forks.len();
        let due = self.due(self.span?.0, number);
        let fork = Served { started: Some(now), ..Served::blank(due, 0) };
        self.forks.push(Served { failed: (!made).then_some(now), ..fork });
        if made {
            self.children.push_back(Child { number, dead: false });
        }
        made.then_some(number)
    }

    /// A child is dead.
    fn died(&mut self, number: usize) {
        // Numbers ascend, with gaps where forks were refused.
        if let Ok(place) = self.children.binary_search_by_key(&number, |child| child.number)
            && let Some(child) = self.children.get_mut(place)
        {
            child.dead = true;
        }
    }

    /// The oldest child, which is dead, has been reaped.
    fn reaped(&mut self, now: Instant) {
        let oldest = self.children.pop_front();
        if let Some(fork) = oldest.and_then(|child| self.forks.get_mut(child.number)) {
            fork.completed = Some(now);
        }
    }

    /// What became of the forks that were due before `now`, and before the phase's end.
    pub(super) fn forks(&self, now: Instant) -> Vec<Served> {
        let Some((began, until)) = self.span else { return Vec::new() };
        let mut all = self.forks.clone();
        let due = self.work.due_within(now.min(until).saturating_sub(began)) as usize;
        all.truncate(due);
        all.extend((all.len()..due).map(|number| Served::blank(self.due(began, number), 0)));
        all
    }

    /// Its life ends by force: nothing is due any more.
    pub(super) fn stop(&mut self, now: Instant) {
        self.span = self.span.map(|(began, until)| (began, until.min(now)));
    }

    /// All of it is to be done again; what became of the forks of the life that ended.
    pub(super) fn start_over(&mut self) -> Vec<Served> {
        self.children.clear();
        self.span = None;
        std::mem::take(&mut self.forks)
    }
}

impl Program {
    fn forker(&mut self) -> Option<&mut Forker> {
        match self.steps.get_mut(self.current).map(|step| &mut step.stage) {
            Some(Stage::Fork(forker)) => Some(forker),
            _ => None,
        }
    }

    /// The fork that was due first has been tried: number and lifetime (ns) of the child, if it was made.
    pub(crate) fn forked(&mut self, now: Instant, made: bool) -> Option<(usize, u64)> {
        let forker = self.forker()?;
        let lifetime = forker.work.lifetime_ns;
        forker.forked(now, made).map(|number| (number, lifetime))
    }

    /// A child of the present phase is dead.
    pub(crate) fn child_died(&mut self, number: usize) {
        if let Some(forker) = self.forker() {
            forker.died(number);
        }
    }

    /// The oldest child, which is dead, has been reaped.
    pub(crate) fn reaped(&mut self, now: Instant) {
        if let Some(forker) = self.forker() {
            forker.reaped(now);
        }
    }

    /// All children are gone, by force.
    pub(crate) fn children_are_gone(&mut self) {
        if let Some(forker) = self.forker() {
            forker.children.clear();
        }
    }

    /// Whether it has a phase of forks, which makes no turns.
    pub(crate) fn forks(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.stage, Stage::Fork(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn forker(max: Option<u64>) -> Forker {
        Forker::new(ForkWork { rate: 100.0, lifetime_ns: 15 * MS, most: max })
    }

    #[test]
    fn what_is_late_is_made_up_for_and_a_dead_child_comes_first() {
        let mut forker = forker(None);
        let end = 1000 * MS;
        assert_eq!(forker.next(25 * MS, 0, end), Some(Action::Fork));
        assert_eq!(forker.forked(25 * MS, true), Some(0));
        assert_eq!(forker.next(25 * MS, 0, end), Some(Action::Fork));
        assert_eq!(forker.forked(26 * MS, false), None);
        forker.died(0);
        assert_eq!(forker.next(26 * MS, 0, end), Some(Action::Reap));
        forker.reaped(27 * MS);
        forker.forked(27 * MS, true);
        assert_eq!(forker.next(27 * MS, 0, end), Some(Action::AwaitChild(30 * MS)));
        let rows = forker.forks(40 * MS);
        assert_eq!(rows.iter().map(|row| row.arrival / MS).collect::<Vec<_>>(), [0, 10, 20, 30]);
        assert_eq!(
            (rows[0].completed, rows[1].failed, rows[2].completed),
            (Some(27 * MS), Some(26 * MS), None)
        );
    }

    #[test]
    fn no_more_than_max_are_there_and_they_are_reaped_in_their_order() {
        let mut forker = forker(Some(2));
        assert_eq!(forker.next(0, 0, 50 * MS), Some(Action::Fork));
        forker.forked(0, true);
        forker.forked(10 * MS, true);
        assert_eq!(forker.next(20 * MS, 0, 50 * MS), Some(Action::AwaitChild(50 * MS)));
        forker.died(1);
        assert_eq!(
            forker.next(21 * MS, 0, 50 * MS),
            Some(Action::AwaitChild(50 * MS)),
            "the older one is not dead"
        );
        forker.died(0);
        assert_eq!(forker.next(22 * MS, 0, 50 * MS), Some(Action::Reap));
        forker.reaped(22 * MS);
        forker.reaped(22 * MS);
        assert_eq!(forker.next(22 * MS, 0, 50 * MS), Some(Action::Fork), "the one that was due at 20 ms");
        forker.forked(22 * MS, true);
        assert_eq!(forker.next(50 * MS, 0, 50 * MS), Some(Action::EndChildren));
        forker.children.clear();
        assert_eq!(forker.next(50 * MS, 0, 50 * MS), None);
        assert_eq!(forker.forks(99 * MS).len(), 5, "none is due after the phase");
    }
}
