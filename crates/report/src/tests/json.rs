use super::{report, requests_ms};
use crate::report::{BackendKind, EventRow, Report, Samples, Series};

fn full() -> Report {
    let mut report = report(BackendKind::Simulated, &[("web", 0), ("batch", 0)]);
    report.tenants[0].requests = Some(requests_ms(&[1, 2, 3]));
    report.tenants[0].cpu_s = Some(0.1 + 0.2);
    report.tenants[0].explain_absence("stolen_s", "no steal clock without KVM");
    report.tenants[1].turns = Some(1.0e15 + 1.0);
    report.samples = Some(Samples {
        interval_s: 0.1,
        series: vec![Series { tenant: "web".into(), metric: "cpu".into(), values: vec![0.25, 1.0 / 3.0] }],
    });
    report.events.push(EventRow {
        at_s: 1.2,
        actor: "kernel".into(),
        what: "oom-kill".into(),
        target: "batch".into(),
        because: Some(0),
        bytes: None,
    });
    report
}

#[test]
fn a_report_survives_its_json_to_the_last_bit() {
    let json = full().to_json();
    let back = Report::from_json(&json).unwrap();
    assert_eq!(back, full());
    assert_eq!(back.to_json(), json);
    assert_eq!(Report::many_from_json(&json).unwrap(), [full()]);
    assert_eq!(Report::many_from_json(&format!("[{json},\n{json}]")).unwrap(), [full(), full()]);
}

#[test]
fn what_is_no_report_is_told_with_the_path_of_the_field() {
    let good = full().to_json();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let table = [
        (String::new(), "report: EOF while parsing a value at line 1 column 0"),
        ("{ \"schema\": ".into(), "schema: EOF while parsing a value"),
        ("7".into(), "report: invalid type: integer `7`, expected struct Report"),
        (format!("{good} and more"), "report: trailing characters"),
        (
            with("\"seed\": 7", "\"seed\": \"seven\""),
            "seed: invalid type: string \"seven\", expected u64 at line 6",
        ),
        (
            with("\"startup_s\": null", "\"startup_s\": []"),
            "tenants[0].startup_s: invalid type: sequence, expected f64",
        ),
        (with("\"p95\": 0.003", "\"p95\": -3"), "tenants[0].requests.latency_s.p95: found -3"),
        (with("\"at_s\": 1.2", "\"at\": 1.2"), "events[0].at: unknown field `at`"),
        (
            with("\"cgroups\"", "\"cgroup\""),
            "platform: unknown variant `cgroup`, expected one of `bare-metal`",
        ),
        (with("report/v1", "report/v9"), "schema: found \"catamaran/report/v9\", this program reads"),
    ];
    for (text, expected) in table {
        let error = Report::from_json(&text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\nexpected: {expected}");
    }
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    let deep = "[".repeat(100_000);
    assert!(Report::from_json(&deep).is_err());
    assert!(Report::many_from_json(&deep).is_err());
}
