//! `tenant.workload` and its phases.

use crate::diagnostic::Problem;
use crate::plan::{
    ArrivalProcess, Arrivals, DiskOp, Distribution, Lock, NetworkWhat, Phase, Server, Service, Workload,
};

use super::reader::Reader;
use super::tenant::check_name;
use super::{Scope, layer, value};

/// Most phases of one workload.
const PHASES_MAX: usize = 1000;

/// O_DIRECT reads and writes whole sectors (bytes).
const SECTOR_BYTES: u64 = 512;

/// The tenant whose workload it is.
#[derive(Clone, Copy)]
pub(super) struct Own<'a> {
    pub(super) name: &'a str,
    pub(super) image: Option<&'a str>,
}

pub(super) fn read(reader: &Reader<'_>, scope: &Scope, own: Own<'_>) -> Option<Workload> {
    match (reader.has("kind"), reader.has("phases")) {
        (true, true) => {
            let problem = Problem::new("a workload of one kind that has phases as well");
            reader.fail("phases", problem.advises("leave out either kind or phases"));
            None
        }
        (false, true) => read_phases(reader, scope, own),
        (true, false) => read_kind(reader, scope, own),
        (false, false) => {
            reader.fail_missing("kind", crate::schema::WORKLOAD.field("kind")?.takes);
            None
        }
    }
}

fn read_phases(reader: &Reader<'_>, scope: &Scope, own: Own<'_>) -> Option<Workload> {
    let phases = reader.tables("phases", PHASES_MAX, |_| None);
    if phases.is_empty() && reader.elements("phases").is_some_and(|all| all.is_empty()) {
        reader.fail(
            "phases",
            Problem::new("found an empty list")
                .accepts("at least one workload")
                .advises("add one, or write kind = \"idle\""),
        );
    }
    let read: Vec<_> = phases.iter().filter_map(|phase| read_phase(phase, scope, own)).collect();
    Some(Workload::Phases(read))
}

fn read_phase(reader: &Reader<'_>, scope: &Scope, own: Own<'_>) -> Option<Phase> {
    let lasts = reader.duration("for");
    let workload = read_kind(reader, scope, own)?;
    let endless = match &workload {
        Workload::Idle => Some("idle"),
        Workload::Server(_) => Some("server"),
        Workload::Memory { .. } => Some("memory"),
        Workload::Fork { .. } => Some("fork"),
        _ => None,
    };
    if let Some(kind) = endless
        && !reader.has("for")
    {
        let problem = Problem::new(format!("missing; a phase of kind {kind:?} has no end of its own"));
        reader.fail("for", problem.accepts("a duration such as \"5s\"").advises("say how long it lasts"));
    }
    Some(Phase { workload, lasts })
}

fn read_kind(reader: &Reader<'_>, scope: &Scope, own: Own<'_>) -> Option<Workload> {
    match reader.choice("kind")? {
        "compute" => read_compute(reader),
        "server" => read_server(reader).map(Workload::Server),
        "memory" => read_memory(reader),
        "disk" => read_disk(reader, scope, own),
        "network" => read_network(reader, scope, own),
        "fork" => read_fork(reader),
        "command" => read_command(reader, scope, own),
        _ => Some(Workload::Idle),
    }
}

fn read_compute(reader: &Reader<'_>) -> Option<Workload> {
    let (threads, work) = (reader.count32("threads"), reader.duration("work"));
    let lock = reader.table("lock").and_then(|lock| read_lock(&lock));
    Some(Workload::Compute { threads: threads?, work: work?, lock })
}

fn read_lock(reader: &Reader<'_>) -> Option<Lock> {
    let (every, hold) = (reader.duration("every"), reader.duration("hold"));
    Some(Lock { every: every?, hold: hold? })
}

fn read_server(reader: &Reader<'_>) -> Option<Server> {
    let arrivals = reader.table("arrivals").and_then(|arrivals| read_arrivals(&arrivals));
    let service = reader.table("service").and_then(|service| read_service(&service));
    let (threads, queue, timeout) =
        (reader.count32("threads"), reader.count32("queue"), reader.duration("timeout"));
    Some(Server { arrivals: arrivals?, service: service?, threads: threads?, queue: queue?, timeout })
}

fn read_arrivals(reader: &Reader<'_>) -> Option<Arrivals> {
    let (process, rate) = (reader.choice("process"), reader.rate("rate"));
    let size = only_with(reader, "size", "process", process, "burst", Reader::count32);
    let process = match process? {
        "burst" => ArrivalProcess::Burst { size: size? },
        "constant" => ArrivalProcess::Constant,
        _ => ArrivalProcess::Poisson,
    };
    Some(Arrivals { process, rate: rate? })
}

fn read_service(reader: &Reader<'_>) -> Option<Service> {
    let (cpu, distribution) = (reader.duration("cpu"), reader.choice("distribution"));
    let sigma = only_with(reader, "sigma", "distribution", distribution, "lognormal", Reader::real);
    let distribution = match distribution? {
        "lognormal" => Distribution::Lognormal { sigma: sigma? },
        "exponential" => Distribution::Exponential,
        _ => Distribution::Constant,
    };
    Some(Service { cpu: cpu?, distribution })
}

