//! What this machine can do of a run's network, found out by trying.

use super::bench::Ends;
use super::link::Link;
use crate::doctor::Check;
use crate::problem::Problem;

/// Links like any other (bytes/s, ns).
const NARROW: Link = Link { bandwidth: Some(100_000_000), latency: None };
const LONG: Link = Link { bandwidth: None, latency: Some(1_000_000) };

/// Makes each kind of network and a connection over it.
pub(crate) fn checks() -> Vec<Check> {
    let any = Link::default();
    let table = [
        ("network-shared", false, any, "tenants that share a network can talk over its loopback"),
        ("network-own", true, any, "tenants with a network each can talk over virtual Ethernet and a bridge"),
        ("network-bandwidth", true, NARROW, "`host.network.bandwidth` can be bounded"),
        ("network-latency", true, LONG, "`host.network.latency` can be added"),
    ];
    table
        .into_iter()
        .map(|(name, own, link, found)| {
            let tried = Ends::make(own, link).and_then(|ends| ends.connect()).map(|_| found.to_owned());
            Check::of(name, tried.map_err(Problem::into_unavailable))
        })
        .collect()
}
