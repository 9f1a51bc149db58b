//! Valid scenarios at random, as texts: for property tests of whatever reads scenarios.

mod text;
mod workload;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::Platform;
use text::{
    Pair, array, array_of, bandwidth, bytes, cpu, duration, flag, given, maybe, number, quoted, table,
};

/// How much of the format is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breadth {
    Whole,
    Computing,
}

/// What the parts of one scenario must agree on.
#[derive(Debug, Clone)]
struct Shape {
    breadth: Breadth,
    duration_ms: u64,
    cores: u32,
    nodes: u32,
    tenants: usize,
    images: usize,
}

impl Shape {
    /// Whether the tenant with that index has an image, in which its file may lie.
    fn has_layers(&self, index: usize) -> bool {
        self.images > 0 && index.is_multiple_of(2)
    }
}

/// Scenarios that use any part of the format. All parse.
pub fn scenario_toml() -> impl Strategy<Value = String> {
    shape(Breadth::Whole).prop_flat_map(|shape| scenario(&shape))
}

/// Scenarios of one machine with the workloads compute, server, memory, idle and phases on the platforms bare-metal,
/// cgroups and namespaces, without events, images and limits other than those of CPU and memory. All parse, and a run has
/// at most some thousand requests.
pub fn computing_toml() -> impl Strategy<Value = String> {
    shape(Breadth::Computing).prop_flat_map(|shape| scenario(&shape))
}

fn shape(breadth: Breadth) -> impl Strategy<Value = Shape> {
    let whole = breadth == Breadth::Whole;
    let (nodes, images) = if whole { (1..4u32, 0..3usize) } else { (1..2u32, 0..1usize) };
    (1..5000u64, 1..5u32, nodes, 1..5usize, images).prop_map(
        move |(duration_ms, cores, nodes, tenants, images)| Shape {
            breadth,
            duration_ms,
            cores,
            nodes,
            tenants,
            images,
        },
    )
}

fn scenario(shape: &Shape) -> BoxedStrategy<String> {
    let whole = shape.breadth == Breadth::Whole;
    let tenants: Vec<_> = (0..shape.tenants).map(|index| tenant(index, shape)).collect();
    let mut parts = vec![
        given("schema", Just("\"catamaran/scenario/v1\"".to_owned())),
        given("name", select(vec!["a", "any-name", "x-1"]).prop_map(quoted)),
        maybe(
            "title",
            table(vec![given("en", Just("\"Any\"".to_owned())), maybe("ko", Just("\"아무\"".to_owned()))]),
        ),
        maybe("seed", number(0, (1 << 53) - 1)),
        given("duration", Just(format!("\"{}ms\"", shape.duration_ms))),
        given("platforms", platforms(shape.breadth)),
        given("host", host(shape)),
        given("tenant", array_of(tenants)),
    ];
    if whole {
        parts.push(given("image", array_of((0..shape.images).map(image).collect())));
        parts.push(given("event", array(event(shape), 4)));
        parts.push(maybe("platform", table(vec![maybe("vm", settings()), maybe("cri-o", settings())])));
    }
    parts.prop_map(|pairs| pairs.into_iter().flatten().map(|pair| pair + "\n").collect()).boxed()
}

fn platforms(breadth: Breadth) -> BoxedStrategy<String> {
    let all = match breadth {
        Breadth::Whole => Platform::ALL.to_vec(),
        Breadth::Computing => {
            vec![Platform::BareMetal, Platform::Cgroups, Platform::Namespaces, Platform::Vm]
        }
    };
    let names: Vec<String> = all.into_iter().map(|platform| quoted(platform.name())).collect();
    let most = names.len();
    subsequence(names, 1..=most).prop_shuffle().prop_map(|names| format!("[{}]", names.join(", "))).boxed()
}

