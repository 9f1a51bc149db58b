//! Files of layers: one page cache for all who share a kernel and a layer, one for each guest; what is copied up, and what gives way.

use catamaran_report::RunError;
use catamaran_report::report::TenantState;
use catamaran_scenario::calibration::{Accel, VirtioCosts, VmCosts};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, Outcome, simulate};

use crate::common::{near, run, tenant};
use crate::disk::with_disk;

const MIB: u64 = 1 << 20;
/// What the device reads, and writes, of a byte (ns).
const READ_NS: f64 = 2.0;
const WRITE_NS: f64 = 4.0;
/// Nanoseconds of one operation on the machine's disk but for its bytes.
const OPERATION_NS: f64 = 40_000.0;

/// A machine with a disk of 500 MB/s and 250 MB/s, and guests whose disk costs nothing more.
fn machine() -> Calibration {
    let mut calibration = with_disk(false, "none");
    if let Some(disk) = &mut calibration.disk {
        (disk.read.service_ns_per_byte, disk.write.service_ns_per_byte) = (READ_NS, WRITE_NS);
    }
    let none = VirtioCosts {
        cpu_ns: 0,
        service_ns: 0,
        service_ns_per_byte: 0.0,
        latency_ns: 0,
        latency_ns_per_byte: 0.0,
        waits: false,
    };
    calibration.vm = Some(VmCosts {
        accel: Accel::Kvm,
        speed_factor: 1.0,
        exit_ns: Some(0),
        idle_bytes: Some(40 * MIB),
        reserve_bytes: Some(0),
        disk: Some(none),
    });
    calibration
}

