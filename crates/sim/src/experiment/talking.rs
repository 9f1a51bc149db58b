//! Where threads meet the network: CPU time in the kernel on both sides of a connection, the window between them, and the
//! wake-ups that follow.
//!
//! **Law.** Sending a piece takes CPU time of the sender, whose thread also carries it to the receiver's socket; then it is there, or on
//! the link, or with the monitor of a guest. A receiver that sleeps is woken by the sender's thread, which pays for that, more where
//! the receiver's core idles; what has come over a link or from a guest wakes it as an interrupt does. A thread that answers takes its
//! connections in the order in which they became ready, reads a message at most at a time, answers it, and lists the
//! connection again behind the others if there is more (`ep_send_events` in Linux `fs/eventpoll.c`, level-triggered). A
//! sender that finds the window full sleeps until a third of it is free.
//! **Left out.** Making connections; memory of sockets; what a softirq after a link costs whoever it interrupts.
//! **Judge.** Closed forms of both modes in `tests/laws/network.rs`; the machine.

use super::engine::Engine;
use super::lanes::Next;
use super::lives::How;
use super::log::Note;
use super::network::{Connection, Doing, Flow, Hand, Lane, NetworkEvent, Server};
use super::world::{Event, Instance, TENANTS_SECOND, World};
use crate::kernel::trace::Cause;
use crate::resources::cpu::ThreadId;
use crate::resources::network::Parcel;
use crate::workload::Talk;

/// A thread that something has come for, and by whose thread.
#[derive(Debug, Clone, Copy)]
struct Woken {
    thread: ThreadId,
    by: Option<ThreadId>,
}

impl World {
    /// A client asks something of its connection, which it makes first where it has none.
    pub(super) fn talk(&mut self, thread: ThreadId, talk: Talk) {
        let slept = self.overhead(thread, false);
        let connected = self.network.as_ref().is_some_and(|net| net.connections.contains_key(&thread));
        if !connected && !self.connect(thread, talk) {
            return self.refused(thread);
        }
        let Some(net) = &mut self.network else { return };
        let hand = net.hand(thread);
        hand.to_send = talk.bytes;
        hand.to_read = if talk.answered { talk.bytes } else { 0 };
        hand.closing = talk.bytes == 0;
        hand.owes += slept;
        self.talk_on(thread);
    }

    fn connect(&mut self, thread: ThreadId, talk: Talk) -> bool {
        let Some(&(index, _)) = self.owners.get(thread) else { return false };
        let phase = self.phase_of(thread).unwrap_or(0);
        let Some(peer) = self.network.as_ref().and_then(|net| net.peer(index, phase)) else { return false };
        let listens = self
            .instances
            .get(peer)
            .and_then(Option::as_ref)
            .filter(|peer| peer.killed.is_none() && peer.clash.is_none() && peer.start <= self.now);
        let Some(server) = listens.and_then(|peer| peer.threads.last().copied()) else { return false };
        let Some(net) = &mut self.network else { return false };
        let number = net.number();
        let connection = Connection {
            number,
            server,
            message_bytes: talk.bytes,
            answered: talk.answered,
            lanes: [Lane::default(); 2],
            to_read: talk.bytes,
            to_write: 0,
            listed: false,
            closed: false,
            over: false,
        };
        net.connections.insert(thread, connection);
        true
    }

    /// Whether a thread is at its connection, or answers others.
    pub(super) fn is_talking(&self, thread: ThreadId) -> bool {
        let Some(net) = &self.network else { return false };
        let busy = |hand: &Hand| hand.doing.is_some() || hand.to_send > 0 || hand.to_read > 0 || hand.closing;
        net.servers.contains_key(&thread) || net.hands.get(&thread).is_some_and(busy)
    }

    /// What a thread was at is done; it goes on.
    pub(super) fn talk_on(&mut self, thread: ThreadId) {
        self.talk_on_by(thread, None);
    }

    fn talk_on_by(&mut self, thread: ThreadId, waker: Option<ThreadId>) {
        let Some(net) = &mut self.network else { return };
        let hand = net.hand(thread);
        if hand.waits || hand.waking.is_some() {
            return;
        }
        let owes = std::mem::take(&mut hand.owes);
        match hand.doing.take() {
            None if owes == 0 => self.next_step(thread, waker),
            None => self.spend(thread, Doing::Pay, owes, waker),
            Some(done) => {
                let after = net.after(done);
                let woken = self.done(thread, done);
                let paid = woken.map_or(0, |woken| self.wake_up(woken));
                // In the fluid model nobody takes a core from another.
                let rest = if matches!(self.engine, Engine::Fluid(_)) { 0 } else { after };
                match woken {
                    None if after > 0 => self.spend(thread, Doing::Pay, after, waker),
                    Some(_) if paid + after > 0 => self.spend(thread, Doing::Pay, paid + after - rest, waker),
                    _ => self.next_step(thread, waker),
                }
                if let Some(woken) = woken {
                    self.goes_on_by(woken);
                    self.charge_the_rest(thread, woken.thread, rest);
                }
            }
        }
    }