fn host(shape: &Shape) -> BoxedStrategy<String> {
    let disk = table(vec![
        maybe("read", bandwidth(1)),
        maybe("write", bandwidth(1)),
        maybe("iops", number(1, 100_000)),
    ]);
    let network = table(vec![maybe("bandwidth", bandwidth(1)), maybe("latency", duration(0, 10_000))]);
    let mut fields = vec![
        given("cores", Just(shape.cores.to_string())),
        given("nodes", Just(shape.nodes.to_string())),
        maybe("memory", bytes(64 << 20)),
    ];
    if shape.breadth == Breadth::Whole {
        fields.extend([maybe("swap", bytes(0)), maybe("disk", disk), maybe("network", network)]);
        fields.push(maybe("unpack", bandwidth(1)));
    }
    table(fields)
}

fn tenant(index: usize, shape: &Shape) -> BoxedStrategy<String> {
    let mut fields = vec![
        given("name", Just(format!("\"t{index}\""))),
        maybe("replicas", number(1, 3)),
        maybe("cpu", cpu_table(shape)),
        maybe("memory", memory_table()),
        maybe("start_at", duration(0, shape.duration_ms * 1000 - 1)),
        given("workload", workload::any(index, shape)),
    ];
    if shape.breadth == Breadth::Whole {
        let images: Vec<String> = (0..shape.images).map(image_name).map(|name| quoted(&name)).collect();
        let io = vec![
            maybe("weight", number(1, 10_000)),
            maybe("read", bandwidth(1)),
            maybe("write", bandwidth(1)),
            maybe("iops", number(1, 100_000)),
        ];
        fields.extend([
            maybe("io", table(io)),
            maybe("pids", table(vec![maybe("limit", number(1, 999))])),
            maybe("ports", ports()),
            maybe(
                "needs",
                table(vec![
                    maybe("libssl", Just("\"1.1\"".to_owned())),
                    maybe("\"odd name\"", Just("\"x\"".to_owned())),
                ]),
            ),
            maybe("node", number(0, u64::from(shape.nodes) - 1)),
            maybe("restart", select(vec!["never", "on-failure", "always"]).prop_map(quoted)),
        ]);
        if shape.has_layers(index) {
            fields.push(given("image", select(images)));
        } else if !images.is_empty() {
            fields.push(maybe("image", select(images)));
        }
    }
    table(fields)
}

fn ports() -> impl Strategy<Value = String> {
    let list = |ports: Vec<u16>| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    subsequence(vec![1, 80, 443, 8080, 65_535], 0..4).prop_map(move |ports| format!("[{}]", list(ports)))
}

/// Limit, period, request and burst that the kernel takes together.
fn cpu_table(shape: &Shape) -> BoxedStrategy<String> {
    let cores = shape.cores;
    let set = subsequence((0..cores).collect::<Vec<_>>(), 1..=cores as usize);
    let set = set.prop_map(|cores| quoted(&cores.iter().map(u32::to_string).collect::<Vec<_>>().join(",")));
    let limit = (1..=1000u64, 0..=1000u64).prop_flat_map(move |(period_ms, share)| {
        let least = 1000u64.div_ceil(period_ms);
        let limit = least + share * u64::from(cores);
        let quota_us = limit * period_ms;
        let pairs: Vec<BoxedStrategy<Pair>> = vec![
            given("limit", cpu(limit)),
            given("period", Just(format!("\"{period_ms}ms\""))),
            maybe("request", (1..=limit).prop_flat_map(cpu)),
            maybe("burst", duration(0, quota_us)),
        ];
        pairs
    });
    let weightless =
        vec![maybe("request", (1..=4000u64).prop_flat_map(cpu)), maybe("period", duration(1000, 1_000_000))];
    let bounds = prop_oneof![limit, weightless];
    let others = vec![
        maybe("set", set),
        maybe("weight", select(vec!["v1", "v2-old", "v2-new"]).prop_map(quoted)),
        maybe("nice", (-20..=19).prop_map(|nice: i32| nice.to_string())),
    ];
    (bounds, others).prop_map(|(bounds, others)| text::braces(bounds.into_iter().chain(others))).boxed()
}

