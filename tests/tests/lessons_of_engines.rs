//! What the lessons `lxc-docker-rkt-podman` and `oci-cri` say in words is what the simulator finds.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by panicking")]

use catamaran_report::Report;
use catamaran_scenario::edit::set;
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, simulate};

fn report(lesson: &str, platform: Platform, changes: &[(&str, &str)]) -> Report {
    let scenario = catamaran_lessons::scenario(&format!("lesson:{lesson}")).unwrap().to_owned();
    let text = changes.iter().fold(scenario, |text, (path, value)| set(&text, path, value).unwrap());
    let plan = Plan::from_toml(&text, lesson).unwrap();
    simulate(&plan, platform, &Calibration::reference(), &Options::default()).unwrap().report
}

/// Whether the goal of a lesson would be met there.
fn meets(lesson: &str, report: &Report) -> bool {
    let goal = catamaran_lessons::find(lesson).unwrap().goal;
    goal.conditions.iter().all(|condition| {
        let found = condition.found(&mut |path| report.value(path));
        found.is_some_and(|found| condition.op.holds(found, condition.value))
    })
}

#[test]
fn lxc_docker_rkt_podman_teaches_what_the_simulator_finds() {
    const LESSON: &str = "lxc-docker-rkt-podman";
    // Rootless or not: daemons, who stays beside the program, who of them and the program is root.
    let table = [
        (Platform::Docker, false, [2.0, 3.0, 4.0]),
        (Platform::Docker, true, [3.0, 4.0, 0.0]),
        (Platform::Podman, false, [0.0, 1.0, 2.0]),
        (Platform::Podman, true, [0.0, 2.0, 0.0]),
        (Platform::Lxc, false, [0.0, 2.0, 3.0]),
        (Platform::Rkt, false, [0.0, 3.0, 4.0]),
        (Platform::Container, false, [0.0, 0.0, 1.0]),
        (Platform::Container, true, [0.0, 0.0, 0.0]),
    ];
    // As the solution says, Podman and our own container meet the goal without root; LXC brings an init.
    let good = [(Platform::Podman, true), (Platform::Container, true)];
    for (platform, rootless, expected) in table {
        let path = format!("platform.{platform}.rootless");
        let value = rootless.to_string();
        let changes = [(path.as_str(), value.as_str())];
        let settled = [Platform::Rkt, Platform::Lxc].contains(&platform);
        let report = report(LESSON, platform, if settled { &[] } else { &changes });
        let found = ["daemons", "stay", "root"].map(|which| report.value(&format!("processes.{which}")));
        assert_eq!(found, expected.map(Some), "{platform}, rootless: {rootless}");
        let maps = report.value("tenant.job.sees.user.own");
        assert_eq!(maps, Some(f64::from(u8::from(rootless))), "{platform}: whose user 0 is");
        assert_eq!(meets(LESSON, &report), good.contains(&(platform, rootless)), "{platform}: {rootless}");
    }
    let docker = report(LESSON, Platform::Docker, &[]);
    assert_eq!(docker.value("process.dockerd.kills"), Some(0.0), "killed, it takes nobody along");
    assert_eq!(docker.value("process.dockerd.stops"), Some(1.0), "stopped, it stops its containers");
    assert_eq!(docker.value("process.containerd-shim.kills"), Some(1.0));
    assert_eq!(report(LESSON, Platform::Podman, &[]).value("process.conmon.kills"), Some(0.0));
    assert_eq!(report(LESSON, Platform::Lxc, &[]).value("process.lxc-monitor.kills"), Some(1.0));
    assert_eq!(report(LESSON, Platform::Rkt, &[]).value("process.systemd-nspawn.kills"), Some(1.0));
}

#[test]
fn oci_cri_teaches_what_the_simulator_finds() {
    const LESSON: &str = "oci-cri";
    let with =
        |runtime: &str| report(LESSON, Platform::Kubernetes, &[("platform.kubernetes.runtime", runtime)]);
    let (runc, crun) = (with("runc"), with("crun"));
    assert_eq!(runc.value("process.dockerd.there"), Some(0.0), "nobody in a pod's chain is called dockerd");
    let stages = |report: &Report| report.value("tenant.web.stages").unwrap();
    assert_eq!(stages(&runc) - stages(&crun), 1.0, "one step is missing");
    // Above the lower line neither a step nor a process changes, and the kernel does the same below it.
    let above = |report: &Report, name: &str| -> Vec<String> {
        let stages = &report.tenants[0].startup_stages;
        let above = stages.iter().take_while(|stage| stage.actor != name);
        above.map(|stage| format!("{} {}", stage.actor, stage.name)).collect()
    };
    assert_eq!(above(&runc, "runc"), above(&crun, "crun"));
    assert_eq!(runc.value("processes.stay"), crun.value("processes.stay"));
    assert_eq!(runc.isolation, crun.isolation, "row by row");
    for (runtime, met) in [("runc", false), ("crun", true), ("youki", true)] {
        assert_eq!(meets(LESSON, &with(runtime)), met, "{runtime}");
    }
    for platform in [Platform::CriO, Platform::Docker, Platform::Gvisor, Platform::Kata, Platform::Container]
    {
        assert!(!meets(LESSON, &report(LESSON, platform, &[])), "{platform} changes the upper half");
    }
    for platform in [Platform::Gvisor, Platform::Kata] {
        let report = report(LESSON, platform, &[]);
        assert_eq!(report.value("tenant.web.sees.kernel.own"), Some(1.0), "{platform}: a kernel of its own");
    }
}
