//! Short real runs in virtual machines: emulated, so that they work without KVM, and no speed is asserted.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use catamaran_native::{Runner, RunnerOptions, dry_run};
use catamaran_report::report::{TenantReport, TenantState};
use catamaran_report::{Backend as _, Report, RunError};
use catamaran_scenario::{Plan, Platform};

use common::{guest_plan, turn};

/// Set for the process that another test starts with a bad environment.
const ELSEWHERE: &str = "CATAMARAN_VM_TEST";

fn plan(duration: &str, settings: &str, tenants: &str) -> Plan {
    guest_plan("", duration, settings, tenants)
}

fn run(plan: &Plan) -> Result<Report, RunError> {
    let options = RunnerOptions { turns_per_cpu_s: Some(1e7), ..RunnerOptions::default() };
    Runner::new(options)?.run(plan, Platform::Vm, 3)
}

fn tried(name: &str, answer: Result<Report, RunError>) -> Option<Report> {
    common::tried(name, None, answer)
}

const SERVER_AND_JOB: &str = r#"
[[tenant]]
name = "web"
cpu = { limit = "900m" }
workload = { kind = "server", threads = 2, arrivals = { process = "constant", rate = "50/s" }, service = { cpu = "1ms", distribution = "constant" } }
[[tenant]]
name = "job"
start_at = "200ms"
workload = { kind = "compute", threads = 2, work = "200ms" }
"#;

