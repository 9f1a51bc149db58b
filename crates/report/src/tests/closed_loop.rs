//! Tenants whose requests come one after the other, and those whose requests have no CPU time of the scenario's.

use catamaran_scenario::Platform;

use super::compare::pair;
use crate::compare::{Group, Pair, PlatformComparison, compare};
use crate::metric::FOUND_IN_CACHE;
use crate::report::Requests;

#[test]
fn a_closed_loop_is_judged_by_its_throughput() {
    let pairs = |disk_bytes: u64| {
        [pair(move |_, tenant| {
            (tenant.requests, tenant.throughput_per_s) =
                (Some(Requests::from_latencies_ns(200, 0, &mut vec![2_000_000; 200])), Some(10.0));
            (tenant.cpu_s, tenant.disk_bytes) = (Some(1.0), Some(disk_bytes));
        })]
    };
    let compared = |pairs: &[Pair]| compare(Platform::Cgroups, 20.0, pairs);
    let (open, closed) = (compared(&pairs(0)), compared(&pairs(4096)));
    let group_of = |comparison: &PlatformComparison, metric: &str| {
        comparison.rows.iter().find(|row| row.metric == metric).map(|row| row.group)
    };
    for (metric, group) in [("throughput_per_s", Group::Judged), ("cpu_s", Group::Judged)] {
        assert_eq!(
            (group_of(&open, metric), group_of(&closed, metric)),
            (Some(Group::Conserved), Some(group)),
            "{metric}"
        );
    }
    let counted = |comparison: &PlatformComparison| {
        comparison.rows.iter().any(|row| row.metric == "requests.completed")
    };
    assert!(counted(&open) && !counted(&closed), "the count follows from the throughput");
    // One that found all of a layer's file in the page cache moved nothing, and is in a closed loop as well.
    let mut found = pairs(0);
    for tenant in found.iter_mut().flat_map(|pair| &mut pair.native.tenants) {
        tenant.explain_absence(FOUND_IN_CACHE, "it was there");
    }
    assert_eq!(group_of(&compared(&found), "throughput_per_s"), Some(Group::Judged));
}

#[test]
fn whoever_asks_over_the_network_as_often_as_time_allows_is_in_a_closed_loop() {
    let talks = |sent: u64| {
        let mut pair = pair(|_, tenant| {
            (tenant.requests, tenant.throughput_per_s, tenant.network_bytes) = (
                Some(Requests::from_latencies_ns(200, 0, &mut vec![2_000_000; 200])),
                Some(10.0),
                Some(4096),
            );
        });
        for tenant in &mut pair.simulated.tenants {
            tenant.requests = Some(Requests::from_latencies_ns(sent, 0, &mut vec![2_000_000; 200]));
        }
        let compared = compare(Platform::Cgroups, 20.0, &[pair]);
        compared.rows.iter().find(|row| row.metric == "throughput_per_s").map(|row| row.group)
    };
    // Requests that were drawn beforehand are as many in both backends, whoever else is talked to.
    assert_eq!((talks(200), talks(230)), (Some(Group::Conserved), Some(Group::Judged)));
}

#[test]
fn cpu_time_that_is_all_the_kernels_is_judged() {
    let forks = |turns: Option<f64>| {
        let pair = pair(move |_, tenant| {
            (tenant.requests, tenant.throughput_per_s) =
                (Some(Requests::from_latencies_ns(200, 0, &mut vec![2_000_000; 200])), Some(10.0));
            (tenant.cpu_s, tenant.turns) = (Some(1.0), turns);
        });
        let compared = compare(Platform::Cgroups, 20.0, &[pair]);
        ["throughput_per_s", "cpu_s"]
            .map(|metric| compared.rows.iter().find(|row| row.metric == metric).map(|row| row.group))
    };
    // How many there are follows from the arrivals all the same.
    assert_eq!(forks(Some(0.0)), [Some(Group::Conserved), Some(Group::Judged)]);
    assert_eq!(forks(Some(9e8)), [Some(Group::Conserved); 2], "requests with a demand");
    assert_eq!(forks(None), [Some(Group::Conserved); 2], "not counted");
}
