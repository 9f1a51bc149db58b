//! Several machines of one kind, each with the tenants that are placed on it.
//!
//! **Law.** Machines share neither cores nor memory, and the disk and the network between them are not modelled: each is a
//! world of its own, from which guests alone go over to another one, and what comes of the plan is what comes of all of them. A machine without tenants does nothing.
//! Core c of node n of machines with k cores is number n·k + c. **Judge.** A plan whose tenants are all on one node answers
//! as the same plan with one node; a tenant that has a node to itself answers as if it were alone.

use std::collections::{BTreeMap, BTreeSet};

use catamaran_report::report::{EventRow, Report, Samples, Series};
use catamaran_report::timeline::{Entry, Timeline, View};
use catamaran_scenario::Plan;

use super::build::Setting;
use super::happened::HOST;
use super::migrate;
use crate::kernel::Instant;

/// One node's part.
pub(super) struct Part {
    pub(super) node: u32,
    pub(super) report: Report,
    pub(super) timeline: Timeline,
    /// The instances that are there at the end.
    pub(super) holds: BTreeSet<usize>,
}

/// The nodes that have a tenant which takes part, or may come to have one, ascending.
pub(super) fn used(plan: &Plan, setting: &Setting) -> Vec<u32> {
    let nodes: BTreeSet<u32> = migrate::all_nodes(plan, setting).collect();
    nodes.into_iter().collect()
}

/// Where an instance is placed.
pub(super) fn node_of(plan: &Plan, (tenant, _): (usize, u32)) -> Option<u32> {
    plan.tenants().get(tenant).map(|tenant| tenant.node)
}

/// `web`, or `web/1` for replica 1.
fn label(plan: &Plan, (tenant, replica): (usize, u32)) -> String {
    let name = plan.tenants().get(tenant).map_or("", |tenant| tenant.name.as_str());
    if replica == 0 { name.to_owned() } else { format!("{name}/{replica}") }
}

/// One report and one timeline of all parts.
pub(super) fn merge(plan: &Plan, mut parts: Vec<Part>) -> Option<(Report, Timeline)> {
    if parts.len() == 1 && plan.host().nodes == 1 {
        return parts.pop().map(|part| (part.report, part.timeline));
    }
    let several = plan.host().nodes > 1;
    for part in parts.iter_mut().filter(|_| several) {
        name_nodes(plan, part);
    }
    let report = merged_report(plan, &parts)?;
    Some((report, merged_timeline(plan, parts)))
}

/// Machines and cores get numbers that are their own in the whole cluster.
fn name_nodes(plan: &Plan, part: &mut Part) {
    let (node, offset) = (part.node, part.node * plan.host().cores);
    let host = |name: &mut String| {
        if name == HOST {
            *name = EventRow::machine(plan, node);
        }
    };
    let core = |name: &mut String| {
        if let Some(core) = name.strip_prefix("cpu").and_then(|core| core.parse::<u32>().ok()) {
            *name = format!("cpu{}", core + offset);
        }
    };
    for event in &mut part.report.events {
        host(&mut event.actor);
        host(&mut event.target);
    }
    for entry in &mut part.timeline.trace {
        core(&mut entry.actor);
        host(&mut entry.actor);
        host(&mut entry.target);
    }
    for slice in &mut part.timeline.slices {
        slice.core += offset;
    }
}

fn merged_report(plan: &Plan, parts: &[Part]) -> Option<Report> {
    let mut whole = parts.first()?.report.clone();
    for (index, instance) in plan.instances().enumerate() {
        let own = parts.iter().find(|part| part.holds.contains(&index));
        let own = own.or_else(|| parts.iter().find(|part| Some(part.node) == node_of(plan, instance)));
        if let (Some(row), Some(own)) = (whole.tenants.get_mut(index), own) {
            row.clone_from(own.report.tenants.get(index)?);
        }
    }
    let all = || parts.iter().map(|part| &part.report);
    whole.elapsed_s = all().map(|report| report.elapsed_s).fold(0.0, f64::max);
    whole.events = in_order(all().map(|report| report.events.clone()).collect());
    let interval_s = all().find_map(|report| Some(report.samples.as_ref()?.interval_s));
    whole.samples = interval_s.map(|interval_s| {
        let series = all().filter_map(|report| report.samples.clone()).flat_map(|samples| samples.series);
        Samples { interval_s, series: series.fold(Vec::new(), with_series) }
    });
    let host = &mut whole.host;
    host.memory_peak_bytes = all().map(|report| report.host.memory_peak_bytes).sum();
    host.overhead_memory_bytes = all().map(|report| report.host.overhead_memory_bytes).sum();
    host.overhead_cpu_s = all().map(|report| report.host.overhead_cpu_s).sum();
    if parts.len() > 1 {
        host.explain_absence("memory_peak_bytes.nodes", "the sum of the nodes' peaks, each at its own time");
    }
    let cpu_s: f64 = whole.tenants.iter().filter_map(|tenant| tenant.cpu_s).sum();
    host.nodes = (parts.len() > 1).then_some(parts.len() as u32);
    let capacity_s = whole.elapsed_s * f64::from(plan.host().cores) * parts.len() as f64;
    host.cpu_utilisation = (capacity_s > 0.0).then(|| cpu_s / capacity_s);
    Some(whole)
}

