//! `host.toml`: read, refused with the place of the fault, written back.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use catamaran_scenario::calibration::{Accel, BareGuestCosts, StartupStage, VmCosts};
use catamaran_scenario::{Calibration, Platform};

#[test]
fn reference_is_written_and_read_back() {
    let mut calibration = Calibration::reference();
    assert_eq!((calibration.scheduler.hz, calibration.machine.cores > 0), (250, true));
    let stage = StartupStage { name: "clone".into(), actor: "runtime".into(), median_ns: 123_456 };
    calibration.startup.insert(Platform::CriO, vec![stage.clone(), stage.clone()]);
    calibration.cpu.turns_per_cpu_s = 1.0 / 3.0;
    if let Some(memory) = &mut calibration.memory {
        memory.tenant_bytes = [(Platform::BareMetal, 170_000), (Platform::CriO, 1 << 20)].into();
    }
    calibration.vm = Some(VmCosts {
        accel: Accel::Tcg,
        speed_factor: 0.05,
        exit_ns: None,
        idle_bytes: Some(200 << 20),
        reserve_bytes: Some(30 << 20),
        disk: None,
    });
    calibration.bare = Some(BareGuestCosts {
        speed_factor: 0.99,
        request_overhead_ns: 30_000,
        sleep_overhead_ns: 2000,
        touch_ns: 90.5,
        retouch_ns: 1.5,
        release_ns: 2.5,
        tenant_bytes: 3 << 20,
        thread_bytes: 70_000,
        rss_bytes: 4 << 20,
        startup: vec![stage],
    });
    let text = calibration.to_toml();
    assert_eq!(Calibration::from_toml(&text, "host.toml").as_ref(), Ok(&calibration), "{text}");
}

#[test]
fn digest_is_of_the_figures() {
    let calibration = Calibration::reference();
    let reread =
        Calibration::from_toml(&format!("# again\n{}", calibration.to_toml()), "host.toml").expect("valid");
    assert_eq!(reread.digest(), calibration.digest());
    let mut other = calibration.clone();
    other.cpu.tick_ns += 1;
    assert_ne!(other.digest(), calibration.digest());
}

#[test]
fn refused() {
    let mut reference = Calibration::reference();
    // EEVDF has no latency, so that 0 is right there and wrong under CFS.
    reference.scheduler.latency_ns = 0;
    let text = reference.to_toml();
    for (from, to, path, message) in [
        ("hz = 250", "hz = 0", "scheduler.hz", "a whole number from 100 to 10000"),
        ("turns_per_cpu_s = ", "turns_per_cpu_s = nan # ", "cpu.turns_per_cpu_s", "found the number nan"),
        ("turns_per_cpu_s = ", "turns_per_cpu_s = inf # ", "cpu.turns_per_cpu_s", "found the number inf"),
        ("tick_ns = ", "tick_ns = -", "cpu.tick_ns", "found the number -"),
        ("kind = \"eevdf\"", "kind = \"cfs\"", "scheduler.latency_ns", "above 0"),
        ("kind = \"eevdf\"", "kind = \"efdv\"", "scheduler.kind", "\"eevdf\" or \"cfs\""),
        ("autogroup", "autogruop", "scheduler.autogruop", "did you mean \"autogroup\"?"),
        ("catamaran/host/v1", "catamaran/host/v9", "schema", "accepted: \"catamaran/host/v1\""),
        ("[cpu]", "[[cpu]]", "cpu", "found an array"),
        (
            "[memory.tenant_bytes]",
            "[memory.tenant_bytes]\nvm = 0",
            "memory.tenant_bytes.vm",
            "a whole number",
        ),
        ("[cpu]", "[vm]\naccel = \"kvm\"\n[cpu]", "vm.speed_factor", "missing"),
        ("[cpu]", "[vm]\naccel = \"xen\"\nspeed_factor = 1.0\n[cpu]", "vm.accel", "\"kvm\" or \"tcg\""),
        ("[cpu]", "[bare]\nspeed_factor = 1.0\n[cpu]", "bare.request_overhead_ns", "missing"),
        ("[cpu]", "[startup]\nvmm = []\n[cpu]", "startup.vmm", "did you mean \"vm\"?"),
        ("[cpu]", "[[startup.vm]]\nname = \"a\"\nactor = \"b\"\n[cpu]", "startup.vm[0].median_ns", "missing"),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        let error = Calibration::from_toml(&changed, "host.toml").expect_err(to);
        assert_eq!(error.path, path, "{error}");
        assert!(error.message().contains(message), "{error}");
        let line =
            changed.lines().nth(error.location.as_ref().expect("a place").line - 1).expect("that line");
        assert!(to.lines().any(|to| line.contains(to)) || path.contains("latency"), "{error}");
    }
}
