//! Malformed scenarios, each with the one diagnostic that it gets: where, which field, what was found, what to do.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use std::collections::BTreeSet;

use catamaran_scenario::{Diagnostic, Plan};

/// Valid; each row of the table spoils one thing in it.
const VALID: &str = r#"schema = "catamaran/scenario/v1"
name = "malformed"
title = { en = "Malformed", ko = "잘못된" }
seed = 7
duration = "20s"
platforms = ["bare-metal", "cgroups"]

[host]
cores = 2
memory = "4GiB"
nodes = 2

[[tenant]]
name = "web"
cpu = { request = "500m", limit = "1" }
memory = { request = "128MiB", limit = "256MiB" }
ports = [80]
workload = { kind = "server", arrivals = { process = "poisson", rate = "60/s" }, service = { cpu = "4ms", distribution = "exponential" } }

[[tenant]]
name = "batch"
workload = { kind = "compute", threads = 4, work = "30s" }

[[image]]
name = "shop:1"
layers = [{ id = "base", size = "30MiB" }]

[[event]]
at = "5s"
do = "kill"
target = "batch"
"#;

/// What stands in [`VALID`], what stands there instead (§ marks where the diagnostic points), the field's path, the message.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

const SYNTAX: &[Row] = &[
    (r#"seed = 7"#, "seed = §", "", &["not TOML", "mend the syntax"]),
    (r#"seed = 7"#, "seed = 7\n§seed = 8", "", &["not TOML: duplicate key"]),
    (r#""20s""#, "\"20s§\n", "", &["not TOML: invalid basic string"]),
    ("[host]", "[host§\n", "", &["not TOML: unclosed table"]),
];

const FIELDS: &[Row] = &[
    (
        "limit = \"1\"",
        "§limt = \"1\"",
        "tenant.web.cpu.limt",
        &[
            "unknown field; accepted: request, limit, period, burst, set, weight, nice; did you mean \"limit\"?",
        ],
    ),
    (
        "seed = 7",
        "§sede = 7",
        "sede",
        &["unknown field; accepted: schema, name, title, seed,", "did you mean \"seed\"?"],
    ),
    ("[host]", "[§hots]", "hots", &["did you mean \"host\"?"]),
    (
        "cores = 2",
        "§\"co res\" = 2",
        "host.\"co res\"",
        &[
            "unknown field; accepted: cores, memory, swap, disk, network, unpack, nodes; did you mean \"cores\"?",
        ],
    ),
    ("ko = \"잘못된\"", "ko = \"잘못된\", §fr = \"x\"", "title.fr", &["unknown field; accepted: en, ko"]),
    (
        "threads = 4",
        "§queue = 4",
        "tenant.batch.workload.queue",
        &[
            "unknown field with kind = \"compute\"; accepted: kind, phases, threads, work, lock; it is a field of kind = \"server\"",
        ],
    ),
    (
        "do = \"kill\"",
        "do = \"kill\"\n§replicas = 2",
        "event[0].replicas",
        &["unknown field with do = \"kill\"", "it is a field of do = \"scale\""],
    ),
    (
        "schema = \"catamaran/scenario/v1\"\n",
        "§",
        "schema",
        &["missing; it is required; accepted: \"catamaran/scenario/v1\""],
    ),
    (
        "duration = \"20s\"\n",
        "",
        "duration",
        &["missing; it is required; accepted: a duration with its unit"],
    ),
    ("name = \"web\"\n", "", "tenant[0].name", &["missing; it is required; accepted: a name in kebab-case"]),
    (
        "workload = { kind = \"compute\", threads = 4, work = \"30s\" }",
        "workload = §{ kind = \"compute\", threads = 4 }",
        "tenant.batch.workload.work",
        &["missing; it is required"],
    ),
    (
        "workload = { kind = \"compute\", threads",
        "workload = §{ threads",
        "tenant.batch.workload.kind",
        &["missing; it is required; accepted: \"compute\", \"server\""],
    ),
    (
        "arrivals = { process = \"poisson\", rate",
        "arrivals = §{ rate",
        "tenant.web.workload.arrivals.process",
        &["missing", "\"poisson\", \"constant\" or \"burst\""],
    ),
    (
        "ports = [80]",
        "§threads = 4",
        "tenant.web.threads",
        &["unknown field; accepted: name, replicas", "did you mean \"workload.threads\"?"],
    ),
    ("ports = [80]", "§limit = \"1\"", "tenant.web.limit", &["did you mean \"cpu.limit\"?"]),
];

const VALUES: &[Row] = &[
    (
        "catamaran/scenario/v1\"",
        "catamaran/scenario/v2\"",
        "schema",
        &["found \"catamaran/scenario/v2\"; accepted: \"catamaran/scenario/v1\""],
    ),
    (
        "\"malformed\"",
        "§\"My Scenario\"",
        "name",
        &["found \"My Scenario\"", "kebab-case", "did you mean \"my-scenario\"?"],
    ),
    (
        "seed = 7",
        "seed = §9007199254740992",
        "seed",
        &[
            "found the number 9007199254740992, too large; accepted: a whole number from 0 to 9007199254740991",
        ],
    ),
    ("seed = 7", "seed = §-1", "seed", &["found the number -1"]),
    ("seed = 7", "seed = §\"7\"", "seed", &["found \"7\"", "leave out the quotes"]),
    ("seed = 7", "seed = §1.5", "seed", &["found the number 1.5; accepted: a whole number"]),
    (
        "\"20s\"",
        "§20",
        "duration",
        &["found the number 20; accepted: a duration with its unit", "did you mean \"20s\"?"],
    ),
    ("\"20s\"", "§\"20sec\"", "duration", &["found \"20sec\": unknown unit \"sec\""]),
    ("\"20s\"", "§\"30h\"", "duration", &["found \"30h\", too large", "at most 24h"]),
    ("\"20s\"", "§\"0s\"", "duration", &["found \"0s\", too small", "above 0"]),
    ("\"20s\"", "§true", "duration", &["found true"]),
    (
        "[\"bare-metal\", \"cgroups\"]",
        "§[]",
        "platforms",
        &["found an empty list; accepted: bare-metal, chroot", "name at least one"],
    ),
    (
        "\"cgroups\"]",
        "§\"cgroup\"]",
        "platforms[1]",
        &["\"cgroup\" is not a platform", "did you mean \"cgroups\"?"],
    ),
    ("\"cgroups\"]", "§\"bare-metal\"]", "platforms[1]", &["\"bare-metal\" is listed twice; leave one out"]),
    (
        "[\"bare-metal\", \"cgroups\"]",
        "§\"vm\"",
        "platforms",
        &["found \"vm\"; accepted: a list of platforms", "write [\"vm\"]"],
    ),
    (
        "en = \"Malformed\"",
        "en = §\"\"",
        "title.en",
        &["found \"\"; accepted: a text in quotes that is not empty"],
    ),
    ("[host]", "§[[host]]", "host", &["found an array; accepted: a table", "single brackets"]),
    (
        "cores = 2",
        "cores = §1025",
        "host.cores",
        &["found the number 1025, too large; accepted: a whole number from 1 to 1024"],
    ),
    ("cores = 2", "cores = §0", "host.cores", &["found the number 0, too small"]),
    (
        "\"4GiB\"",
        "§\"4Gi\"",
        "host.memory",
        &["found \"4Gi\": unknown unit \"Gi\"", "did you mean \"4GiB\"?"],
    ),
    ("nodes = 2", "nodes = §10001", "host.nodes", &["from 1 to 10000"]),
    (
        "cores = 2\nmemory = \"4GiB\"\nnodes = 2",
        "cores = 1024\nmemory = \"4GiB\"\nnodes = §2000",
        "host.nodes",
        &["2000 nodes of 1024 cores are too many; accepted: at most 1048576 cores in all"],
    ),
    (
        "nodes = 2",
        "nodes = 2\nnetwork = { bandwidth = §\"10Gbps\" }",
        "host.network.bandwidth",
        &["\"10Gbps\" has no \"/s\"", "did you mean \"10Gbit/s\"?"],
    ),
    (
        "\"500m\"",
        "§\"0.5 cores\"",
        "tenant.web.cpu.request",
        &["unknown unit \" cores\"; accepted: a Kubernetes CPU quantity"],
    ),
    ("\"500m\"", "§0.0005", "tenant.web.cpu.request", &["found the number 0.0005: finer than 1m"]),
    (
        "limit = \"1\"",
        "limit = \"1\", set = §\"0-2\"",
        "tenant.web.cpu.set",
        &["found \"0-2\": core 2 is not one of the 2; accepted: cores in quotes"],
    ),
    (
        "limit = \"1\"",
        "limit = \"1\", nice = §20",
        "tenant.web.cpu.nice",
        &["found the number 20; accepted: a whole number from -20 to 19"],
    ),
    (
        "limit = \"1\"",
        "limit = \"1\", nice = §\"-5\"",
        "tenant.web.cpu.nice",
        &["found \"-5\"", "leave out the quotes"],
    ),
    (
        "limit = \"1\"",
        "limit = \"1\", set = §\"1-0\"",
        "tenant.web.cpu.set",
        &["the range \"1-0\" falls", "did you mean \"0-1\"?"],
    ),
    (
        "limit = \"1\"",
        "limit = \"1\", period = §\"2s\"",
        "tenant.web.cpu.period",
        &["too large", "from 1ms to 1s"],
    ),
    (
        "limit = \"1\"",
        "limit = \"1\", weight = §\"v2\"",
        "tenant.web.cpu.weight",
        &["found \"v2\"; accepted: \"v1\", \"v2-old\" or \"v2-new\""],
    ),
    (
        "ports = [80]",
        "ports = [80, §70000]",
        "tenant.web.ports[1]",
        &["found the number 70000; accepted: a port"],
    ),
    ("ports = [80]", "ports = [80, §80]", "tenant.web.ports[1]", &["port 80 is listed twice"]),
    (
        "ports = [80]",
        "needs = { libssl = §1.1 }",
        "tenant.web.needs.libssl",
        &["found the number 1.1", "write the version as a text"],
    ),
    ("ports = [80]", "replicas = §1001", "tenant.web.replicas", &["from 1 to 1000"]),
    (
        "\"60/s\"",
        "§60",
        "tenant.web.workload.arrivals.rate",
        &["found the number 60; accepted: a rate", "did you mean \"60/s\"?"],
    ),
    (
        "\"60/s\"",
        "§\"0/s\"",
        "tenant.web.workload.arrivals.rate",
        &["found \"0/s\"; accepted: a rate", "above 0"],
    ),
    (
        "\"poisson\"",
        "§\"poison\"",
        "tenant.web.workload.arrivals.process",
        &["found \"poison\"", "did you mean \"poisson\"?"],
    ),
    (
        "\"compute\"",
        "§\"computer\"",
        "tenant.batch.workload.kind",
        &["found \"computer\"", "did you mean \"compute\"?"],
    ),
    ("threads = 4", "threads = §4097", "tenant.batch.workload.threads", &["from 1 to 4096"]),
    ("\"kill\"", "§\"explode\"", "event[0].do", &["found \"explode\"; accepted: \"scale\", \"kill\""]),
    (
        "\"shop:1\"",
        "§\"shop 1\"",
        "image[0].name",
        &["found \"shop 1\"; accepted: a name of letters, digits"],
    ),
];

const RULES: &[Row] = &[
    (
        "limit = \"1\"",
        "limit = \"1\", period = §\"1234567ns\"",
        "tenant.web.cpu.period",
        &["1.234567ms is finer than 1us; accepted: whole microseconds"],
    ),
    (
        "request = \"500m\"",
        "request = §\"1500m\"",
        "tenant.web.cpu.request",
        &["request 1500m is above limit 1; accepted: at most the limit; lower it or raise the limit"],
    ),
    (
        "limit = \"1\"",
        "limit = \"1\", burst = §\"200ms\"",
        "tenant.web.cpu.burst",
        &["burst 200ms is above quota 100ms (limit × period)"],
    ),
    ("limit = \"1\"", "burst = §\"10ms\"", "tenant.web.cpu.burst", &["a burst without a limit; add a limit"]),
    (
        "request = \"500m\", limit = \"1\"",
        "limit = §\"5m\"",
        "tenant.web.cpu.limit",
        &[
            "a quota of 500us in each period of 100ms; accepted: at least 1ms, as the kernel has it; raise the limit or lengthen the period",
        ],
    ),
    (
        "request = \"128MiB\"",
        "request = §\"512MiB\"",
        "tenant.web.memory.request",
        &["request 512MiB is above limit 256MiB"],
    ),
    (
        "request = \"128MiB\"",
        "§oom_score = 5",
        "tenant.web.memory.oom_score",
        &[
            "unknown field; accepted: request, limit, high, swap, oom_score_adj, oom_group; did you mean \"oom_score_adj\"?",
        ],
    ),
    (
        "request = \"128MiB\"",
        "oom_score_adj = §1001",
        "tenant.web.memory.oom_score_adj",
        &["found the number 1001; accepted: a whole number from -1000 to 1000"],
    ),
    (
        "request = \"128MiB\"",
        "oom_score_adj = §\"-5\"",
        "tenant.web.memory.oom_score_adj",
        &["found \"-5\"", "leave out the quotes"],
    ),
    (
        "request = \"128MiB\"",
        "oom_group = §1",
        "tenant.web.memory.oom_group",
        &["found the number 1; accepted: true or false"],
    ),
    (
        "request = \"128MiB\"",
        "high = §\"1GiB\"",
        "tenant.web.memory.high",
        &["high 1GiB is above limit 256MiB"],
    ),
    (
        "name = \"batch\"",
        "name = §\"web\"",
        "tenant.web.name",
        &["there is a tenant \"web\" already; give each a name of its own"],
    ),
    (
        "ports = [80]",
        "image = §\"shop:2\"",
        "tenant.web.image",
        &["there is no image \"shop:2\"; accepted: shop:1; did you mean \"shop:1\"?"],
    ),
    (
        "ports = [80]",
        "node = §2",
        "tenant.web.node",
        &["found node 2, but host.nodes is 2; accepted: a node from 0 to 1"],
    ),
    (
        "ports = [80]",
        "start_at = §\"20s\"",
        "tenant.web.start_at",
        &["20s is not before the run's end; accepted: less than duration = \"20s\""],
    ),
    (
        "\"poisson\"",
        "\"burst\"",
        "tenant.web.workload.arrivals.size",
        &["missing; it is required with process = \"burst\""],
    ),
    (
        "rate = \"60/s\"",
        "rate = \"60/s\", size = §5",
        "tenant.web.workload.arrivals.size",
        &["has no meaning with process = \"poisson\"; leave it out or write process = \"burst\""],
    ),
    (
        "\"exponential\"",
        "\"exponential\", sigma = §1",
        "tenant.web.workload.service.sigma",
        &["has no meaning with distribution = \"exponential\""],
    ),
    (
        "rate = \"60/s\"",
        "rate = \"600000/s\"",
        "tenant.web.workload",
        &[
            "with this tenant there are 12000000 requests, operations on files, pieces of messages, forks, turns at locks and steps of touching memory expected in the run; accepted: at most 10000000 over all tenants",
        ],
    ),
    (
        "threads = 4, work = \"30s\"",
        "threads = 4, work = \"30s\", lock = { every = §\"1ns\", hold = \"1ms\" }",
        "tenant.batch.workload.lock.every",
        &["found \"1ns\", too small", "from 1us to 1h"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "phases = §[]",
        "tenant.batch.workload.phases",
        &["found an empty list; accepted: at least one workload"],
    ),
    (
        "threads = 4, work = \"30s\"",
        "threads = 4, work = \"30s\", phases = §[{ kind = \"idle\", for = \"1s\" }]",
        "tenant.batch.workload.phases",
        &["a workload of one kind that has phases as well; leave out either"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "phases = [§{ kind = \"idle\" }]",
        "tenant.batch.workload.phases[0].for",
        &["missing; a phase of kind \"idle\" has no end of its own"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "phases = [{ §phases = [] }]",
        "tenant.batch.workload.phases[0].phases",
        &["unknown field"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "kind = \"network\", to = §\"batch\", requests = 5, size = \"1KiB\"",
        "tenant.batch.workload.to",
        &["a tenant that talks to itself"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "kind = \"network\", to = §\"wbe\", requests = 5, size = \"1KiB\"",
        "tenant.batch.workload.to",
        &["there is no tenant \"wbe\"; accepted: web, batch; did you mean \"web\"?"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "kind = \"network\", to = \"web\", bytes = \"1MiB\", requests = §5, size = \"1KiB\"",
        "tenant.batch.workload.requests",
        &["found both bytes and requests"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "kind = \"memory\", start = \"8MiB\", limit_at = §\"4MiB\"",
        "tenant.batch.workload.limit_at",
        &["limit_at 4MiB is below start 8MiB"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "kind = \"disk\", op = \"read\", size = \"1MiB\", block = §\"1kB\"",
        "tenant.batch.workload.block",
        &["block 1kB is not a whole number of sectors; accepted: a multiple of 512B"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "kind = \"command\", argv = §[]",
        "tenant.batch.workload.argv",
        &["found an empty list; accepted: a program"],
    ),
    (
        "kind = \"compute\", threads = 4, work = \"30s\"",
        "kind = \"command\", argv = [\"ls\"], like = { kind = §\"command\" }",
        "tenant.batch.workload.like.kind",
        &["found \"command\"; accepted: \"compute\""],
    ),
    ("at = \"5s\"", "at = §\"25s\"", "event[0].at", &["25s is not before the run's end"]),
    (
        "target = \"batch\"",
        "target = §\"bacth\"",
        "event[0].target",
        &["there is no tenant \"bacth\"; accepted: web, batch; did you mean \"batch\"?"],
    ),
    (
        "do = \"kill\"\ntarget = \"batch\"",
        "do = \"fail-node\"\ntarget = §5",
        "event[0].target",
        &["found node 5, but host.nodes is 2"],
    ),
    (
        "[[event]]\nat = \"5s\"\ndo = \"kill\"",
        "§[[event]]\nat = \"5s\"\ndo = \"set-limit\"",
        "event[0]",
        &["set-limit sets neither cpu nor memory"],
    ),
    (
        "do = \"kill\"\ntarget = \"batch\"",
        "do = \"set-limit\"\ntarget = \"batch\"\ncpu = §\"1m\"",
        "event[0].cpu",
        &["a quota of 100us in each period of 100ms"],
    ),
    (
        "layers = [{ id = \"base\", size = \"30MiB\" }]\n",
        "",
        "image[0]",
        &["an image without layers and without an archive"],
    ),
    (
        "[[event]]",
        "[platform.§mv]\nvcpus = 2\n\n[[event]]",
        "platform.mv",
        &["unknown field; accepted: bare-metal", "did you mean \"vm\"?"],
    ),
    (
        "[[event]]",
        "[platform.vm]\nhz = §50\n\n[[event]]",
        "platform.vm.hz",
        &["found the number 50, too small; accepted: a whole number from 100 to 10000"],
    ),
    (
        "[[event]]",
        "[platform.namespaces]\nunshare = §[\"pids\"]\n\n[[event]]",
        "platform.namespaces.unshare",
        &["found \"pids\"; accepted: \"mount\", \"pid\"", "did you mean \"pid\"?"],
    ),
    (
        "[[event]]",
        "[platform.namespaces]\nunshare = §[\"net\", \"net\"]\n\n[[event]]",
        "platform.namespaces.unshare",
        &["\"net\" is listed twice", "leave one out"],
    ),
    (
        "[[event]]",
        "[platform.namespaces]\nunshare = §\"pid\"\n\n[[event]]",
        "platform.namespaces.unshare",
        &["found \"pid\"; accepted: a list in brackets", "write [\"pid\"]"],
    ),
];

/// Whole files.
const FILES: &[(&str, &str, &[&str])] = &[
    ("§", "schema", &["missing"]),
    ("§tenant = []", "schema", &["missing; it is required"]),
    ("\u{feff}§x = 1", "x", &["unknown field"]),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    [SYNTAX, FIELDS, VALUES, RULES].into_iter().flatten()
}

/// The spoiled text without its mark.
fn spoiled((from, to, ..): &Row) -> String {
    assert_eq!(VALID.matches(from).count(), 1, "{from:?} stands once");
    VALID.replacen(from, &to.replace('§', ""), 1)
}

/// Line and column (in characters) of the mark.
fn marked_place(text: &str) -> Option<(usize, usize)> {
    let (before, _) = text.split_once('§')?;
    Some((before.matches('\n').count() + 1, before.rsplit('\n').next()?.chars().count() + 1))
}

fn refused(text: &str) -> Diagnostic {
    Plan::from_toml(text, "x.toml").expect_err(text)
}

#[test]
fn the_base_is_valid() {
    Plan::from_toml(VALID, "x.toml").unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn located_and_told() {
    for row in rows() {
        let (from, to, path, pieces) = row;
        let error = refused(&spoiled(row));
        assert_eq!(error.path, *path, "{error}");
        for piece in *pieces {
            assert!(error.message().contains(piece), "{piece:?} in {error}");
        }
        let location = error.location.as_ref().expect("a place");
        let expected = marked_place(&VALID.replacen(from, to, 1)).unwrap_or_else(|| place_of_missing(row));
        assert_eq!((location.line, location.column), expected, "{error}");
    }
}

/// Where a diagnostic points that has no mark: at the value that was spoiled, or at the header of the table that lacks a field.
fn place_of_missing((from, _, path, _): &Row) -> (usize, usize) {
    let mark = |at: &str| marked_place(&VALID.replacen(at, &format!("§{at}"), 1)).expect("it stands there");
    match *path {
        "duration" => (1, 1),
        "schema" => mark("\"catamaran"),
        "tenant[0].name" => mark("[[tenant]]"),
        "image[0]" => mark("[[image]]"),
        "tenant.web.name" => mark("\"batch\"\nwork"),
        "tenant.web.workload.arrivals.size" => mark("{ process"),
        "tenant.web.workload" => mark("{ kind = \"server\""),
        path => panic!("{path}: mark the place in the row of {from:?}"),
    }
}

#[test]
fn at_least_fifty_and_all_distinct() {
    let messages: BTreeSet<String> = rows().map(|row| refused(&spoiled(row)).message()).collect();
    assert_eq!(messages.len(), rows().count(), "each has a message of its own");
    assert!(messages.len() >= 50, "{}", messages.len());
}

#[test]
fn whole_files() {
    for (text, path, pieces) in FILES {
        let error = refused(&text.replace('§', ""));
        assert_eq!(error.path, *path, "{error}");
        assert!(pieces.iter().all(|piece| error.message().contains(piece)), "{error}");
    }
    let large = format!("{VALID}# {}", "x".repeat(1 << 20));
    assert!(refused(&large).message().contains("accepted: at most 1048576"), "a file of more than 1 MiB");
    assert!(refused(&"[a.".repeat(100_000)).message().contains("not TOML"), "deep nesting");
    assert!(refused(&format!("a = {}", "[".repeat(500_000))).message().contains("not TOML"), "deep arrays");
}

#[test]
fn the_first_by_position_is_reported() {
    let text = VALID
        .replace("cores = 2", "cores = 0")
        .replace("seed = 7", "seed = -1")
        .replace("at = \"5s\"", "at = 1");
    assert_eq!(refused(&text).path, "seed");
}

#[test]
fn looks_good_in_a_terminal() {
    let shown = refused(&VALID.replace("limit = \"1\"", "limt = \"1\"")).to_string();
    let expected = "error: x.toml:15:27: tenant.web.cpu.limt: unknown field; accepted: request, limit, period, burst, set, weight, nice; \
                    did you mean \"limit\"?\n   |\n15 | cpu = { request = \"500m\", limt = \"1\" }\n   |                           ^^^^";
    assert_eq!(shown, expected);
    let wide = refused(&VALID.replace("\"잘못된\"", "\"잘못된\", fr = 1")).to_string();
    assert!(wide.ends_with("\n3 | title = { en = \"Malformed\", ko = \"잘못된\", fr = 1 }\n  |                                            ^^"), "{wide}");
    let long =
        refused(&VALID.replace("seed = 7", &format!("a = {{ b = \"{}\" }}", "x".repeat(9000)))).to_string();
    assert!(long.lines().all(|line| line.chars().count() < 200), "{long}");
}

#[test]
fn machine_readable() {
    let error = refused(&VALID.replace("limit = \"1\"", "limt = \"1\""));
    let json = serde_json::to_value(&error).expect("JSON");
    let expected = serde_json::json!({
        "file": "x.toml", "line": 15, "column": 27, "path": "tenant.web.cpu.limt", "problem": "unknown field",
        "accepted": "request, limit, period, burst, set, weight, nice", "suggestion": "limit", "advice": null,
        "message": error.message(),
    });
    assert_eq!(json, expected);
}