    /// The end of a system call that has woken somebody. It comes to that end whoever is woken, but where that one takes the core, the
    /// core's clock stands still until the switch (`rq_clock_skip_update` in `wakeup_preempt`, Linux `kernel/sched/core.c`), and the
    /// time counts as that of whoever comes.
    fn charge_the_rest(&mut self, waker: ThreadId, woken: ThreadId, ns: u64) {
        if ns > 0 {
            let takes_its_core = !self.engine.is_running(waker) && self.engine.is_running(woken);
            self.engine.give_kernel_time(if takes_its_core { woken } else { waker }, ns);
        }
    }

    /// Gives a thread CPU time for what it does in the kernel.
    fn spend(&mut self, thread: ThreadId, doing: Doing, ns: u64, waker: Option<ThreadId>) {
        if let Some(net) = &mut self.network {
            net.hand(thread).doing = Some(doing);
        }
        self.engine.give_kernel_time(thread, ns.max(1));
        match waker {
            Some(waker) => self.engine.wake_by(thread, waker),
            None => self.engine.wake(thread),
        }
    }

    fn next_step(&mut self, thread: ThreadId, waker: Option<ThreadId>) {
        let Some(net) = &mut self.network else { return };
        let serves = net.servers.contains_key(&thread);
        let next = if serves { net.serving(thread) } else { net.asking(thread) };
        match next {
            Next::Do(doing) => {
                let cost = net.cost(doing);
                self.spend(thread, doing, cost, waker);
            }
            Next::Wait => {
                net.hand(thread).waits = true;
                self.engine.block(thread);
            }
            Next::Done => self.go_on(thread),
        }
    }

    /// What a thread has done in the kernel takes effect; whom that wakes.
    fn done(&mut self, thread: ThreadId, doing: Doing) -> Option<Woken> {
        let index = self.owners.get(thread).map_or(0, |(index, _)| *index);
        let (now, passes) = (self.now, self.network.as_ref().map_or(0, |net| net.way.passes_ns));
        let net = self.network.as_mut()?;
        let (line, bytes) = match doing {
            Doing::Pay => return None,
            Doing::Send { line, bytes } | Doing::Read { line, bytes } => (line, bytes),
        };
        net.line(line)?;
        if let Some(moved) = net.moved.get_mut(index) {
            *moved += bytes;
        }
        let back = line.0 != thread;
        if matches!(doing, Doing::Read { .. }) {
            return net.read(line, !back, bytes).map(|woken| Woken { thread: woken, by: Some(thread) });
        }
        net.sent(line, back, bytes);
        let flow = (line, back);
        if net.link.is_none() && passes == 0 {
            return net.come(flow, bytes).map(|woken| Woken { thread: woken, by: Some(thread) });
        }
        if passes > 0 {
            self.queue.push(now + passes, TENANTS_SECOND, Event::Network(NetworkEvent::Come(flow, bytes)));
        } else {
            self.over_the_link(flow, bytes);
        }
        None
    }

    fn over_the_link(&mut self, flow: Flow, bytes: u64) {
        if let Some(link) = self.network.as_mut().and_then(|net| net.link.as_mut()) {
            link.send(self.now, Parcel { flow, bytes });
        }
        self.take_link_timers();
    }

    fn take_link_timers(&mut self) {
        let Some(link) = self.network.as_mut().and_then(|net| net.link.as_mut()) else { return };
        for (at, event) in link.timers.drain(..) {
            self.queue.push(at, TENANTS_SECOND, Event::Network(NetworkEvent::Link(event)));
        }
    }

    /// Something happens on the network.
    pub(super) fn network_event(&mut self, event: NetworkEvent) {
        let (flow, bytes) = match event {
            NetworkEvent::Awake(thread, number) => return self.awake(thread, number),
            NetworkEvent::Come(flow, bytes) => {
                if self.network.as_ref().is_some_and(|net| net.link.is_some()) {
                    return self.over_the_link(flow, bytes);
                }
                (flow, bytes)
            }
            NetworkEvent::Link(event) => {
                let link = self.network.as_mut().and_then(|net| net.link.as_mut());
                let come = link.and_then(|link| link.handle(self.now, event));
                self.take_link_timers();
                let Some(Parcel { flow, bytes }) = come else { return };
                (flow, bytes)
            }
        };
        let woken = self.network.as_mut().and_then(|net| net.come(flow, bytes));
        if let Some(thread) = woken {
            let woken = Woken { thread, by: None };
            self.wake_up(woken);
            self.goes_on_by(woken);
        }
    }

