//! What others who make control groups for us are shown of the machine's: a run's guard in the place of each hierarchy's root.

use std::path::PathBuf;

use catamaran_worker::script::Step;

use crate::cgroup::Cgroup;
use crate::guard::Guard;
use crate::machine::Hierarchies;
use crate::problem::Problem;

/// Groups of a guard, and where they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shown {
    /// Groups of the guard, one a hierarchy, and where each is shown.
    pub(crate) groups: Vec<(PathBuf, PathBuf)>,
    /// Hierarchies that are not shown at all.
    pub(crate) hidden: Vec<PathBuf>,
}

impl Shown {
    /// What is shown of a guard called `name`: of version 2 its group, or that around it, in the place of the tree's root, of version 1
    /// one in each hierarchy, and of a version 2 beside that nothing.
    pub(crate) fn of(cgroup: &dyn Cgroup, name: &str) -> Self {
        let found = Hierarchies::find();
        let root = found.v2_root.into_iter();
        match cgroup.around().or_else(|| cgroup.group()) {
            Some(group) => {
                Self { groups: root.map(|root| (group.to_owned(), root)).collect(), hidden: vec![] }
            }
            None => {
                let groups = found.v1_mounts.into_iter().map(|(own, point)| (own.join(name), point));
                Self { groups: groups.collect(), hidden: root.collect() }
            }
        }
    }

    /// Makes a group in each hierarchy in which the guard has none.
    ///
    /// # Errors
    /// Where a group can't be made.
    pub(crate) fn make(&self, guard: &mut Guard) -> Result<(), Problem> {
        let missing = self.groups.iter().filter(|(group, _)| !group.exists());
        missing
            .map(|(group, _)| Step::Make(group.clone()))
            .try_for_each(|step| guard.demand(std::slice::from_ref(&step), 0))
    }
}
