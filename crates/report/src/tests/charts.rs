use std::ops::Range;

use catamaran_scenario::{Lang, Platform};

use super::compare::pair;
use crate::charts::{accuracy, comparison, gantt};
use crate::compare::{Pair, PlatformComparison, compare};
use crate::report::{Requests, TenantReport};
use crate::timeline::{GuestSlice, Slice, Throttle, Timeline};

/// Exponential latencies (ns) with that mean (ms), by quantiles.
fn exponential(mean_ms: f64) -> Requests {
    let count = 12_000_u32;
    let quantile = |index: u32| 1.0 - (f64::from(index) + 0.5) / f64::from(count);
    let mut ns: Vec<u64> =
        (0..count).map(|index| (-libm::log(quantile(index)) * mean_ms * 1e6) as u64).collect();
    Requests::from_latencies_ns(u64::from(count), 0, &mut ns)
}

/// A throttled server and a hog, the machine a little slower from trial to trial.
pub(super) fn trials(platform: Platform) -> PlatformComparison {
    let pairs: Vec<Pair> = (0..9)
        .map(|trial| {
            let drift = 1.0 + f64::from(trial % 5) * 0.03;
            let mut pair = pair(|side, tenant| server(tenant, [1.0, drift, 0.3, 0.5][side]));
            for (side, report) in [&mut pair.simulated, &mut pair.native].into_iter().enumerate() {
                let mut hog = TenantReport::blank("batch", 0);
                let factor = [1.0, drift][side];
                hog.cpu_s = Some(72.0 * factor);
                hog.waited_s = Some(95.0);
                hog.throttled_s = Some(0.0);
                hog.startup_s = Some(0.0007 * factor * factor);
                report.tenants.push(hog);
            }
            pair
        })
        .collect();
    compare(platform, 45.0, &pairs)
}

fn server(tenant: &mut TenantReport, factor: f64) {
    tenant.requests = Some(exponential(14.0 * factor));
    tenant.throttled_s = Some(11.5 * factor);
    tenant.throttled_periods = Some((310.0 * factor) as u64);
    tenant.waited_s = Some(if factor == 1.0 { 0.0 } else { 0.8 * factor });
    tenant.cpu_s = Some(14.0);
    tenant.startup_s = Some(0.0012);
}

fn is_well_formed(svg: &str) -> roxmltree::Document<'_> {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "every coordinate is a number");
    document
}

fn texts(svg: &str) -> String {
    let document = is_well_formed(svg);
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text()).map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_comparison_shows_every_row_and_distribution() {
    let both = [trials(Platform::BareMetal), trials(Platform::Cgroups)];
    let svg = comparison(Lang::En, "limited-server", &both).unwrap();
    let texts = texts(&svg);
    for expected in [
        "limited-server: the model and the machine",
        "bare-metal",
        "cgroups",
        "web · p99",
        "web · throttled time",
        "batch · CPU time",
        "web: share of requests that take longer",
    ] {
        assert!(texts.contains(expected), "{expected} in\n{texts}");
    }
    let korean = comparison(Lang::Ko, "limited-server", &both).unwrap();
    assert!(self::texts(&korean).contains("web · 스로틀링 시간"), "{korean}");
    let document = is_well_formed(&svg);
    let title = document.descendants().find(|node| node.has_tag_name("title")).and_then(|node| node.text());
    assert_eq!(title, Some("limited-server: the model and the machine"));
}

#[test]
fn a_corpus_has_a_panel_for_each_platform_and_a_lane_for_each_metric() {
    let many = [trials(Platform::Cgroups), trials(Platform::BareMetal), trials(Platform::Cgroups)];
    let svg = accuracy(Lang::En, &many).unwrap();
    let texts = texts(&svg);
    let figures = |platform: &str, count: usize| format!("{platform}: {count} figures, skill ");
    let judged = many[0].summary.judged_rows as usize;
    for expected in
        [figures("bare-metal", judged), figures("cgroups", 2 * judged), "p99".into(), "172 %".into()]
    {
        assert!(texts.contains(&expected), "{expected} in\n{texts}");
    }
    let marks = |tag: &str| is_well_formed(&svg).descendants().filter(|node| node.has_tag_name(tag)).count();
    // One in the legend, and one for each figure; the naive predictions lack some.
    assert_eq!(marks("polygon"), 1 + 3 * judged);
    assert!((2..=1 + 3 * judged).contains(&marks("circle")), "{}", marks("circle"));
    assert!(self::texts(&accuracy(Lang::Ko, &many).unwrap()).contains("예측력"));
    is_well_formed(&accuracy(Lang::En, &[]).unwrap());
}

#[test]
fn nothing_to_compare_is_still_a_chart() {
    let none = compare(Platform::Vm, 20.0, &[]);
    let svg = comparison(Lang::En, "empty", &[none]).unwrap();
    assert!(texts(&svg).contains("0 trials"), "{svg}");
    is_well_formed(&comparison(Lang::En, "empty", &[]).unwrap());
}

