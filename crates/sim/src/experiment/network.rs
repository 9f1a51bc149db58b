//! Who talks to whom over what: from the plan to connections, lanes and the hands of the threads at their ends.

use std::collections::{BTreeMap, VecDeque};

use catamaran_report::RunError;
use catamaran_scenario::calibration::NetworkCosts;
use catamaran_scenario::network_work::{self, NetworkWork};
use catamaran_scenario::plan::Workload;
use catamaran_scenario::{Calibration, Plan, Platform};

use super::refuse::refusal;
use crate::platform::network::{self, Way};
use crate::platform::vm::Guest;
use crate::resources::cpu::ThreadId;
use crate::resources::network::{Link, LinkEvent, LinkSpec};

/// What a connection goes by: its client's thread, and how many there were before.
pub(super) type Line = (ThreadId, u64);

/// One direction of a connection: to the peer, or back.
pub(super) type Flow = (Line, bool);

/// What happens on the network later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkEvent {
    /// Something at the link.
    Link(LinkEvent<Flow>),
    /// What has passed between two guests has come: bytes of a flow.
    Come(Flow, u64),
    /// A thread that was woken on an idle core is there, if nothing has come in between.
    Awake(ThreadId, u64),
}

/// The machine's network, as calibrated, and who talks to whom over it.
#[derive(Debug, Clone)]
pub(super) struct NetworkSetting {
    costs: Option<(NetworkCosts, Way)>,
    /// Bandwidth (bytes/s) and latency (ns) of the link, where it binds.
    link: Option<(Option<u64>, u64)>,
    /// The instance to which an instance talks in a phase.
    peers: BTreeMap<(usize, usize), usize>,
    /// Whether an instance has a thread that answers.
    serves: Vec<bool>,
}

impl NetworkSetting {
    pub(super) fn of(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        guest: Option<&Guest>,
    ) -> Result<Self, RunError> {
        let user = plan.tenants().iter().find(|tenant| network_work::talks(&tenant.workload));
        if let (None, Some(tenant)) = (&calibration.network, user) {
            let what = "a network on a machine that was calibrated without it";
            let field = format!("tenant.{}.workload.kind", tenant.name);
            return Err(refusal(field, what, "calibrate anew with `catamaran calibrate`"));
        }
        let measured = user.and(calibration.network.as_ref());
        let costs = measured.map(|measured| {
            let measured = inside(measured, guest);
            (measured, network::way(platform, &plan.settings(platform), &measured, guest))
        });
        let serves: Vec<bool> = (0..plan.tenants().len())
            .map(|tenant| user.is_some() && network_work::serves(plan, tenant))
            .collect();
        let link = plan.host().network.as_ref();
        let link =
            link.map(|link| (link.bandwidth.map(|b| b.0), link.latency.map_or(0, |latency| latency.0)));
        Ok(Self {
            costs,
            link,
            peers: if user.is_some() { peers(plan) } else { BTreeMap::new() },
            serves: plan
                .instances()
                .map(|(tenant, _)| serves.get(tenant).copied().unwrap_or(false))
                .collect(),
        })
    }

    /// Whether an instance has a thread that answers.
    pub(super) fn serves(&self, index: usize) -> bool {
        self.serves.get(index).copied().unwrap_or(false)
    }

    /// Whether an instance talks to another one.
    pub(super) fn talks_to(&self, client: usize, peer: usize) -> bool {
        self.peers.range((client, 0)..(client + 1, 0)).any(|(_, to)| *to == peer)
    }

    /// None where nobody uses it.
    pub(super) fn world(&self) -> Option<NetworkWorld> {
        let (costs, way) = self.costs?;
        Some(NetworkWorld {
            costs,
            way,
            link: self.link.map(|(bandwidth, latency)| {
                Link::new(LinkSpec { bandwidth, latency, segment_bytes: way.segment_bytes })
            }),
            peers: self.peers.clone(),
            connections: BTreeMap::new(),
            hands: BTreeMap::new(),
            servers: BTreeMap::new(),
            moved: vec![0; self.serves.len()],
            numbers: 0,
        })
    }
}

