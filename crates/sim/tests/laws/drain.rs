//! A node that is drained: its tenants go on on the others.

use catamaran_report::report::{Report, TenantState};
use catamaran_scenario::Plan;

use crate::common::{ideal, near, run};

const SERVER: &str = "{ kind = \"server\", arrivals = { process = \"constant\", rate = \"100/s\" }, service = { cpu = \"2ms\", distribution = \"constant\" } }";

fn plan(platform: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"law\"\nseed = 7\nduration = \"20s\"\nplatforms = [\"{platform}\"]\n\
         [host]\ncores = 1\nnodes = 3\nmemory = \"1GiB\"\nnetwork = {{ bandwidth = \"10Gbit/s\" }}\n{tenants}"
    );
    let text =
        if platform == "vm" { text } else { text.replace("network = { bandwidth = \"10Gbit/s\" }\n", "") };
    Plan::from_toml(&text, "law.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn app(replicas: u32, workload: &str) -> String {
    format!("[[tenant]]\nname = \"app\"\nreplicas = {replicas}\nworkload = {workload}\n")
}

fn drain(at: &str, node: u32) -> String {
    format!("[[event]]\nat = \"{at}\"\ndo = \"drain\"\ntarget = {node}\n")
}

/// (who, to whom) of all events of that kind.
fn of<'a>(report: &'a Report, what: &str) -> Vec<(&'a str, &'a str)> {
    let events = report.events.iter().filter(|event| event.what == what);
    events.map(|event| (event.actor.as_str(), event.target.as_str())).collect()
}

#[test]
fn guests_go_on_on_the_others_in_turn() {
    let report = run(&plan("vm", &(app(3, SERVER) + &drain("5s", 0))), &ideal()).report;
    assert_eq!(
        of(&report, "migration-resume"),
        [("node-1", "app"), ("node-2", "app/1"), ("node-1", "app/2")]
    );
    for row in &report.tenants {
        let requests = row.requests.as_ref().unwrap();
        assert_eq!((row.state, requests.failed, requests.in_flight), (TenantState::Completed, 0, 0));
    }
}

#[test]
fn what_is_no_guest_is_stopped_and_started_elsewhere() {
    for platform in ["bare-metal", "cgroups", "container", "microvm"] {
        let report = run(&plan(platform, &(app(3, SERVER) + &drain("5s", 0))), &ideal()).report;
        assert_eq!(of(&report, "stop"), [("runtime", "app"), ("runtime", "app/1"), ("runtime", "app/2")]);
        assert_eq!(of(&report, "start").len(), 3, "{platform}: {:?}", report.events);
        assert_eq!(report.unexplained(), Vec::<String>::new());
        for row in &report.tenants {
            let requests = row.requests.as_ref().unwrap();
            assert_eq!((row.state, requests.sent), (TenantState::Completed, 2000), "{platform}");
            // Those that came while it was away were refused.
            let begun = row.startup_s.unwrap_or(0.0) * 100.0;
            assert!(requests.failed as f64 <= begun + 2.0, "{platform}: {requests:?}");
            // CPU time on both nodes.
            near(platform, row.cpu_s.unwrap(), requests.completed as f64 * 2e-3, 0.01);
        }
        // Three servers of a fifth of a core each on one node, then on two.
        let nodes = report.host.nodes;
        assert_eq!(nodes, Some(3), "{platform}");
    }
}

#[test]
fn who_is_drained_twice_goes_on_and_on() {
    let text = app(1, "{ kind = \"compute\", work = \"60s\" }") + &drain("5s", 0) + &drain("10s", 1);
    let outcome = run(&plan("cgroups", &text), &ideal());
    let cores: Vec<u32> = outcome.timeline.slices.iter().map(|slice| slice.core).collect();
    let mut order = cores.clone();
    order.dedup();
    assert_eq!(order, [0, 1, 2]);
    near("CPU time", outcome.report.tenants[0].cpu_s.unwrap(), 20.0, 0.01);
    // What it had done is lost each time, as after any start; what it did is told.
    near("turns", outcome.report.tenants[0].turns.unwrap(), 20.0 * 1e9, 0.01);
}

#[test]
fn where_there_is_no_room_the_next_node_is_tried_and_then_none() {
    // Six guests fill a node: on node 1 there are six, on node 2 five and room for one.
    let full = |nodes: [u32; 2]| {
        let tenants = [("one", 1), ("two", 2)].into_iter().zip(nodes);
        let tenant = |((name, node), replicas): ((&str, u32), u32)| {
            format!(
                "[[tenant]]\nname = \"{name}\"\nnode = {node}\nreplicas = {replicas}\nworkload = {{ kind = \"idle\" }}\n"
            )
        };
        tenants.map(tenant).collect::<String>()
    };
    for (nodes, expected) in [([6, 5], Some("node-2")), ([5, 6], Some("node-1")), ([6, 6], None)] {
        for platform in ["vm", "kata"] {
            let text = app(1, SERVER) + &full(nodes) + &drain("5s", 0);
            let report = run(&plan(platform, &text), &ideal()).report;
            assert_eq!(report.tenants[0].state, TenantState::Completed, "{platform} {nodes:?}");
            if platform == "vm" {
                let there: Vec<&str> =
                    of(&report, "migration-resume").into_iter().map(|(node, _)| node).collect();
                assert_eq!(there, expected.into_iter().collect::<Vec<_>>());
                assert_eq!(of(&report, "migration-failed").len(), usize::from(expected.is_none()));
            } else {
                assert_eq!(of(&report, "start").len(), 1, "on another node or again on its own");
                assert_eq!(of(&report, "drain-failed").len(), usize::from(expected.is_none()), "{nodes:?}");
            }
        }
    }
}