#[test]
fn names_cannot_break_the_document() {
    let mut pair = pair(|_, tenant| tenant.cpu_s = Some(1.0));
    for report in [&mut pair.simulated, &mut pair.native] {
        report.tenants[0].name = "<script>\u{0}\u{1b}&\"'</script>\u{ffff}".into();
    }
    let comparisons = [compare(Platform::Vm, 20.0, &[pair])];
    let svg = comparison(Lang::En, "</title><script>", &comparisons).unwrap();
    assert!(!svg.contains("<script>"), "{svg}");
    assert!(texts(&svg).contains("<script>&\"'</script> · CPU time"));
}

#[test]
fn extreme_figures_stay_on_the_chart() {
    for (simulated, native) in [(0.0, 1e300), (1e-300, 1e300), (f64::MAX, f64::MIN_POSITIVE), (1e-12, 1e-12)]
    {
        let pairs = [pair(|side, tenant| {
            tenant.waited_s = Some([simulated, native, 0.0, 0.0][side]);
        })];
        let svg = comparison(Lang::En, "extreme", &[compare(Platform::Vm, 20.0, &pairs)]).unwrap();
        let document = is_well_formed(&svg);
        for node in document.descendants() {
            for name in ["x", "cx", "x1", "x2"] {
                let x = node.attribute(name).map(|x| x.parse::<f64>().unwrap());
                assert!(x.is_none_or(|x| (0.0..=1200.0).contains(&x)), "{name} = {x:?}");
            }
        }
        assert!(svg.len() < 100_000, "{} bytes", svg.len());
    }
}

/// Two tenants that take turns on core 0, and a throttled one alone on core 1.
fn timeline() -> Timeline {
    let ms = 1_000_000;
    let turns = (0..50).map(|turn| Slice {
        core: 0,
        tenant: turn % 2,
        thread: 0,
        start_ns: u64::from(turn) * 4 * ms,
        end_ns: (u64::from(turn) * 4 + 4) * ms,
    });
    let limited = [0, 100].map(|start| Slice {
        core: 1,
        tenant: 2,
        thread: 0,
        start_ns: start * ms,
        end_ns: (start + 20) * ms,
    });
    Timeline {
        cores: 2,
        slices: turns.chain(limited).collect(),
        throttles: [20, 120]
            .map(|ms| Throttle { tenant: 2, start_ns: ms * 1_000_000, end_ns: (ms + 80) * 1_000_000 })
            .into(),
        ..Timeline::default()
    }
}

#[test]
fn a_gantt_chart_has_a_lane_for_each_core_and_each_throttled_tenant() {
    let names = ["web".to_owned(), "batch".to_owned(), "cache".to_owned()];
    let svg = gantt(Lang::En, &timeline(), &names, 0..200_000_000).unwrap();
    let texts = texts(&svg);
    for expected in ["Who runs where, 0 to 200 ms", "core 0", "core 1", "cache throttled", "180"] {
        assert!(texts.contains(expected), "{expected} in\n{texts}");
    }
    // 50 turns, 2 limited slices, 2 throttles, 3 squares of the legend and the background.
    assert_eq!(svg.matches("<rect").count(), 58);
    let window = gantt(Lang::Ko, &timeline(), &names, 0..10_000_000).unwrap();
    assert!(!self::texts(&window).contains("스로틀링"), "outside the window");
    // 3 turns, 1 limited slice, the legend and the background.
    assert_eq!(window.matches("<rect").count(), 8);
}

#[test]
fn a_gantt_chart_has_a_lane_for_each_virtual_cpu_that_is_not_halted() {
    let ms = 1_000_000;
    let slice = |vcpu, thread, start_ms: u64| GuestSlice {
        tenant: 1,
        vcpu,
        thread,
        start_ns: start_ms * ms,
        end_ns: (start_ms + 4) * ms,
    };
    let guests = vec![slice(0, Some(2), 0), slice(0, None, 4), slice(0, Some(1), 8), slice(3, Some(0), 300)];
    let timeline = Timeline { cores: 1, guests, ..Timeline::default() };
    let svg = gantt(Lang::En, &timeline, &["web".to_owned(), "batch".to_owned()], 0..200_000_000).unwrap();
    assert!(texts(&svg).contains("batch vCPU 0") && !texts(&svg).contains("vCPU 3"), "{}", texts(&svg));
    // It runs twice and is stolen once; the legend and the background.
    assert_eq!(svg.matches("<rect").count(), 6);
}

#[test]
fn a_gantt_chart_of_a_long_time_is_no_larger_than_its_pixels() {
    let slices = (0..200_000_u32).map(|turn| Slice {
        core: 0,
        tenant: turn % 3,
        thread: 0,
        start_ns: u64::from(turn) * 1000,
        end_ns: u64::from(turn + 1) * 1000,
    });
    let timeline = Timeline { cores: 1, slices: slices.collect(), ..Timeline::default() };
    let svg = gantt(Lang::En, &timeline, &[], 0..200_000_000).unwrap();
    assert!(svg.matches("<rect").count() < 1200, "{}", svg.matches("<rect").count());
    for window in [0..0, u64::MAX..u64::MAX, Range { start: 5, end: 4 }, 0..u64::MAX] {
        is_well_formed(&gantt(Lang::En, &timeline, &[], window).unwrap());
    }
}