/// What the machine's own network costs inside of a guest, which is slower.
fn inside(measured: &NetworkCosts, guest: Option<&Guest>) -> NetworkCosts {
    let Some(guest) = guest else { return *measured };
    let mut costs = *measured;
    let slower = |ns: &mut u64| *ns = (*ns as f64 / guest.speed) as u64;
    [&mut costs.wake_ns, &mut costs.sleep_ns].into_iter().for_each(slower);
    for message in [&mut costs.loopback, &mut costs.veth] {
        [&mut message.send_ns, &mut message.receive_ns].into_iter().for_each(slower);
        message.send_ns_per_byte /= guest.speed;
        message.receive_ns_per_byte /= guest.speed;
        if let Some(turn) = &mut message.in_turn {
            let after = [&mut turn.after_ns, &mut turn.segments_after_ns];
            [&mut turn.segments_send_ns, &mut turn.segments_receive_ns]
                .into_iter()
                .chain(after)
                .for_each(slower);
            turn.send_ns_per_byte /= guest.speed;
            turn.receive_ns_per_byte /= guest.speed;
        }
    }
    costs
}

/// What a workload is to the simulator, phase by phase.
fn phases(workload: &Workload) -> Vec<&Workload> {
    match workload {
        Workload::Phases(phases) => phases.iter().map(|phase| &phase.workload).collect(),
        Workload::Command { like: Some(like), .. } => vec![like],
        other => vec![other],
    }
}

fn peers(plan: &Plan) -> BTreeMap<(usize, usize), usize> {
    let mut firsts = BTreeMap::new();
    for (index, (tenant, _)) in plan.instances().enumerate() {
        firsts.entry(tenant).or_insert(index);
    }
    let first_of = |name: &str| {
        let tenant = plan.tenants().iter().position(|tenant| tenant.name == name)?;
        Some((*firsts.get(&tenant)?, plan.tenants().get(tenant)?.replicas))
    };
    let mut peers = BTreeMap::new();
    for (index, (tenant, replica)) in plan.instances().enumerate() {
        let Some(tenant) = plan.tenants().get(tenant) else { continue };
        for (phase, workload) in phases(&tenant.workload).into_iter().enumerate() {
            // What stands for a program inside of a phase.
            let workload = match workload {
                Workload::Command { like: Some(like), .. } => like,
                other => other,
            };
            let to = NetworkWork::of(workload).and_then(|work| first_of(&work.to));
            peers.extend(to.map(|(first, replicas)| {
                ((index, phase), first + network_work::peer(replica, replicas) as usize)
            }));
        }
    }
    peers
}

/// Bytes in one direction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lane {
    /// Sent and not come.
    pub(super) under_way: u64,
    /// Come and not read.
    pub(super) come: u64,
    /// Whether the sender waits for room.
    pub(super) full: bool,
}

impl Lane {
    pub(super) fn unread(&self) -> u64 {
        self.under_way + self.come
    }
}

/// A connection.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) number: u64,
    /// The thread that answers.
    pub(super) server: ThreadId,
    pub(super) message_bytes: u64,
    pub(super) answered: bool,
    /// To the peer, and back.
    pub(super) lanes: [Lane; 2],
    /// Bytes until the message that the peer reads is whole, and of the answer that it has still to send.
    pub(super) to_read: u64,
    pub(super) to_write: u64,
    /// Whether the peer has it on its list of those that are ready.
    pub(super) listed: bool,
    /// Whether the client has said that there is no more, and whether the peer has read that.
    pub(super) closed: bool,
    pub(super) over: bool,
}

impl Connection {
    /// Whether its peer would find something to do.
    pub(super) fn is_ready(&self) -> bool {
        let [up, down] = &self.lanes;
        if self.to_write > 0 {
            return !down.full;
        }
        up.come > 0 || (self.closed && up.under_way == 0 && !self.over)
    }
}

/// What a thread does in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Send {
        line: Line,
        bytes: u64,
    },
    Read {
        line: Line,
        bytes: u64,
    },
    /// Wakes somebody, or has been woken.
    Pay,
}

