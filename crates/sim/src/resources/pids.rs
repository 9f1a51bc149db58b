//! The control group `pids`: how many processes and threads there may be at once.
//!
//! **Law.** A new task is charged to its group and to all above it; where one of them has as many as it may, nothing is charged and
//! the task is refused. A task counts until it was reaped: a dead one that nobody has reaped is charged still. Moving a task into a group,
//! and lowering a bound, refuse nothing.
//! **Source.** Linux `kernel/cgroup/pids.c` (`pids_try_charge`, `pids_can_fork`, `pids_release`).
//! **Judge.** A slow twin in the tests, which counts all tasks anew each time.

/// Index of a group; [`ROOT`] is there from the start, and has no bound.
pub(crate) type GroupId = usize;
/// The group that every other one descends from.
pub(crate) const ROOT: GroupId = 0;

#[derive(Debug, Clone, Copy)]
struct Group {
    parent: Option<GroupId>,
    max: u64,
    tasks: u64,
}

/// Groups and their tasks.
#[derive(Debug, Clone)]
pub(crate) struct Pids {
    groups: Vec<Group>,
}

impl Pids {
    /// A machine without tasks.
    pub(crate) fn new() -> Self {
        Self { groups: vec![Group { parent: None, max: u64::MAX, tasks: 0 }] }
    }

    /// A group that may have `max` tasks, in which `tasks` are already.
    pub(crate) fn add_group(&mut self, parent: GroupId, max: Option<u64>, tasks: u64) -> GroupId {
        let number = self.groups.len();
        self.groups.push(Group { parent: Some(parent), max: max.unwrap_or(u64::MAX), tasks: 0 });
        self.count(number, |group| group.tasks += tasks);
        number
    }

    fn count(&mut self, group: GroupId, change: impl Fn(&mut Group)) {
        let mut next = Some(group);
        while let Some(record) = next.and_then(|group| self.groups.get_mut(group)) {
            change(record);
            next = record.parent;
        }
    }

    /// Tasks of a group and below it.
    pub(crate) fn tasks(&self, group: GroupId) -> u64 {
        self.groups.get(group).map_or(0, |group| group.tasks)
    }

    /// Charges one task more; where that is refused, the group whose bound it is.
    pub(crate) fn charge(&mut self, group: GroupId) -> Result<(), GroupId> {
        let mut next = Some(group);
        while let Some((number, record)) = next.and_then(|number| Some((number, self.groups.get(number)?))) {
            if record.tasks >= record.max {
                return Err(number);
            }
            next = record.parent;
        }
        self.count(group, |group| group.tasks += 1);
        Ok(())
    }

    /// Tasks of a group and below it that are no more.
    pub(crate) fn uncharge(&mut self, group: GroupId, tasks: u64) {
        self.count(group, |group| group.tasks = group.tasks.saturating_sub(tasks));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rng::SplitMix64;

    #[test]
    fn every_bound_above_counts() {
        let mut pids = Pids::new();
        let guard = pids.add_group(ROOT, Some(5), 0);
        let (a, b) = (pids.add_group(guard, Some(3), 2), pids.add_group(guard, None, 1));
        assert_eq!([pids.charge(a), pids.charge(a)], [Ok(()), Err(a)]);
        assert_eq!([pids.charge(b), pids.charge(b)], [Ok(()), Err(guard)]);
        pids.uncharge(a, 1);
        assert_eq!([pids.charge(b), pids.charge(a)], [Ok(()), Err(guard)]);
    }

    /// Tasks by their group; each charge counts those below every group on its path.
    #[test]
    fn a_slow_twin_refuses_the_same() {
        let mut dice = SplitMix64::named(7, "pids");
        for _ in 0..200 {
            let (mut pids, mut parents, mut bounds) = (Pids::new(), vec![None], vec![u64::MAX]);
            for group in 1..6_usize {
                let (parent, max) = (dice.below(group as u64) as usize, dice.below(8));
                pids.add_group(parent, Some(max), 0);
                parents.push(Some(parent));
                bounds.push(max);
            }
            let path = |group: usize| std::iter::successors(Some(group), |group| parents[*group]);
            let mut tasks: Vec<usize> = Vec::new();
            for _ in 0..60 {
                let group = dice.below(6) as usize;
                if dice.below(3) == 0 && !tasks.is_empty() {
                    let gone = tasks.swap_remove(dice.below(tasks.len() as u64) as usize);
                    pids.uncharge(gone, 1);
                    continue;
                }
                let below = |above: usize| {
                    tasks.iter().filter(|task| path(**task).any(|g| g == above)).count() as u64
                };
                let refused = path(group).find(|&above| below(above) >= bounds[above]);
                assert_eq!(pids.charge(group).err(), refused);
                tasks.extend(refused.is_none().then_some(group));
            }
        }
    }
}
