//! Why was this request late?
//!
//! **Law.** From its arrival to its answer a request is at every instant at one of: behind others of its server that are being
//! served, waiting for a copy-up or for the disk, standing still because its guest is moved, stopped by the quota, with a virtual CPU that is stolen, waiting for a core, running. What it waits for longest is
//! the cause.

use crate::timeline::{Request, Timeline, WaitFor};

use super::disk;
use super::exchange::{self, Peer};
use super::setting::{self, Advice};
use super::spans::{Span, joined, length, within, without};
use super::{Facts, Found, Run};

/// The parts of a latency (ns); they add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// Others of its server were being served.
    pub behind_ns: u64,
    /// Its guest stood still to be moved to another node.
    pub still_ns: u64,
    /// Its tenant was stopped by its quota.
    pub throttled_ns: u64,
    /// Its virtual CPU waited for a core of the host.
    pub stolen_ns: u64,
    /// Its thread waited for a core.
    pub waited_ns: u64,
    /// It ran.
    pub ran_ns: u64,
    /// The disk had to do it.
    pub disk_ns: u64,
    /// The disk had to read what the page cache did not hold.
    pub not_cached_ns: u64,
    /// The file that it writes to was copied up.
    pub copied_ns: u64,
}

/// The story of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Number of the arrival.
    pub request: u32,
    /// When it arrived (ns).
    pub arrival_ns: u64,
    /// Until it was answered (ns).
    pub latency_ns: u64,
    /// Until a thread took it up (ns).
    pub queued_ns: u64,
    /// Requests before it that were not answered when it came.
    pub ahead: usize,
    /// What it waited for.
    pub parts: Parts,
    /// How often its tenant was stopped meanwhile.
    pub stops: usize,
    /// Who ran most while it waited for a core, and for how long (ns, over all cores).
    pub others: Option<(String, u64)>,
    /// The other side, of a request over the network.
    pub peer: Option<Peer>,
}

/// Number of the slowest answered request of a tenant. A fork is no thread's: most of it is its child's lifetime.
pub(super) fn slowest(timeline: &Timeline, tenant: usize) -> Option<u32> {
    let of_tenant = timeline.requests.iter().filter(|request| request.tenant as usize == tenant);
    let latency = |request: &Request| {
        request.thread?;
        Some((request.completed_ns?.checked_sub(request.arrival_ns)?, request.index))
    };
    of_tenant
        .filter_map(latency)
        .max_by_key(|(latency_ns, index)| (*latency_ns, u32::MAX - index))
        .map(|(_, index)| index)
}

fn find(timeline: &Timeline, tenant: usize, index: u32) -> Option<&Request> {
    timeline.requests.iter().find(|request| request.tenant as usize == tenant && request.index == index)
}

pub(super) fn explain(run: &Run<'_>, tenant: usize, index: u32) -> Option<Found> {
    let request = find(run.timeline, tenant, index)?;
    if let Some(found) = exchange::explain(run, tenant, request) {
        return Some(found);
    }
    let (arrival, answered) = (request.arrival_ns, request.completed_ns?);
    let started = request.started_ns?.clamp(arrival, answered);
    let own = Own::of(run, tenant, request.thread)?;
    let queued = own.queued((arrival, started));
    let thread: Vec<Span> = runs(run.timeline, tenant, request.thread);
    let served = own.served((started, answered), &thread);
    let waiting: Vec<Span> = joined([queued.1, served.1].concat());
    let parts = Parts {
        behind_ns: queued.0.behind_ns,
        still_ns: queued.0.still_ns + served.0.still_ns,
        throttled_ns: queued.0.throttled_ns + served.0.throttled_ns,
        stolen_ns: queued.0.stolen_ns + served.0.stolen_ns,
        waited_ns: queued.0.waited_ns + served.0.waited_ns,
        ran_ns: served.0.ran_ns,
        disk_ns: served.0.disk_ns,
        not_cached_ns: served.0.not_cached_ns,
        copied_ns: served.0.copied_ns,
    };
    let others = busiest(run, tenant, &waiting);
    let late = Late {
        request: index,
        arrival_ns: arrival,
        latency_ns: answered.saturating_sub(arrival),
        queued_ns: started - arrival,
        ahead: ahead(run.timeline, request),
        stops: within(&own.stops, (arrival, answered)).len(),
        others: others.and_then(|(other, ns)| Some((run.row(other)?.label(), ns))),
        parts,
        peer: None,
    };
    let advice = advise(run, tenant, (index, &parts), others.map(|(other, _)| other));
    Some((Facts::Late(late), advice))
}

