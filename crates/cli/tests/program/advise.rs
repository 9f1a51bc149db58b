//! `advise` on this machine.

use crate::common::{run, run_with};
use serde_json::Value;

const START: &str = "schema = \"catamaran/scenario/v1\"\nname = \"sized\"\nseed = 7\nduration = \"1s\"\nplatforms = [\"bare-metal\"]\n\
                     [host]\ncores = 1\nmemory = \"256MiB\"\n";
const WEB: &str = "[[tenant]]\nname = \"web\"\ncpu = { limit = \"200m\" }\n\
                   workload = { kind = \"server\", arrivals = { process = \"constant\", rate = \"200/s\" }, \
                   service = { cpu = \"500us\", distribution = \"constant\" } }\n";
const OWN: &str =
    "[[tenant]]\nname = \"own\"\nworkload = { kind = \"command\", argv = [\"sleep\", \"100\"]LIKE }\n";

/// The document, or none where this machine has not got containers.
fn advise(text: &str, options: &[&str]) -> Option<Value> {
    let outcome =
        run_with(&[&["advise", "-", "--json", "--on", "container"], options].concat(), text.as_bytes());
    if outcome.code == 2 {
        println!("skipped: {}", outcome.stderr);
        return None;
    }
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    Some(serde_json::from_str(&outcome.stdout).expect("one JSON document"))
}

#[test]
fn advice_is_measured_and_the_model_is_asked_what_it_changes() {
    let text = [START, WEB, &OWN.replace("LIKE", ", like = { kind = \"idle\" }")].concat();
    let Some(answer) = advise(&text, &["--trials", "2"]) else { return };
    assert_eq!(
        (&answer["scenario"], &answer["platform"], &answer["trials"]),
        (&"sized".into(), &"container".into(), &2.into())
    );
    let web = &answer["tenants"][0];
    // Two trials of 1 s make at most 20 samples of 0.1 s.
    assert_eq!(web["proposed"]["cpu_request"], Value::Null);
    assert!(web["absent"]["cpu_request"].as_str().unwrap().contains("too few"), "{web}");
    let millicores = |size: &Value| size.as_str().unwrap().strip_suffix('m').unwrap().parse::<u32>().unwrap();
    let limit = millicores(&web["proposed"]["cpu_limit"]);
    assert!((60..400).contains(&limit), "it uses a tenth of a core, and may use two: {limit}");
    let own = &answer["tenants"][1];
    assert!(millicores(&own["proposed"]["cpu_limit"]) < 100, "it sleeps: {own}");
    assert!(own["measured"]["memory_peak_bytes"].as_u64().unwrap() > 0, "{own}");
    let what_if = &answer["what_if"];
    assert_eq!(what_if["absent"], Value::Null, "{what_if}");
    let row = |metric: &str| {
        let rows = what_if["rows"].as_array().unwrap();
        rows.iter().find(|row| row["tenant"] == "web" && row["metric"] == metric).cloned().expect("a row")
    };
    assert!(row("latency_s.p50")["before"].as_f64().is_some_and(|s| s > 0.0005), "{what_if}");
    assert!(row("latency_s.p50")["after"].as_f64().is_some(), "{what_if}");
    // 200 requests are too few for it.
    let p99 = row("latency_s.p99");
    assert_eq!((&p99["before"], &p99["after"]), (&Value::Null, &Value::Null));
    assert!(p99["absent"].as_str().unwrap().contains("10000"), "{p99}");
}

#[test]
fn what_the_model_does_not_know_is_unknown_and_wrong_input_has_its_code() {
    let text = [START, &OWN.replace("LIKE", "")].concat();
    if let Some(answer) = advise(&text, &[]) {
        assert!(answer["what_if"]["absent"].as_str().unwrap().contains("like"), "{answer}");
        assert_eq!(answer["what_if"]["rows"], Value::Array(Vec::new()));
        let shown = run_with(&["advise", "-", "--on", "container"], text.as_bytes());
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        for expected in ["unknown: ", "memory.request", "recommender.go", "too few"] {
            assert!(shown.stdout.contains(expected), "no {expected:?} in\n{}", shown.stdout);
        }
    }
    let elsewhere = text.replace("sleep", "/no/such/program");
    let missing = run_with(&["advise", "-", "--on", "container"], elsewhere.as_bytes());
    assert_eq!(missing.code, 1, "{}", missing.stderr);
    assert!(missing.stderr.contains("tenant.own.workload.argv"), "{}", missing.stderr);
    let on_rkt = run_with(&["advise", "-", "--on", "rkt"], text.as_bytes());
    assert_eq!((on_rkt.code, on_rkt.stdout.as_str()), (2, ""), "{}", on_rkt.stderr);
    assert_eq!(run(&["advise", "/no/such/file.toml"]).code, 1);
    assert_eq!(run(&["advise", "-", "--trials", "0"]).code, 1);
}