#[test]
fn a_server_and_a_job_are_carried_out_in_guests_of_their_own() {
    let _turn = turn();
    let plan = plan("4s", "accel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"", SERVER_AND_JOB);
    let name = "a_server_and_a_job_are_carried_out_in_guests_of_their_own";
    let Some(report) = tried(name, run(&plan)) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let [web, job] = report.tenants.as_slice() else { panic!("two tenants") };
    let requests = web.requests.as_ref().expect("web is a server");
    assert_eq!(requests.sent, 200, "50 a second for 4 s");
    assert_eq!(requests.completed + requests.failed + requests.in_flight, requests.sent);
    assert!(requests.completed > 150, "{requests:?}");
    assert_eq!(web.state, TenantState::Completed, "{:?}", web.error);
    assert_eq!(job.state, TenantState::Completed, "{:?}", job.error);
    assert_eq!(job.turns, Some(2e6), "200 ms of 1e7 turns a second");
    let finished_s = job.finished_s.expect("it is done");
    assert!((0.2..4.0).contains(&finished_s), "it starts at 200 ms: {finished_s}");
    for tenant in [web, job] {
        let stages: Vec<_> = tenant.startup_stages.iter().map(|stage| stage.name.as_str()).collect();
        assert!(stages.ends_with(&["vmm", "firmware", "kernel", "init", "exec"]), "{stages:?}");
        let in_order = tenant.startup_stages.windows(2).all(|pair| pair[0].end_s <= pair[1].end_s);
        assert!(in_order, "{:?}", tenant.startup_stages);
        assert!(tenant.stolen_s.is_some(), "the wait of the vCPU threads is known");
        assert!(tenant.cpu_s.expect("CPU time") > 0.0);
        assert!(tenant.waited_s.is_some());
    }
    let cpu_s = job.cpu_s.expect("CPU time");
    assert!(cpu_s < 1.5, "a guest whose work is done rests: {cpu_s} s in 4 s");
    assert!(web.throttled_periods.is_some(), "the guest as a whole has the tenant's limit");
    let overhead = report.host.overhead_memory_bytes.expect("the guests' memory");
    assert!((64 << 20..1 << 30).contains(&overhead), "{overhead} bytes for two guests");
    let machine = report.identity.machine.expect("a native report knows its machine");
    assert!(machine["accelerator"].contains("emulation"), "{machine:?}");
    println!("{machine:#?}\n{:#?}", web.startup_stages);
}

#[test]
fn a_dry_run_shows_qemus_command_line() {
    let program = "[[tenant]]\nname = \"own\"\nworkload = { kind = \"command\", argv = [\"/bin/true\"] }\n";
    let tenants = [SERVER_AND_JOB, FILES, TALK, program].concat();
    let plan = plan("1s", "accel = \"tcg\"\nvcpus = 2\nmemory = \"192MiB\"", &tenants);
    match dry_run(&plan, Platform::Vm) {
        Ok(lines) => {
            let lines = lines.join("\n");
            let disk = "/var/tmp/catamaran-by-hand-slow.0.disk";
            let (made, removed) = (format!("head -c 67108864 /dev/urandom > {disk}"), format!("rm {disk}"));
            let card = "nsenter --net=/run/netns/catamaran-by-hand /";
            let port = "ip -n catamaran-by-hand link set tenant0 master catamaran";
            let drive = format!("cache=none,file={disk}");
            let shows = "mount --bind /usr ./usr; mount -o remount,bind,ro,nosuid,nodev ./usr";
            let daemon = "/usr/lib/qemu/virtiofsd --socket-path=/tmp/own.0.share -o source=/tmp/own.0.shown";
            let share = "-chardev socket,id=share,path=/tmp/own.0.share -device vhost-user-fs-device";
            for part in [
                "-M microvm",
                "-smp 2",
                "-m 192M",
                "-initrd $INITRD",
                card,
                port,
                &made,
                &drive,
                &removed,
                shows,
                daemon,
                share,
            ] {
                assert!(lines.contains(part), "{part}: {lines}");
            }
        }
        Err(RunError::Unavailable { why, .. }) => {
            println!("skipped: a_dry_run_shows_qemus_command_line: {why}");
        }
        Err(other) => panic!("{other}"),
    }
}

/// Not a test: what another test starts with a bad environment. Does nothing when started by anyone else.
#[test]
fn elsewhere() {
    if std::env::var_os(ELSEWHERE).is_none() {
        return;
    }
    let idle = "[[tenant]]\nname = \"idle\"\nworkload = { kind = \"idle\" }\n";
    match run(&plan("100ms", "accel = \"tcg\"", idle)) {
        Ok(_) => println!("it ran"),
        Err(error) => println!("{error}"),
    }
}

#[test]
fn what_is_missing_is_named_with_a_remedy() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("vmlinuz-broken");
    std::fs::write(&broken, vec![0; 4096]).expect("a broken kernel");
    let qemu_is_here = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join("qemu-system-x86_64").is_file());
    let broken = broken.to_string_lossy().into_owned();
    let table = [
        ("PATH", "/nowhere", true, "qemu-system-x86_64 is not on PATH", "apt-get install qemu-system-x86"),
        ("CATAMARAN_VM_KERNEL", "/nowhere/vmlinuz", qemu_is_here, "which is no file", "kernel image"),
        ("CATAMARAN_VM_KERNEL", &broken, qemu_is_here, "QEMU ended", "CATAMARAN_VM_KERNEL"),
    ];
    for (variable, value, possible, why, remedy) in table {
        if !possible {
            println!("skipped: what_is_missing_is_named_with_a_remedy: there is no QEMU");
            continue;
        }
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "elsewhere", "--nocapture"])
            .env(ELSEWHERE, "1")
            .env(variable, value)
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(why) && said.contains(remedy), "{variable}={value}: {said}");
    }
}