/// Requests of the same server that came before and were neither answered nor failed when this one came.
fn ahead(timeline: &Timeline, request: &Request) -> usize {
    let before = |other: &&Request| {
        let done_ns = other.completed_ns.or(other.failed_ns);
        other.tenant == request.tenant
            && (other.arrival_ns, other.index) < (request.arrival_ns, request.index)
            && done_ns.is_none_or(|at_ns| at_ns > request.arrival_ns)
    };
    timeline.requests.iter().filter(before).count()
}

/// When the threads of a tenant, or one of them, had a core; in guests also a virtual CPU.
pub(super) fn runs(timeline: &Timeline, tenant: usize, thread: Option<u32>) -> Vec<Span> {
    let mine = |own: u32| thread.is_none_or(|thread| thread == own);
    if timeline.guests.is_empty() {
        let slices = timeline.slices.iter().filter(|slice| slice.tenant as usize == tenant);
        return joined(
            slices.filter(|slice| mine(slice.thread)).map(|slice| (slice.start_ns, slice.end_ns)).collect(),
        );
    }
    let slices = timeline.guests.iter().filter(|slice| slice.tenant as usize == tenant);
    joined(
        slices
            .filter(|slice| slice.thread.is_some_and(mine))
            .map(|slice| (slice.start_ns, slice.end_ns))
            .collect(),
    )
}

/// When the guest of a tenant stood still for the last round of a migration.
fn still(timeline: &Timeline, label: &str) -> Vec<Span> {
    let mut since = None;
    let mut spans = Vec::new();
    for entry in timeline.trace.iter().filter(|entry| entry.target == label) {
        match entry.what.as_str() {
            "migration-pause" => since = Some(entry.at_ns),
            "migration-resume" | "migration-failed" => {
                spans.extend(since.take().map(|since| (since, entry.at_ns)));
            }
            _ => {}
        }
    }
    joined(spans)
}

/// When a tenant ran, stood still to be moved, was stopped by its quota, and had a virtual CPU stolen; and when a thread of it
/// waited for the disk.
struct Own {
    runs: Vec<Span>,
    copies: Vec<Span>,
    not_cached: Vec<Span>,
    disk: Vec<Span>,
    still: Vec<Span>,
    stops: Vec<Span>,
    stolen: Vec<Span>,
}

impl Own {
    fn of(run: &Run<'_>, tenant: usize, thread: Option<u32>) -> Option<Self> {
        let timeline = run.timeline;
        let waits = |what: WaitFor| {
            let mine = timeline.waits.iter().filter(|wait| {
                wait.tenant as usize == tenant && Some(wait.thread) == thread && wait.what == what
            });
            joined(mine.map(|wait| (wait.start_ns, wait.end_ns)).collect())
        };
        let row = run.row(tenant)?;
        let label = format!("{}/{}", row.name, row.replica);
        let stops = timeline.throttles.iter().filter(|stop| stop.tenant as usize == tenant);
        let stolen =
            timeline.guests.iter().filter(|one| one.tenant as usize == tenant && one.thread.is_none());
        Some(Self {
            runs: runs(timeline, tenant, None),
            copies: waits(WaitFor::CopyUp),
            not_cached: waits(WaitFor::NotCached),
            disk: waits(WaitFor::Device),
            still: still(timeline, &label),
            stops: joined(stops.map(|stop| (stop.start_ns, stop.end_ns)).collect()),
            stolen: joined(stolen.map(|one| (one.start_ns, one.end_ns)).collect()),
        })
    }

