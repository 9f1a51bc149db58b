//! Guests: two levels of scheduling. The expected values follow from the laws alone, or from the same threads without guests.

use crate::common::{FREE_GUESTS, cpu_s, hog, ideal, near, plan, run, server, tenant};
use catamaran_report::report::TenantReport;
use catamaran_scenario::calibration::{Accel, StartupStage, VmCosts};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, Outcome, simulate};

/// A machine on which neither scheduling nor a guest costs anything.
fn free() -> Calibration {
    let mut calibration = ideal();
    calibration.vm = Some(FREE_GUESTS);
    calibration
}

fn guests(cores: u32, vcpus: u32, tenants: &[String]) -> Plan {
    plan(cores, "10s", "vm", &format!("{}[platform.vm]\nvcpus = {vcpus}\n", tenants.concat()))
}

fn stolen_s(outcome: &Outcome, name: &str) -> f64 {
    tenant(outcome, name).stolen_s.unwrap_or(f64::NAN)
}

#[test]
fn a_guest_of_one_thread_is_scheduled_as_the_thread_itself() {
    let cases: [(u32, &[String]); 6] = [
        (1, &[hog("a", 1, "1h", ""), hog("b", 1, "1h", "")]),
        (1, &[hog("a", 1, "1h", "limit = \"400m\""), hog("b", 1, "1h", "")]),
        (1, &[hog("a", 1, "2s", "request = \"250m\""), hog("b", 1, "3s", "request = \"750m\"")]),
        (1, &[server("web", "300/s", "2ms", "exponential", 1), hog("batch", 1, "1h", "")]),
        // No server here: a guest has to run once to find out that it has to wait, which leaves a trace in the averages by
        // which cores are balanced.
        (2, &[hog("a", 1, "1h", "limit = \"700m\""), hog("b", 1, "7s", ""), hog("c", 1, "1h", "")]),
        (1, &[server("x", "200/s", "2ms", "constant", 1), server("y", "200/s", "2ms", "exponential", 1)]),
    ];
    for (cores, tenants) in cases {
        let outside = run(&plan(cores, "10s", "cgroups", &tenants.concat()), &free());
        let inside = run(&guests(cores, 1, tenants), &free());
        assert!(inside.timeline.slices == outside.timeline.slices, "{tenants:?}: other slices");
        let answers = |outcome: &Outcome| -> Vec<_> {
            outcome.timeline.requests.iter().map(|one| (one.arrival_ns, one.completed_ns)).collect()
        };
        assert!(answers(&inside) == answers(&outside), "{tenants:?}: other answers");
        assert!(inside.timeline.periods == outside.timeline.periods, "{tenants:?}: other periods");
        let figures = |row: &TenantReport| (row.cpu_s, row.finished_s, row.throttled_s, row.turns);
        for (inside, outside) in inside.report.tenants.iter().zip(&outside.report.tenants) {
            assert_eq!(figures(inside), figures(outside));
            assert_eq!(
                inside.stolen_s, outside.waited_s,
                "what a thread would wait is stolen from the guest"
            );
            assert_eq!(inside.waited_s, Some(0.0), "inside nobody waits for a neighbour");
        }
    }
}

/// CPU time and steal that each tenant must come to in ten seconds.
struct Case {
    what: &'static str,
    cores: u32,
    vcpus: u32,
    tenants: Vec<String>,
    expected: &'static [(&'static str, f64, f64)],
}