#[test]
fn a_guest_that_is_killed_has_told_what_it_did() {
    let _turn = turn();
    let tenant = "[[tenant]]\nname = \"web\"\n\
                  workload = { kind = \"server\", arrivals = { process = \"constant\", rate = \"50/s\" }, \
                  service = { cpu = \"1ms\", distribution = \"constant\" } }\n\
                  [[event]]\nat = \"1s\"\ndo = \"kill\"\ntarget = \"web\"";
    let plan = plan("1500ms", "accel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"", tenant);
    let Some(report) = tried("a_guest_that_is_killed_has_told_what_it_did", run(&plan)) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let told: Vec<_> = report.events.iter().map(|event| (event.what.as_str(), event.because)).collect();
    assert_eq!(told, [("kill", None), ("killed", Some(0))]);
    let [web] = report.tenants.as_slice() else { panic!("one tenant") };
    assert_eq!(web.state, TenantState::Failed, "{:?}", web.error);
    // It answered for a second; what came later is lost. The run is over with its last tenant.
    let requests = web.requests.as_ref().expect("a server");
    assert!((35..=51).contains(&requests.completed) && requests.in_flight == 0, "{requests:?}");
    assert!((1.0..1.4).contains(&report.elapsed_s), "{} s", report.elapsed_s);
}

#[test]
fn a_guest_that_is_full_kills_its_tenant_and_no_other() {
    let _turn = turn();
    let tenants = "[[tenant]]\nname = \"leak\"\n\
                   workload = { kind = \"memory\", start = \"8MiB\", leak = \"400MiB/s\" }\n\
                   [[tenant]]\nname = \"cache\"\nworkload = { kind = \"memory\", start = \"16MiB\", touch = \"loop\" }";
    let plan = plan("4s", "accel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"", tenants);
    let name = "a_guest_that_is_full_kills_its_tenant_and_no_other";
    let Some(report) = tried(name, run(&plan)) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let told: Vec<_> =
        report.events.iter().map(|event| (&*event.actor, &*event.what, &*event.target)).collect();
    assert_eq!(told, [("guest", "out-of-memory", "leak"), ("guest", "oom-kill", "leak")]);
    let [leak, cache] = report.tenants.as_slice() else { panic!("two tenants") };
    assert_eq!((leak.state, leak.oom_kills), (TenantState::OomKilled, Some(1)), "{:?}", leak.error);
    assert!(
        leak.error.as_ref().is_some_and(|error| error.contains("platform.vm.memory")),
        "{:?}",
        leak.error
    );
    assert_eq!((cache.state, cache.oom_kills), (TenantState::Completed, Some(0)), "{:?}", cache.error);
    // What the guest had touched of its memory, and its monitor.
    let peak = leak.memory_peak_bytes.expect("a peak");
    assert!((192 << 20..400 << 20).contains(&peak), "{peak} bytes");
}

#[test]
fn more_processors_than_cores_are_shared_by_weight_and_the_rest_is_stolen() {
    let _turn = turn();
    let guest = |name: &str, request: &str| {
        format!(
            "[[tenant]]\nname = \"{name}\"\ncpu = {{ request = \"{request}\" }}\n\
             workload = {{ kind = \"compute\", threads = 2, work = \"1h\" }}\n"
        )
    };
    let tenants = guest("light", "200m") + &guest("heavy", "800m");
    let plan = plan("3s", "accel = \"tcg\"\nvcpus = 2\nmemory = \"192MiB\"", &tenants);
    let name = "more_processors_than_cores_are_shared_by_weight_and_the_rest_is_stolen";
    let Some(report) = tried(name, run(&plan)) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let machine = report.identity.machine.as_ref().expect("a native report knows its machine");
    assert_eq!(machine["guest_vcpus"], "2", "four processors on one core");
    let [light, heavy] = report.tenants.as_slice() else { panic!("two tenants") };
    let cpu_s = |row: &TenantReport| row.cpu_s.expect("CPU time");
    let all = cpu_s(light) + cpu_s(heavy);
    assert!((2.4..3.3).contains(&all), "one core for 3 s: {all}");
    let share = cpu_s(heavy) / cpu_s(light);
    assert!((2.8..5.6).contains(&share), "weights of 1 to 4: {share}");
    // Two processors that always want to run get what the guest gets; the rest is taken from them.
    for row in [light, heavy] {
        let stolen_s = row.stolen_s.expect("the wait of the vCPU threads");
        let expected = 6.0 - cpu_s(row);
        assert!((stolen_s / expected - 1.0).abs() < 0.15, "{}: {stolen_s} s, not {expected}", row.name);
        // The guest's own kernel sees two idle cores for two threads.
        assert!(row.waited_s.expect("counted in the guest") < 0.3 * stolen_s, "{row:?}");
    }
}

/// Two guests with a disk each; what the second one reads has to be in its page cache, or it would take 5 s.
const FILES: &str = r#"
[[tenant]]
name = "slow"
io = { iops = 100 }
workload = { kind = "disk", op = "randread", size = "64MiB", depth = 2 }
[[tenant]]
name = "mixed"
io = { iops = 100 }
workload = { phases = [
    { kind = "disk", op = "randwrite", size = "256KiB", fsync = true },
    { kind = "disk", op = "randread", size = "2MiB", cached = true } ] }
"#;

#[test]
fn a_guests_file_is_a_disk_of_its_own_with_the_tenants_bounds() {
    let _turn = turn();
    let plan = plan("3s", "accel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"", FILES);
    let name = "a_guests_file_is_a_disk_of_its_own_with_the_tenants_bounds";
    let Some(report) = tried(name, run(&plan)) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let [slow, mixed] = report.tenants.as_slice() else { panic!("two tenants") };
    assert_eq!(slow.state, TenantState::Running, "{:?}", slow.error);
    let requests = slow.requests.as_ref().expect("operations are requests");
    // 100 a second for 3 s, and what a slice of the throttle of a tenth of a second may let through besides.
    assert!((200..=360).contains(&requests.completed), "{requests:?}");
    assert_eq!(slow.disk_bytes, Some(requests.completed * 4096));
    assert_eq!(mixed.state, TenantState::Completed, "{:?}", mixed.error);
    let requests = mixed.requests.as_ref().expect("operations are requests");
    assert_eq!((requests.sent, requests.completed), (64 + 512, 64 + 512));
    assert_eq!(mixed.disk_bytes, Some((256 << 10) + (2 << 20)));
    let own = format!("catamaran-{:x}-", std::process::id());
    let left = std::fs::read_dir("/var/tmp").into_iter().flatten().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|file| file.starts_with(&own)), "{left:?}");
}

#[test]
fn the_hosts_disk_bounds_guests() {
    let _turn = turn();
    let tenant = "[[tenant]]\nname = \"reader\"\n\
                  workload = { kind = \"disk\", op = \"randread\", size = \"8MiB\" }\n";
    let settings = "accel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"";
    let plan = guest_plan("disk = { iops = 200 }", "2s", settings, tenant);
    let Some(report) = tried("the_hosts_disk_bounds_guests", run(&plan)) else { return };
    let requests = report.tenants[0].requests.as_ref().expect("operations are requests");
    // 200 a second for 2 s, and what two slices of the throttle may let through besides.
    assert!((200..=440).contains(&requests.completed), "{requests:?}");
}

/// A guest that asks another one, and then sends it a stream.
const TALK: &str = r#"
[[tenant]]
name = "shop"
workload = { kind = "idle" }
[[tenant]]
name = "ann"
workload = { phases = [
    { kind = "network", to = "shop", requests = 20, size = "1KiB" },
    { kind = "network", to = "shop", bytes = "1MiB", size = "64KiB" } ] }
"#;

#[test]
fn guests_talk_over_a_bridge_of_the_runs_own() {
    let _turn = turn();
    let settings = "accel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"";
    let plan = guest_plan("network = { bandwidth = \"1MB/s\" }", "10s", settings, TALK);
    let Some(report) = tried("guests_talk_over_a_bridge_of_the_runs_own", run(&plan)) else { return };
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let [shop, ann] = report.tenants.as_slice() else { panic!("two tenants") };
    assert_eq!(ann.state, TenantState::Completed, "{:?}", ann.error);
    let requests = ann.requests.as_ref().expect("requests");
    assert_eq!((requests.sent, requests.completed), (20, 20));
    // 1 KiB there and back each, and the stream, counted on both sides; the host's bandwidth holds the stream up.
    let bytes = (40 << 10) + (1 << 20);
    assert_eq!((ann.network_bytes, shop.network_bytes), (Some(bytes), Some(bytes)));
    let finished_s = ann.finished_s.expect("it is done");
    assert!((0.9..6.0).contains(&finished_s), "{finished_s} s");
}

#[test]
fn what_guests_have_not_got_is_refused_by_its_field() {
    let layer = "[[image]]\nname = \"i\"\nlayers = [{ id = \"l\", size = \"4MiB\" }]\n[[tenant]]\nname = \"x\"\nimage = \"i\"\n\
                 workload = { kind = \"disk\", op = \"read\", size = \"4MiB\", layer = \"l\" }\n";
    let pids = "[[tenant]]\nname = \"x\"\npids = { limit = 9 }\nworkload = { kind = \"idle\" }\n";
    for (tenant, expected) in [(layer, "tenant.x.workload"), (pids, "tenant.x.pids.limit")] {
        match run(&plan("1s", "accel = \"tcg\"", tenant)) {
            Err(RunError::Unsupported { field, what, .. }) => assert_eq!(field, expected, "{what}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
}
