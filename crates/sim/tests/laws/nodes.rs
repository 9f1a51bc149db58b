//! Several machines share nothing; a machine has room for so many guests and no more.

use catamaran_report::report::TenantState;
use catamaran_report::timeline::Slice;
use catamaran_scenario::Plan;

use crate::common::{hog, ideal, near, plan, run, server};

/// The same tenants on the nodes that are named, on machines with a core each.
fn placed(nodes: u32, tenants: &[(u32, String)]) -> Plan {
    let on = |(node, tenant): &(u32, String)| {
        tenant.replace("[[tenant]]\n", &format!("[[tenant]]\nnode = {node}\n"))
    };
    let text = format!("nodes = {nodes}\n{}", tenants.iter().map(on).collect::<String>());
    plan(1, "10s", "bare-metal", &text)
}

#[test]
fn a_tenant_with_a_node_to_itself_answers_as_if_it_were_alone() {
    let (shop, batch) = (server("shop", "50/s", "6ms", "exponential", 1), hog("batch", 3, "60s", ""));
    let alone = run(&placed(1, &[(0, shop.clone())]), &ideal());
    let apart = run(&placed(2, &[(1, shop.clone()), (0, batch.clone())]), &ideal());
    let together = run(&placed(2, &[(1, shop), (1, batch)]), &ideal());
    assert_eq!(apart.report.tenants[0], alone.report.tenants[0]);
    assert_ne!(together.report.tenants[0].requests, alone.report.tenants[0].requests);
    // Core 0 of node 1 of machines with a core each is core 1 of them all.
    let of_shop = |slice: &&Slice| slice.tenant == 0;
    assert!(apart.timeline.slices.iter().filter(of_shop).all(|slice| slice.core == 1));
    assert!(apart.timeline.slices.iter().any(|slice| slice.tenant == 1 && slice.core == 0));
    assert_eq!((apart.timeline.cores, alone.timeline.cores), (2, 1));
}

#[test]
fn all_on_one_node_is_as_without_the_others() {
    let tenants = [(0, server("shop", "50/s", "6ms", "exponential", 1)), (0, hog("batch", 3, "60s", ""))];
    let (one, three) = (run(&placed(1, &tenants), &ideal()), run(&placed(3, &tenants), &ideal()));
    assert_eq!(one.report.tenants, three.report.tenants);
    assert_eq!(one.report.host, three.report.host);
    assert_eq!(one.timeline.slices, three.timeline.slices);
    assert_eq!(one.timeline.requests, three.timeline.requests);
}

#[test]
fn each_node_has_its_own_memory_and_its_own_killer() {
    let leak = |name: &str, start: &str| {
        format!(
            "[[tenant]]\nname = \"{name}\"\n\
             workload = {{ kind = \"memory\", start = \"{start}\", leak = \"200MiB/s\" }}\n"
        )
    };
    // 1 GiB each: the one on node 1 is full (1024 - 624) / 200 = 2 s after it has touched its start, 159,744 pages of a
    // microsecond each; the one on node 0 after 4 s and 57,344 pages.
    let outcome = run(&placed(2, &[(0, leak("slow", "224MiB")), (1, leak("fast", "624MiB"))]), &ideal());
    let kills: Vec<_> = outcome.report.events.iter().filter(|event| event.what == "oom-kill").collect();
    let [first, second] = kills.as_slice() else { panic!("{kills:?}") };
    assert_eq!((first.target.as_str(), second.target.as_str()), ("fast", "slow"));
    near("the first kill", first.at_s, 2.159_744, 0.01);
    near("the second kill", second.at_s, 4.057_344, 0.01);
    for (kill, bound) in [(first, "node-1"), (second, "node-0")] {
        let cause = kill.because.and_then(|cause| outcome.report.events.get(cause as usize));
        assert_eq!(
            cause.map(|cause| (cause.what.as_str(), cause.target.as_str())),
            Some(("out-of-memory", bound))
        );
    }
    let of_trace = outcome.timeline.trace.iter().filter(|entry| entry.what == "oom-kill");
    for entry in of_trace {
        let cause = entry.because.and_then(|cause| outcome.timeline.trace.get(cause as usize));
        assert_eq!(cause.map(|cause| cause.what.as_str()), Some("out-of-memory"));
    }
}

#[test]
fn a_machine_has_room_for_so_many_idle_guests() {
    let app = "[[tenant]]\nname = \"app\"\nreplicas = 20\nworkload = { kind = \"idle\" }\n";
    let guests = |memory: &str| {
        let text = format!("{app}[platform.vm]\nvcpus = 1\nmemory = \"{memory}\"\n");
        run(&plan(1, "1s", "vm", &text), &ideal()).report
    };
    // FC-MEM-3 and FC-MEM-4: a monitor of 131.3 MiB, and a kernel that keeps 15.9 of 128 and 29.9 of 1024 MiB; with their page
    // tables six of either find room in 1 GiB.
    for (memory, each_mib) in [("128MiB", 147.2), ("1GiB", 161.2)] {
        let report = guests(memory);
        let killed: Vec<_> =
            report.tenants.iter().filter(|tenant| tenant.state == TenantState::OomKilled).collect();
        assert_eq!(killed.len(), 14, "{memory}");
        assert!(killed.iter().all(|tenant| tenant.oom_kills == Some(1) && tenant.error.is_some()));
        // Of equals the newest goes, as in the kernel: the first stay.
        assert!(
            report.tenants.iter().take(5).all(|tenant| tenant.state == TenantState::Completed),
            "{memory}"
        );
        let overhead = report.host.overhead_memory_bytes.map_or(f64::NAN, |bytes| bytes as f64);
        near("what they hold", overhead, 6.0 * each_mib * f64::from(1 << 20), 1e-6);
        assert!(
            report.host.memory_peak_bytes.is_some_and(|peak| peak <= 1 << 30),
            "never more than there is"
        );
    }
}
