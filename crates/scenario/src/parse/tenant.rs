//! `[[tenant]]`.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use crate::diagnostic::{Problem, nearest, quoted};
use crate::plan::{Cpu, Io, Memory, Restart, Tenant, WeightRule};
use crate::schema::Takes;
use crate::{Nanos, weight};

use super::reader::{Place, Reader, wrong};
use super::value::is_image_name;
use super::{Scope, TENANTS_MAX, value, workload};

/// Least quota of a period that the kernel takes (ns).
pub(super) const QUOTA_LEAST_NS: u64 = 1_000_000;

/// A tenant and where its workload stands, for checks over all tenants.
pub(super) struct Located {
    pub(super) tenant: Tenant,
    pub(super) workload: Place,
}

pub(super) fn read_all(root: &Reader<'_>, scope: &Scope) -> Vec<Located> {
    if root.elements("tenant").is_some_and(|tenants| tenants.is_empty()) {
        let problem = Problem::new("found an empty list").accepts("at least one [[tenant]]");
        root.fail("tenant", problem.advises("add one"));
    }
    let mut seen = BTreeSet::new();
    let readers = root.tables("tenant", TENANTS_MAX, name_in_path);
    readers.iter().filter_map(|reader| read(reader, scope, &mut seen)).collect()
}

fn name_in_path(table: &DeTable<'_>) -> Option<String> {
    let name = table.get("name")?.get_ref().as_str()?;
    value::is_kebab(name).then(|| name.to_owned())
}

fn read(reader: &Reader<'_>, scope: &Scope, seen: &mut BTreeSet<String>) -> Option<Located> {
    let name = reader.kebab("name");
    if let Some(name) = &name
        && !seen.insert(name.clone())
    {
        reader.fail(
            "name",
            Problem::new(format!("there is a tenant {name:?} already"))
                .advises("give each a name of its own"),
        );
    }
    let replicas = reader.count32("replicas");
    let node = read_node(reader, "node", scope);
    let cpu = read_cpu(reader, scope);
    let memory = read_memory(reader);
    let io = read_io(reader);
    let pids_limit = reader.table("pids").and_then(|pids| pids.count("limit"));
    let ports = read_ports(reader);
    let needs = read_needs(reader);
    let start_at = read_instant(reader, "start_at", scope);
    let restart = reader.choice("restart").map(restart_of);
    let image = read_image(reader, scope);
    let own = workload::Own { name: name.as_deref().unwrap_or_default(), image: image.as_deref() };
    let workload = reader.table("workload").and_then(|workload| workload::read(&workload, scope, own));
    let tenant = Tenant {
        name: name?,
        replicas: replicas?,
        node: node?,
        cpu: cpu?,
        memory,
        io,
        pids_limit,
        ports,
        needs,
        start_at: start_at?,
        restart: restart?,
        image,
        workload: workload?,
    };
    Some(Located { tenant, workload: reader.place_of("workload") })
}

fn restart_of(word: &str) -> Restart {
    match word {
        "always" => Restart::Always,
        "on-failure" => Restart::OnFailure,
        _ => Restart::Never,
    }
}

/// The number of a node of the host.
pub(super) fn read_node(reader: &Reader<'_>, name: &str, scope: &Scope) -> Option<u32> {
    let node = reader.count(name)?;
    let known = u32::try_from(node).ok().filter(|node| *node < scope.nodes);
    if known.is_none() {
        let nodes = scope.nodes;
        let problem = Problem::new(format!("found node {node}, but host.nodes is {nodes}"));
        reader.fail(
            name,
            problem
                .accepts(format!("a node from 0 to {}", nodes - 1))
                .advises("raise host.nodes or choose another node"),
        );
    }
    known
}

/// An instant before the run's end.
pub(super) fn read_instant(reader: &Reader<'_>, name: &str, scope: &Scope) -> Option<Nanos> {
    let instant = reader.duration(name)?;
    if instant < scope.duration {
        return Some(instant);
    }
    let end = scope.duration;
    let problem = Problem::new(format!("{instant} is not before the run's end"))
        .accepts(format!("less than duration = \"{end}\""));
    reader.fail(name, problem.advises("choose an earlier time or lengthen the duration"));
    None
}

/// The name of an image of this file.
pub(super) fn read_image(reader: &Reader<'_>, scope: &Scope) -> Option<String> {
    let image = reader.text("image")?;
    check_name(reader, "image", "image", &image, &scope.images);
    Some(image)
}

/// Notes that a field names what nothing in the file is called.
pub(super) fn check_name(reader: &Reader<'_>, field: &str, kind: &str, found: &str, known: &[String]) {
    if !known.iter().any(|name| name == found) {
        reader.fail_with(&reader.place_of(field), || unknown_name(kind, found, known));
    }
}

fn unknown_name(kind: &str, found: &str, known: &[String]) -> Problem {
    const LISTED: usize = 20;
    let problem = Problem::new(format!("there is no {kind} {}", quoted(found)));
    // Names that are refused in their own place are not for a terminal.
    let shown: Vec<&str> = known.iter().map(String::as_str).filter(|name| is_image_name(name)).collect();
    if shown.is_empty() {
        return problem.advises(format!("add an [[{kind}]] with that name"));
    }
    let list = shown.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    let more = if shown.len() > LISTED { ", …" } else { "" };
    problem.accepts(format!("{list}{more}")).suggests(nearest(found, shown))
}

