//! Which replicas there are, at some time of the run.

use super::{Action, Plan, Tenant};

impl Plan {
    /// Every (tenant index, replica) in report order: tenants in file order, each with replicas 0, 1, …, those included that
    /// a scale event brings.
    pub fn instances(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let tenants = self.tenants.iter().enumerate();
        tenants
            .flat_map(|(index, tenant)| (0..self.most_replicas(tenant)).map(move |replica| (index, replica)))
    }

    fn most_replicas(&self, tenant: &Tenant) -> u32 {
        let scaled = self.events.iter().filter_map(|event| match &event.action {
            Action::Scale { target, replicas } if *target == tenant.name => Some(*replicas),
            _ => None,
        });
        scaled.fold(tenant.replicas, u32::max)
    }
}