fn cases() -> Vec<Case> {
    let case = |what, cores, vcpus, tenants: &[String], expected| Case {
        what,
        cores,
        vcpus,
        tenants: tenants.to_vec(),
        expected,
    };
    let four = |threads| ["a", "b", "c", "d"].map(|name| hog(name, threads, "1h", ""));
    vec![
        case("alone nothing is stolen", 1, 1, &[hog("a", 1, "1h", "")], &[("a", 10.0, 0.0)]),
        case(
            "two busy guests steal half of the time from each other",
            1,
            1,
            &[hog("a", 1, "1h", ""), hog("b", 1, "1h", "")],
            &[("a", 5.0, 5.0), ("b", 5.0, 5.0)],
        ),
        case(
            "threads inside do not count outside",
            1,
            1,
            &[hog("a", 3, "1h", ""), hog("b", 1, "1h", "")],
            &[("a", 5.0, 5.0), ("b", 5.0, 5.0)],
        ),
        case(
            "four virtual CPUs on one core, all busy",
            1,
            1,
            &four(1),
            &[("a", 2.5, 7.5), ("b", 2.5, 7.5), ("c", 2.5, 7.5), ("d", 2.5, 7.5)],
        ),
        case(
            "eight virtual CPUs on two cores, half of them busy",
            2,
            2,
            &four(1),
            &[("a", 5.0, 5.0), ("b", 5.0, 5.0), ("c", 5.0, 5.0), ("d", 5.0, 5.0)],
        ),
        case(
            "weights are those of the groups",
            1,
            2,
            &[
                hog("a", 4, "1h", "request = \"250m\", weight = \"v1\""),
                hog("b", 4, "1h", "request = \"750m\", weight = \"v1\""),
            ],
            &[("a", 2.5, 17.5), ("b", 7.5, 12.5)],
        ),
        case(
            "what a quota takes is stolen as well, since the kernel counts it so",
            1,
            1,
            &[hog("a", 1, "1h", "limit = \"400m\"")],
            &[("a", 4.0, 6.0)],
        ),
    ]
}

#[test]
fn guests_get_and_miss_what_the_laws_say() {
    for case in cases() {
        let outcome = run(&guests(case.cores, case.vcpus, &case.tenants), &free());
        for &(name, cpu, stolen) in case.expected {
            near(&format!("{}: cpu of {name}", case.what), cpu_s(&outcome, name), cpu, 0.02);
            let found = stolen_s(&outcome, name);
            assert!(
                (found - stolen).abs() <= 0.2,
                "{}: {found} s stolen from {name}, not {stolen}",
                case.what
            );
        }
    }
}

#[test]
fn a_virtual_cpu_alone_on_a_core_pays_for_the_ticks_of_two_kernels() {
    let calibration = Calibration::reference();
    let finished = |plan: &Plan| run(plan, &calibration).report.tenants[0].finished_s.unwrap();
    let outside = finished(&plan(1, "10s", "bare-metal", &hog("a", 1, "2s", "")));
    let inside = finished(&guests(1, 1, &[hog("a", 1, "2s", "")]));
    // A tick each 4 ms, two exits of 683 ns with each.
    let tick = calibration.cpu.tick_ns as f64 / 1e9;
    let expected =
        outside + (inside / 4e-3).floor() * (tick + 2.0 * 683e-9) + (inside - outside) / 4e-3 * tick;
    assert!((inside - expected).abs() < 2.0 * tick, "{inside} s, not {expected} s ({outside} s outside)");
}

/// A run of a thread of a guest: (tenant, thread, start, end).
type Run = (u32, u32, u64, u64);

/// Two claimants of equal weight under CFS, looked at by ticks: who runs, and what each has had.
struct Pair {
    current: usize,
    had: [u64; 2],
    since: u64,
}

impl Pair {
    fn new() -> Self {
        Self { current: 0, had: [0; 2], since: 0 }
    }

    fn runs(&mut self, ns: u64) {
        self.had[self.current] += ns;
        self.since += ns;
    }

    /// Answers whether the other one runs now: after half of `latency`, or when the difference has come to that.
    fn tick(&mut self, latency: u64) -> bool {
        let (own, other) = (self.had[self.current], self.had[1 - self.current]);
        let due = self.since > latency / 2 || own.saturating_sub(other) > latency / 2;
        if due && other < own {
            (self.current, self.since) = (1 - self.current, 0);
            return true;
        }
        false
    }
}