/// Series with one more; what a tenant had on several nodes is added up.
fn with_series(mut all: Vec<Series>, more: Series) -> Vec<Series> {
    let same = |one: &&mut Series| one.tenant == more.tenant && one.metric == more.metric;
    let Some(one) = all.iter_mut().find(same) else {
        all.push(more);
        return all;
    };
    one.values.resize(one.values.len().max(more.values.len()), 0.0);
    one.values.iter_mut().zip(&more.values).for_each(|(sum, value)| *sum += value);
    all
}

fn merged_timeline(plan: &Plan, parts: Vec<Part>) -> Timeline {
    let mut whole = Timeline { cores: plan.host().cores * plan.host().nodes, ..Timeline::default() };
    let mut traces = Vec::new();
    let places: BTreeMap<String, Option<u32>> =
        plan.instances().map(|instance| (label(plan, instance), node_of(plan, instance))).collect();
    let nodes: Vec<Option<u32>> = plan.instances().map(|instance| node_of(plan, instance)).collect();
    for Part { node, timeline, .. } in parts {
        // Nobody sees what is on another machine.
        let here = |view: &View| {
            let apart =
                view.resource == "process" && places.get(&view.thing).is_some_and(|at| *at != Some(node));
            nodes.get(view.tenant as usize) == Some(&Some(node)) && !apart
        };
        whole.views.extend(timeline.views.into_iter().filter(here));
        whole.slices.extend(timeline.slices);
        whole.guests.extend(timeline.guests);
        whole.throttles.extend(timeline.throttles);
        whole.periods.extend(timeline.periods);
        whole.requests.extend(timeline.requests);
        whole.waits.extend(timeline.waits);
        traces.push(timeline.trace);
    }
    whole.slices.sort_by_key(|slice| (slice.start_ns, slice.core));
    whole.guests.sort_by_key(|slice| (slice.start_ns, slice.tenant, slice.vcpu));
    whole.throttles.sort_by_key(|throttle| (throttle.start_ns, throttle.tenant));
    whole.periods.sort_by_key(|period| (period.start_ns, period.tenant));
    whole.requests.sort_by_key(|request| (request.arrival_ns, request.tenant, request.index));
    whole.waits.sort_by_key(|wait| (wait.start_ns, wait.tenant, wait.thread));
    whole.views.sort_by_key(|view| view.tenant);
    whole.trace = in_order(traces);
    whole
}

/// Something that happened and says what caused it by its place among the others.
pub(super) trait Caused {
    fn instant(&self) -> Instant;
    fn because(&mut self) -> &mut Option<u32>;
}

impl Caused for EventRow {
    fn instant(&self) -> Instant {
        (self.at_s * 1e9 + 0.5) as Instant
    }

    fn because(&mut self) -> &mut Option<u32> {
        &mut self.because
    }
}

impl Caused for Entry {
    fn instant(&self) -> Instant {
        self.at_ns
    }

    fn because(&mut self) -> &mut Option<u32> {
        &mut self.because
    }
}

/// What happened in several places (on nodes, for one), by time; at the same instant by place. Causes keep their effects.
pub(super) fn in_order<T: Caused>(nodes: Vec<Vec<T>>) -> Vec<T> {
    let of_node = |(node, entries): (usize, Vec<T>)| {
        entries.into_iter().enumerate().map(move |(index, entry)| ((node, index), entry))
    };
    let mut all: Vec<((usize, usize), T)> = nodes.into_iter().enumerate().flat_map(of_node).collect();
    // A stable sort: what happens at one instant stays in its order.
    all.sort_by_key(|(_, entry)| entry.instant());
    let places: BTreeMap<(usize, usize), u32> = all.iter().map(|(own, _)| *own).zip(0..).collect();
    let placed = |((node, _), mut entry): ((usize, usize), T)| {
        let cause = entry.because().and_then(|cause| places.get(&(node, cause as usize)).copied());
        *entry.because() = cause;
        entry
    };
    all.into_iter().map(placed).collect()
}
