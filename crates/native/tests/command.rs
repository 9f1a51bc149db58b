//! Programs of the user's own, on every platform that runs them.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use catamaran_native::density;
use catamaran_report::report::{TenantReport, TenantState};
use catamaran_report::{Report, RunError};
use catamaran_scenario::{Plan, Platform};

use common::PLATFORMS;

/// Runtimes that are started for each tenant; engines have their own tests.
const RUNTIMES: [Platform; 3] = [Platform::Runc, Platform::Crun, Platform::Youki];

/// A tenant that calls a shell.
fn shell(name: &str, line: &str, more: &str) -> String {
    let line = format!("{line:?}");
    format!(
        "[[tenant]]\nname = \"{name}\"\n{more}\nworkload = {{ kind = \"command\", argv = [\"/bin/sh\", \"-c\", {line}] }}\n"
    )
}

/// One that listens after 100 ms, by a program that every Debian has.
fn server(port: u16) -> String {
    let line = format!(
        "use IO::Socket::INET; print \"up\\n\"; select undef, undef, undef, 0.1; \
         my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => {port}, Listen => 5, ReuseAddr => 1) or die; \
         while (my $c = $s->accept) {{ close $c }}"
    );
    format!(
        "[[tenant]]\nname = \"web\"\nworkload = {{ kind = \"command\", argv = [\"perl\", \"-e\", {line:?}], probe = {{ tcp = {port} }} }}\n"
    )
}

fn plan(duration: &str, tenants: &str) -> Plan {
    common::plan(duration, "", tenants)
}

/// The report; says why there is none where a platform is not to be had here.
fn report(platform: Platform, plan: &Plan) -> Option<Report> {
    common::tried(platform.name(), None, common::answer(plan, platform))
}

/// Command lines on this machine that hold a word.
fn processes(word: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let lines = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.map(|line| line.replace('\0', " ")).filter(|line| line.contains(word)).collect()
}

fn error(row: &TenantReport) -> &str {
    row.error.as_deref().unwrap_or_default()
}

#[test]
fn a_program_is_ready_when_its_port_is_open_and_is_stopped_at_the_end() {
    if !Path::new("/usr/bin/perl").exists() {
        println!("skipped: no perl here");
        return;
    }
    let rootless = plan("700ms", &format!("{}[platform.container]\nrootless = true\n", server(18_100)));
    let on_rootless = [(Platform::Container, rootless)].into_iter();
    let on_all =
        PLATFORMS.into_iter().chain(RUNTIMES).map(|platform| (platform, plan("700ms", &server(18_100))));
    for (platform, plan) in on_rootless.chain(on_all) {
        let Some(report) = report(platform, &plan) else { continue };
        let [web] = report.tenants.as_slice() else { panic!("one tenant") };
        assert_eq!((web.state, error(web)), (TenantState::Completed, ""), "{platform}");
        assert_eq!(web.finished_s, Some(0.7), "{platform}: it is there until the end");
        assert_eq!(report.unexplained(), Vec::<String>::new(), "{platform}");
        let ready = web.startup_stages.last().expect("stages");
        assert_eq!((&*ready.name, &*ready.actor), ("ready", "probe"), "{platform}");
        let took_s = ready.end_s.zip(ready.start_s).map(|(end_s, start_s)| end_s - start_s);
        assert!(took_s.is_some_and(|s| s > 0.1 && s < 0.6), "{platform}: it sleeps for 100 ms: {ready:?}");
        assert!(web.startup_s.is_some_and(|s| Some(s) == ready.start_s), "{platform}: {web:?}");
        assert!(web.cpu_s.is_some_and(|s| s > 0.001), "{platform}: perl alone takes more: {:?}", web.cpu_s);
        assert_eq!(web.waited_s, None, "{platform}");
    }
    assert_eq!(processes("IO::Socket::INET"), Vec::<String>::new(), "all are gone");
}