fn read_cpu(tenant: &Reader<'_>, scope: &Scope) -> Option<Cpu> {
    let reader = tenant.table_or_empty("cpu")?;
    let (request, limit) = (reader.cpu("request"), reader.cpu("limit"));
    let (period, burst) = (reader.duration("period"), reader.duration("burst"));
    check_microseconds(&reader, "period", period);
    check_microseconds(&reader, "burst", burst);
    let set = reader.cpu_set("set", scope.cores);
    let weight = reader.choice("weight").map(weight_of);
    let nice = reader.signed("nice");
    if let (Some(request), Some(limit)) = (request, limit)
        && request > limit
    {
        reader.fail("request", above("request", &request.to_string(), "limit", &limit.to_string()));
    }
    let (period, burst, weight, nice) = (period?, burst?, weight?, nice?);
    let cpu = Cpu { request: request.or(limit), limit, period, burst, set, weight, nice };
    check_quota(&reader, &cpu);
    Some(cpu)
}

fn weight_of(word: &str) -> WeightRule {
    match word {
        "v1" => WeightRule::V1,
        "v2-old" => WeightRule::V2Old,
        _ => WeightRule::V2New,
    }
}

/// Something that may not be above something else.
fn above(lower: &str, lower_value: &str, upper: &str, upper_value: &str) -> Problem {
    Problem::new(format!("{lower} {lower_value} is above {upper} {upper_value}"))
        .accepts(format!("at most the {upper}"))
        .advises(format!("lower it or raise the {upper}"))
}

fn check_microseconds(reader: &Reader<'_>, name: &str, span: Option<Nanos>) {
    if let Some(span) = span.filter(|span| !span.0.is_multiple_of(1000)) {
        let problem = Problem::new(format!("{span} is finer than 1us"));
        reader.fail(name, problem.accepts("whole microseconds, as the kernel has it").advises("round it"));
    }
}

fn check_quota(reader: &Reader<'_>, cpu: &Cpu) {
    let Some(limit) = cpu.limit else {
        if cpu.burst > Nanos::ZERO {
            reader.fail(
                "burst",
                Problem::new("a burst without a limit").advises("add a limit: a burst is unused quota"),
            );
        }
        return;
    };
    let quota = weight::quota(limit, cpu.period);
    if quota.0 < QUOTA_LEAST_NS {
        reader.fail("limit", small_quota(quota, cpu.period));
    } else if cpu.burst > quota {
        reader.fail(
            "burst",
            above("burst", &cpu.burst.to_string(), "quota", &format!("{quota} (limit × period)")),
        );
    }
}

pub(super) fn small_quota(quota: Nanos, period: Nanos) -> Problem {
    Problem::new(format!("a quota of {quota} in each period of {period}"))
        .accepts("at least 1ms, as the kernel has it")
        .advises("raise the limit or lengthen the period")
}

fn read_memory(tenant: &Reader<'_>) -> Memory {
    let Some(reader) = tenant.table("memory") else { return Memory::default() };
    let (request, limit) = (reader.bytes("request"), reader.bytes("limit"));
    let (high, swap) = (reader.bytes("high"), reader.bytes("swap"));
    for (name, value) in [("request", request), ("high", high)] {
        if let (Some(value), Some(limit)) = (value, limit)
            && value > limit
        {
            reader.fail(name, above(name, &value.to_string(), "limit", &limit.to_string()));
        }
    }
    Memory {
        request: request.or(limit),
        limit,
        high,
        swap,
        oom_score_adj: reader.signed("oom_score_adj").unwrap_or_default(),
        oom_group: reader.flag("oom_group").unwrap_or_default(),
    }
}

fn read_io(tenant: &Reader<'_>) -> Io {
    let Some(reader) = tenant.table("io") else { return Io::default() };
    Io {
        weight: reader.count32("weight"),
        read: reader.bandwidth("read"),
        write: reader.bandwidth("write"),
        iops: reader.count("iops"),
    }
}

fn read_ports(reader: &Reader<'_>) -> Vec<u16> {
    let mut ports = Vec::new();
    let mut seen = BTreeSet::new();
    for (place, value) in reader.elements("ports").unwrap_or_default() {
        let port = value.as_integer().and_then(|n| u16::from_str_radix(n.as_str(), n.radix()).ok());
        let Some(port) = port.filter(|port| *port > 0) else {
            let found = Problem::new(format!("found {}", value::describe(value)));
            reader.fail_at(&place, found.accepts("a port: a whole number from 1 to 65535"));
            break;
        };
        if !seen.insert(port) {
            reader.fail_at(
                &place,
                Problem::new(format!("port {port} is listed twice")).advises("leave one out"),
            );
            break;
        }
        ports.push(port);
    }
    ports
}

fn read_needs(reader: &Reader<'_>) -> BTreeMap<String, String> {
    let mut needs = BTreeMap::new();
    for (library, place, value) in reader.entries("needs") {
        match value::take_text(Takes::Text, value) {
            Ok(version) => {
                needs.insert(library.to_owned(), version);
            }
            Err(_) => reader.fail_at(
                &place,
                wrong(value, Takes::Text).advises("write the version as a text, such as \"1.1\""),
            ),
        }
    }
    needs
}
