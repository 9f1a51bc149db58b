//! The worker: threads that carry out the phases on the tape and note what they did.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread::{Scope, ScopedJoinHandle};

use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::fixed_loop::{CHUNK_TURNS, turn};
use catamaran_worker::script::{stamp, word};
use catamaran_worker::tape::{self, Layout, Tape, head, phase, thread};

use crate::client::{Client, PIECE_BYTES};
use crate::disk::{Buffer, Operations};
use crate::forks::{self, Forks};
use crate::launch::say;
use crate::layer;
use crate::lock::Lock;
use crate::memory::Leak;
use crate::microvm::{Machine, Processor};
use crate::peer::Peer;
use crate::server::{Queue, Requests};
use crate::supervise::Program;

/// A phase as it stands on the tape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    kind: u64,
    threads: usize,
    lasts_ns: u64,
    turns: u64,
    /// Turns without the lock and with it; 0 where there is none.
    every_and_hold: (u64, u64),
    pub(crate) requests: usize,
    /// Word at which its arrays begin.
    arrays_at: usize,
    pub(crate) queue: usize,
    pub(crate) timeout_ns: u64,
    /// Word at which it stands.
    pub(crate) at: usize,
}

impl Phase {
    fn read(tape: &Tape, at: usize) -> Self {
        let get = |word| tape.get(at + word);
        Self {
            kind: get(phase::KIND),
            threads: get(phase::THREADS) as usize,
            lasts_ns: get(phase::LASTS_NS),
            turns: get(phase::TURNS),
            every_and_hold: match get(phase::KIND) {
                phase::COMPUTE => (get(phase::EVERY_TURNS), get(phase::HOLD_TURNS)),
                _ => (0, 0),
            },
            requests: get(phase::REQUESTS) as usize,
            arrays_at: get(phase::ARRAYS) as usize,
            queue: get(phase::QUEUE) as usize,
            timeout_ns: get(phase::TIMEOUT_NS),
            at,
        }
    }

    /// Its first arrays, of as many words each as it has requests.
    pub(crate) fn arrays<'a, const N: usize>(&self, tape: &'a Tape) -> [&'a [AtomicU64]; N] {
        std::array::from_fn(|number| tape.array(self.arrays_at + number * self.requests, self.requests))
    }

    /// End of a phase that began at `began_ns`; `u64::MAX` where only its work ends it.
    fn end_ns(self, began_ns: u64) -> u64 {
        if self.lasts_ns == 0 { u64::MAX } else { began_ns.saturating_add(self.lasts_ns) }
    }
}

/// What the threads of a worker share.
struct Crew<'a> {
    tape: &'a Tape,
    layout: Layout,
    /// The machine of the guest in which the work is done, where there is one.
    machine: Option<Machine>,
    /// Threads that carry out the phases; where others are served, the last one does that instead.
    workers: usize,
    phases: Vec<(Phase, Mutex<Queue>)>,
    /// Of each phase.
    locks: Vec<Lock>,
    /// Threads that work and the main thread, for the common start.
    start: Barrier,
    /// Threads that work, between phases.
    between: Barrier,
    /// When the present phase began, if it is not the first (ns of the clock).
    began_ns: AtomicU64,
}