#[test]
fn a_program_that_fails_says_why_with_the_last_that_it_said() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let with_probe = |line: &str, port: u16| {
        shell("x", line, "").replace("] }", &format!("], probe = {{ tcp = {port} }} }}"))
    };
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("executable");
    let orphan =
        format!("[[tenant]]\nname = \"x\"\nworkload = {{ kind = \"command\", argv = [{script:?}] }}\n");
    let table = [
        (
            shell("x", "echo one; echo two >&2; exit 3", ""),
            "exit code 3; figures are its last sample; it said last: one | two",
        ),
        (shell("x", "kill -ABRT $$", ""), "ended with signal 6"),
        (with_probe("exec sleep 100", 18_201), "not ready within 0.3 s: nothing listens on 127.0.0.1:18201"),
        (with_probe("exit 0", 18_201), "ended (exit code 0) before it was ready"),
        (shell("x", "env | sort; exit 1", ""), "it said last: HOME=/ | PATH=/usr/local/sbin:"),
        (shell("x", "/bin/cat; /bin/cat /proc/self/fd/0; pwd; exit 1", ""), "it said last: /"),
    ];
    for (tenant, expected) in table {
        let Some(report) = report(Platform::BareMetal, &plan("300ms", &tenant)) else { return };
        let [x] = report.tenants.as_slice() else { panic!("one tenant") };
        assert_eq!(x.state, TenantState::Failed, "{tenant}");
        assert!(error(x).contains(expected), "{tenant}: {:?} lacks {expected:?}", x.error);
    }
    let ready = shell("fine", "exec sleep 100", "");
    let table = [
        (Platform::BareMetal, with_probe("exec sleep 100", port), "answers before its program is there"),
        (Platform::BareMetal, orphan.clone(), "the interpreter that it names is not there"),
        (Platform::Container, orphan.clone(), "No such file"),
        (Platform::Podman, orphan, "No such file"),
    ];
    for (platform, tenant, expected) in table {
        let begun = Instant::now();
        match common::answer(&plan("30s", &format!("{ready}{tenant}")), platform) {
            Err(RunError::Failed { what, .. }) => {
                assert!(what.starts_with("x was never there: ") && what.contains(expected), "{what}");
                assert!(begun.elapsed().as_secs() < 25, "nobody waits for the others");
            }
            Err(RunError::Unavailable { why, .. }) => println!("skipped: {platform}: {why}"),
            other => panic!("{platform}: {other:?}"),
        }
    }
}

#[test]
fn a_program_that_is_not_there_or_has_no_place_is_refused_by_its_field() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("a,b");
    std::fs::copy("/bin/true", &odd).expect("a program");
    let odd = odd.to_str().expect("a path");
    let table = [
        ("no-such-program", Platform::BareMetal, "tenant.x.workload.argv", "in no folder of"),
        ("/no/such/program", Platform::Cgroups, "tenant.x.workload.argv", "No such file"),
        ("/etc/passwd", Platform::Container, "tenant.x.workload.argv", "no executable file"),
        ("bin/true", Platform::Runc, "tenant.x.workload.argv", "a folder that a tenant is not in"),
        ("/proc/self/exe", Platform::Chroot, "tenant.x.workload.argv", "the kernel's files"),
        (odd, Platform::Docker, "tenant.x.workload.argv", "characters that have a meaning"),
        ("no-such-program", Platform::Vm, "tenant.x.workload.argv", "in no folder of"),
    ];
    for (program, platform, expected, why) in table {
        let tenant =
            format!("[[tenant]]\nname = \"x\"\nworkload = {{ kind = \"command\", argv = [{program:?}] }}\n");
        match common::answer(&plan("300ms", &tenant), platform) {
            Err(RunError::Unsupported { field, what, .. }) => {
                assert_eq!(field, expected, "{program}");
                assert!(what.contains(why), "{program}: {what}");
            }
            other => panic!("{program} on {platform}: {other:?}"),
        }
    }
}

#[test]
fn endless_output_fills_nothing_and_delays_nobody() {
    let tenants = "[[tenant]]\nname = \"x\"\nmemory = { limit = \"32MiB\" }\nworkload = { kind = \"command\", argv = [\"yes\"] }\n";
    let started = Instant::now();
    let Some(report) = report(Platform::Container, &plan("400ms", tenants)) else { return };
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let [x] = report.tenants.as_slice() else { panic!("one tenant") };
    assert_eq!((x.state, error(x)), (TenantState::Completed, ""));
    assert!(x.memory_peak_bytes.is_none_or(|bytes| bytes < 16 << 20), "{:?}", x.memory_peak_bytes);
}

#[test]
fn what_a_program_leaves_is_gone_with_it() {
    for (platform, seconds) in PLATFORMS.into_iter().chain([Platform::Runc]).zip(98_760_u32..) {
        let leaves = format!("for i in 1 2 3; do setsid sleep {seconds} & done; exit 0");
        let Some(report) = report(platform, &plan("2s", &shell("x", &leaves, ""))) else { continue };
        let [x] = report.tenants.as_slice() else { panic!("one tenant") };
        assert_eq!((x.state, error(x)), (TenantState::Completed, ""), "{platform}");
        assert!(report.elapsed_s < 1.5, "{platform}: nobody waits for the children: {}", report.elapsed_s);
        let left = processes(&format!("sleep {seconds}"));
        assert_eq!(left, Vec::<String>::new(), "{platform}");
    }
}