    /// Something has come for a thread that sleeps: what that costs whoever wakes it (ns).
    fn wake_up(&mut self, woken: Woken) -> u64 {
        let idles = match woken.by {
            Some(by) => self.engine.would_wake_idle_by(woken.thread, by),
            None => self.engine.would_wake_idle(woken.thread),
        };
        let from_idle = self.sleep_overhead;
        let Some(net) = &mut self.network else { return 0 };
        let costs = net.costs;
        let (number, hand) = (net.number(), net.hand(woken.thread));
        hand.waits = false;
        hand.owes += if idles { from_idle } else { costs.sleep_ns };
        let interrupts = woken.by.is_none() && self.guests_are_interrupted();
        let pays = match woken.by {
            Some(_) => costs.wake_ns + if idles { costs.wake_idle_ns } else { 0 },
            None => 0,
        };
        if idles || interrupts {
            let after = if idles { pays + costs.wakeup_idle_ns } else { 0 };
            if let Some(net) = &mut self.network {
                net.hand(woken.thread).waking = Some(number);
            }
            let event = Event::Network(NetworkEvent::Awake(woken.thread, number));
            self.queue.push(self.now + after, TENANTS_SECOND, event);
        }
        pays
    }

    fn guests_are_interrupted(&self) -> bool {
        matches!(self.engine, Engine::Guests(_))
    }

    /// One that was woken on a core that does not idle goes on at once.
    fn goes_on_by(&mut self, woken: Woken) {
        self.talk_on_by(woken.thread, woken.by);
    }

    /// One that was woken on an idle core is there.
    fn awake(&mut self, thread: ThreadId, number: u64) {
        let Some(net) = &mut self.network else { return };
        let hand = net.hand(thread);
        if hand.waking != Some(number) {
            return;
        }
        hand.waking = None;
        if self.engine.deliver(thread) {
            self.go_on(thread);
        }
    }

    /// A thread gives up what it was at, its phase or its life being over; whether it slept over it.
    pub(super) fn stop_talking(&mut self, thread: ThreadId) -> bool {
        let Some(net) = &mut self.network else { return false };
        let slept = net.hands.remove(&thread).is_some_and(|hand| hand.waits || hand.waking.is_some());
        if let Some(server) = net.servers.get_mut(&thread) {
            *server = Server::default();
        }
        net.connections.remove(&thread);
        slept
    }

    /// A client has no more to say, or says it elsewhere.
    pub(super) fn hang_up(&mut self, thread: ThreadId) {
        if let Some(net) = &mut self.network {
            net.connections.remove(&thread);
        }
    }

    /// Nobody listens where a client wants to connect.
    fn refused(&mut self, thread: ThreadId) {
        let Some(&(index, _)) = self.owners.get(thread) else { return };
        let phase = self.phase_of(thread).unwrap_or(0);
        let peer = self.network.as_ref().and_then(|net| net.peer(index, phase));
        let because = peer.and_then(|peer| self.instances.get(peer)?.as_ref()?.killed?.cause);
        let note = self.note(Note::Refused(index), because);
        self.end(index, How::Refused, note);
    }

    /// A process is gone: whoever is connected to it finds its connection reset, whoever it was connected to may go.
    pub(super) fn disconnect(&mut self, index: usize, because: Option<Cause>) {
        let Some(net) = &self.network else { return };
        let Some(instance) = self.instances.get(index).and_then(Option::as_ref) else { return };
        let Some(&own) = instance.threads.last() else { return };
        let met = net.connections.iter().filter(|(_, connection)| connection.server == own);
        let clients: Vec<ThreadId> = met.map(|(client, _)| *client).collect();
        for client in clients {
            let Some(&(index, _)) = self.owners.get(client) else { continue };
            if !self.is_killed(client) {
                let note = self.note(Note::Reset(index), because);
                self.end(index, How::Reset, note);
            }
        }
        self.let_go(index);
    }

    /// An instance has done its own work. It stays for those who talk to it.
    pub(super) fn finished(&mut self, index: usize) {
        if !self.has_clients(index) {
            self.follow_up(index);
        }
        self.let_go(index);
    }

    /// A client is done: those whose own work is done, and that stayed for it only, may end.
    fn let_go(&mut self, client: usize) {
        let peers = self.network.as_ref().map(|net| net.peers_of(client)).unwrap_or_default();
        for peer in peers {
            let done = |world: &Self| {
                let peer = world.instances.get(peer)?.as_ref()?;
                (peer.killed.is_none() && peer.program.finished().is_some()).then_some(())
            };
            if done(self).is_some() && !self.has_clients(peer) {
                self.follow_up(peer);
            }
        }
    }

    /// Whether somebody may still want to talk to an instance.
    fn has_clients(&self, index: usize) -> bool {
        let over =
            |client: usize| self.instances.get(client).and_then(Option::as_ref).is_none_or(Instance::is_over);
        self.network.as_ref().is_some_and(|net| net.clients_of(index).any(|client| !over(client)))
    }
}