    /// What a stretch in the queue is made of, and when the tenant, or its virtual CPU, waited for a core in it.
    fn queued(&self, whole: Span) -> (Parts, Vec<Span>) {
        let behind = within(&self.runs, whole);
        let (parts, waiting) = self.stands(whole, &behind);
        (Parts { behind_ns: length(&behind), ..parts }, waiting)
    }

    /// What a stretch of service is made of, and when its thread, or its virtual CPU, waited for a core in it.
    fn served(&self, whole: Span, thread: &[Span]) -> (Parts, Vec<Span>) {
        // What it computes to copy a file is part of the copy.
        let copied = within(&self.copies, whole);
        let ran = without(&within(thread, whole), &copied);
        let (parts, waiting) = self.stands(whole, &joined([ran.clone(), copied.clone()].concat()));
        (Parts { ran_ns: length(&ran), copied_ns: length(&copied), ..parts }, waiting)
    }

    /// What the time is made of in which nothing goes on for a request.
    fn stands(&self, whole: Span, busy: &[Span]) -> (Parts, Vec<Span>) {
        let apart = without(&[whole], busy);
        let of = |spans: &[Span], left: &[Span]| {
            let apart = without(left, spans);
            (length(left) - length(&apart), apart)
        };
        let (not_cached_ns, apart) = of(&self.not_cached, &apart);
        let (disk_ns, apart) = of(&self.disk, &apart);
        let (still_ns, left) = of(&self.still, &apart);
        let (throttled_ns, left) = of(&self.stops, &left);
        let (stolen_ns, left) = of(&self.stolen, &left);
        let waiting = without(&without(&apart, &self.still), &self.stops);
        let waited_ns = length(&left);
        let at_the_disk = Parts { not_cached_ns, disk_ns, ..Parts::default() };
        (Parts { still_ns, throttled_ns, stolen_ns, waited_ns, ..at_the_disk }, waiting)
    }
}

/// Who had most of the cores of the same node in these stretches.
pub(super) fn busiest(run: &Run<'_>, tenant: usize, waiting: &[Span]) -> Option<(usize, u64)> {
    let busy = |other: usize| {
        let slices = run.timeline.slices.iter().filter(move |slice| slice.tenant as usize == other);
        slices.map(|slice| length(&within(waiting, (slice.start_ns, slice.end_ns)))).sum::<u64>()
    };
    let others = run.neighbours(tenant).into_iter().map(|other| (other, busy(other)));
    others.filter(|(_, ns)| *ns > 0).max_by_key(|(other, ns)| (*ns, usize::MAX - other))
}

/// What it waited for longest, and the setting that this depends on.
fn advise(
    run: &Run<'_>,
    tenant: usize,
    (index, parts): (u32, &Parts),
    other: Option<usize>,
) -> Option<Advice> {
    let Parts { behind_ns, still_ns, throttled_ns, stolen_ns, waited_ns, ran_ns, .. } = *parts;
    let most = behind_ns.max(still_ns).max(throttled_ns).max(stolen_ns).max(waited_ns).max(ran_ns);
    let (disk_ns, not_cached_ns, copied_ns) = (parts.disk_ns, parts.not_cached_ns, parts.copied_ns);
    if copied_ns > most.max(disk_ns).max(not_cached_ns) {
        disk::smaller_layer(run, tenant, index)
    } else if disk_ns.max(not_cached_ns) > most {
        disk::less_at_a_time(run, tenant, index)
    } else if still_ns == most {
        setting::faster_link()
    } else if throttled_ns == most {
        setting::more_quota(run, tenant)
    } else if stolen_ns == most || waited_ns == most {
        setting::more_core(run, tenant, other)
    } else if behind_ns == most {
        setting::shorter_queue(run, tenant)
    } else {
        setting::less_work(run, tenant).or_else(|| disk::smaller_blocks(run, tenant, index))
    }
}