/// A thread at an end of connections.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hand {
    pub(super) doing: Option<Doing>,
    /// Bytes that a client has still to send and to read, and whether it waits for the end of its stream.
    pub(super) to_send: u64,
    pub(super) to_read: u64,
    pub(super) closing: bool,
    /// It sleeps until something comes.
    pub(super) waits: bool,
    /// It was woken on an idle core, and is not there yet: the number of that.
    pub(super) waking: Option<u64>,
    /// CPU time that its sleep still costs it (ns).
    pub(super) owes: u64,
}

/// The side that answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Server {
    /// Clients that are ready, the first come first.
    pub(super) ready: VecDeque<Line>,
    /// The one that it is at.
    pub(super) at: Option<Line>,
}

/// The network and who is at it.
#[derive(Debug, Clone)]
pub(super) struct NetworkWorld {
    pub(super) costs: NetworkCosts,
    pub(super) way: Way,
    pub(super) link: Option<Link<Flow>>,
    peers: BTreeMap<(usize, usize), usize>,
    /// By the thread of the client.
    pub(super) connections: BTreeMap<ThreadId, Connection>,
    pub(super) hands: BTreeMap<ThreadId, Hand>,
    /// By the thread that answers.
    pub(super) servers: BTreeMap<ThreadId, Server>,
    /// Bytes that each instance has sent and read.
    pub(super) moved: Vec<u64>,
    numbers: u64,
}

impl NetworkWorld {
    /// The instance to which an instance talks in a phase.
    pub(super) fn peer(&self, client: usize, phase: usize) -> Option<usize> {
        self.peers.get(&(client, phase)).copied()
    }

    /// The instances to which an instance talks.
    pub(super) fn peers_of(&self, client: usize) -> Vec<usize> {
        self.peers.range((client, 0)..(client + 1, 0)).map(|(_, peer)| *peer).collect()
    }

    /// The instances that talk to an instance.
    pub(super) fn clients_of(&self, peer: usize) -> impl Iterator<Item = usize> + '_ {
        self.peers.iter().filter(move |(_, to)| **to == peer).map(|((client, _), _)| *client)
    }

    /// A number that nobody has yet.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The connection of that name, unless it is gone.
    pub(super) fn line(&mut self, line: Line) -> Option<&mut Connection> {
        self.connections.get_mut(&line.0).filter(|connection| connection.number == line.1)
    }

    pub(super) fn hand(&mut self, thread: ThreadId) -> &mut Hand {
        self.hands.entry(thread).or_default()
    }

    /// Whether a sender has to wait: as many bytes as the window holds have not been read.
    pub(super) fn is_full(&self, lane: &Lane) -> bool {
        lane.unread() >= self.costs.window_bytes
    }

    /// Whether a sender that waits may go on: a third of the window is free (`sk_stream_write_space` in Linux
    /// `net/core/stream.c`: what is queued is at most twice what is free).
    pub(super) fn has_room(&self, lane: &Lane) -> bool {
        lane.unread() <= self.costs.window_bytes / 3 * 2
    }

    /// CPU time of what a thread does in the kernel (ns).
    pub(super) fn cost(&self, doing: Doing) -> u64 {
        match doing {
            Doing::Send { line, bytes } => {
                let sends_ns = self.way.send_ns(bytes, self.takes_turns(line));
                sends_ns.saturating_sub(self.after(doing)) + self.way.kick_ns
            }
            Doing::Read { line, bytes } => self.way.receive_ns(bytes, self.takes_turns(line)),
            Doing::Pay => 0,
        }
    }

    /// What a thread that sends still has to do once whoever reads it has been woken (ns).
    pub(super) fn after(&self, doing: Doing) -> u64 {
        match doing {
            Doing::Send { line, bytes } if self.link.is_none() && self.takes_turns(line) => {
                self.way.after_ns(bytes)
            }
            _ => 0,
        }
    }

    /// Whether each message of a connection is one piece that is answered before the next is sent.
    fn takes_turns(&self, line: Line) -> bool {
        let connection = self.connections.get(&line.0).filter(|connection| connection.number == line.1);
        connection.is_some_and(|one| one.answered && one.message_bytes <= network_work::PIECE_BYTES)
    }
}
