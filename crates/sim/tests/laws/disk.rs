//! Operations on files: closed forms of one and many at a time, bounds, the page cache.

use catamaran_report::RunError;
use catamaran_scenario::Calibration;
use catamaran_scenario::calibration::{CachedCosts, DiskCosts, FlushCosts};

use catamaran_sim::{Options, simulate};

use crate::common::{OPERATION, cpu_s, hog, ideal, near, plan, run, tenant};

/// A machine without costs but those of its disk: 40 µs for one operation, of which 10 are CPU time.
pub(crate) fn with_disk(batches: bool, scheduler: &str) -> Calibration {
    let cached = CachedCosts { cpu_ns: 1000, cpu_ns_per_byte: 0.0001 };
    let disk = DiskCosts {
        scheduler: scheduler.to_owned(),
        throttle_slice_ns: 100_000_000,
        batches,
        read: OPERATION,
        write: OPERATION,
        flush: FlushCosts { cpu_ns: 5000, service_ns: 30_000, latency_ns: 15_000 },
        cached_read: cached,
        cached_write: cached,
    };
    Calibration { disk: Some(disk), ..ideal() }
}

fn reads(name: &str, more: &str) -> String {
    format!("[[tenant]]\nname = \"{name}\"\nworkload = {{ kind = \"disk\", op = \"randread\", {more} }}\n")
}

#[test]
fn one_at_a_time_takes_the_sum_of_all() {
    let plan = plan(2, "10s", "bare-metal", &reads("t", "size = \"4096000B\""));
    let outcome = run(&plan, &with_disk(false, "none"));
    let row = tenant(&outcome, "t");
    let latency = row.requests.as_ref().and_then(|requests| requests.latency_s).unwrap();
    near("latency", latency.p50, 40e-6, 1e-3);
    near("end", row.finished_s.unwrap(), 1000.0 * 40e-6, 1e-3);
    near("CPU time", row.cpu_s.unwrap(), 1000.0 * 10e-6, 1e-3);
    assert_eq!(row.disk_bytes, Some(4_096_000));
}

#[test]
fn larger_ones_take_longer_by_the_byte() {
    let plan = plan(2, "10s", "bare-metal", &reads("t", "size = \"100MiB\", block = \"1MiB\""));
    let outcome = run(&plan, &with_disk(false, "none"));
    let latency = tenant(&outcome, "t").requests.as_ref().and_then(|requests| requests.latency_s).unwrap();
    near("latency", latency.p50, 40e-6 + (1_048_576.0 - 4096.0) * 1e-12, 0.02);
}

#[test]
fn many_at_a_time_come_at_the_rate_of_the_service_or_in_batches() {
    // Four at a time: 10 µs each in line; in batches 4 µs of CPU time behind the first's 10, then 40 µs of service.
    let four = plan(4, "10s", "bare-metal", &reads("t", "size = \"40960000B\", depth = 4"));
    let gap_s =
        |batches| tenant(&run(&four, &with_disk(batches, "none")), "t").finished_s.unwrap() / 10_000.0;
    near("in line", gap_s(false), 11e-6, 0.12);
    near("in batches", gap_s(true), (40e-6 + 3.0 * 10e-6) / 4.0, 0.12);
}

#[test]
fn a_flush_is_waited_for() {
    let writes = "[[tenant]]\nname = \"t\"\n\
                  workload = { kind = \"disk\", op = \"write\", size = \"4096000B\", fsync = true }\n";
    let outcome = run(&plan(2, "10s", "bare-metal", writes), &with_disk(true, "none"));
    near("end", tenant(&outcome, "t").finished_s.unwrap(), 1000.0 * 90e-6, 1e-3);
}

#[test]
fn what_the_page_cache_has_takes_cpu_time_only() {
    let plan = plan(1, "10s", "bare-metal", &reads("t", "size = \"4096000B\", cached = true"));
    let outcome = run(&plan, &with_disk(true, "none"));
    near("end", tenant(&outcome, "t").finished_s.unwrap(), 1000.0 * 1e-6, 1e-3);
    near("CPU time", cpu_s(&outcome, "t"), 1000.0 * 1e-6, 1e-3);
}

