//! Disks of guests: closed forms of the station before the machine's disk.

use catamaran_scenario::calibration::{Accel, CachedCosts, DiskCosts, FlushCosts};
use catamaran_scenario::calibration::{VirtioCosts, VmCosts};
use catamaran_scenario::{Calibration, Platform};
use catamaran_sim::{Options, simulate};

use crate::common::{FREE_GUESTS, OPERATION, ideal, near, plan, run, tenant};

/// A guest's: 3 µs of its virtual CPU, so many of the monitor, 7 beside.
fn virtio(service_ns: u64, waits: bool) -> VirtioCosts {
    VirtioCosts {
        cpu_ns: 3000,
        service_ns,
        service_ns_per_byte: 0.0,
        latency_ns: 7000,
        latency_ns_per_byte: 0.001,
        waits,
    }
}

fn with_guests(disk: VirtioCosts) -> Calibration {
    let mut calibration = ideal();
    let cached = CachedCosts { cpu_ns: 1000, cpu_ns_per_byte: 0.0001 };
    calibration.disk = Some(DiskCosts {
        scheduler: "none".to_owned(),
        throttle_slice_ns: 100_000_000,
        batches: false,
        read: OPERATION,
        write: OPERATION,
        flush: FlushCosts { cpu_ns: 5000, service_ns: 30_000, latency_ns: 15_000 },
        cached_read: cached,
        cached_write: cached,
    });
    calibration.vm = Some(VmCosts { disk: Some(disk), ..FREE_GUESTS });
    calibration
}

fn works(name: &str, more: &str) -> String {
    format!("[[tenant]]\nname = \"{name}\"\nworkload = {{ kind = \"disk\", {more} }}\n")
}

#[test]
fn one_at_a_time_takes_the_sum_of_all() {
    // Guest 4 + 3, monitor 5 + 4 + 6, device 10 + 20, beside 7; a flush 5 + 3, 5 + 5, 30 + 15, 7.
    let table = [
        ("op = \"randread\", size = \"4096000B\"", 59.0),
        ("op = \"write\", size = \"4096000B\", fsync = true", 59.0 + 70.0),
        ("op = \"randread\", size = \"4096000B\", cached = true", 1.0),
    ];
    for (what, expected_us) in table {
        for waits in [false, true] {
            let outcome = run(&plan(2, "10s", "vm", &works("t", what)), &with_guests(virtio(5000, waits)));
            near(what, tenant(&outcome, "t").finished_s.unwrap(), 1000.0 * expected_us * 1e-6, 1e-3);
        }
    }
    let outcome = run(
        &plan(2, "10s", "vm", &works("t", "op = \"read\", size = \"100MiB\", block = \"1MiB\"")),
        &with_guests(virtio(5000, false)),
    );
    let more_s = (1_048_576.0 - 4096.0) * 2e-12;
    near("larger", tenant(&outcome, "t").finished_s.unwrap(), 100.0 * (59e-6 + more_s), 1e-3);
}

#[test]
fn a_guests_disk_is_a_station_before_the_machines() {
    // So many at a time, monitor's own time, whether it waits: µs between two completions. A monitor that waits has the
    // whole of the machine's operation in its turn.
    let table = [
        (8, 25, false, 25.0 + 4.0 + 6.0),
        (8, 1, false, 10.0),
        (8, 5, true, 5.0 + 4.0 + 6.0 + 30.0),
        (1, 5, true, 59.0),
    ];
    for (depth, service_us, waits, gap_us) in table {
        let work = works("t", &format!("op = \"randread\", size = \"40960000B\", depth = {depth}"));
        let text = format!("{work}[platform.vm]\nvcpus = 8\n");
        let outcome = run(&plan(8, "10s", "vm", &text), &with_guests(virtio(service_us * 1000, waits)));
        let what = format!("{depth} at a time, {service_us} µs, waits: {waits}");
        near(&what, tenant(&outcome, "t").finished_s.unwrap() / 10_000.0, gap_us * 1e-6, 0.02);
    }
}

#[test]
fn each_guest_has_a_monitor_of_its_own_and_bounds_are_the_hosts() {
    let two = |io: &str| {
        ["a", "b"]
            .map(|name| works(name, "op = \"randread\", size = \"1GiB\", depth = 4"))
            .concat()
            .replace("workload", &format!("{io}\nworkload"))
    };
    let done = |text: &str, name: &str| {
        let text = format!("{text}[platform.vm]\nvcpus = 4\n");
        let outcome = run(&plan(8, "4s", "vm", &text), &with_guests(virtio(31_000, false)));
        tenant(&outcome, name).requests.as_ref().unwrap().completed as f64 / 4.0
    };
    // Together they need less of the device than there is, so that neither keeps the other waiting much.
    near("beside each other", done(&two(""), "a"), 1e6 / 38.0, 0.1);
    near("bounded", done(&two("io = { iops = 1000 }"), "b"), 1000.0, 0.03);
}

#[test]
fn whoever_is_killed_leaves_a_monitor_for_the_next_life() {
    let killed = format!(
        "{}restart = \"always\"\n[[event]]\nat = \"100ms\"\ndo = \"kill\"\ntarget = \"t\"\n\
         [platform.vm]\nvcpus = 2\n",
        works("t", "op = \"randread\", size = \"10GiB\", depth = 4")
    );
    for waits in [false, true] {
        let outcome = run(&plan(2, "15s", "vm", &killed), &with_guests(virtio(5000, waits)));
        let row = tenant(&outcome, "t");
        let completed = row.requests.as_ref().unwrap().completed;
        assert_eq!(row.restarts, Some(1), "{row:?}");
        assert!(completed > 3000, "its next life goes on: {completed}");
    }
}

#[test]
fn where_no_figure_is_known_it_is_refused_and_else_carried_out() {
    let work = works("t", "op = \"randread\", size = \"1MiB\"");
    let bounded = format!("disk = {{ iops = 100 }}\n{work}");
    let emulated = Calibration::reference();
    let table = [
        ("vm", "accel = \"kvm\"", &work, None),
        ("microvm", "", &work, None),
        ("kata", "", &work, None),
        ("kata", "", &bounded, None),
        ("vm", "accel = \"tcg\"", &work, Some("tenant.t.workload")),
        ("vm", "accel = \"tcg\"", &bounded, Some("host.disk")),
        ("vm-hosted", "accel = \"kvm\"", &work, Some("tenant.t.workload")),
    ];
    for (platform, setting, work, refused) in table {
        let mut calibration = emulated.clone();
        calibration.vm = Some(VmCosts::of_speed(Accel::Tcg, 0.2));
        let plan = plan(1, "1s", platform, &format!("{work}[platform.{platform}]\n{setting}\n"));
        let on = plan.platforms().first().copied().unwrap_or(Platform::Vm);
        let answer = simulate(&plan, on, &calibration, &Options::default());
        let field = answer.err().map(|error| match error {
            catamaran_report::RunError::Unsupported { field, .. } => field,
            other => panic!("{other}"),
        });
        assert_eq!(field.as_deref(), refused, "{platform} {setting}");
    }
}
