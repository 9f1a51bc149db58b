//! Start-up on every platform: who does what in which order, what it takes, and what nobody knows.

use catamaran_report::report::{Report, TenantReport};
use catamaran_scenario::calibration::StartupStage;
use catamaran_scenario::{Calibration, Platform};

use crate::common::{hog, ideal, near, plan, run, server, tenant};

fn report(platform: &str, settings: &str, calibration: &Calibration) -> Report {
    let tenants = format!("{}[platform.{platform}]\n{settings}\n", hog("a", 1, "10ms", ""));
    run(&plan(1, "1s", platform, &tenants), calibration).report
}

fn started(platform: &str, settings: &str) -> TenantReport {
    report(platform, settings, &Calibration::reference()).tenants.swap_remove(0)
}

/// The actors in their order, each once for what it does in a row.
fn actors(row: &TenantReport) -> Vec<&str> {
    let mut actors: Vec<&str> = row.startup_stages.iter().map(|stage| stage.actor.as_str()).collect();
    actors.dedup();
    actors
}

#[test]
fn each_platform_goes_through_the_hands_that_it_is_made_of() {
    // Platform, settings, the hands in their order (others may lie between), and one that is not among them.
    let table: [(&str, &str, &[&str], &str); 16] = [
        ("runc", "", &["runc", "runc init", "kernel"], "containerd"),
        ("crun", "", &["crun", "kernel"], "runc"),
        ("youki", "", &["youki", "youki intermediate", "kernel", "youki init"], "runc"),
        ("lxc", "", &["lxc-start", "lxc monitor", "kernel", "container init"], "runc"),
        ("docker", "", &["docker", "dockerd", "containerd", "runc", "kernel"], "crun"),
        ("docker", "runtime = \"crun\"", &["docker", "dockerd", "containerd", "crun", "kernel"], "runc"),
        (
            "docker",
            "rootless = true",
            &["docker", "dockerd in rootlesskit", "containerd", "runc", "rootlesskit"],
            "dockerd",
        ),
        ("podman", "", &["podman", "netavark", "podman", "crun", "kernel"], "dockerd"),
        (
            "podman",
            "rootless = true",
            &["podman", "newuidmap", "podman", "pasta", "podman", "crun"],
            "netavark",
        ),
        ("rkt", "", &["rkt stage0", "rkt stage1", "systemd-nspawn", "systemd", "rkt stage2"], "containerd"),
        ("containerd", "", &["containerd", "cni plugin", "containerd", "containerd-shim", "runc"], "kubelet"),
        ("cri-o", "", &["crio", "cni plugin", "crio", "crun", "kernel"], "containerd"),
        ("kubernetes", "", &["kubelet", "containerd", "cni plugin", "containerd", "runc", "kernel"], "crio"),
        ("microvm", "", &["monitor", "guest kernel"], "firmware"),
        ("vm-hosted", "", &["hypervisor", "kernel", "firmware", "boot loader", "guest kernel"], "runc"),
        ("kata", "", &["containerd", "containerd-shim-kata", "hypervisor", "kata-agent"], "runc"),
    ];
    for (platform, settings, hands, absent) in table {
        let row = started(platform, settings);
        let actors = actors(&row);
        let mut rest = actors.iter();
        let in_order = hands.iter().all(|hand| rest.any(|actor| actor == hand));
        assert!(in_order, "{platform} {settings}: {hands:?} in {actors:?}");
        assert!(!actors.contains(&absent), "{platform} {settings}: {absent} in {actors:?}");
    }
    assert!(actors(&started("gvisor", "")).ends_with(&["runsc", "sentry", "gofer", "sentry"]));
}

#[test]
fn a_length_has_a_source_or_is_unknown_with_its_reason() {
    let measured = ["bare-metal", "chroot", "namespaces", "cgroups", "container"];
    for platform in Platform::ALL {
        let row = started(platform.name(), "");
        assert!(!row.startup_stages.is_empty(), "{platform}");
        let is_measured = measured.contains(&platform.name());
        for stage in &row.startup_stages {
            assert_eq!(
                stage.length().is_some(),
                stage.source.is_some() || is_measured,
                "{platform}: {stage:?}"
            );
        }
        let unknown = row.startup_stages.iter().any(|stage| stage.length().is_none());
        let reason = row.absent.get("startup_s").or_else(|| row.absent.get("startup_stages"));
        assert_eq!(reason.is_some(), unknown, "{platform}: {reason:?}");
        assert_eq!(row.startup_s.is_none(), row.absent.contains_key("startup_s"), "{platform}");
        assert!(row.startup_s.is_none_or(|whole| whole > 0.0), "{platform}");
    }
}

