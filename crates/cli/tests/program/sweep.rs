//! `sweep`, and `sim --seeds`: many simulations, the same answer on every number of cores.

use crate::common::{Outcome, SMALL, run_with};
use serde_json::Value;

fn sweep(args: &[&str]) -> Outcome {
    let args: Vec<&str> = ["sweep", "-"].into_iter().chain(args.iter().copied()).collect();
    run_with(&args, SMALL.as_bytes())
}

fn json(args: &[&str]) -> Value {
    let outcome = sweep(&[args, &["--json"]].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn the_number_of_cores_changes_no_byte() {
    let limits = ["--vary", "tenant.shop.cpu.limit=0.2,0.5,1", "--vary", "host.cores=1,2", "--seeds", "3"];
    for more in [&["--json"][..], &[][..]] {
        let with = |jobs: &str| {
            let outcome = sweep(&[&limits[..], &["--jobs", jobs], more].concat());
            assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
            outcome.stdout
        };
        assert_eq!(with("1"), with("5"));
    }
    let seeds = |jobs: &str| {
        run_with(&["sim", "-", "--seeds", "9", "--json", "--jobs", jobs], SMALL.as_bytes()).stdout
    };
    assert_eq!(seeds("1"), seeds("4"));
}

#[test]
fn every_combination_is_a_point_on_every_platform() {
    let document = json(&["--vary", "tenant.shop.cpu.limit=0.05,1", "--vary", "host.cores=1,2"]);
    assert_eq!(document["schema"], "catamaran/sweep/v1");
    let points = document["points"].as_array().unwrap();
    let of = |point: &Value| {
        let settings = &point["settings"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        [&settings["tenant.shop.cpu.limit"], &settings["host.cores"], &point["platform"]].map(text).join(" ")
    };
    let expected = [
        "0.05 1 bare-metal",
        "0.05 1 cgroups",
        "0.05 2 bare-metal",
        "0.05 2 cgroups",
        "1 1 bare-metal",
        "1 1 cgroups",
        "1 2 bare-metal",
        "1 2 cgroups",
    ];
    assert_eq!(points.iter().map(of).collect::<Vec<_>>(), expected);
    let p95 = |at: usize| points[at]["tenants"][0]["figures"]["latency_s.p95"]["mean"].as_f64().unwrap();
    assert!(p95(1) > 2.0 * p95(5), "a twentieth of a core is slower than a whole one: {} {}", p95(1), p95(5));
    let batch = &points[0]["tenants"][1];
    assert_eq!(batch["figures"]["throughput_per_s"], Value::Null);
    assert_eq!(batch["absent"]["throughput_per_s"], "no server");
}

#[test]
fn a_point_is_what_sim_answers_for_the_changed_scenario() {
    let document = json(&["--vary", "tenant.shop.cpu.limit=0.25", "--on", "cgroups", "--seeds", "3"]);
    let changed = SMALL.replace("limit = \"500m\"", "limit = \"0.25\"");
    let reports = run_with(&["sim", "-", "--on", "cgroups", "--seeds", "3", "--json"], changed.as_bytes());
    let reports: Value = serde_json::from_str(&reports.stdout).unwrap();
    let figure = &document["points"][0]["tenants"][0]["figures"]["latency_s.p95"];
    let own: Vec<&Value> = figure["values"].as_array().unwrap().iter().collect();
    let expected: Vec<&Value> = reports
        .as_array()
        .unwrap()
        .iter()
        .map(|report| &report["tenants"][0]["requests"]["latency_s"]["p95"])
        .collect();
    assert_eq!(own, expected);
    assert_eq!(document["points"][0]["seeds"], serde_json::json!([7, 8, 9]));
    assert_eq!(document["points"][0]["scenario_digest"], reports[0]["identity"]["scenario_digest"]);
}

#[test]
fn the_table_has_what_differs() {
    let table = sweep(&["--vary", "tenant.shop.cpu.limit=0.05,1", "--on", "cgroups"]).stdout;
    let header = table.lines().nth(1).unwrap();
    for title in ["tenant.shop.cpu.limit", "shop p95", "shop throttled"] {
        assert!(header.contains(title), "no {title} in\n{table}");
    }
    // A server lasts as long as the scenario, and one platform is no news.
    assert!(!header.contains("shop finished") && !header.contains("platform"), "{table}");
    let same = sweep(&["--vary", "name=one,two", "--on", "cgroups"]).stdout;
    assert!(same.contains("no figure differs"), "{same}");
}

#[test]
fn a_service_level_asks_for_so_many_machines() {
    let args = ["--vary", "tenant.batch.workload.work=200ms,10s", "--on", "bare-metal", "--p95"];
    let with = |p95: &'static str| [&args[..], &[p95]].concat();
    let needed = |p95| json(&with(p95))["points"][1]["servers_needed"].clone();
    // A request takes 2 ms: alone it is in time, beside two threads that compute it is not.
    assert_eq!((&needed("10ms")["servers"], &needed("10s")["servers"]), (&Value::from(2), &Value::from(1)));
    assert_eq!(needed("1ms")["servers"], Value::Null);
    let table = sweep(&with("10ms")).stdout;
    assert!(table.contains("servers for 10 ms") && table.contains(" W "), "{table}");
    assert!(sweep(&with("1ms")).stdout.contains("not even with a machine for each tenant"));
    assert_eq!(sweep(&with("soon")).code, 1);
}

#[test]
fn wrong_paths_and_values_are_answered_with_their_place() {
    let table: &[(&[&str], &[&str])] = &[
        (&[], &["--vary"]),
        (&["--vary", "tenant.shop.cpu.limit"], &["no `=`", "tenant.batch.cpu.limit=0.5,1,2"]),
        (&["--vary", "tenant.shop.cpu.limt=1"], &["tenant.shop.cpu.limt", "did you mean \"limit\"?"]),
        (&["--vary", "tenant.shpo.cpu.limit=1"], &["tenant.shpo.cpu.limit", "did you mean \"shop\"?"]),
        (&["--vary", "tenant.shop.cpu.limit=1,much"], &["tenant.shop.cpu.limit", "\"much\""]),
        (&["--vary", "host.cores=1,0"], &["host.cores", "0"]),
        (&["--vary", "tenant.shop.node=0,3"], &["with tenant.shop.node = 3", "host.nodes is 1"]),
        (&["--vary", "host.cores=1,2", "--vary", "host.cores=4"], &["given twice"]),
        (&["--vary", "host.cores=1,1"], &["the value 1 twice"]),
        (&["--vary", "seed=1,2,3,4,5,6", "--seeds", "1000"], &["6 combinations are too many", "at most 5"]),
        (&["--vary", "host.cores=1", "--jobs", "0"], &["--jobs"]),
    ];
    for (args, says) in table {
        let outcome = sweep(args);
        let context = format!("{args:?}: code {}\n{}", outcome.code, outcome.stderr);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""), "{context}");
        assert!(outcome.stderr.starts_with("error: "), "{context}");
        for text in *says {
            assert!(outcome.stderr.contains(text), "no {text:?} in {context}");
        }
    }
}
