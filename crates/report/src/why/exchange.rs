//! Why was this request over the network late?
//!
//! **Law.** From its sending to its answer a request is at every instant at the first of these: its own thread runs; the thread of its
//! peer that answers runs, for it or for others; the one of the two that comes next is stopped by its quota; it waits for a
//! core, others having all that it may use; what was sent is on its way, over a link or to a thread that comes out of its sleep.
//! Where one side has stopped and the other comes next, the first of the time is what the link takes for a message by itself.

use catamaran_scenario::network_work::{self, NetworkWork};
use catamaran_scenario::plan::{Tenant, Workload};
use catamaran_scenario::weight;

use crate::timeline::{Request, Throttle};

use super::request::{Late, Parts, busiest, runs};
use super::setting::{self, Advice};
use super::spans::{Span, joined, length, within, without};
use super::{Facts, Found, Run};

/// What a peer's side has of a latency (ns).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Label of the tenant that answered.
    pub label: String,
    /// It was stopped by its quota.
    pub throttled_ns: u64,
    /// The thread that answers waited for a core.
    pub waited_ns: u64,
    /// That thread ran, for this request or for others.
    pub ran_ns: u64,
    /// What was sent was on its way.
    pub way_ns: u64,
}

impl Peer {
    /// All of it together (ns).
    #[must_use]
    pub fn sum_ns(&self) -> u64 {
        self.throttled_ns + self.waited_ns + self.ran_ns + self.way_ns
    }
}

/// Those that a tenant talks to: what it, or what stands for it, does in its phases.
fn works(tenant: &Tenant) -> Vec<NetworkWork> {
    match &tenant.workload {
        Workload::Command { like: Some(like), .. } => NetworkWork::all(like).collect(),
        workload => NetworkWork::all(workload).collect(),
    }
}

/// The row of the peer that answered, and the bytes of a message; where there are several, of the first that ran meanwhile.
fn peer_of(run: &Run<'_>, tenant: usize, whole: Span) -> Option<(usize, u64)> {
    let replica = run.row(tenant)?.replica;
    let row_of = |work: NetworkWork| {
        let peer = run.plan.tenants().iter().find(|peer| peer.name == work.to)?;
        let of = network_work::peer(replica, peer.replicas);
        let row = run.report.tenants.iter().position(|row| row.name == peer.name && row.replica == of)?;
        Some((row, work.message_bytes))
    };
    let rows: Vec<(usize, u64)> = works(run.planned(tenant)?).into_iter().filter_map(row_of).collect();
    let ran = |(row, _): &&(usize, u64)| !within(&answering(run, *row), whole).is_empty();
    rows.iter().find(ran).or(rows.first()).copied()
}

/// When the thread of a tenant ran that answers others: it comes after those of its workload.
fn answering(run: &Run<'_>, peer: usize) -> Vec<Span> {
    let threads = run.planned(peer).map_or(1, |planned| weight::threads(&planned.workload));
    runs(run.timeline, peer, u32::try_from(threads).ok())
}

/// When a tenant was stopped by its quota.
fn stops(run: &Run<'_>, tenant: usize) -> Vec<Span> {
    let own = run.timeline.throttles.iter().filter(|stop: &&Throttle| stop.tenant as usize == tenant);
    joined(own.map(|stop| (stop.start_ns, stop.end_ns)).collect())
}

/// When others had all cores that a tenant may use.
fn crowded(run: &Run<'_>, tenant: usize, whole: Span) -> Vec<Span> {
    let set = run.planned(tenant).and_then(|planned| planned.cpu.set.clone());
    let set = set.filter(|_| setting::has_limits(run.report.platform));
    let may = |core: u32| set.as_ref().is_none_or(|set| set.contains(&core));
    let mut free = Vec::new();
    for core in (0..run.timeline.cores).filter(|core| may(*core)) {
        let busy = run.timeline.slices.iter().filter(|slice| slice.core == core && slice.end_ns > whole.0);
        let busy = busy.take_while(|slice| slice.start_ns < whole.1);
        free.extend(without(&[whole], &joined(busy.map(|slice| (slice.start_ns, slice.end_ns)).collect())));
    }
    without(&[whole], &joined(free))
}

/// Splits stretches in two: those that end where one of `spans` begins, and the rest.
fn before(stretches: &[Span], spans: &[Span]) -> (Vec<Span>, Vec<Span>) {
    stretches.iter().partition(|stretch| spans.iter().any(|span| span.0 == stretch.1))
}

