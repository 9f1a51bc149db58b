//! What holds on cgroup v2 only: where the groups of a run lie, what stands in them, what is counted, and that the tree
//! is left as it was. `cargo xtask test --only native-v2` runs this in a guest whose kernel has version 2.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

#[path = "common/tree.rs"]
mod tree;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use catamaran_native::{Runner, RunnerOptions, clean, doctor};
use catamaran_report::report::{TenantReport, TenantState};
use catamaran_report::{Backend as _, Report};
use catamaran_scenario::{Plan, Platform};

use tree::{group_with_a_process, on_v2, read, tree};

fn plan(duration: &str, tenants: &str) -> Plan {
    plan_on("", duration, tenants)
}

/// On a host of which more is said.
fn plan_on(host: &str, duration: &str, tenants: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"v2\"\nseed = 5\nduration = \"{duration}\"\n\
         platforms = [\"cgroups\"]\n[host]\ncores = 1\nmemory = \"128MiB\"\n{host}\n{tenants}"
    );
    Plan::from_toml(&text, "v2.rs").expect("a valid scenario")
}

fn run(plan: &Plan, platform: Platform) -> Report {
    let options = RunnerOptions { turns_per_cpu_s: Some(1e7), ..RunnerOptions::default() };
    let mut runner = Runner::new(options).expect("a runner");
    runner.run(plan, platform, 0).unwrap_or_else(|error| panic!("{platform}: {error}"))
}

fn cpu_s(tenant: &TenantReport) -> f64 {
    tenant.cpu_s.expect("CPU time is counted")
}

#[test]
fn limits_stand_in_the_files_of_the_tenants_group() {
    if !on_v2("limits_stand_in_the_files_of_the_tenants_group") {
        return;
    }
    let plan = plan(
        "2s",
        "[[tenant]]\nname = \"web\"\nworkload = { kind = \"idle\" }\n\
         cpu = { request = \"250m\", limit = \"500m\", period = \"50ms\", burst = \"10ms\", set = \"0\" }\n",
    );
    let runs = std::thread::spawn(move || run(&plan, Platform::Cgroups));
    let group = group_with_a_process("web.0");
    let table = [
        ("cpu.max", "25000 50000"),
        ("cpu.max.burst", "10000"),
        ("cpuset.cpus", "0"),
        ("cpuset.cpus.effective", "0"),
    ];
    for (file, expected) in table {
        assert_eq!(read(&group, file), expected, "{file}");
    }
    let weight: u64 = read(&group, "cpu.weight").parse().expect("a weight");
    assert!((1..100).contains(&weight), "a quarter of a core weighs less than a whole one: {weight}");
    let guard = group.parent().expect("the guard");
    assert_eq!(read(guard, "memory.max"), (128 << 20).to_string());
    assert_eq!(read(guard, "cpuset.cpus.effective"), "0");
    let report = runs.join().expect("the run");
    assert_eq!(report.tenants[0].state, TenantState::Completed);
}

/// The figure behind `key` in a line of a group's file, once it is at least that much.
fn figure_of(group: &Path, file: &str, key: &str, least: u64) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let text = read(group, file);
        let mut words = text.split([' ', '=', '\n']);
        let found = words.find(|word| *word == key).and_then(|_| words.next()?.parse().ok());
        if let Some(found) = found.filter(|found| *found >= least) {
            return found;
        }
        assert!(Instant::now() < deadline, "{file} has no {key} of {least}: {text:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn forks_beyond_pids_max_are_refused_and_counted_by_the_group() {
    if !on_v2("forks_beyond_pids_max_are_refused_and_counted_by_the_group") {
        return;
    }
    let bomb = "[[tenant]]\nname = \"bomb\"\npids = { limit = 12 }\n\
                workload = { kind = \"fork\", rate = \"100/s\", lifetime = \"1h\" }\n";
    let plan = plan("2s", bomb);
    let runs = std::thread::spawn(move || run(&plan, Platform::Cgroups));
    let group = group_with_a_process("bomb.0");
    assert_eq!(read(&group, "pids.max"), "12");
    let refused = figure_of(&group, "pids.events", "max", 20);
    assert_eq!(read(&group, "pids.current"), "12", "children live on, and none is added");
    let report = runs.join().expect("the run");
    let forks = report.tenants[0].requests.clone().expect("forks");
    assert_eq!((forks.sent, forks.completed), (200, 0));
    assert!((refused..=190).contains(&forks.failed), "{refused} of {forks:?}");
}

