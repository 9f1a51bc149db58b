//! `explain`: found by the paths that people type, and shown in full.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use catamaran_scenario::explain;

#[test]
fn found_by() {
    for (typed, path) in [
        ("tenant.cpu.limit", "tenant.cpu.limit"),
        ("cpu.limit", "tenant.cpu.limit"),
        ("tenant.web.cpu.limit", "tenant.cpu.limit"),
        ("tenant[0].cpu.limit", "tenant.cpu.limit"),
        ("workload", "tenant.workload"),
        ("workload.server", "tenant.workload.server"),
        ("workload.server.arrivals.rate", "tenant.workload.server.arrivals.rate"),
        ("tenant.web.workload.arrivals.rate", "tenant.workload.server.arrivals.rate"),
        ("workload.phases[1].for", "tenant.workload.phases.for"),
        ("event.scale.replicas", "event.scale.replicas"),
        ("event[3].replicas", "event.scale.replicas"),
        ("platform.vm.vcpus", "platform.NAME.vcpus"),
        ("platform.NAME.vcpus", "platform.NAME.vcpus"),
        (" seed ", "seed"),
    ] {
        assert_eq!(explain(typed).map(|explained| explained.path), Ok(path.to_owned()), "{typed}");
    }
}

#[test]
fn not_found() {
    for (typed, message) in [
        (
            "tenant.web.cpu.limt",
            "tenant.web.cpu.limt: \"limt\" is no field of tenant.cpu; accepted: request, limit, period, burst, set, weight, nice; did you mean \"limit\"?",
        ),
        ("tenat", "tenat: \"tenat\" is no field; accepted: schema, name"),
        ("tenat", "did you mean \"tenant\"?"),
        ("distributoin", "did you mean \"distribution\"?"),
        (
            "limit",
            "limit: several fields are meant; accepted: tenant.cpu.limit, tenant.memory.limit, tenant.pids.limit; name one of them",
        ),
        (
            "tenant.cpu.limit.x",
            "tenant.cpu.limit.x: \"x\" is no field of tenant.cpu.limit, which is no table; end the path before it",
        ),
        (&"a.".repeat(1000), "is no field"),
    ] {
        let error = explain(typed).expect_err(typed);
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn shown() {
    let field = explain("tenant.cpu.period").expect("a field").to_string();
    let expected = r#"tenant.cpu.period
  The period of the quota: a longer one lets bursts through and makes the stops longer.
  type      duration
  unit      ns, us, ms, s, m or h
  accepted  a duration with its unit such as "20s", "1.3ms", "50us" or "1m30s", from 1ms to 1s
  default   "100ms"
  example   period = "20ms"
  becomes   cpu.max (v2), cpu.cfs_period_us (v1); OCI linux.resources.cpu.period; kubelet
            --cpu-cfs-quota-period
"#;
    assert_eq!(field, expected);
    let table = explain("workload.fork").expect("a case").to_string();
    let expected = r#"tenant.workload.fork
  Forks children at regular times, whether or not the last ones are gone (open loop). Each sleeps
  for its lifetime and exits, and is reaped; a fork that pids.max refuses fails (EAGAIN) and is not
  tried again. Latency runs from when a fork was due to when its child was reaped.
  accepted  with kind = "fork"

  rate: rate, required
      Processes started, by time. The first comes at once; one that is late is made up for.

  lifetime: duration, required
      How long each sleeps before it exits.

  max: whole number, if absent: unlimited
      At most this many at once, those that are dead and not reaped included: a fork that is due
      beyond that waits.
"#;
    assert_eq!(table, expected);
}

#[test]
fn whole_format() {
    let whole = explain("").expect("the whole").to_string();
    for line in ["schema", "    limit", "    (server)", "      arrivals", "  at", "  (set-limit)"] {
        assert!(whole.lines().any(|found| found.starts_with(&format!("{line} "))), "{line:?} in\n{whole}");
    }
    assert!(whole.lines().all(|line| line.chars().count() <= 100), "{whole}");
    assert_eq!(whole.matches("(compute)").count(), 1, "each kind is shown once");
}

#[test]
fn machine_readable() {
    let json = serde_json::to_value(explain("tenant.cpu.period").expect("a field")).expect("JSON");
    assert_eq!((json["type"].as_str(), json["default"].as_str()), (Some("duration"), Some("\"100ms\"")));
    assert_eq!((json["required"].as_bool(), json["fields"].as_array().map(Vec::len)), (Some(false), Some(0)));
}
