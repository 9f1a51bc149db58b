//! Workloads at random.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

use super::text::{Pair, array, bandwidth, bytes, duration, flag, given, maybe, number, quoted, table};
use super::{Breadth, Shape};

/// The workload of the tenant with that index: of one kind, or phases.
pub(super) fn any(index: usize, shape: &Shape) -> BoxedStrategy<String> {
    let phases = array(Union::new(kinds(index, shape, true)).boxed(), 3);
    let phases = table(vec![given("phases", phases)]);
    Union::new(kinds(index, shape, false).into_iter().chain([phases])).boxed()
}

/// One workload of each kind; as phases, with the time that they take.
fn kinds(index: usize, shape: &Shape, phase: bool) -> Vec<BoxedStrategy<String>> {
    let kind = |word: &'static str, mut fields: Vec<BoxedStrategy<Pair>>| {
        fields.push(given("kind", Just(quoted(word))));
        let endless = matches!(word, "idle" | "server" | "memory" | "fork");
        if phase {
            let lasts = duration(1, 3_000_000);
            fields.push(if endless { given("for", lasts) } else { maybe("for", lasts) });
        }
        table(fields)
    };
    let mut kinds = vec![
        kind("compute", compute()),
        kind("server", server()),
        kind("memory", memory()),
        kind("idle", Vec::new()),
    ];
    if shape.breadth == Breadth::Whole {
        kinds.extend([kind("disk", disk()), kind("fork", fork()), kind("command", command())]);
        if shape.has_layers(index) {
            kinds.push(kind("disk", disk_in_layer()));
        }
        if shape.tenants > 1 {
            let peer = (index + 1) % shape.tenants;
            kinds.extend([kind("network", network(peer, "bytes", stream()))]);
            kinds.extend([kind("network", network(peer, "requests", number(1, 999)))]);
        }
    }
    kinds
}

fn threads() -> BoxedStrategy<Pair> {
    maybe("threads", number(1, 5))
}

fn compute() -> Vec<BoxedStrategy<Pair>> {
    let lock = table(vec![given("every", duration(1000, 20_000)), given("hold", duration(100, 5000))]);
    vec![threads(), given("work", duration(1, 20_000_000)), maybe("lock", lock)]
}

fn server() -> Vec<BoxedStrategy<Pair>> {
    let rate = || {
        given("rate", (1..400u32, select(vec!["/s", "/m"])).prop_map(|(n, per)| quoted(&format!("{n}{per}"))))
    };
    let even = given("process", select(vec!["poisson", "constant"]).prop_map(quoted));
    let burst = given("process", Just(quoted("burst")));
    let size = given("size", number(1, 19));
    let arrivals = prop_oneof![table(vec![even, rate()]), table(vec![burst, size, rate()])];
    let cpu = || given("cpu", duration(1, 20_000));
    let plain = given("distribution", select(vec!["constant", "exponential"]).prop_map(quoted));
    let lognormal = given("distribution", Just(quoted("lognormal")));
    let sigma = given("sigma", select(vec!["0.5", "1", "2.25"]).prop_map(str::to_owned));
    let service = prop_oneof![table(vec![plain, cpu()]), table(vec![lognormal, sigma, cpu()])];
    vec![
        given("arrivals", arrivals),
        given("service", service),
        threads(),
        maybe("queue", number(0, 49)),
        maybe("timeout", duration(1, 1_000_000)),
    ]
}

fn memory() -> Vec<BoxedStrategy<Pair>> {
    vec![
        maybe("start", (0..64u32).prop_map(|n| quoted(&format!("{n}MiB")))),
        maybe("leak", bandwidth(0)),
        maybe("limit_at", bytes(64 << 20)),
        maybe("touch", select(vec!["once", "loop"]).prop_map(quoted)),
    ]
}

fn disk() -> Vec<BoxedStrategy<Pair>> {
    let mut fields = operations();
    fields.push(maybe("cached", flag()));
    fields
}

fn disk_in_layer() -> Vec<BoxedStrategy<Pair>> {
    let mut fields = operations();
    fields.push(given("layer", Just("\"files\"".to_owned())));
    fields
}

fn operations() -> Vec<BoxedStrategy<Pair>> {
    vec![
        given("op", select(vec!["read", "write", "randread", "randwrite"]).prop_map(quoted)),
        // Few enough operations for the bounds over all tenants, in the smallest blocks, too.
        given("size", (1..65_u32).prop_map(|mebibytes| quoted(&format!("{mebibytes}MiB")))),
        maybe("block", select(vec!["512", "\"4KiB\"", "\"1MiB\""]).prop_map(str::to_owned)),
        maybe("depth", number(1, 31)),
        maybe("fsync", flag()),
        maybe("rate", bandwidth(1)),
    ]
}

fn network(peer: usize, what: &'static str, amount: BoxedStrategy<String>) -> Vec<BoxedStrategy<Pair>> {
    vec![
        given("to", Just(format!("\"t{peer}\""))),
        given(what, amount),
        given("size", number(512, (1 << 20) - 1)),
    ]
}

/// Short enough for the bounds over all tenants, in the smallest messages, too.
fn stream() -> BoxedStrategy<String> {
    (1..65_u32).prop_map(|mebibytes| quoted(&format!("{mebibytes}MiB"))).boxed()
}

fn fork() -> Vec<BoxedStrategy<Pair>> {
    vec![
        given("rate", (1..100u32).prop_map(|n| quoted(&format!("{n}/s")))),
        given("lifetime", duration(0, 1_000_000)),
        maybe("max", number(1, 99)),
    ]
}

fn command() -> Vec<BoxedStrategy<Pair>> {
    let word = select(vec!["", "sh", "-c", "sleep 1 | 한"]).prop_map(quoted).boxed();
    let argv = prop::collection::vec(word, 0..3).prop_map(|rest| {
        format!("[\"/bin/sh\"{}]", rest.iter().map(|word| format!(", {word}")).collect::<String>())
    });
    let mut like = compute();
    like.push(given("kind", Just(quoted("compute"))));
    vec![
        given("argv", argv),
        maybe("probe", table(vec![given("tcp", number(1, 65_535))])),
        maybe("like", table(like)),
    ]
}
