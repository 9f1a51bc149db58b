use super::{report, requests_ms};
use crate::Report;
use crate::metric::Metric;
use crate::process::{INIT, ProcessRow, RunsAs, Stays};
use crate::report::BackendKind;

#[test]
fn figures_by_path() {
    let mut report = report(BackendKind::Simulated, &[("web", 0), ("web", 1), ("batch", 0)]);
    report.tenants[0].requests = Some(requests_ms(&[1, 2, 3, 40]));
    report.tenants[0].cpu_s = Some(3.5);
    report.tenants[1].throughput_per_s = Some(49.8);
    report.tenants[2].throttled_periods = Some(12);
    report.tenants[2].memory_peak_bytes = Some(1 << 20);
    report.host.cpu_utilisation = Some(0.83);
    report.host.memory_peak_bytes = Some(2 << 20);
    let table = [
        ("elapsed_s", Some(20.0)),
        ("host.cpu_utilisation", Some(0.83)),
        ("host.memory_peak_bytes", Some(2_097_152.0)),
        ("host.steal", None),
        ("host.colour", None),
        ("tenant.web.latency_s.p50", Some(0.002)),
        ("tenant.web.latency_s.p99", Some(0.04)),
        ("tenant.web.requests.sent", Some(5.0)),
        ("tenant.web.requests.failed", Some(1.0)),
        ("tenant.web.cpu_s", Some(3.5)),
        ("tenant.web/0.cpu_s", None),
        ("tenant.web/1.throughput_per_s", Some(49.8)),
        ("tenant.web/1.latency_s.p99", None),
        ("tenant.batch.throttled_periods", Some(12.0)),
        ("tenant.batch.memory_peak_bytes", Some(1_048_576.0)),
        ("tenant.nobody.cpu_s", None),
        ("tenant.web", None),
        ("tenant.web.", None),
        ("", None),
    ];
    for (path, expected) in table {
        assert_eq!(report.value(path), expected, "{path}");
    }
}

#[test]
fn metric_names_are_the_paths_of_the_json() {
    let mut full = report(BackendKind::Native, &[("web", 0)]);
    full.tenants[0].requests = Some(requests_ms(&[1, 2]));
    let json = serde_json::to_value(&full.tenants[0]).unwrap();
    for metric in Metric::ALL {
        let name = metric.name();
        let path = if name.starts_with("latency_s") { format!("requests.{name}") } else { name.to_owned() };
        let pointer = format!("/{}", path.replace('.', "/"));
        assert!(json.pointer(&pointer).is_some(), "{path} is a field of the report");
        assert_eq!(Metric::from_name(name), Some(*metric));
    }
}

#[test]
fn a_figure_without_a_reason_is_found() {
    let mut report = report(BackendKind::Native, &[("web", 1)]);
    let tenant = &mut report.tenants[0];
    assert!(tenant.cpu_s.is_none());
    for field in ["startup_s", "finished_s", "waited_s", "throttled_s", "throttled_periods", "stolen_s"] {
        tenant.explain_absence(field, "not started");
    }
    for field in ["throughput_per_s", "requests", "memory_peak_bytes", "oom_kills", "restarts"] {
        tenant.explain_absence(field, "not started");
    }
    tenant.disk_bytes = Some(0);
    for field in ["cpu_utilisation", "memory_peak_bytes", "overhead_memory_bytes", "overhead_cpu_s"] {
        report.host.explain_absence(field, "not measured");
    }
    for field in ["steal", "others"] {
        report.host.explain_absence(field, "not measured");
    }
    let expected =
        ["host.turns_per_cpu_s", "tenant.web/1.cpu_s", "tenant.web/1.network_bytes", "tenant.web/1.turns"];
    assert_eq!(report.unexplained(), expected);
}

