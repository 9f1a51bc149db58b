//! `set` and `get`: one field by its path, the rest of the text as it was.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use catamaran_scenario::Plan;
use catamaran_scenario::edit::{get, set};

const TEXT: &str = r#"# a comment at the top
schema = "catamaran/scenario/v1"
name = "edited"
duration = "20s" # how long
platforms = ["bare-metal", "vm"]

[[tenant]]
name = "web"
cpu = { limit = "400m" } # the limit
workload = { kind = "server", arrivals = { process = "poisson", rate = "240/s" }, service = { cpu = "1.3ms", distribution = "exponential" } }

[[tenant]]
name = "batch"
  [tenant.workload]
  kind = "compute"
  work = "1h"   # long

[[tenant]]
name = "steps"
workload = { phases = [ { kind = "idle", for = "2s" }, { kind = "compute", work = "1s" } ] }

[[event]]
at = "5s"
do = "kill"
target = "batch"
"#;

#[test]
fn replaces_and_keeps_the_rest() {
    for (path, value, from, to) in [
        ("duration", "30s", r#"duration = "20s" # how"#, r#"duration = "30s" # how"#),
        ("tenant.web.cpu.limit", "0.5", r#"{ limit = "400m" } # the"#, r#"{ limit = "0.5" } # the"#),
        ("tenant[0].cpu.limit", "200m", r#"{ limit = "400m" } # the"#, r#"{ limit = "200m" } # the"#),
        ("tenant.web.workload.arrivals.rate", "60/s", r#"rate = "240/s" }"#, r#"rate = "60/s" }"#),
        ("tenant.batch.workload.work", "90s", r#"work = "1h"   # long"#, r#"work = "90s"   # long"#),
        ("tenant.batch.workload.threads", "4", "   # long\n", "   # long\nthreads = 4\n"),
        ("tenant.steps.workload.phases[0].for", "\"20ms\"", r#"for = "2s""#, r#"for = "20ms""#),
        ("tenant.batch.cpu.limit", "2", "name = \"batch\"\n", "name = \"batch\"\ncpu = { limit = \"2\" }\n"),
        ("event[0].at", "6s", r#"at = "5s""#, r#"at = "6s""#),
        ("event.0.at", "7s", r#"at = "5s""#, r#"at = "7s""#),
        ("tenant.steps.workload.phases.1.threads", "3", r#"work = "1s" }"#, r#"work = "1s", threads = 3 }"#),
        ("platforms", "runc,crun", r#"["bare-metal", "vm"]"#, r#"["runc", "crun"]"#),
        ("platforms", "[ 'vm' ]", r#"["bare-metal", "vm"]"#, "[ 'vm' ]"),
        ("seed", "9", "\"vm\"]\n", "\"vm\"]\nseed = 9\n"),
        ("tenant.batch.ports", "80,443", "name = \"batch\"\n", "name = \"batch\"\nports = [80, 443]\n"),
        ("tenant.web.needs.libssl", "1.1", "# the limit\n", "# the limit\n"),
    ] {
        let found = set(TEXT, path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
        if from != to {
            assert_eq!(found, TEXT.replacen(from, to, 1), "{path} = {value}");
        }
        Plan::from_toml(&found, "edited.toml").unwrap_or_else(|error| panic!("{path} = {value}: {error}"));
    }
}

#[test]
fn makes_missing_tables() {
    for (path, value) in
        [("host.cores", "2"), ("host.disk.iops", "100"), ("platform.vm.vcpus", "2"), ("title.en", "A")]
    {
        let text = set(TEXT, path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(get(&text, path).ok().flatten().as_deref(), Some(value), "{text}");
        Plan::from_toml(&text, "edited.toml").unwrap_or_else(|error| panic!("{path}: {error}\n{text}"));
    }
}

#[test]
fn reads() {
    for (path, expected) in [
        ("name", Some("edited")),
        ("tenant.web.cpu.limit", Some("400m")),
        ("tenant.web.cpu.period", Some("100ms")),
        ("tenant.web.cpu.request", None),
        ("tenant.batch.workload.threads", Some("1")),
        ("tenant.steps.workload.phases[1].work", Some("1s")),
        ("platforms", Some(r#"["bare-metal", "vm"]"#)),
        ("host.memory", Some("1GiB")),
        ("host.disk.iops", None),
        ("platform.vm.vcpus", None),
    ] {
        assert_eq!(get(TEXT, path).as_ref().map(Option::as_deref), Ok(expected), "{path}");
    }
}

#[test]
fn refuses() {
    for (path, value, message) in [
        ("sed", "1", "sed: unknown field; accepted: schema, name, title, seed"),
        (
            "tenant.web.cpu.limt",
            "1",
            "tenant.web.cpu.limt: unknown field; accepted: request, limit, period, burst, set, weight, nice; did you mean \"limit\"?",
        ),
        (
            "tenant.wbe.cpu.limit",
            "1",
            "there is no tenant \"wbe\"; accepted: web, batch, steps; did you mean \"web\"?",
        ),
        ("tenant[3].cpu.limit", "1", "there is no tenant[3]; accepted: an index below 3"),
        ("event.kill.at", "1s", "there is no event \"kill\"; accepted: event[0]"),
        ("tenant.web", "1", "a whole table"),
        ("tenant.web.workload.work", "1s", "unknown field with kind = \"server\""),
        ("tenant.web.cpu.limit", "0.5x", "found \"0.5x\": unknown unit \"x\""),
        ("tenant.web.replicas", "many", "found \"many\"; accepted: a whole number from 1 to 1000"),
        ("tenant.web.replicas", "0", "found the number 0, too small"),
        ("seed.a", "1", "seed has no fields"),
        ("host", "2", "found the number 2; accepted: a table"),
        ("", "1", "unknown field"),
        ("tenant.web.restart", "yes", "accepted: \"never\", \"on-failure\" or \"always\""),
    ] {
        let error = set(TEXT, path, value).expect_err(path);
        assert!(error.message().contains(message), "{path}: {error}");
        assert_eq!(error.location, None);
    }
    let error = set("a = ", "seed", "1").expect_err("not TOML");
    assert!(error.to_string().starts_with("error: <scenario>:1:5: not TOML"), "{error}");
}
