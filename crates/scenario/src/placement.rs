//! The same tenants on other nodes.

use crate::Plan;
use crate::plan::{Action, Tenant, Workload};

/// Nodes and cores of all nodes together, as for `host.nodes`.
const NODES_MOST: u32 = 10_000;
const CORES_MOST: u64 = 1 << 20;

impl Plan {
    /// The same plan on a cluster of `nodes` such machines, tenant k (in file order, with all its replicas) on node
    /// `places[k]`. `None` where there can't be so many nodes, a tenant has no place, or a place or an event's target is none of
    /// them.
    #[must_use]
    pub fn placed(&self, nodes: u32, places: &[u32]) -> Option<Self> {
        let cores = u64::from(nodes) * u64::from(self.host.cores);
        let possible = (1..=NODES_MOST).contains(&nodes) && cores <= CORES_MOST;
        let known = places.len() == self.tenants.len() && places.iter().all(|place| *place < nodes);
        let on_events = self.events.iter().filter_map(|event| match event.action {
            Action::FailNode { target } | Action::Drain { target } | Action::Partition { target, .. } => {
                Some(target)
            }
            Action::Migrate { to, .. } => Some(to),
            _ => None,
        });
        let mut targets = on_events;
        if !possible || !known || !targets.all(|target| target < nodes) {
            return None;
        }
        let mut placed = self.clone();
        placed.host.nodes = nodes;
        for (tenant, place) in placed.tenants.iter_mut().zip(places) {
            tenant.node = *place;
        }
        Some(placed)
    }

    /// The same machine with one of the tenants alone on it, in one replica, and no events. `None` where there is no tenant of
    /// that name, or its work needs another one.
    #[must_use]
    pub fn alone(&self, tenant: &str) -> Option<Self> {
        let own = self.tenants.iter().find(|own| own.name == tenant && !needs_another(&own.workload))?;
        let mut alone = self.clone();
        alone.tenants = vec![Tenant { replicas: 1, ..own.clone() }];
        alone.events.clear();
        Some(alone)
    }
}

/// Whether a workload talks to another tenant.
fn needs_another(workload: &Workload) -> bool {
    match workload {
        Workload::Network { .. } => true,
        Workload::Phases(phases) => phases.iter().any(|phase| needs_another(&phase.workload)),
        Workload::Command { like: Some(like), .. } => needs_another(like),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(nodes: &str, node: u32, event: &str) -> Plan {
        let text = format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"x\"\nseed = 1\nduration = \"1s\"\nplatforms = [\"vm\"]\n\
             [host]\ncores = 200\n{nodes}\n[[tenant]]\nname = \"a\"\nnode = {node}\nworkload = {{ kind = \"idle\" }}\n\
             [[tenant]]\nname = \"b\"\nworkload = {{ kind = \"idle\" }}\n{event}"
        );
        Plan::from_toml(&text, "x.toml").unwrap()
    }

    #[test]
    fn a_placed_plan_is_the_one_that_would_have_been_written() {
        let written = plan("nodes = 2", 1, "");
        assert_eq!(plan("", 0, "").placed(2, &[1, 0]), Some(written.clone()));
        assert_eq!(written.placed(1, &[0, 0]), Some(plan("nodes = 1", 0, "")));
    }

    #[test]
    fn one_alone_is_the_plan_that_would_have_been_written_for_it() {
        let text =
            "schema = \"catamaran/scenario/v1\"\nname = \"x\"\nduration = \"1s\"\nplatforms = [\"vm\"]\n";
        let idle = "[[tenant]]\nname = \"a\"\nworkload = { kind = \"idle\" }\n";
        let both = format!(
            "{text}{}[[tenant]]\nname = \"b\"\nworkload = {{ kind = \"network\", to = \"a\", requests = 1, size = \"1KiB\" }}\n\
             [[event]]\nat = \"0s\"\ndo = \"kill\"\ntarget = \"a\"\n",
            idle.replace("name", "replicas = 3\nname")
        );
        let plan = |text: &str| Plan::from_toml(text, "x.toml").unwrap();
        assert_eq!(plan(&both).alone("a"), Some(plan(&format!("{text}{idle}"))));
        assert_eq!((plan(&both).alone("b"), plan(&both).alone("c")), (None, None));
    }

    #[test]
    fn what_could_not_have_been_written_is_no_plan() {
        let event = "[[event]]\nat = \"0s\"\ndo = \"drain\"\ntarget = 1\n";
        let own = plan("nodes = 2", 0, event);
        let table: [(u32, &[u32]); 5] =
            [(0, &[0, 0]), (2, &[0]), (2, &[0, 2]), (1, &[0, 0]), (10_000, &[0, 0])];
        for (nodes, places) in table {
            assert_eq!(own.placed(nodes, places), None, "{nodes} {places:?}");
        }
        assert!(own.placed(2, &[1, 1]).is_some());
    }
}