#[test]
fn those_that_are_alive_are_counted() {
    use crate::report::TenantState::{Completed, Failed, OomKilled, Pending, Running};
    let mut report = report(BackendKind::Simulated, &[("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 0)]);
    for (tenant, state) in report.tenants.iter_mut().zip([Completed, Failed, OomKilled, Pending, Running]) {
        tenant.state = state;
    }
    assert_eq!(report.value("tenants.alive"), Some(2.0));
}

#[test]
fn the_greatest_and_the_least_of_all_tenants_are_unknown_where_one_is() {
    let mut report = report(BackendKind::Simulated, &[("a", 0), ("b", 0), ("b", 1)]);
    for (tenant, stolen_s) in report.tenants.iter_mut().zip([2.0, 5.0, 1.0]) {
        tenant.stolen_s = Some(stolen_s);
    }
    let ends =
        ["greatest", "least", "median"].map(|which| report.value(&format!("tenants.{which}.stolen_s")));
    assert_eq!(ends, [Some(5.0), Some(1.0), None]);
    assert_eq!(report.value("tenants.greatest.nothing"), None);
    report.tenants[1].stolen_s = None;
    assert_eq!(report.value("tenants.greatest.stolen_s"), None);
    report.tenants.clear();
    assert_eq!(report.value("tenants.least.stolen_s"), None);
}

#[test]
fn the_longest_pull_is_known_where_the_start_is() {
    use crate::report::StageRow;
    let mut report = report(BackendKind::Simulated, &[("web", 0)]);
    let tenant = &mut report.tenants[0];
    tenant.startup_stages = vec![StageRow::measured("create", "dockerd", 0.0, 9.0)];
    assert_eq!(report.value("tenant.web.pull_s"), None, "nobody knows of this start");
    report.tenants[0].startup_s = Some(9.0);
    assert_eq!(report.value("tenant.web.pull_s"), Some(0.0));
    let pull = StageRow::measured("pull base", "dockerd", 1.0, 3.0);
    let mut other = StageRow::measured("pull top", "dockerd", 0.0, 0.0);
    (other.start_s, other.end_s, other.length_s) = (None, None, Some(2.5));
    report.tenants[0].startup_stages.extend([pull, other]);
    assert_eq!(report.value("tenant.web.pull_s"), Some(2.5));
}

#[test]
fn figures_of_processes_by_path() {
    let mut report = report(BackendKind::Simulated, &[("web", 0)]);
    assert_eq!(report.value("processes.daemons"), None, "nobody looked");
    assert_eq!(report.value("process.dockerd.there"), None);
    let row = |name: &str, stays, user, kills: Option<&[&str]>, stops: Option<&[&str]>| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ProcessRow {
            name: name.to_owned(),
            parent: INIT.to_owned(),
            stays,
            user,
            becomes: None,
            killed_with: kills.map(names),
            stopped_with: stops.map(names),
        }
    };
    report.processes = vec![
        row("dockerd", Stays::Machine, RunsAs::Root, Some(&[]), Some(&["program"])),
        row("lxc monitor", Stays::Container, RunsAs::User, Some(&["program"]), None),
        row("runc", Stays::Start, RunsAs::Root, None, None),
        row("program", Stays::Container, RunsAs::Root, Some(&[]), None),
    ];
    let table = [
        ("processes.daemons", Some(1.0)),
        ("processes.stay", Some(2.0)),
        ("processes.root", Some(2.0)),
        ("processes.colour", None),
        ("process.dockerd.there", Some(1.0)),
        ("process.podman.there", Some(0.0)),
        ("process.dockerd.kills", Some(0.0)),
        ("process.dockerd.stops", Some(1.0)),
        ("process.lxc-monitor.kills", Some(1.0)),
        ("process.lxc-monitor.stops", None),
        ("process.runc.kills", None),
        ("process.podman.kills", None),
        ("process.dockerd", None),
    ];
    for (path, expected) in table {
        assert_eq!(report.value(path), expected, "{path}");
    }
    let text = report.to_json();
    assert_eq!(Report::from_json(&text).unwrap().processes, report.processes);
}
