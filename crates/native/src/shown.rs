//! What others who make control groups for us are shown of the machine's: a run's guard in the place of each hierarchy's root.

use std::path::PathBuf;

use catamaran_worker::script::Step;

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
    /// What is shown of a guard called `name`.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] on version 2 of the control groups.
    pub(crate) fn of(version: u8, name: &str) -> Result<Self, Problem> {
        if version != 1 {
            return Err(Problem::unavailable(
                "an OCI runtime or an engine of the machine is not carried out on version 2 of the control groups yet",
                "run it on the platform container, or simulate it",
            ));
        }
        let found = Hierarchies::find();
        let groups = found.v1_mounts.into_iter().map(|(own, point)| (own.join(name), point)).collect();
        Ok(Self { groups, hidden: found.v2_root.into_iter().collect() })
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