#[test]
fn what_was_published_is_what_a_start_takes() {
    // LVM-07; FC-S3 and FC-BS-02; FC-BS-07.
    for (platform, settings, expected_s) in [
        ("docker", "", Some(0.2)),
        ("docker", "runtime = \"crun\"", None),
        ("docker", "rootless = true", None),
        ("microvm", "", Some(0.122)),
        ("vm", "", Some(0.2139)),
        ("kata", "", None),
        ("runc", "", None),
    ] {
        assert_eq!(started(platform, settings).startup_s, expected_s, "{platform} {settings}");
    }
    // Another machine's end to end is FC-BH-1's 126.7 ms.
    near("microvm", started("microvm", "").startup_s.unwrap(), 0.1267, 0.05);
    // Of Kata's start the guest's boot is known, although nobody knows when it begins.
    let kata = started("kata", "");
    let boot = kata.startup_stages.iter().find(|stage| stage.name == "boot").unwrap();
    assert_eq!((boot.start_s, boot.length(), boot.source.as_deref()), (None, Some(0.2139), Some("FC-BS-07")));
}

#[test]
fn a_kernels_stage_is_as_long_as_our_own_containers() {
    let reference = Calibration::reference();
    let own = |name: &str| {
        let stages = &reference.startup[&Platform::Container];
        stages.iter().find(|stage| stage.name == name).map(|stage| stage.median_ns as f64 / 1e9).unwrap()
    };
    let row = started("runc", "");
    for name in ["clone", "pivot-root", "exec"] {
        let stage = row.startup_stages.iter().find(|stage| stage.name == name).unwrap();
        near(name, stage.length().unwrap(), own(name), 1e-12);
    }
    let mut without = reference.clone();
    without.startup.remove(&Platform::Container);
    let rows = report("runc", "", &without).tenants.swap_remove(0).startup_stages;
    assert!(rows.iter().all(|stage| stage.length().is_none()));
}

#[test]
fn what_was_measured_here_goes_before_what_was_published() {
    let mut measured = Calibration::reference();
    let stage = |name: &str, median_ns| StartupStage { name: name.into(), actor: "docker".into(), median_ns };
    measured
        .startup
        .insert(Platform::Docker, vec![stage("create", 300_000_000), stage("start", 100_000_000)]);
    let row = report("docker", "", &measured).tenants.swap_remove(0);
    assert_eq!((row.startup_s, row.startup_stages.len()), (Some(0.4), 2));
    // It was not measured without root, nor with another runtime.
    for other in ["rootless = true", "runtime = \"crun\""] {
        let row = report("docker", other, &measured).tenants.swap_remove(0);
        assert!(row.startup_stages.len() > 2 && row.startup_s.is_none(), "{other}: {row:?}");
    }
    let row = report("docker", "runtime = \"runc\"", &measured).tenants.swap_remove(0);
    assert_eq!(row.startup_s, Some(0.4));
}

#[test]
fn a_container_is_its_groups_whoever_made_it() {
    let answer = |platform: &str| {
        let tenants = format!(
            "{}{}",
            server("web", "50/s", "4ms", "exponential", 1)
                .replace("workload", "cpu = { limit = \"500m\" }\nworkload"),
            hog("batch", 2, "30s", "")
        );
        let outcome = run(&plan(2, "5s", platform, &tenants), &Calibration::reference());
        let web = tenant(&outcome, "web");
        (web.cpu_s, web.waited_s, web.throttled_s, web.memory_peak_bytes, web.requests.clone())
    };
    let expected = answer("container");
    for platform in
        ["runc", "crun", "youki", "lxc", "docker", "podman", "rkt", "containerd", "cri-o", "kubernetes"]
    {
        assert_eq!(answer(platform), expected, "{platform}");
    }
}

#[test]
fn guests_differ_by_their_monitors_and_gvisor_by_its_system_calls() {
    let reference = Calibration::reference();
    let idle = |platform: &str| {
        let memory = report(platform, "", &reference).host.overhead_memory_bytes;
        memory.unwrap() as f64 / f64::from(1 << 20)
    };
    // Monitor and what the kernel keeps of 256 MiB (17.9): FC-MEM-3, FC-MEM-1, KATA-1.
    for (platform, mib) in [("vm", 149.2), ("vm-hosted", 149.2), ("microvm", 20.4), ("kata", 160.0)] {
        near(platform, idle(platform), mib, 1e-3);
    }
    let waits = |platform: &str, calibration: &Calibration| {
        let web = server("web", "100/s", "1ms", "constant", 1);
        let outcome = run(&plan(1, "5s", platform, &web), calibration);
        let web = tenant(&outcome, "web");
        (web.cpu_s.unwrap(), web.requests.as_ref().unwrap().completed)
    };
    // Type 2 pays two switches more for each exit of a timer; one sleep in gVisor is one call of the Sentry's (GV-01).
    assert!(waits("vm-hosted", &reference).0 > waits("vm", &reference).0);
    let ((plain, requests), (sandboxed, _)) = (waits("container", &ideal()), waits("gvisor", &ideal()));
    let each_ns = (sandboxed - plain) / requests as f64 * 1e9;
    // Who is still at work when the next request comes does not sleep.
    assert!((0.7 * 697.0..=697.0).contains(&each_ns), "{each_ns} ns a request");
    let machine = |platform: &str| report(platform, "", &reference).identity.machine.unwrap_or_default();
    assert_eq!(machine("gvisor").get("extra_system_call_ns").map(String::as_str), Some("697"));
    assert_eq!(machine("vm").get("extra_disk_request_ns").map(String::as_str), Some("72397"));
    assert!(machine("runc").is_empty());
}