/// On paper: a host (latency 12 ms) with ticks from `host_ns` on and guests of one thread and of two; the latter's kernel
/// (latency 6 ms) ticks from `guest_ns` on. Ticks that come due while the guest is off come once, when it is on again.
fn on_paper(host_ns: u64, guest_ns: u64, until_ns: u64) -> Vec<Run> {
    const TICK: u64 = 4_000_000;
    let (mut host, mut guest) = (Pair::new(), Pair::new());
    let (mut now, mut next_host, mut next_guest, mut late) = (0, host_ns, guest_ns, false);
    let mut runs: Vec<Run> = Vec::new();
    while now < until_ns {
        let at = next_host.min(next_guest);
        let who = (host.current as u32, if host.current == 0 { guest.current as u32 } else { 0 });
        match runs.last_mut() {
            Some(last) if (last.0, last.1) == who => last.3 = at,
            _ => runs.push((who.0, who.1, now, at)),
        }
        host.runs(at - now);
        // Its kernel takes stolen time for its thread's.
        guest.runs(at - now);
        now = at;
        if at == next_host {
            next_host += TICK;
            if host.tick(12_000_000) && host.current == 0 && std::mem::take(&mut late) {
                guest.tick(6_000_000);
            }
        }
        if at == next_guest {
            next_guest += TICK;
            match host.current {
                0 => _ = guest.tick(6_000_000),
                _ => late = true,
            }
        }
    }
    runs
}

#[test]
fn two_levels_interleave_as_on_paper() {
    let mut calibration = free();
    calibration.scheduler = crate::common::ideal_cfs().scheduler;
    let plan = guests(1, 1, &[hog("a", 2, "1h", ""), hog("b", 1, "1h", "")]);
    for throw in 0..8 {
        let options = Options { timeline: true, throw, ..Options::default() };
        let outcome = simulate(&plan, Platform::Vm, &calibration, &options).unwrap();
        let all = outcome
            .timeline
            .guests
            .iter()
            .filter_map(|one| Some((one.tenant, one.thread?, one.start_ns, one.end_ns)));
        let all: Vec<Run> = all.collect();
        // The phases of the ticks are the kernels' own: the first switches tell them.
        let host = all.iter().find(|one| one.0 == 1).unwrap().2 % 4_000_000;
        let inside = all.windows(2).find(|pair| pair[0].0 == 0 && pair[1].0 == 0).unwrap();
        let twin = on_paper(host, inside[1].2 % 4_000_000, 9_000_000_000);
        assert!(twin.len() > 1000);
        for (index, (twin, found)) in twin.iter().zip(&all).enumerate().take(1000) {
            assert_eq!(found, twin, "run {index} of throw {throw}");
        }
    }
}

#[test]
fn emulation_is_as_slow_as_it_was_measured_and_called_so() {
    let mut calibration = ideal();
    calibration.vm = Some(VmCosts { idle_bytes: Some(200 << 20), ..VmCosts::of_speed(Accel::Tcg, 0.05) });
    let outcome = run(&guests(1, 1, &[hog("a", 1, "100ms", ""), hog("b", 1, "1h", "")]), &calibration);
    near("finish", tenant(&outcome, "a").finished_s.unwrap(), 4.0, 0.01);
    assert!(tenant(&outcome, "a").absent.contains_key("stolen_s.steal-clock"), "whose clock it is is said");
    near("stolen, as the host counts", stolen_s(&outcome, "a"), 2.0, 0.01);
    let label = outcome.report.identity.machine.as_ref().and_then(|facts| facts.get("accelerator"));
    assert!(label.is_some_and(|label| label.starts_with("tcg: emulation")), "{label:?}");
    near("cpu", cpu_s(&outcome, "a"), 2.0, 0.01);
    near("the core", outcome.report.host.cpu_utilisation.unwrap(), 1.0, 1e-6);
    assert_eq!(outcome.report.host.overhead_memory_bytes, Some(400 << 20));
}