/// Not only when the run is over: where all see all processes, another tenant looks for them.
#[test]
fn what_a_program_leaves_is_gone_before_the_run_is() {
    let leaves = shell("x", "for i in 1 2 3; do setsid sleep 98759 & done; exit 0", "");
    let looks = shell("y", "sleep 0.7; ! grep -qsa 'slee[p].98759' /proc/[0-9]*/cmdline", "");
    let Some(report) = report(Platform::BareMetal, &plan("5s", &[leaves, looks].concat())) else { return };
    for row in &report.tenants {
        assert_eq!((row.state, error(row)), (TenantState::Completed, ""), "{}", row.name);
    }
}

#[test]
fn a_program_gets_time_to_end_and_no_more() {
    let tenants = [
        shell("polite", "trap 'echo bye; exit 4' TERM; while :; do sleep 0.02; done", ""),
        shell("deaf", "trap '' TERM; while :; do sleep 0.02; done", ""),
    ];
    let started = Instant::now();
    let Some(report) = report(Platform::BareMetal, &plan("1s", &tenants.concat())) else { return };
    let took = started.elapsed();
    for row in &report.tenants {
        // It was there to the end, however it goes then.
        assert_eq!((row.state, error(row), row.finished_s), (TenantState::Completed, "", Some(1.0)));
    }
    assert!(took > Duration::from_secs(3) && took < Duration::from_secs(9), "2 s of grace: {took:?}");
    assert!(report.elapsed_s < 1.7, "the time to end is not the run's: {}", report.elapsed_s);
}

#[test]
fn memory_beyond_the_limit_ends_a_program_and_is_told_as_that() {
    let tenant = "[[tenant]]\nname = \"x\"\nmemory = { limit = \"24MiB\" }\n\
                  workload = { kind = \"command\", argv = [\"perl\", \"-e\", \"my $x = 'x' x 100_000_000; sleep 9\"] }\n";
    let Some(report) = report(Platform::Cgroups, &plan("2s", tenant)) else { return };
    let [x] = report.tenants.as_slice() else { panic!("one tenant") };
    assert_eq!((x.state, x.oom_kills), (TenantState::OomKilled, Some(1)), "{:?}", x.error);
}

/// In a container: to the tape, to the machine's files, to devices, to more than a container's privileges.
#[test]
fn a_contained_program_reaches_neither_tape_nor_machine() {
    let tenant = shell("x", &common::line_of_a_prisoner(), "");
    let rootless = format!("{tenant}[platform.container]\nrootless = true\n");
    for (platform, text) in
        [(Platform::Container, &tenant), (Platform::Container, &rootless), (Platform::Runc, &tenant)]
    {
        let Some(report) = report(platform, &plan("3s", text)) else { continue };
        let [x] = report.tenants.as_slice() else { panic!("one tenant") };
        assert_eq!((x.state, error(x)), (TenantState::Completed, ""), "{platform}");
    }
    assert!(!Path::new(common::MARKER).exists());
}

/// A `chroot` has its mounts on the machine: they are the run's own, and nothing of the machine's goes with them.
#[test]
fn what_a_root_shows_comes_and_goes_without_a_trace() {
    let mounts = || std::fs::read_to_string("/proc/self/mounts").expect("mounts");
    let before = mounts();
    let tenant = shell("x", "test -e /usr/bin/env && ! touch /usr/x 2>/dev/null", "");
    for platform in [Platform::Chroot, Platform::Container] {
        let Some(report) = report(platform, &plan("2s", &tenant)) else { continue };
        assert_eq!(report.tenants.first().map(error), Some(""), "{platform}");
    }
    // Other tests may be at work in folders of their own runs.
    let others = |text: &str| {
        text.lines().filter(|line| !line.contains("/catamaran")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(others(&mounts()), others(&before));
}

#[test]
fn copies_of_a_program_are_counted() {
    // Perl alone is smaller than that.
    let tenant = "[[tenant]]\nname = \"x\"\nworkload = { kind = \"command\", argv = [\"perl\", \"-e\", \
                  \"my $x = 'x' x 8000000; sleep 100\"] }\n";
    let counted = density(&plan("20s", tenant), Platform::Container, 3, 1e8, &Arc::default(), &mut |_| {});
    let count = match counted {
        Ok(count) => count,
        Err(RunError::Unavailable { why, .. }) => return println!("skipped: {why}"),
        Err(error) => panic!("{error}"),
    };
    assert_eq!((count.tenants, count.full), (3, false));
    assert!(count.tenant_bytes.is_some_and(|bytes| bytes > 8_000_000), "{:?}", count.tenant_bytes);
}
