//! Laws of memory: a slow twin that charges page by page, the killer's choice, the delays of `memory.high`, swap.

use super::high::delay_ticks;
use super::*;

const PAGE: u64 = 4096;
const MIB: u64 = 256;

fn machine() -> Machine {
    Machine { cores: 1, page_bytes: PAGE, hz: 1000, swap_out_ns: 10.0, swap_in_ns: 20.0 }
}

/// Bounds in pages.
fn bounds(max: u64, swap: u64) -> Bounds {
    Bounds { max: Some(max * PAGE), swap: Some(swap * PAGE), ..Bounds::default() }
}

fn process(memory: &mut Memory, group: GroupId, oom_score_adj: i64) -> ProcessId {
    memory.add_process(ProcessSpec { group, oom_score_adj, ..ProcessSpec::default() })
}

/// Charges until `wanted` pages were granted, or something else than a grant (or room made by swapping) comes; pages granted.
fn touch(memory: &mut Memory, process: ProcessId, wanted: u64) -> (u64, Option<Charge>) {
    let mut granted = 0;
    while granted < wanted {
        match memory.charge(process, wanted - granted, false) {
            Charge::Granted { pages, .. } => granted += pages,
            Charge::Reclaiming { .. } => {}
            other => return (granted, Some(other)),
        }
    }
    (granted, None)
}

/// One page at a time, each with its table: how many fit into the bounds of a path.
fn twin(path: &[u64], wanted: u64) -> u64 {
    let (mut used, mut pages) = (0, 0);
    while pages < wanted {
        let table = u64::from(pages % 512 == 0);
        if path.iter().any(|max| used + 1 + table > *max) {
            break;
        }
        used += 1 + table;
        pages += 1;
    }
    pages
}

#[test]
fn as_many_pages_fit_as_when_each_is_charged_by_itself() {
    for (guard, own, wanted) in
        [(100, 100, 64), (100, 40, 99), (513, 600, 9999), (514, 600, 9999), (100_000, 70_001, 80_000)]
    {
        let mut memory = Memory::new(machine(), bounds(guard, 0));
        let group = memory.add_group(ROOT, bounds(own, 0));
        let process = process(&mut memory, group, 0);
        let (granted, _) = touch(&mut memory, process, wanted);
        assert_eq!(granted, twin(&[guard, own], wanted), "guard {guard}, own {own}, wanted {wanted}");
        assert_eq!(memory.usage_bytes(ROOT), memory.usage_bytes(group), "both count the same pages");
        assert_eq!(memory.usage_bytes(group), (granted + granted.div_ceil(512)) * PAGE);
    }
}