#[test]
fn on_one_core_nothing_is_stolen_while_the_core_is_idle() {
    let tenants = [
        server("x", "150/s", "2ms", "exponential", 3),
        server("y", "100/s", "3ms", "exponential", 1),
        hog("z", 2, "1s", ""),
    ];
    let outcome = run(&guests(1, 2, &tenants), &Calibration::reference());
    let busy = &outcome.timeline.slices;
    let stolen = || outcome.timeline.guests.iter().filter(|slice| slice.thread.is_none());
    assert!(stolen().count() > 1000);
    for slice in stolen() {
        let shared = |one: &catamaran_report::timeline::Slice| {
            one.end_ns.min(slice.end_ns).saturating_sub(one.start_ns.max(slice.start_ns))
        };
        let from = busy.partition_point(|one| one.end_ns <= slice.start_ns);
        let covered: u64 =
            busy[from..].iter().take_while(|one| one.start_ns < slice.end_ns).map(shared).sum();
        assert_eq!(covered, slice.end_ns - slice.start_ns, "{slice:?}");
    }
}

#[test]
fn a_start_is_as_measured_here_else_as_published() {
    let boot = |calibration: &Calibration, accel: &str| {
        let text = format!("{}[platform.vm]\n{accel}\n", hog("a", 1, "10ms", ""));
        let outcome = run(&plan(1, "1s", "vm", &text), calibration);
        let row = tenant(&outcome, "a");
        (row.startup_s, row.startup_stages.len())
    };
    let mut measured = free();
    let stage = |name: &str, median_ns| StartupStage { name: name.into(), actor: "guest".into(), median_ns };
    measured.startup.insert(Platform::Vm, vec![stage("vmm", 80_000_000), stage("kernel", 700_000_000)]);
    assert_eq!(boot(&measured, ""), (Some(0.78), 2));
    // FC-BS-07.
    assert_eq!(boot(&free(), ""), (Some(0.2139), 1));
    measured.vm = Some(VmCosts::of_speed(Accel::Tcg, 0.1));
    assert_eq!(boot(&measured, ""), (Some(0.78), 2));
    assert_eq!(boot(&measured, "accel = \"kvm\""), (Some(0.2139), 1), "what was measured is another one's");
    measured.startup.clear();
    assert_eq!(boot(&measured, ""), (None, 5), "its stages are known, their lengths are not");
}

#[test]
fn a_guest_stands_still_while_it_boots_under_a_limit() {
    let mut calibration = free();
    let stage = |name: &str, median_ns| StartupStage { name: name.into(), actor: "guest".into(), median_ns };
    let stages = vec![
        stage("clone", 100_000_000),
        stage("vmm", 40_000_000),
        stage("kernel", 720_000_000),
        stage("init", 15_000_000),
    ];
    calibration.startup.insert(Platform::Vm, stages);
    // Limit, and the lengths of the guest's own stages (ms): 50 ms of quota stand in 100, or 20 in 100.
    for (cpu, lengths_ms) in [
        ("", [40.0, 720.0, 15.0]),
        ("limit = \"500m\"", [40.0, 720.0 + 14.0 * 50.0, 15.0]),
        ("limit = \"200m\"", [40.0 + 2.0 * 80.0, 720.0 + 36.0 * 80.0, 15.0 + 80.0]),
        ("limit = \"3\"", [40.0, 720.0, 15.0]),
    ] {
        let outcome = run(&guests(1, 1, &[hog("a", 1, "10ms", cpu)]), &calibration);
        let stages = &tenant(&outcome, "a").startup_stages;
        near("clone", stages[0].end_s.unwrap(), 0.1, 1e-9);
        for (stage, length_ms) in stages[1..].iter().zip(lengths_ms) {
            near(&format!("{} {cpu}", stage.name), stage.length().unwrap(), length_ms / 1e3, 1e-9);
        }
    }
}
