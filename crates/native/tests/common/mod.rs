//! What tests of short real runs begin with.

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::report::TenantReport;
use catamaran_report::{Backend as _, Report, RunError};
use catamaran_scenario::{Plan, Platform};

/// Every platform but the guests and the engines, which take longer.
#[allow(dead_code, reason = "not every test goes through all of them")]
pub(crate) const PLATFORMS: [Platform; 5] =
    [Platform::BareMetal, Platform::Chroot, Platform::Namespaces, Platform::Cgroups, Platform::Container];
/// Any but the first, so that it shows in the report.
pub(crate) const TRIAL: u32 = 3;

/// A scenario with seed 5 on one core; `host` is more of its table `[host]`.
pub(crate) fn plan(duration: &str, host: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"short\"\nseed = 5\nduration = \"{duration}\"\n\
         platforms = [\"bare-metal\"]\n[host]\ncores = 1\nmemory = \"256MiB\"\n{host}\n{tenants}"
    );
    Plan::from_toml(&text, "short.toml").expect("a valid scenario")
}

/// Carries it out with 1e8 turns to the second of a core.
pub(crate) fn answer(plan: &Plan, platform: Platform) -> Result<Report, RunError> {
    let options = RunnerOptions { turns_per_cpu_s: Some(1e8), ..RunnerOptions::default() };
    Runner::new(options)?.run(plan, platform, TRIAL)
}

/// The report, or `None` with a printed reason where this machine does not offer what it takes. Whoever has set the variable
/// `promise`, as the guest of `native-v2` does, says that it offers it.
pub(crate) fn tried(name: &str, promise: Option<&str>, answer: Result<Report, RunError>) -> Option<Report> {
    match answer {
        Ok(report) => Some(report),
        Err(RunError::Unavailable { why, .. }) => {
            let promised = promise.and_then(std::env::var_os);
            assert!(promised.is_none(), "{name}: it was promised: {why}");
            println!("skipped: {name}: {why}");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Each stage from the end of the one before; prints why where the kernel does not let us see.
#[allow(dead_code, reason = "not every test is of starts by others")]
pub(crate) fn assert_every_stage_was_seen(platform: Platform, tenant: &TenantReport) {
    let no_fault =
        |why: &&String| ["perf_event_open", "tracefs", "lost"].iter().any(|word| why.contains(word));
    if let Some(why) = tenant.absent.get("startup_stages").filter(no_fault) {
        return println!("skipped: the stages of {platform}: {why}");
    }
    let mut before = Some(0.0);
    for stage in &tenant.startup_stages {
        assert!(stage.start_s == before && stage.start_s <= stage.end_s, "{platform}: {tenant:?}");
        before = stage.end_s;
    }
    assert_eq!(before, tenant.startup_s, "{platform}");
}