/// Tenants of an image whose layer `base` has 12 MiB; of each its name, the fields beside, and its workload.
fn scenario(platform: &str, memory: &str, tenants: &[(&str, &str, &str)], more: &str) -> Plan {
    let tenants: Vec<String> = tenants
        .iter()
        .map(|(name, fields, workload)| {
            format!("[[tenant]]\nname = \"{name}\"\nimage = \"shop\"\n{fields}\nworkload = {workload}\n")
        })
        .collect();
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"law\"\nseed = 7\nduration = \"60s\"\n\
         platforms = [\"{platform}\"]\n[host]\ncores = 2\nmemory = \"{memory}\"\n\
         [[image]]\nname = \"shop\"\ncached = true\nlayers = [{{ id = \"base\", size = \"12MiB\" }}]\n{}{more}",
        tenants.concat()
    );
    Plan::from_toml(&text, "law.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

const READ: &str =
    "{ kind = \"disk\", op = \"read\", size = \"12MiB\", block = \"64KiB\", layer = \"base\" }";

fn disk_mib(outcome: &Outcome, name: &str) -> f64 {
    tenant(outcome, name).disk_bytes.map_or(f64::NAN, |bytes| bytes as f64 / MIB as f64)
}

fn peak(outcome: &Outcome, name: &str) -> u64 {
    tenant(outcome, name).memory_peak_bytes.unwrap_or_default()
}

fn end_s(outcome: &Outcome, name: &str) -> f64 {
    tenant(outcome, name).finished_s.unwrap_or(f64::NAN)
}

fn times(outcome: &Outcome, what: &str) -> usize {
    outcome.report.events.iter().filter(|event| event.what == what).count()
}

/// Three tenants, one after the other.
fn three(workload: &str) -> [(&str, &str, &str); 3] {
    [("a", "", workload), ("b", "start_at = \"2s\"", workload), ("c", "start_at = \"4s\"", workload)]
}

#[test]
fn a_layer_is_read_once_and_charged_to_the_first_where_a_kernel_and_a_layer_are_shared() {
    // How often 12 MiB are read from the disk and held in memory, for three tenants.
    let table = [
        ("bare-metal", 1),
        ("namespaces", 1),
        ("cgroups", 1),
        ("chroot", 3),
        ("lxc", 3),
        ("container", 1),
        ("docker", 1),
        ("podman", 1),
        ("kubernetes", 1),
        ("vm", 3),
    ];
    for (platform, copies) in table {
        let plan = scenario(platform, "1GiB", &three(READ), "");
        let own = READ.replace("layer = \"base\"", "cached = true");
        let (with, without) =
            (run(&plan, &machine()), run(&scenario(platform, "1GiB", &three(&own), ""), &machine()));
        for (place, name) in ["a", "b", "c"].into_iter().enumerate() {
            let pays = copies == 3 || place == 0;
            let (expected, what) = (if pays { 12.0 } else { 0.0 }, format!("{name} on {platform}"));
            assert_eq!(disk_mib(&with, name), expected, "{what}");
            let charged = if pays { 12 * MIB } else { 0 };
            // A peak is whole stocks of 64 pages; in one of them are a guest's page tables.
            let more = peak(&with, name) - peak(&without, name);
            assert!((charged..charged + 64 * 4096).contains(&more), "{what}: {more} bytes more");
            assert_eq!(times(&with, "page-cache-miss"), copies, "{platform}");
        }
    }
}

#[test]
fn what_is_not_cached_takes_the_devices_time_and_what_is_takes_none() {
    let outcome = run(&scenario("container", "1GiB", &three(READ), ""), &machine());
    // 96 times 128 KiB; 192 blocks of 64 KiB.
    let device_s = 96.0 * (OPERATION_NS + READ_NS * f64::from((128 << 10) - 4096)) / 1e9;
    let copied_s = 192.0 * (1000.0 + 0.0001 * 61440.0) / 1e9;
    near("read", end_s(&outcome, "a"), device_s + copied_s, 2e-3);
    near("found", end_s(&outcome, "b") - 2.0, copied_s, 2e-3);
}

#[test]
fn who_comes_while_it_is_read_waits_for_the_one_who_reads() {
    let both = [("a", "", READ), ("b", "", READ)];
    for (platform, copies) in [("container", 1.0), ("chroot", 2.0), ("vm", 2.0)] {
        let outcome = run(&scenario(platform, "1GiB", &both, ""), &machine());
        assert_eq!(disk_mib(&outcome, "a") + disk_mib(&outcome, "b"), copies * 12.0, "{platform}");
        let device_s = copies * 12.0 * MIB as f64 * READ_NS / 1e9;
        for name in ["a", "b"] {
            near(&format!("{name} on {platform}"), end_s(&outcome, name), device_s, 0.25);
        }
    }
}

#[test]
fn many_threads_at_random_read_each_page_once() {
    let read = "{ kind = \"disk\", op = \"randread\", size = \"64MiB\", depth = 8, layer = \"base\" }";
    for platform in ["container", "vm"] {
        let outcome = run(&scenario(platform, "1GiB", &[("a", "", read)], ""), &machine());
        // Of 3072 pages that are drawn 16384 times as many are missed as e^(-16384/3072) of them.
        near(platform, disk_mib(&outcome, "a"), 12.0 * (1.0 - libm::exp(-16384.0 / 3072.0)), 5e-3);
    }
}

#[test]
fn who_writes_has_the_whole_file_copied_up_and_nobody_else_notices() {
    let write = "{ phases = [\
        { kind = \"disk\", op = \"randwrite\", size = \"4KiB\", layer = \"base\" },\
        { kind = \"disk\", op = \"read\", size = \"12MiB\", block = \"64KiB\", layer = \"base\" } ] }";
    let tenants = [("w", "", write), ("r", "start_at = \"2s\"", READ)];
    // 96 reads of 128 KiB; 12 of 1 MiB written into the page cache and to the device, a flush, and the write itself.
    let larger = |bytes: u32, ns: f64| OPERATION_NS + ns * f64::from(bytes - 4096);
    let copied_ns =
        96.0 * larger(128 << 10, READ_NS) + 12.0 * (1104.0 + larger(1 << 20, WRITE_NS)) + 50_000.0 + 1000.0;
    // Which is about the size by the speeds of reading and of writing.
    near("by its size", copied_ns, 12.0 * MIB as f64 * (READ_NS + WRITE_NS), 0.05);
    // What is written by whom, whether that is copied up, and what the reader finds.
    let table =
        [("container", 24.0, true, 0.0), ("bare-metal", 12.0, false, 0.0), ("lxc", 12.0, false, 12.0)];
    for (platform, moved, copies, reader) in table {
        let outcome = run(&scenario(platform, "1GiB", &tenants, ""), &machine());
        assert_eq!(times(&outcome, "copy-up"), usize::from(copies), "{platform}");
        // The page that it wrote counts; without a copy it is there then, and what is read is the rest.
        let page = if copies { 1.0 / 256.0 } else { 0.0 };
        assert_eq!(disk_mib(&outcome, "w"), moved + page, "{platform}");
        assert_eq!(disk_mib(&outcome, "r"), reader, "{platform}");
        if copies {
            let first = outcome.timeline.requests.iter().find(|request| request.tenant == 0).unwrap();
            let took_s = (first.completed_ns.unwrap() - first.arrival_ns) as f64 / 1e9;
            near("the first write", took_s, copied_ns / 1e9, 2e-3);
            // The file beneath and its own are both charged.
            assert!(peak(&outcome, "w") >= 24 * MIB, "{}", peak(&outcome, "w"));
        }
    }
}

#[test]
fn a_write_waits_for_one_copy_however_many_threads_write() {
    let write =
        "{ kind = \"disk\", op = \"randwrite\", size = \"1MiB\", depth = 8, fsync = true, layer = \"base\" }";
    let outcome = run(&scenario("docker", "1GiB", &[("a", "", write), ("b", "", write)], ""), &machine());
    assert_eq!((times(&outcome, "copy-up"), times(&outcome, "copied-up")), (2, 2));
    // The file is read once for both; each writes a copy, and then its blocks.
    assert_eq!(disk_mib(&outcome, "a") + disk_mib(&outcome, "b"), 12.0 + 2.0 * 12.0 + 2.0);
}

#[test]
fn a_limit_has_pages_given_up_and_nobody_killed() {
    let twice = READ.replace("size = \"12MiB\"", "size = \"24MiB\"");
    // Under a limit below the file every page is gone before it is wanted again.
    for (limit, moved, reclaims) in [("16MiB", 12.0, 0), ("8MiB", 24.0, 1)] {
        let fields = format!("memory = {{ limit = \"{limit}\" }}");
        let outcome = run(&scenario("container", "1GiB", &[("a", &fields, &twice)], ""), &machine());
        let row = tenant(&outcome, "a");
        assert_eq!((row.state, row.oom_kills), (TenantState::Completed, Some(0)), "{limit}");
        assert_eq!(
            (disk_mib(&outcome, "a"), times(&outcome, "page-cache-reclaim")),
            (moved, reclaims),
            "{limit}"
        );
        assert!(row.memory_peak_bytes.unwrap() <= 16 * MIB);
    }
}

#[test]
fn pages_of_files_go_before_anyone_is_killed() {
    let leaker = |mib: u64| format!("{{ kind = \"memory\", start = \"{mib}MiB\" }}");
    // Of 64 MiB the file has 12; what is touched, whether pages of the file go, and whether anyone is killed.
    for (mib, reclaims, killed) in [(50, 0, false), (60, 1, false), (70, 1, true)] {
        let tenants = [("reader", "", READ), ("leaker", "start_at = \"2s\"", &leaker(mib))];
        let outcome = run(&scenario("cgroups", "64MiB", &tenants, ""), &machine());
        assert_eq!(times(&outcome, "page-cache-reclaim"), reclaims, "{mib}");
        assert_eq!(tenant(&outcome, "leaker").state == TenantState::OomKilled, killed, "{mib}");
        assert_eq!(tenant(&outcome, "reader").state, TenantState::Completed, "{mib}");
    }
}

#[test]
fn a_guest_that_starts_again_reads_again_and_a_pod_copies_again() {
    let write = "{ kind = \"disk\", op = \"write\", size = \"4KiB\", layer = \"base\" }";
    let again = "restart = \"always\"";
    // Whether it writes, whether each life reads the file anew, and whether each has it copied up anew.
    for (platform, writes, reads_again, copies_again) in [
        ("container", false, false, false),
        ("vm", false, true, false),
        ("docker", true, false, false),
        ("kubernetes", true, false, true),
    ] {
        let work = if writes { write } else { READ };
        let phases = format!("{{ phases = [{work}, {{ kind = \"idle\", for = \"9s\" }}] }}");
        let kill = "[[event]]\nat = \"5s\"\ndo = \"kill\"\ntarget = \"a\"\n";
        let plan = scenario(platform, "1GiB", &[("a", again, &phases)], kill);
        let outcome = run(&plan, &machine());
        let lives = 1.0 + tenant(&outcome, "a").restarts.unwrap() as f64;
        assert!(lives >= 2.0, "{platform}");
        let times = |in_each: bool, once: bool| if in_each { lives } else { f64::from(once) };
        let expected = 12.0 * (times(reads_again, true) + times(copies_again, writes));
        let written = if writes { lives / 256.0 } else { 0.0 };
        assert_eq!(disk_mib(&outcome, "a"), expected + written, "{platform}");
    }
}

#[test]
fn what_nobody_knows_of_a_layer_is_refused_by_name() {
    let plan = scenario("container", "1GiB", &[("a", "", READ)], "");
    let field = |platform, calibration: &Calibration| match simulate(
        &plan,
        platform,
        calibration,
        &Options::default(),
    ) {
        Err(RunError::Unsupported { field, .. }) => field,
        other => panic!("{platform}: {:?}", other.map(|_| "an answer")),
    };
    assert_eq!(field(Platform::Kata, &machine()), "tenant.a.workload.layer");
    assert_eq!(field(Platform::Gvisor, &machine()), "tenant.a.workload.layer");
    let forgetful = Calibration { memory: None, ..machine() };
    assert_eq!(field(Platform::Container, &forgetful), "tenant.a.workload.layer");
}
