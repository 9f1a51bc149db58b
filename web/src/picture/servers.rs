//! Which part of each server's cores its tenants used.

use super::Recording;

/// One machine until an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerUse {
    /// Its number.
    pub node: u32,
    /// Share of its cores' time by tenant index, those with none left out.
    pub shares: Vec<(u32, f64)>,
    /// Whether a tenant is placed on it: else it is not bought.
    pub bought: bool,
}

impl ServerUse {
    /// Busy share of its cores.
    #[must_use]
    pub fn busy(&self) -> f64 {
        self.shares.iter().map(|(_, share)| share).sum()
    }
}

/// Each machine over `[from_ns, to_ns)`; `places` has the machine of each tenant by index.
#[must_use]
pub fn servers(recording: &Recording, places: &[u32], from_ns: u64, to_ns: u64) -> Vec<ServerUse> {
    let nodes = recording.nodes.max(1);
    let each = recording.cores.len() / nodes as usize;
    let all_ns = to_ns.saturating_sub(from_ns) as f64 * each as f64;
    let of = |node: u32| {
        let mut busy_ns = vec![0_u64; recording.report.tenants.len()];
        let first = node as usize * each;
        for run in (first..first + each).flat_map(|core| recording.runs(core, from_ns, to_ns)) {
            if let Some(busy) = busy_ns.get_mut(run.tenant as usize) {
                *busy += run.end_ns.min(to_ns) - run.start_ns.max(from_ns);
            }
        }
        let used = (0_u32..).zip(busy_ns).filter(|(_, busy_ns)| *busy_ns > 0);
        let shares = used.map(|(tenant, busy_ns)| (tenant, busy_ns as f64 / all_ns.max(1.0))).collect();
        ServerUse { node, shares, bought: places.contains(&node) }
    };
    (0..nodes).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests_support::{recording, slice};

    #[test]
    fn a_server_without_a_tenant_is_not_bought() {
        let film = recording(&[slice(0, 0, 0, 40), slice(0, 1, 40, 60)]).on_nodes(2);
        let found = servers(&film, &[0, 0], 0, 100);
        assert_eq!(found[0].shares, [(0, 0.4), (1, 0.2)]);
        assert!((found[0].busy() - 0.6).abs() < 1e-12);
        assert_eq!((found[0].bought, found[1].bought, found[1].busy()), (true, false, 0.0));
        assert_eq!(servers(&film, &[0, 0], 40, 50)[0].shares, [(1, 1.0)]);
    }
}