#[test]
fn who_does_not_fit_for_being_there_is_killed_by_badness_and_the_last_of_equals() {
    // (pages for being there, oom_score_adj) of each, in a guard of 100 pages; who is killed when each is added.
    type Case = (&'static str, &'static [(u64, i64)], &'static [ProcessId]);
    let table: [Case; 4] = [
        ("all fit", &[(40, 0), (60, 0)], &[]),
        ("the last of equals", &[(40, 0), (40, 0), (40, 0), (20, 0)], &[2]),
        ("the greater one, though it was there first", &[(70, 0), (40, 0)], &[0]),
        ("not the spared one", &[(70, -1000), (40, 0)], &[1]),
    ];
    for (what, processes, expected) in table {
        let mut memory = Memory::new(machine(), bounds(100, 0));
        let mut killed = Vec::new();
        for &(pages, oom_score_adj) in processes {
            let own = pages * PAGE;
            let group = memory.add_group(ROOT, Bounds::default());
            let spec = ProcessSpec {
                group,
                own_bytes: own,
                own_rss_bytes: own,
                oom_score_adj,
                spread: 1,
                ..ProcessSpec::default()
            };
            let process = memory.add_process(spec);
            killed.extend(memory.make_fit(process));
        }
        assert_eq!(killed, expected, "{what}");
        assert!(memory.usage_bytes(ROOT) <= 100 * PAGE && memory.peak_bytes(ROOT) <= 100 * PAGE, "{what}");
        let kills = memory.trace().iter().filter(|entry| matches!(entry.what, MemoryNote::Kill { .. }));
        assert!(kills.clone().all(|entry| entry.because.is_some()) && kills.count() == expected.len());
    }
}

/// Tenants as (own bound, pages held, oom_score_adj); who dies when tenant 0 touches more than there is.
fn victims(guard: u64, tenants: &[(u64, u64, i64)]) -> Vec<ProcessId> {
    let mut memory = Memory::new(machine(), bounds(guard, 0));
    for &(own, held, adj) in tenants {
        let group = memory.add_group(ROOT, bounds(own, 0));
        let process = process(&mut memory, group, adj);
        assert_eq!(touch(&mut memory, process, held).1, None, "they fit");
    }
    match touch(&mut memory, 0, guard).1 {
        Some(Charge::Killed(victims)) => victims,
        Some(Charge::Waiting) => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_kernels_badness_names_the_victim() {
    let free = 1 << 30;
    for (what, guard, tenants, expected) in [
        ("its own bound: the leaker, however small", 900, vec![(100, 50, 0), (free, 700, 0)], vec![0]),
        (
            "no bound: the larger one, though it does nothing",
            900,
            vec![(free, 50, 0), (free, 700, 0)],
            vec![1],
        ),
        ("no bound: the leaker where it is larger", 900, vec![(free, 500, 0), (free, 300, 0)], vec![0]),
        // 100 thousandths of 10000 pages are 1000.
        ("an adjustment weighs", 10_000, vec![(free, 3000, 100), (free, 3900, 0)], vec![0]),
        ("a spared giant", 10_000, vec![(free, 3000, 0), (free, 3900, -1000)], vec![0]),
        ("nobody may be killed", 10_000, vec![(free, 3000, -1000), (free, 3900, -1000)], vec![]),
        ("of equals the last", 10_000, vec![(free, 100, -1000), (free, 3000, 0), (free, 3000, 0)], vec![2]),
    ] {
        assert_eq!(victims(guard, &tenants), expected, "{what}");
    }
}

#[test]
fn a_group_that_is_killed_together_loses_all_but_the_spared() {
    let mut memory = Memory::new(machine(), bounds(1000, 0));
    let together = memory.add_group(ROOT, Bounds { killed_together: true, ..Bounds::default() });
    let below = memory.add_group(together, Bounds::default());
    let apart = memory.add_group(ROOT, Bounds::default());
    let (big, small) = (process(&mut memory, below, 0), process(&mut memory, together, 0));
    let (spared, leaker) = (process(&mut memory, together, -1000), process(&mut memory, apart, 0));
    for (process, pages) in [(big, 600), (small, 1), (spared, 1)] {
        assert_eq!(touch(&mut memory, process, pages).1, None);
    }
    assert_eq!(touch(&mut memory, leaker, 999).1, Some(Charge::Killed(vec![big, small])));
    // While they hold memory nobody else is killed; then there is room.
    assert_eq!(memory.charge(leaker, 1, false), Charge::Waiting);
    memory.release(big);
    memory.release(big);
    assert!(matches!(memory.charge(leaker, 1, false), Charge::Granted { pages: 1, .. }));
}

/// "time to allocate in ms" with a high of 100 MiB, from the comment before `calculate_high_delay`: a batch of 64 pages at
/// HZ = 1000. Delays of at most 10 ms are not slept.
#[test]
fn delays_beyond_high_are_those_of_the_kernels_own_table() {
    for (usage_mib, ms) in [(100, 0), (101, 0), (102, 25), (103, 57), (104, 102), (105, 159), (106, 230)] {
        assert_eq!(delay_ticks(usage_mib * MIB, 100 * MIB, 64, 1000), ms, "{usage_mib} MiB");
    }
    assert_eq!(delay_ticks(200 * MIB, 100 * MIB, 64, 250), 500, "at most 2 s");
    assert_eq!(delay_ticks(105 * MIB, 100 * MIB, 32, 1000), 79, "half a batch, half as long");
}

#[test]
fn beyond_high_whoever_charges_is_delayed_and_nobody_killed() {
    let mut memory = Memory::new(machine(), bounds(1 << 20, 0));
    let high = Bounds { high: Some(100 * MIB * PAGE), ..Bounds::default() };
    let group = memory.add_group(ROOT, high);
    let process = process(&mut memory, group, 0);
    let mut slept_ns = 0;
    for _ in 0..200 {
        let Charge::Granted { delay_ns, .. } = memory.charge(process, 2 * 8192, false) else {
            panic!("granted")
        };
        slept_ns += delay_ns;
    }
    assert!(memory.usage_bytes(group) > 100 * MIB * PAGE && slept_ns > 0, "{slept_ns}");
    let notes: Vec<_> = memory.trace().iter().map(|entry| entry.what).collect();
    assert_eq!(notes, [MemoryNote::High { group, by: process }], "said once");
}

#[test]
fn cold_pages_go_to_swap_before_hot_ones_and_come_back() {
    let mut memory = Memory::new(machine(), bounds(1000, 300));
    let cold = process(&mut memory, ROOT, 0);
    let hot = memory.add_process(ProcessSpec { hot: true, ..ProcessSpec::default() });
    assert_eq!(touch(&mut memory, hot, 400).1, None);
    assert_eq!(touch(&mut memory, cold, 800), (800, None), "swap makes room");
    assert_eq!((memory.swapped_pages(hot), memory.resident_pages(hot)), (0, 400));
    let swapped = memory.swapped_pages(cold);
    assert!((200..=300).contains(&swapped), "{swapped}");
    // What comes back from swap needs room, which costs somebody else's cold pages.
    let mut back = 0;
    while back < 50 {
        if let Charge::Granted { pages, .. } = memory.charge(cold, 50 - back, true) {
            back += pages;
        }
    }
    assert!(memory.usage_bytes(ROOT) <= 1000 * PAGE);
    let (_, end) = touch(&mut memory, hot, 1000);
    assert_eq!(end, Some(Charge::Killed(vec![cold])), "swap has an end, and counts as badness");
}

#[test]
fn a_peak_has_the_stock_of_each_further_core_but_no_bound_is_passed() {
    let mut memory = Memory::new(Machine { cores: 3, ..machine() }, bounds(1000, 0));
    let (free, tight) = (memory.add_group(ROOT, bounds(900, 0)), memory.add_group(ROOT, bounds(150, 0)));
    let alone = memory.add_group(ROOT, Bounds::default());
    memory.hold(ROOT, 3 * PAGE);
    for (group, spread) in [(free, 8), (tight, 8), (alone, 1)] {
        let process = memory.add_process(ProcessSpec { group, spread, ..ProcessSpec::default() });
        assert_eq!(touch(&mut memory, process, 100).1, None);
    }
    let peaks = [free, tight, alone, ROOT].map(|group| memory.peak_bytes(group) / PAGE);
    assert_eq!(peaks, [128 + 2 * 64, 150, 128, 303 + 156 + 50 + 28], "whole stocks are charged");
}

#[test]
fn what_a_clone_is_charged_on_its_own_core_takes_a_stock_there() {
    // (pages in all, of them where it was cloned, cores on which it is charged, pages at its peak)
    let table = [
        (61, 23, 1, 64),
        (61, 23, 2, 128),
        (68, 23, 2, 128),
        (68, 0, 2, 192),
        (89, 23, 2, 64 + 128),
        (92, 55, 2, 128),
        (61, 23, 3, 192),
        (20, 23, 2, 64),
    ];
    for (own, cloned, spread, peak) in table {
        let mut memory = Memory::new(Machine { cores: 3, ..machine() }, bounds(10_000, 0));
        let group = memory.add_group(ROOT, Bounds::default());
        let spec = ProcessSpec {
            group,
            own_bytes: own * PAGE,
            cloned_bytes: cloned * PAGE,
            spread,
            ..Default::default()
        };
        memory.add_process(spec);
        assert_eq!(memory.peak_bytes(group) / PAGE, peak, "{own} pages, {cloned} apart, {spread} cores");
    }
}

#[test]
fn what_a_start_gives_back_counts_in_the_peak_alone() {
    let mut memory = Memory::new(machine(), bounds(1000, 0));
    let (free, tight) = (memory.add_group(ROOT, bounds(900, 0)), memory.add_group(ROOT, bounds(50, 0)));
    for group in [free, tight] {
        let own =
            ProcessSpec { own_bytes: 48 * PAGE, start_bytes: 17 * PAGE, spread: 1, ..ProcessSpec::default() };
        memory.add_process(ProcessSpec { group, ..own });
    }
    let figures = |group| (memory.usage_bytes(group) / PAGE, memory.peak_bytes(group) / PAGE);
    assert_eq!([free, tight].map(figures), [(48, 128), (48, 50)], "65 pages are two stocks; a bound holds");
}