/// How long a message is on the link (ns) that nobody else uses.
fn on_the_link(run: &Run<'_>, bytes: u64) -> u64 {
    let Some(link) = run.plan.host().network.as_ref() else { return 0 };
    let latency_ns = link.latency.map_or(0, |latency| latency.0);
    let through = |bytes_per_s: u64| u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_s.max(1));
    let through_ns = link.bandwidth.map_or(0, |bandwidth| through(bandwidth.0));
    latency_ns.saturating_add(u64::try_from(through_ns).unwrap_or(u64::MAX))
}

/// When a message was on the link: at the beginning of each stretch before which the other side had run, or none.
fn sent(stretches: &[Span], others: &[Span], link_ns: u64) -> Vec<Span> {
    let follows = |stretch: &&Span| others.iter().any(|span| span.1 == stretch.0);
    stretches
        .iter()
        .filter(follows)
        .map(|(from, to)| (*from, from.saturating_add(link_ns).min(*to)))
        .collect()
}

/// What of `left` is within `spans` (ns), and the rest.
fn taken(left: &[Span], spans: &[Span]) -> (u64, Vec<Span>) {
    let rest = without(left, spans);
    (length(left) - length(&rest), rest)
}

/// Explains a request of a client; none of what is not sent over the network.
pub(super) fn explain(run: &Run<'_>, tenant: usize, request: &Request) -> Option<Found> {
    let whole = (request.arrival_ns, request.completed_ns?);
    let (row, bytes) = peer_of(run, tenant, whole)?;
    let own = within(&runs(run.timeline, tenant, request.thread), whole);
    let theirs = within(&answering(run, row), whole);
    let (ran_ns, left) = taken(&[whole], &own);
    let (peer_ran_ns, left) = taken(&left, &theirs);
    let (before_peer, before_own) = before(&left, &theirs);
    let (own_stops, peer_stops) = (stops(run, tenant), stops(run, row));
    let link_ns = on_the_link(run, bytes);
    let (there_ns, before_peer) = taken(&before_peer, &sent(&before_peer, &own, link_ns));
    let (back_ns, before_own) = taken(&before_own, &sent(&before_own, &theirs, link_ns));
    let (throttled_ns, own_left) = taken(&before_own, &own_stops);
    let (peer_throttled_ns, peer_left) = taken(&before_peer, &peer_stops);
    let (waited_ns, own_way) = taken(&own_left, &crowded(run, tenant, whole));
    let (peer_waited_ns, peer_way) = taken(&peer_left, &crowded(run, row, whole));
    let peer = Peer {
        label: run.row(row)?.label(),
        throttled_ns: peer_throttled_ns,
        waited_ns: peer_waited_ns,
        ran_ns: peer_ran_ns,
        way_ns: there_ns + back_ns + length(&own_way) + length(&peer_way),
    };
    let waiting = joined([without(&own_left, &own_way), without(&peer_left, &peer_way)].concat());
    let others = busiest(run, tenant, &waiting).filter(|(other, _)| *other != row);
    let parts = Parts { throttled_ns, waited_ns, ran_ns, ..Parts::default() };
    let advice = advise(run, (tenant, row), &parts, &peer, others.map(|(other, _)| other));
    let late = Late {
        request: request.index,
        arrival_ns: whole.0,
        latency_ns: whole.1 - whole.0,
        queued_ns: 0,
        ahead: 0,
        stops: within(&own_stops, whole).len(),
        others: others.and_then(|(other, ns)| Some((run.row(other)?.label(), ns))),
        parts,
        peer: Some(peer),
    };
    Some((Facts::Late(late), advice))
}

/// What it waited for longest, and the setting that this depends on.
fn advise(
    run: &Run<'_>,
    (tenant, row): (usize, usize),
    parts: &Parts,
    peer: &Peer,
    other: Option<usize>,
) -> Option<Advice> {
    let waited = parts.waited_ns + peer.waited_ns;
    let ran = parts.ran_ns + peer.ran_ns;
    let most = waited.max(ran).max(parts.throttled_ns).max(peer.throttled_ns).max(peer.way_ns);
    if peer.throttled_ns == most {
        setting::more_quota(run, row)
    } else if parts.throttled_ns == most {
        setting::more_quota(run, tenant)
    } else if waited == most {
        setting::more_core(run, tenant, other)
    } else if peer.way_ns == most {
        setting::wider_link(run)
    } else {
        setting::smaller_messages(run, tenant)
    }
}