/// Carries out the workload on the tape, from the runner's word to the end.
pub(crate) fn work(first_ns: u64) -> Result<(), String> {
    let tape = Tape::map(rustix::stdio::stdout()).map_err(|error| format!("cannot map the tape: {error}"))?;
    tape.stamp(stamp::FIRST, first_ns);
    if tape.get(head::MAGIC) != tape::MAGIC {
        return Err("the tape is of another version".to_owned());
    }
    // Sleeps shall end when they are due: the default slack is 50 µs. Threads inherit it.
    rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1))
        .map_err(|error| format!("PR_SET_TIMERSLACK: {error}"))?;
    let layout = tape.layout();
    let phases: Vec<_> = (0..layout.phases).map(|index| Phase::read(&tape, layout.phase(index))).collect();
    if phases.iter().any(|phase| phase.kind == phase::FORK) {
        // Before there are threads, which inherit it.
        forks::hold_ends().map_err(|error| format!("SIGCHLD cannot be blocked: {error}"))?;
    }
    let port = tape.get(head::PORT) as u16;
    // It listens before anybody is told to begin.
    let peer = (port != 0).then(|| Peer::listen(port)).transpose()?;
    let workers = layout.threads.saturating_sub(usize::from(peer.is_some()));
    let guest_bytes = Some(tape.get(head::GUEST_BYTES)).filter(|bytes| *bytes > 0);
    let machine = guest_bytes.map(|bytes| Machine::make(bytes, &tape)).transpose()?;
    if machine.is_some() {
        tape.stamp(stamp::VMM, now_ns());
    }
    let crew = Crew {
        tape: &tape,
        layout,
        machine,
        workers,
        phases: phases.iter().map(|phase| (*phase, Mutex::new(Queue::new(phase)))).collect(),
        locks: phases.iter().map(|_| Lock::default()).collect(),
        start: Barrier::new(workers + 1),
        between: Barrier::new(workers),
        began_ns: AtomicU64::new(0),
    };
    std::thread::scope(|scope| crew.carry_out(scope, peer))
}

