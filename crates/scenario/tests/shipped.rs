//! Every shipped scenario parses, and means what its file says.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use std::path::{Path, PathBuf};

use catamaran_scenario::plan::{ArrivalProcess, Distribution, Workload};
use catamaran_scenario::{MilliCpu, Nanos, Plan, Platform};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios")
}

fn plan(name: &str) -> Plan {
    let path = folder().join(name);
    let text = std::fs::read_to_string(&path).expect("a shipped scenario");
    Plan::from_toml(&text, name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn all_parse_under_their_own_name() {
    let files = std::fs::read_dir(folder()).expect("tests/scenarios");
    let mut names = Vec::new();
    for file in files {
        let path = file.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            assert_eq!(format!("{}.toml", plan(&name).name()), name);
            names.push(name);
        }
    }
    assert!(names.contains(&"limited-server.toml".to_owned()));
}

#[test]
fn limited_server() {
    let plan = plan("limited-server.toml");
    assert_eq!(plan.platforms(), [Platform::BareMetal, Platform::Cgroups, Platform::Namespaces]);
    assert_eq!((plan.host().cores, plan.duration()), (2, Nanos(45_000_000_000)));
    let [web, batch] = plan.tenants() else { panic!("two tenants") };
    assert_eq!((web.cpu.limit, web.cpu.request), (Some(MilliCpu(400)), Some(MilliCpu(400))));
    let Workload::Server(server) = &web.workload else { panic!("a server") };
    assert_eq!((server.arrivals.process, server.arrivals.rate), (ArrivalProcess::Poisson, 240.0));
    assert_eq!(
        (server.service.cpu, server.service.distribution),
        (Nanos(1_300_000), Distribution::Exponential)
    );
    assert_eq!((server.threads, server.queue, server.timeout), (1, 1024, None));
    assert_eq!(batch.workload, Workload::Compute { threads: 4, work: Nanos(3_600_000_000_000), lock: None });
    assert_eq!(batch.cpu.request, None);
}

#[test]
fn digest_is_of_the_meaning() {
    let text = "schema = \"catamaran/scenario/v1\"\nname = \"a\"\nduration = \"60s\"\nplatforms = [\"vm\"]\n\
                [[tenant]]\nname = \"t\"\ncpu = { limit = \"500m\" }\nworkload = { kind = \"compute\", work = \"1s\" }\n";
    let other = "# the same\nname='a'\nplatforms = [\n  \"vm\",\n]\nduration = \"1m\"\nschema = \"catamaran/scenario/v1\"\n\
                 [[tenant]]\n[tenant.workload]\nwork = \"1000ms\"\nkind = \"compute\"\nthreads = 1\n\
                 [tenant.cpu]\nlimit = 0.5\nperiod = \"100ms\"\n";
    let other = other.replace("[[tenant]]\n", "[[tenant]]\nname = \"t\"\n");
    let digest =
        |text: &str| Plan::from_toml(text, "x.toml").unwrap_or_else(|error| panic!("{error}")).digest();
    assert_eq!(digest(text), digest(&other));
    assert_ne!(digest(text), digest(&text.replace("500m", "501m")));
    assert_eq!(digest(text).len(), 64);
}
