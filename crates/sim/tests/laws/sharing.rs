//! Equal pages of guests that are merged, and unused ones that are given back.

use catamaran_report::report::{EventRow, Report, TenantState};
use catamaran_scenario::calibration::VmCosts;
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::density;

use crate::common::{FREE_GUESTS, ideal, near, run};

const MIB: u64 = 1 << 20;
/// What the kernel of a guest keeps beyond the structures of its pages (FC-MEM-4).
const IMAGE: u64 = 3558;

/// A machine on which an idle guest holds 40 MiB, of which it does not use 8.
fn machine() -> Calibration {
    let mut calibration = ideal();
    let (idle_bytes, reserve_bytes) = (Some(40 * MIB), Some(8 * MIB));
    calibration.vm = Some(VmCosts { idle_bytes, reserve_bytes, ..FREE_GUESTS });
    calibration
}

fn guests(replicas: u32, memory: &str, workload: &str, settings: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"law\"\nseed = 7\nduration = \"60s\"\nplatforms = [\"vm\"]\n\
         [host]\ncores = 1\nmemory = \"{memory}\"\n[platform.vm]\n{settings}\n\
         [[tenant]]\nname = \"app\"\nreplicas = {replicas}\nworkload = {workload}\n"
    );
    Plan::from_toml(&text, "law.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

const IDLE: &str = "{ kind = \"idle\" }";

fn of<'a>(report: &'a Report, what: &'static str) -> Vec<&'a EventRow> {
    report.events.iter().filter(|event| event.what == what).collect()
}

#[test]
fn the_scanner_merges_in_its_second_round_all_but_one_copy() {
    let report = run(&guests(4, "1GiB", IDLE, "page_sharing = true"), &machine()).report;
    // Four guests of 10,240 pages at 5000 a second: a round takes 8.192 s, and in the second one all is found.
    let merged = of(&report, "pages-merged");
    let [only] = merged.as_slice() else { panic!("{merged:?}") };
    near("when", only.at_s, 2.0 * 4.0 * 10_240.0 / 5000.0, 0.01);
    let saved = (3 * IMAGE + 4 * 2048) * 4096;
    assert_eq!(only.bytes, Some(saved));
    assert_eq!((only.actor.as_str(), only.target.as_str()), ("ksmd", "host"));
    assert!(report.host.absent.contains_key("overhead_cpu_s.ksmd"));
    assert_eq!(report.unexplained(), Vec::<String>::new());
    let off = run(&guests(4, "1GiB", IDLE, ""), &machine()).report;
    assert_eq!(of(&off, "pages-merged").len(), 0);
    // 16 bytes for each page frame (ESX-1).
    let records = report.host.memory_peak_bytes.unwrap() - off.host.memory_peak_bytes.unwrap();
    assert_eq!(records, MIB * 1024 / 4096 * 16);
}

#[test]
fn what_a_tenant_writes_is_its_own() {
    let workload = "{ kind = \"memory\", start = \"32MiB\", touch = \"loop\" }";
    let report = run(&guests(2, "1GiB", workload, "page_sharing = true"), &machine()).report;
    // More than was unused is touched: no page holds zeros.
    assert_eq!(of(&report, "pages-merged").last().and_then(|event| event.bytes), Some(IMAGE * 4096));
    let series = &report.samples.as_ref().unwrap().series;
    let touched = 32 * MIB + 16 * 2 * 4096;
    let last = |index: usize| *series[index].values.last().unwrap() as u64;
    let all = 40 * MIB + touched - 8 * MIB;
    assert_eq!((last(0), last(1)), (all, all - IMAGE * 4096), "the first one holds the copy");
}

#[test]
fn who_holds_the_copy_and_ends_leaves_it_to_another() {
    let text = guests(
        2,
        "1GiB",
        "{ kind = \"memory\", start = \"32MiB\", touch = \"loop\" }",
        "page_sharing = true",
    );
    let solo = run(&text, &machine()).report;
    let held = |report: &Report, index: usize| {
        *report.samples.as_ref().unwrap().series[index].values.last().unwrap()
    };
    let with_kill = "page_sharing = true\n[[tenant]]\nname = \"first\"\nworkload = { kind = \"idle\" }\n\
         [[event]]\nat = \"30s\"\ndo = \"kill\"\ntarget = \"first\"\n";
    let report = run(
        &guests(1, "1GiB", "{ kind = \"memory\", start = \"32MiB\", touch = \"loop\" }", with_kill),
        &machine(),
    )
    .report;
    // The other one pays for all of it again.
    assert!((held(&report, 1) - held(&solo, 0)).abs() < 1.0, "{} and {}", held(&report, 1), held(&solo, 0));
}

#[test]
fn density_counts_one_copy_and_what_is_given_back() {
    let fits = |settings: &str, workload: &str| {
        let plan = guests(1, "1GiB", workload, settings);
        density(&plan, Platform::Vm, &machine()).unwrap()
    };
    let frames = 1024 * 256;
    let records = frames * 16 / 4096;
    let table = [
        ("", IDLE, 10_240, frames / 10_240),
        (
            "page_sharing = true",
            IDLE,
            10_240 - 2048 - IMAGE,
            (frames - records - IMAGE) / (10_240 - 2048 - IMAGE),
        ),
        ("balloon = true", IDLE, 10_240 - 2048, frames / (10_240 - 2048)),
        // 2 MiB are touched where unused memory was: 512 pages and two tables less are given back.
        (
            "balloon = true",
            "{ kind = \"memory\", start = \"2MiB\" }",
            10_240 - 2048 + 514,
            frames / (10_240 - 2048 + 514),
        ),
    ];
    for (settings, workload, pages, tenants) in table {
        let found = fits(settings, workload);
        assert_eq!((found.tenant_bytes, found.tenants), (pages * 4096, tenants), "{settings} {workload}");
    }
}

#[test]
fn a_balloon_makes_room_before_anyone_is_killed() {
    let killed =
        |report: &Report| report.tenants.iter().filter(|row| row.state == TenantState::OomKilled).count();
    let most = density(&guests(1, "1GiB", IDLE, "balloon = true"), Platform::Vm, &machine()).unwrap().tenants;
    assert!(most > 1024 / 40);
    let count = u32::try_from(most).unwrap();
    let enough = run(&guests(count, "1GiB", IDLE, "balloon = true"), &machine()).report;
    assert_eq!(killed(&enough), 0);
    assert!(!of(&enough, "balloon").is_empty());
    assert!(killed(&run(&guests(count, "1GiB", IDLE, ""), &machine()).report) > 0);
    assert_eq!(killed(&run(&guests(count + 1, "1GiB", IDLE, "balloon = true"), &machine()).report), 1);
}

#[test]
fn a_balloon_takes_from_each_in_proportion_until_enough_is_free() {
    // 24 guests of 40 MiB leave 64 of 1024 MiB, more than 4 %; the 25th leaves 24: 37.44 MiB are taken from 24 that have 8 each.
    let report = run(&guests(25, "1GiB", IDLE, "balloon = true"), &machine()).report;
    let balloons = of(&report, "balloon");
    let [only] = balloons.as_slice() else { panic!("{balloons:?}") };
    near("given back", only.bytes.unwrap() as f64, (1024.0 * 0.06 - 24.0) * MIB as f64, 0.001);
}