impl Crew<'_> {
    /// Starts the threads, waits for the common start, then for their end, and notes when the last one ended. Whoever
    /// serves others goes on until nobody needs it.
    fn carry_out<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        peer: Option<Peer>,
    ) -> Result<(), String> {
        let threads: Result<Vec<_>, _> =
            (0..self.workers).map(|index| self.spawn(scope, index, move || self.thread(index))).collect();
        let peer = peer
            .map(|peer| self.spawn(scope, self.workers, move || self.serve(peer, self.workers)))
            .transpose();
        let (Ok(threads), Ok(peer)) = (threads, peer) else {
            // The threads that are there wait for a start that never comes: end them all.
            say(
                rustix::stdio::stdin(),
                &format!("{}cannot start {} threads", word::FAILED, self.layout.threads),
            );
            std::process::exit(1);
        };
        // Once for "all are there", so that whoever looks finds every thread, and once for the common start.
        self.start.wait();
        say(rustix::stdio::stdin(), word::STARTED);
        let before = self.uses_layers().then(layer::moved_bytes).flatten();
        self.tape.wait_for_go();
        self.start.wait();
        let ends: Result<Vec<u64>, String> = threads.into_iter().map(join).collect();
        let done_ns = ends?.into_iter().max().unwrap_or_default();
        if let (Some(before), Some(now)) = (before, before.and_then(|_| layer::moved_bytes())) {
            self.tape.set(head::DISK_BYTES, now.saturating_sub(before) + 1);
        }
        self.tape.set(head::DONE, done_ns.saturating_sub(self.tape.get(head::ORIGIN_NS)) + 1);
        peer.map_or(Ok(()), join)
    }

    /// Whether a phase is on the file of a layer.
    fn uses_layers(&self) -> bool {
        let is_layer = |at: usize| self.tape.get(at + phase::OPERATION) & phase::LAYER != 0;
        self.phases.iter().any(|(phase, _)| phase.kind == phase::DISK && is_layer(phase.at))
    }

    fn spawn<'scope, T: Send + 'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        index: usize,
        work: impl FnOnce() -> T + Send + 'scope,
    ) -> std::io::Result<ScopedJoinHandle<'scope, T>> {
        std::thread::Builder::new().name(format!("w{index}")).stack_size(64 << 10).spawn_scoped(scope, work)
    }

    /// The thread that serves others.
    fn serve(&self, peer: Peer, index: usize) {
        let mut hand = Hand::new(self.tape, self.layout.thread(index));
        or_end(peer.serve(self.tape.get(head::CLIENTS), &mut hand));
        hand.end();
    }

    /// One thread, from the common start to its end (ns of the clock).
    fn thread(&self, index: usize) -> u64 {
        let mut hand = Hand::new(self.tape, self.layout.thread(index));
        hand.processor = or_end(self.processor(index));
        let mut buffer = or_end(Buffer::map(self.block_bytes(index)));
        self.start.wait();
        self.start.wait();
        let mut sockets = self.connect(index);
        let mut began_ns = self.tape.get(head::BEGIN_NS);
        let mut end_ns = began_ns;
        for (number, ((phase, queue), lock)) in self.phases.iter().zip(&self.locks).enumerate() {
            self.tape.set(phase.at + phase::BEGAN, began_ns - self.tape.get(head::ORIGIN_NS) + 1);
            if index < phase.threads {
                let socket = sockets.get_mut(number).and_then(Option::take);
                self.carry_out_phase(&mut hand, *phase, (queue, lock), (&mut buffer, socket), began_ns);
            }
            end_ns = now_ns();
            if number + 1 < self.phases.len() {
                began_ns = self.next_phase();
            }
        }
        hand.end();
        end_ns
    }

    /// The guest's processor that the thread of that number is, where there is a guest.
    fn processor(&self, index: usize) -> Result<Option<Processor<'_>>, String> {
        let Some(machine) = &self.machine else { return Ok(None) };
        let processor = machine.processor(index, self.layout.thread(index) + thread::TURNS)?;
        if index == 0 {
            self.tape.stamp(stamp::GUEST, now_ns());
        }
        Ok(Some(processor))
    }

    /// The connections of the thread of that number, by phase.
    fn connect(&self, index: usize) -> Vec<Option<OwnedFd>> {
        let connect = |(phase, _): &(Phase, _)| {
            let is_client = phase.kind == phase::NETWORK && index < phase.threads;
            is_client.then(|| or_give_up(Client::read(self.tape, *phase).connect()))
        };
        self.phases.iter().map(connect).collect()
    }

    /// Waits for the other threads; when the last of them was done, which is when the next phase begins.
    fn next_phase(&self) -> u64 {
        if self.between.wait().is_leader() {
            self.began_ns.store(now_ns(), Ordering::Relaxed);
        }
        self.between.wait();
        self.began_ns.load(Ordering::Relaxed)
    }

    fn carry_out_phase(
        &self,
        hand: &mut Hand<'_>,
        phase: Phase,
        (queue, lock): (&Mutex<Queue>, &Lock),
        (buffer, socket): (&mut Buffer, Option<OwnedFd>),
        began_ns: u64,
    ) {
        let end_ns = phase.end_ns(began_ns);
        sleep_until(began_ns);
        match phase.kind {
            phase::COMPUTE if phase.every_and_hold.0 > 0 => {
                hand.make_with(lock, phase.turns, phase.every_and_hold, end_ns);
            }
            phase::COMPUTE if phase.lasts_ns == 0 => hand.make(phase.turns),
            phase::COMPUTE => hand.make_until(phase.turns, end_ns),
            phase::MEMORY => {
                or_end(Leak::read(self.tape, phase.at).carry_out(hand.processor.as_mut(), end_ns));
            }
            phase::DISK => {
                or_end(Operations::read(self.tape, phase, began_ns).carry_out(buffer, end_ns));
            }
            phase::NETWORK => {
                if let Some(socket) = socket {
                    or_give_up(Client::read(self.tape, phase).carry_out(&socket, (hand, buffer), end_ns));
                }
            }
            phase::FORK => or_give_up(Forks::read(self.tape, phase, began_ns).carry_out(end_ns)),
            phase::PROGRAM => or_give_up(Program::read(self.tape, phase.at).carry_out(end_ns)),
            phase::SERVER => Requests::new(self.tape, phase, began_ns).serve(queue, hand),
            _ => {}
        }
        if phase.lasts_ns != 0 {
            sleep_until(end_ns);
        }
    }
}