/// A field that is required with one word of another field, and refused with all others.
fn only_with<'a, T>(
    reader: &Reader<'a>,
    name: &str,
    by: &str,
    word: Option<&str>,
    with: &str,
    read: impl Fn(&Reader<'a>, &str) -> Option<T>,
) -> Option<T> {
    let value = read(reader, name);
    let wanted = word? == with;
    if wanted && !reader.has(name) {
        reader.fail(
            name,
            Problem::new(format!("missing; it is required with {by} = {with:?}")).advises("add it"),
        );
    }
    if !wanted && reader.has(name) {
        let problem = Problem::new(format!("has no meaning with {by} = {:?}", word?));
        reader.fail(name, problem.advises(format!("leave it out or write {by} = {with:?}")));
    }
    value
}

fn read_memory(reader: &Reader<'_>) -> Option<Workload> {
    let (start, leak) = (reader.bytes("start"), reader.bandwidth("leak"));
    let (limit_at, touch) = (reader.bytes("limit_at"), reader.choice("touch"));
    let start = start?;
    if let Some(limit_at) = limit_at
        && limit_at < start
    {
        let problem =
            Problem::new(format!("limit_at {limit_at} is below start {start}")).accepts("at least start");
        reader.fail("limit_at", problem.advises("raise limit_at or lower start"));
    }
    Some(Workload::Memory { start, leak: leak?, limit_at, touch_loop: touch? == "loop" })
}

fn read_disk(reader: &Reader<'_>, scope: &Scope, own: Own<'_>) -> Option<Workload> {
    let op = reader.choice("op").map(|word| match word {
        "read" => DiskOp::Read,
        "write" => DiskOp::Write,
        "randread" => DiskOp::RandRead,
        _ => DiskOp::RandWrite,
    });
    let (size, block, depth) = (reader.bytes("size"), reader.bytes("block"), reader.count32("depth"));
    let (fsync, rate, cached) = (reader.flag("fsync"), reader.bandwidth("rate"), reader.flag("cached"));
    let (size, block, cached) = (size?, block?, cached?);
    let layer = layer::read(reader, scope, own, block);
    if block > size {
        reader.fail(
            "block",
            Problem::new(format!("block {block} is above size {size}"))
                .accepts("at most size")
                .advises("lower it"),
        );
    } else if !cached && !reader.has("layer") && !block.0.is_multiple_of(SECTOR_BYTES) {
        let problem = Problem::new(format!("block {block} is not a whole number of sectors"));
        reader.fail(
            "block",
            problem
                .accepts("a multiple of 512B, as O_DIRECT demands")
                .advises("round it, or write cached = true"),
        );
    }
    Some(Workload::Disk { op: op?, size, block, depth: depth?, fsync: fsync?, rate, cached, layer })
}

fn read_network(reader: &Reader<'_>, scope: &Scope, own: Own<'_>) -> Option<Workload> {
    let to = reader.text("to");
    if let Some(to) = &to {
        check_peer(reader, to, scope, own.name);
    }
    let (bytes, requests, size) = (reader.bytes("bytes"), reader.count("requests"), reader.bytes("size"));
    let what = match (reader.has("bytes"), reader.has("requests")) {
        (true, false) => bytes.map(NetworkWhat::Bytes),
        (false, true) => requests.map(NetworkWhat::Requests),
        (both, _) => {
            let found = if both { "both bytes and requests" } else { "neither bytes nor requests" };
            let name = if both { "requests" } else { "bytes" };
            reader.fail(
                name,
                Problem::new(format!("found {found}"))
                    .accepts("one of the two")
                    .advises("bytes is a stream, requests are exchanges"),
            );
            None
        }
    };
    Some(Workload::Network { to: to?, what: what?, size: size? })
}

fn check_peer(reader: &Reader<'_>, to: &str, scope: &Scope, own_name: &str) {
    if to == own_name {
        reader.fail(
            "to",
            Problem::new("a tenant that talks to itself")
                .accepts("another tenant")
                .advises("name another one"),
        );
    } else {
        check_name(reader, "to", "tenant", to, &scope.tenants);
    }
}

fn read_fork(reader: &Reader<'_>) -> Option<Workload> {
    let (rate, lifetime, max) = (reader.rate("rate"), reader.duration("lifetime"), reader.count("max"));
    Some(Workload::Fork { rate: rate?, lifetime: lifetime?, max })
}

fn read_command(reader: &Reader<'_>, scope: &Scope, own: Own<'_>) -> Option<Workload> {
    let argv = read_argv(reader);
    let probe_tcp = reader.table("probe").and_then(|probe| probe.count16("tcp"));
    let like = reader.table("like").and_then(|like| read_kind(&like, scope, own));
    Some(Workload::Command { argv: argv?, probe_tcp, like: like.map(Box::new) })
}

fn read_argv(reader: &Reader<'_>) -> Option<Vec<String>> {
    let elements = reader.elements("argv")?;
    if elements.is_empty() {
        reader.fail(
            "argv",
            Problem::new("found an empty list")
                .accepts("a program and its arguments")
                .advises("name the program"),
        );
    }
    let mut argv = Vec::new();
    for (place, element) in elements {
        // An argument may be empty, the program may not; exec can't pass a NUL.
        let fits = |text: &&str| !text.contains('\0') && (!argv.is_empty() || !text.is_empty());
        let Some(text) = element.as_str().filter(fits) else {
            let problem = Problem::new(format!("found {}", value::describe(element)));
            reader
                .fail_at(&place, problem.accepts("a text in quotes, without NUL; the program is not empty"));
            return None;
        };
        argv.push(text.to_owned());
    }
    Some(argv)
}
