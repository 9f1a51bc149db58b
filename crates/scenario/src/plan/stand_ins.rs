//! What stands for programs of the user's own where these are not run.

use super::{Plan, Workload};

impl Plan {
    /// The same, without what the simulator takes in the place of programs (`like`): where the programs themselves are run,
    /// nothing follows from it. Its digest is another one.
    #[must_use]
    pub fn without_stand_ins(&self) -> Self {
        let strip = |workload: &mut Workload| {
            if let Workload::Command { like, .. } = workload {
                *like = None;
            }
        };
        let mut plan = self.clone();
        for tenant in &mut plan.tenants {
            match &mut tenant.workload {
                Workload::Phases(phases) => phases.iter_mut().for_each(|phase| strip(&mut phase.workload)),
                only => strip(only),
            }
        }
        plan
    }
}