impl Crew<'_> {
    /// Most bytes that the thread of that number moves at once, in any phase.
    fn block_bytes(&self, index: usize) -> usize {
        let phases = self.phases.iter().filter(|(phase, _)| index < phase.threads);
        let blocks = phases.map(|(phase, _)| match phase.kind {
            phase::DISK => self.tape.get(phase.at + phase::BLOCK_BYTES) as usize,
            phase::NETWORK => PIECE_BYTES.min(self.tape.get(phase.at + phase::MESSAGE_BYTES) as usize),
            _ => 0,
        });
        blocks.max().unwrap_or(0)
    }
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T, String> {
    thread.join().map_err(|_| "a thread died".to_owned())
}

/// Where memory or a file is not to be had, that is the tenant's end, and the runner is told why.
fn or_end<T>(answer: Result<T, String>) -> T {
    answer.unwrap_or_else(|what| end_with(word::FAILED, &what))
}

/// The same where others are at fault: the tenant ends, but the run goes on.
fn or_give_up<T>(answer: Result<T, String>) -> T {
    answer.unwrap_or_else(|what| end_with(word::GAVE_UP, &what))
}

fn end_with(how: &str, what: &str) -> ! {
    say(rustix::stdio::stdin(), &format!("{how}{what}"));
    std::process::exit(1);
}

/// What makes the turns, and counts them where the runner sees it.
pub(crate) struct Hand<'a> {
    tape: &'a Tape,
    at: usize,
    turns: u64,
    network_bytes: u64,
    state: u64,
    /// Who makes the turns in its place, where the work is done in a guest.
    processor: Option<Processor<'a>>,
}

impl<'a> Hand<'a> {
    fn new(tape: &'a Tape, at: usize) -> Self {
        // Any state but 0 will do: 0 is a fixed point of the loop.
        let state = 0x9E37_79B9_7F4A_7C15 ^ at as u64;
        Self { tape, at, turns: 0, network_bytes: 0, state, processor: None }
    }

    /// Makes `turns` turns.
    pub(crate) fn make(&mut self, turns: u64) {
        self.make_until(turns, u64::MAX);
    }

    /// Makes `turns` turns, but stops when the clock shows `end_ns`; asks it only where there is an end.
    fn make_until(&mut self, turns: u64, end_ns: u64) {
        let mut left = turns;
        if let Some(processor) = &mut self.processor {
            // It looks at its clock itself, and counts.
            (self.state, left) = or_end(processor.turn(self.state, turns, end_ns));
            self.turns += turns - left;
            return;
        }
        while left > 0 && (end_ns == u64::MAX || now_ns() < end_ns) {
            let chunk = left.min(CHUNK_TURNS);
            self.state = turn(self.state, chunk);
            left -= chunk;
            self.turns += chunk;
            self.tape.set(self.at + thread::TURNS, self.turns);
        }
    }

    /// Makes `turns` turns until `end_ns`, by turns so many without the lock and so many with it.
    fn make_with(&mut self, lock: &Lock, turns: u64, (every, hold): (u64, u64), end_ns: u64) {
        let most = self.turns + turns;
        let is_past = || end_ns != u64::MAX && now_ns() >= end_ns;
        while self.turns < most && !is_past() {
            self.make_until(every.min(most - self.turns), end_ns);
            if self.turns < most && lock.take(end_ns) {
                self.make_until(hold.min(most - self.turns), end_ns);
                lock.leave();
            }
        }
    }

    /// Counts payload that went over the network (bytes).
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.network_bytes += bytes as u64;
        self.tape.set(self.at + thread::NETWORK_BYTES, self.network_bytes);
    }

    /// The last words of the thread: its counters vanish with it.
    fn end(&self) {
        self.tape.set(self.at + thread::SINK, self.state);
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let mut figures = text.split_ascii_whitespace().map(str::parse::<u64>);
        if let (Some(Ok(cpu_ns)), Some(Ok(wait_ns))) = (figures.next(), figures.next()) {
            self.tape.set(self.at + thread::CPU_NS, cpu_ns);
            self.tape.set(self.at + thread::WAIT_NS, wait_ns);
            self.tape.set(self.at + thread::ENDED, 1);
        }
    }
}