fn memory_table() -> BoxedStrategy<String> {
    let limited = (1..1u64 << 34).prop_flat_map(|limit| {
        vec![
            given("limit", Just(limit.to_string())),
            maybe("request", number(1, limit)),
            maybe("high", number(1, limit)),
        ]
    });
    let free = vec![maybe("request", bytes(1)), maybe("high", bytes(1)), maybe("swap", bytes(0))];
    let victim = vec![
        maybe("oom_score_adj", (-1000..=1000).prop_map(|adjustment: i32| adjustment.to_string())),
        maybe("oom_group", flag()),
    ];
    (prop_oneof![limited, free], victim)
        .prop_map(|(bounds, victim)| text::braces(bounds.into_iter().chain(victim)))
        .boxed()
}

fn image_name(index: usize) -> String {
    format!("registry.example/image:{index}")
}

/// The layer that every image ends with.
const FILES: &str = ", { id = \"files\", size = \"3MiB\" }]";

fn image(index: usize) -> BoxedStrategy<String> {
    let layer = table(vec![
        given("id", select(vec!["base", "lib", "app"]).prop_map(quoted)),
        given("size", bytes(1)),
    ]);
    table(vec![
        given("name", Just(quoted(&image_name(index)))),
        given("layers", array(layer, 2).prop_map(|layers| layers.replace(']', FILES))),
        maybe("archive", Just("\"a.tar\"".to_owned())),
        maybe("cached", flag()),
    ])
}

fn event(shape: &Shape) -> BoxedStrategy<String> {
    let tenant = || given("target", (0..shape.tenants).prop_map(|index| format!("\"t{index}\"")));
    let nodes = shape.nodes;
    let node = |name: &'static str| given(name, number(0, u64::from(nodes) - 1));
    let at = duration(0, shape.duration_ms * 1000 - 1);
    let action = |word: &'static str, mut fields: Vec<BoxedStrategy<Pair>>| {
        fields.push(given("do", Just(quoted(word))));
        fields.push(given("at", at.clone()));
        table(fields)
    };
    // The limit is above every burst, whatever the period: a burst is at most 5 cores' worth of a period.
    let limit = given("cpu", (6000..100_000u64).prop_flat_map(cpu));
    let mut actions = vec![
        action("scale", vec![tenant(), given("replicas", number(0, 4))]),
        action("kill", vec![tenant()]),
        action("fail-node", vec![node("target")]),
        action("drain", vec![node("target")]),
        action("set-limit", vec![tenant(), given("memory", bytes(1)), limit]),
        action("migrate", vec![tenant(), node("to")]),
        action("partition", vec![node("target"), given("for", duration(1, 1_000_000))]),
    ];
    if shape.images > 0 {
        let image = (0..shape.images).prop_map(|index| quoted(&image_name(index)));
        actions.push(action("update", vec![tenant(), given("image", image)]));
    }
    proptest::strategy::Union::new(actions).boxed()
}

fn settings() -> BoxedStrategy<String> {
    table(vec![
        maybe("runtime", Just("\"crun\"".to_owned())),
        maybe("rootless", flag()),
        maybe("scheduler", select(vec!["eevdf", "cfs"]).prop_map(quoted)),
        maybe("hz", number(100, 1000)),
        maybe("base_slice", duration(100, 100_000)),
        maybe("autogroup", flag()),
        maybe("vcpus", number(1, 7)),
        maybe("memory", bytes(64 << 20)),
        maybe("guest", select(vec!["linux", "bare"]).prop_map(quoted)),
        maybe("accel", select(vec!["kvm", "tcg"]).prop_map(quoted)),
        maybe("type", select(vec!["1", "2"]).prop_map(str::to_owned)),
        maybe("compat", Just("\"1.20\"".to_owned())),
        maybe("migration", select(vec!["qemu", "clark"]).prop_map(quoted)),
        maybe("downtime", duration(1000, 400_000)),
        maybe("page_sharing", flag()),
        maybe("balloon", flag()),
        maybe("unshare", select(vec!["[]", "[\"pid\"]", "[\"user\", \"mount\"]"]).prop_map(str::to_owned)),
    ])
}