/// Version 1 can't: there a bound holds for a group alone, and who has one of its own escapes that of all.
#[test]
fn the_bound_of_the_host_holds_above_those_of_its_tenants() {
    const NAME: &str = "the_bound_of_the_host_holds_above_those_of_its_tenants";
    if !on_v2(NAME) {
        return;
    }
    if std::env::var_os("CATAMARAN_DISK").is_none() {
        println!(
            "skipped: {NAME}: the guest of native-v2 has no disk, and on any other machine its scheduler is left alone"
        );
        return;
    }
    let tenant = |name: &str, io: &str| {
        format!(
            "[[tenant]]\nname = \"{name}\"\nio = {{ {io} }}\n\
             workload = {{ kind = \"disk\", op = \"randread\", size = \"32MiB\" }}\n"
        )
    };
    let tenants = tenant("slow", "iops = 100, weight = 300") + &tenant("quick", "iops = 1000, weight = 500");
    let plan = plan_on("disk = { iops = 400 }", "2s", &tenants);
    let runs = std::thread::spawn(move || run(&plan, Platform::Cgroups));
    let group = group_with_a_process("slow.0");
    let bound = read(&group, "io.max");
    assert!(bound.ends_with(" rbps=max wbps=max riops=100 wiops=100"), "{bound:?}");
    assert!(read(&group, "io.bfq.weight").ends_with("300"), "{:?}", read(&group, "io.bfq.weight"));
    let of_all = read(group.parent().expect("the guard"), "io.max");
    assert!(of_all.ends_with(" riops=400 wiops=400"), "{of_all:?}");
    let counted = figure_of(&group, "io.stat", "rios", 50);
    let report = runs.join().expect("the run");
    let [slow, quick] =
        [0, 1].map(|row| report.tenants[row].requests.as_ref().expect("operations").completed);
    // One more is under way. A bound lets through what two slices of a tenth of a second may bring besides.
    assert!((counted - 1..=220).contains(&slow), "{counted} of {slow}");
    assert!((100..=880).contains(&(slow + quick)) && quick > slow, "{slow} and {quick}");
}

/// What the counters of a hog with a fifth of a core must say after 2 s on a machine that keeps up; `Err` is what they say.
fn a_fifth_of_2_s(tenant: &TenantReport) -> Result<(), String> {
    let cpu_s = cpu_s(tenant);
    let periods = tenant.throttled_periods.expect("throttling is counted");
    let throttled_s = tenant.throttled_s.expect("throttling is timed");
    let holds = [
        (0.3..0.5).contains(&cpu_s),
        // In each of 20 periods, and for four fifths of each, as good as.
        (10..=21).contains(&periods),
        (1.0..1.9).contains(&throttled_s),
    ];
    let said = format!("{cpu_s} s of CPU time, throttled in {periods} periods for {throttled_s} s\n");
    if holds == [true; 3] { Ok(()) } else { Err(said) }
}

