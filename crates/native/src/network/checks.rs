//! What this machine can do of a run's network, found out by trying.

use super::bench::Ends;
use crate::doctor::Check;
use crate::problem::Problem;

/// A bandwidth like any other (bytes/s).
const SOME: u64 = 100_000_000;

/// Makes each kind of network and a connection over it.
pub(crate) fn checks() -> Vec<Check> {
    let table = [
        ("network-shared", false, None, "tenants that share a network can talk over its loopback"),
        (
            "network-own",
            true,
            None,
            "tenants with a network each can talk over virtual Ethernet and a bridge",
        ),
        ("network-bandwidth", true, Some(SOME), "`host.network.bandwidth` can be bounded"),
    ];
    table
        .into_iter()
        .map(|(name, own, bandwidth, found)| {
            let tried = Ends::make(own, bandwidth).and_then(|ends| ends.connect()).map(|_| found.to_owned());
            Check::of(name, tried.map_err(Problem::into_unavailable))
        })
        .collect()
}