#[test]
fn a_bound_is_met_where_there_are_limits_and_named_where_not() {
    let bounded =
        reads("t", "size = \"1GiB\", depth = 2").replace("workload", "io = { read = \"10MB/s\" }\nworkload");
    for (platform, applies) in [("cgroups", true), ("container", true), ("namespaces", false)] {
        let outcome = run(&plan(2, "5s", platform, &bounded), &with_disk(true, "none"));
        let row = tenant(&outcome, "t");
        assert_eq!(row.absent.contains_key("io.read"), !applies, "{platform}: {:?}", row.absent);
        let bytes = row.disk_bytes.unwrap() as f64;
        if applies {
            near(platform, bytes, 50e6, 0.03);
        } else {
            assert!(bytes > 150e6, "{platform}: {bytes}");
        }
    }
}

#[test]
fn the_machines_bound_is_for_everyone_together() {
    let two = format!(
        "disk = {{ iops = 1000 }}\n{}{}",
        reads("a", "size = \"1GiB\""),
        reads("b", "size = \"1GiB\"")
    );
    let outcome = run(&plan(2, "10s", "bare-metal", &two), &with_disk(true, "none"));
    let done = |name| tenant(&outcome, name).requests.as_ref().unwrap().completed as f64;
    near("both", done("a") + done("b"), 10_000.0, 0.02);
    near("each", done("a"), 5000.0, 0.1);
}

#[test]
fn weights_count_with_bfq_only() {
    let with = |name: &str, weight: u32| {
        reads(name, "size = \"10GiB\", block = \"1MiB\", depth = 8")
            .replace("workload", &format!("io = {{ weight = {weight} }}\nworkload"))
    };
    let both = format!("{}{}", with("heavy", 300), with("light", 100));
    for (scheduler, share) in [("bfq", 0.75), ("mq-deadline", 0.5)] {
        let mut calibration = with_disk(false, scheduler);
        if let Some(disk) = &mut calibration.disk {
            // The device alone is what they compete for.
            disk.read.service_ns_per_byte = 1.0;
        }
        let outcome = run(&plan(4, "5s", "cgroups", &both), &calibration);
        let done = |name| tenant(&outcome, name).disk_bytes.unwrap() as f64;
        near(scheduler, done("heavy") / (done("heavy") + done("light")), share, 0.01);
        let said = tenant(&outcome, "heavy").absent.contains_key("io.weight");
        assert_eq!(said, scheduler != "bfq", "what does not count is named");
    }
}

#[test]
fn who_waits_for_a_disk_leaves_the_core_to_others() {
    let both = format!("{}{}", reads("t", "size = \"40960000B\""), hog("batch", 1, "10s", ""));
    let outcome = run(&plan(1, "2s", "bare-metal", &both), &with_disk(false, "none"));
    let disk_s = cpu_s(&outcome, "t");
    near("the hog's", cpu_s(&outcome, "batch"), 2.0 - disk_s, 1e-3);
    assert!(disk_s < 0.3, "{disk_s}");
}

#[test]
fn under_gvisor_a_cached_read_costs_its_row_and_what_no_row_covers_is_refused() {
    let reads = |more: &str| plan(1, "10s", "gvisor", &reads("t", &format!("size = \"4096000B\", {more}")));
    let outcome = run(&reads("cached = true"), &with_disk(true, "none"));
    // One call beyond the machine's: GV-06, 12.6 − 0.862 µs.
    near("CPU time", cpu_s(&outcome, "t"), 1000.0 * (1.0 + 11.738) * 1e-6, 1e-3);
    for more in ["block = \"1MiB\", cached = true", "cached = false"] {
        let plan = reads(more);
        let answer = simulate(&plan, plan.platforms()[0], &with_disk(true, "none"), &Options::default());
        assert!(
            matches!(answer, Err(RunError::Unsupported { ref field, .. }) if field == "tenant.t.workload"),
            "{more}: {answer:?}"
        );
    }
}