#[test]
fn a_throttled_tenant_is_counted_by_its_group() {
    /// An emulated processor is stopped by its host without the guest's kernel being told: what ran at that moment is charged
    /// for the gap, and then throttled for as long as it takes to pay back, which is not counted before it ends. A run that
    /// was not stopped so shows the figures; a runner that counts wrongly never does.
    const RUNS: u32 = 5;
    if !on_v2("a_throttled_tenant_is_counted_by_its_group") {
        return;
    }
    let hog = "[[tenant]]\nname = \"hog\"\ncpu = { limit = \"200m\" }\nworkload = { kind = \"compute\", work = \"1h\" }\n";
    let plan = plan("2s", hog);
    let mut outcomes = String::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        let report = run(&plan, Platform::Cgroups);
        let wall_s = begun.elapsed().as_secs_f64();
        let tenant = &report.tenants[0];
        // These hold whatever the machine does: a thread does not run while it is throttled, and a period lasts 100 ms.
        let throttled_s = tenant.throttled_s.expect("throttling is timed");
        assert!(
            cpu_s(tenant) + throttled_s <= wall_s,
            "{} s and {throttled_s} s of {wall_s} s",
            cpu_s(tenant)
        );
        let periods = tenant.throttled_periods.expect("throttling is counted");
        assert!(periods >= 1 && periods as f64 <= wall_s / 0.1 + 1.0, "{periods} periods in {wall_s} s");
        assert!(tenant.memory_peak_bytes.expect("memory.peak") > 0);
        assert_eq!(tenant.oom_kills, Some(0));
        let stages: Vec<_> = tenant.startup_stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(stages, ["limits", "clone", "exec"], "born in its group, it joins none");
        let machine = report.identity.machine.as_ref().expect("a native report knows its machine");
        assert_eq!(machine.get("cgroup_version").map(String::as_str), Some("2"));
        match a_fifth_of_2_s(tenant) {
            Ok(()) => return,
            Err(said) => outcomes += &said,
        }
    }
    panic!("a fifth of 2 s in none of {RUNS} runs:\n{outcomes}");
}

#[test]
fn weights_divide_a_core() {
    if !on_v2("weights_divide_a_core") {
        return;
    }
    // Under the rule `v1` the weights are those of the shares themselves, so that they divide as the requests do.
    let hogs: String = [("large", "750m"), ("small", "250m")]
        .iter()
        .map(|(name, request)| {
            format!(
                "[[tenant]]\nname = \"{name}\"\ncpu = {{ request = \"{request}\", weight = \"v1\" }}\n\
                 workload = {{ kind = \"compute\", work = \"1h\" }}\n"
            )
        })
        .collect();
    let report = run(&plan("3s", &hogs), Platform::Cgroups);
    let [large, small] = report.tenants.as_slice() else { panic!("two tenants") };
    let ratio = cpu_s(large) / cpu_s(small);
    assert!((2.4..3.75).contains(&ratio), "three to one, not {ratio}");
}

#[test]
fn without_limits_threads_compete_in_one_group_and_are_counted_apart() {
    if !on_v2("without_limits_threads_compete_in_one_group_and_are_counted_apart") {
        return;
    }
    let hogs = "[[tenant]]\nname = \"three\"\nworkload = { kind = \"compute\", threads = 3, work = \"1h\" }\n\
                [[tenant]]\nname = \"one\"\nworkload = { kind = \"compute\", work = \"1h\" }\n";
    for platform in [Platform::BareMetal, Platform::Namespaces] {
        let report = run(&plan("3s", hogs), platform);
        let [three, one] = report.tenants.as_slice() else { panic!("two tenants") };
        let ratio = cpu_s(three) / cpu_s(one);
        assert!((2.4..3.75).contains(&ratio), "{platform}: by threads three to one, not {ratio}");
    }
}

#[test]
fn a_run_leaves_the_tree_as_it_was() {
    if !on_v2("a_run_leaves_the_tree_as_it_was") {
        return;
    }
    let own = || fs::read_to_string("/proc/self/cgroup").expect("/proc");
    let before = (tree(), own());
    let idle = "[[tenant]]\nname = \"idle\"\ncpu = { limit = \"500m\" }\nworkload = { kind = \"idle\" }\n";
    for platform in [Platform::Cgroups, Platform::BareMetal] {
        run(&plan("300ms", idle), platform);
        assert_eq!((tree(), own()), before, "{platform}");
    }
    assert_eq!(clean().expect("clean").runs, 0, "nothing was left to clean");
}

#[test]
fn doctor_says_that_version_2_works() {
    if !on_v2("doctor_says_that_version_2_works") {
        return;
    }
    let checks = doctor();
    for name in
        ["cgroup-v2", "cgroup-v2-cpu", "cgroup-v2-cpuset", "cgroup-v2-memory", "cgroups", "bare-metal"]
    {
        let check = checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no row {name}"));
        assert!(check.works, "{check:?}");
    }
}
