//! From a tenant of the plan to the work on its tape: turns and instants, nothing else.

use std::fs::File;
use std::os::fd::AsFd as _;

use catamaran_scenario::Nanos;
use catamaran_scenario::draw::Requests;
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::fork_work::ForkWork;
use catamaran_scenario::leak::{Leak, STEP_NS};
use catamaran_scenario::network_work::NetworkWork;
use catamaran_scenario::plan::{Plan, Workload};
use catamaran_worker::program::Call;
use catamaran_worker::tape::{self, Layout, Tape, head, phase};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::forks;
use crate::network::{self, Address};
use crate::problem::Problem;
use crate::program;

/// A server or an idle tenant is there until the run ends. It sleeps a little longer, so that its end does not disturb
/// the last look at the others.
const AFTER_THE_END_NS: u64 = 1_000_000_000;

/// One phase of a tenant's work.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PhaseOrder {
    pub(crate) kind: Kind,
    pub(crate) threads: usize,
    pub(crate) lasts_ns: u64,
}

/// What is done in a phase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Idle,
    /// Turns of each thread.
    Compute(u64),
    /// The same, by turns without the lock and with it.
    Locked {
        turns: u64,
        every: u64,
        hold: u64,
    },
    Memory(Leak),
    Disk {
        work: FileWork,
        seed: u64,
    },
    Network {
        work: NetworkWork,
        peer: Address,
    },
    Fork {
        work: ForkWork,
        /// Forks that are due before the run or the phase is over.
        forks: u64,
        /// Children at which it gives up.
        safe: u64,
    },
    Program(Call),
    Server {
        /// Intended arrival (ns from the beginning of the phase) and demand (turns).
        requests: Vec<(u64, u64)>,
        queue: u64,
        timeout_ns: u64,
    },
}

/// What a tenant is to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) phases: Vec<PhaseOrder>,
    /// TCP port on which one more thread serves others, and how many connections.
    pub(crate) served: Option<(u16, u64)>,
}

impl Order {
    /// Of one replica of the tenant at `index` in the plan, at `turns_per_cpu_s` turns in a CPU second of the scenario.
    pub(crate) fn of(plan: &Plan, index: usize, replica: u32, turns_per_cpu_s: f64) -> Option<Self> {
        let tenant = plan.tenants().get(index)?;
        let left_ns = plan.duration().0.saturating_sub(tenant.start_at.0);
        let phases: Vec<(&Workload, Option<Nanos>)> = match &tenant.workload {
            Workload::Phases(phases) => phases.iter().map(|phase| (&phase.workload, phase.lasts)).collect(),
            only => vec![(only, None)],
        };
        let orders = phases.into_iter().enumerate().map(|(number, (workload, lasts))| {
            let lasts_ns = lasts.map_or(0, |lasts| lasts.0);
            let (kind, threads) = match workload {
                Workload::Compute { threads, work, lock } => {
                    let turns = (work.seconds() * turns_per_cpu_s / f64::from(*threads)).round() as u64;
                    let of = |ns: Nanos| (ns.seconds() * turns_per_cpu_s).round().max(1.0) as u64;
                    let kind = lock.map_or(Kind::Compute(turns), |lock| Kind::Locked {
                        turns,
                        every: of(lock.every),
                        hold: of(lock.hold),
                    });
                    (kind, *threads)
                }
                Workload::Server(server) => {
                    let requests = Requests::new(plan, index, replica, number)?;
                    let turns = |ns: u64| (Nanos(ns).seconds() * turns_per_cpu_s).round().max(1.0) as u64;
                    let requests = requests.map(|r| (r.arrival_ns, turns(r.demand_ns))).collect();
                    let timeout_ns = server.timeout.map_or(0, |timeout| timeout.0);
                    (Kind::Server { requests, queue: u64::from(server.queue), timeout_ns }, server.threads)
                }
                Workload::Disk { depth, .. } => {
                    let seed = FileWork::places_seed(plan.seed(), index, replica, number);
                    (Kind::Disk { work: FileWork::of(workload)?, seed }, *depth)
                }
                Workload::Network { .. } => {
                    let work = NetworkWork::of(workload)?;
                    let peer = network::peer_of(plan, replica, &work)?;
                    (Kind::Network { work, peer }, 1)
                }
                Workload::Fork { .. } => {
                    let work = ForkWork::of(workload)?;
                    let span_ns = lasts.map_or(left_ns, |lasts| lasts.0.min(left_ns));
                    (Kind::Fork { work, forks: work.due_within(span_ns), safe: forks::part(plan) }, 1)
                }
                Workload::Command { argv, probe_tcp, .. } => {
                    let (argv, stop_ns) = (argv.clone(), plan.duration().0);
                    (Kind::Program(Call { argv, probe: *probe_tcp, stop_ns, confined: false }), 1)
                }
                other => (Leak::of(other).map_or(Kind::Idle, Kind::Memory), 1),
            };
            let has_an_end = matches!(
                kind,
                Kind::Compute(_)
                    | Kind::Locked { .. }
                    | Kind::Disk { .. }
                    | Kind::Network { .. }
                    | Kind::Program(_)
            );
            let to_the_end = lasts.is_none() && !has_an_end;
            let lasts_ns = if to_the_end { left_ns + AFTER_THE_END_NS } else { lasts_ns };
            Some(PhaseOrder { kind, threads: threads as usize, lasts_ns })
        });
        let served = network::served(plan, index, replica);
        Some(Self { phases: orders.collect::<Option<_>>()?, served })
    }

    /// The same, its programs with no more capabilities than those of containers have, where they are to be `confined`, and found on this
    /// machine, unless they are in an image.
    pub(crate) fn with_programs(mut self, confined: bool, in_image: bool) -> Self {
        for phase in &mut self.phases {
            if let Kind::Program(call) = &mut phase.kind {
                call.confined = confined;
                if !in_image {
                    call.argv = program::resolved(&call.argv);
                }
            }
        }
        self
    }

    /// So many turns for each of so many threads, and nothing else.
    pub(crate) fn turns(threads: usize, turns: u64) -> Self {
        Self { phases: vec![PhaseOrder { kind: Kind::Compute(turns), threads, lasts_ns: 0 }], served: None }
    }

    /// Memory that is touched for so long (ns), and nothing else.
    pub(crate) fn leak(leak: Leak, lasts_ns: u64) -> Self {
        Self { phases: vec![PhaseOrder { kind: Kind::Memory(leak), threads: 1, lasts_ns }], served: None }
    }

    fn threads(&self) -> usize {
        self.phases.iter().map(|phase| phase.threads).max().unwrap_or(1) + usize::from(self.served.is_some())
    }

    /// Writes the order on a new tape.
    pub(crate) fn write(&self) -> Result<File, Problem> {
        let layout = Layout { threads: self.threads(), phases: self.phases.len() };
        let words = self
            .phases
            .iter()
            .fold(layout.arrays(), |words, phase| words.saturating_add(phase.array_words()));
        let no_tape = |error: &dyn std::fmt::Display| {
            Problem::by_errno(
                format!("cannot make a tape of {} MiB: {error}", words >> 17),
                "lower `duration`, `rate` or `threads`",
            )
        };
        if words > tape::WORDS_MAX {
            return Err(no_tape(&"that is more than 1 GiB"));
        }
        let file = memfd_create("catamaran-tape", MemfdFlags::CLOEXEC).map_err(|error| no_tape(&error))?;
        rustix::fs::ftruncate(&file, words as u64 * 8).map_err(|error| no_tape(&error))?;
        // The pages are touched here, so that they are charged to the runner and not to the tenant that writes them.
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, words as u64 * 8)
            .map_err(|error| no_tape(&error))?;
        let tape = Tape::map(file.as_fd()).map_err(|error| no_tape(&error))?;
        tape.set(head::MAGIC, tape::MAGIC);
        tape.set(head::THREADS, layout.threads as u64);
        tape.set(head::PHASES, layout.phases as u64);
        let (port, clients) = self.served.unwrap_or_default();
        tape.set(head::PORT, u64::from(port));
        tape.set(head::CLIENTS, clients);
        let mut arrays = layout.arrays();
        for (number, phase) in self.phases.iter().enumerate() {
            phase.write(&tape, layout.phase(number), arrays);
            arrays += phase.array_words();
        }
        Ok(File::from(file))
    }
}

impl PhaseOrder {
    fn array_words(&self) -> usize {
        match &self.kind {
            Kind::Server { requests, .. } => requests.len().saturating_mul(phase::ARRAY_COUNT),
            Kind::Program(call) => call.array_words(),
            Kind::Fork { forks, .. } => (*forks as usize).saturating_mul(phase::FORK_ARRAY_COUNT),
            Kind::Disk { work, .. } => (work.operations as usize).saturating_mul(phase::REQUEST_ARRAY_COUNT),
            Kind::Network { work, .. } if work.answered => {
                (work.messages as usize).saturating_mul(phase::REQUEST_ARRAY_COUNT)
            }
            _ => 0,
        }
    }

    fn write(&self, tape: &Tape, at: usize, arrays: usize) {
        tape.set(at + phase::THREADS, self.threads as u64);
        tape.set(at + phase::LASTS_NS, self.lasts_ns);
        match &self.kind {
            Kind::Idle => tape.set(at + phase::KIND, phase::IDLE),
            Kind::Compute(turns) => {
                tape.set(at + phase::KIND, phase::COMPUTE);
                tape.set(at + phase::TURNS, *turns);
            }
            Kind::Locked { turns, every, hold } => {
                tape.set(at + phase::KIND, phase::COMPUTE);
                tape.set(at + phase::TURNS, *turns);
                tape.set(at + phase::EVERY_TURNS, *every);
                tape.set(at + phase::HOLD_TURNS, *hold);
            }
            Kind::Memory(leak) => {
                tape.set(at + phase::KIND, phase::MEMORY);
                tape.set(at + phase::START_BYTES, leak.start.0);
                tape.set(at + phase::LEAK, leak.leak.0);
                tape.set(at + phase::MOST_BYTES, leak.most.0);
                tape.set(at + phase::STEP_NS, STEP_NS);
                tape.set(at + phase::OVER_AND_OVER, u64::from(leak.touch_loop));
                tape.set(at + phase::PAGE_BYTES, rustix::param::page_size() as u64);
            }
            Kind::Network { work, peer } => write_messages(tape, at, arrays, work, *peer),
            Kind::Program(call) => call.write(tape, at, arrays),
            Kind::Fork { work, forks, safe } => write_forks(tape, at, arrays, (work, *forks, *safe)),
            Kind::Disk { work, seed } => write_file_work(tape, at, arrays, (work, *seed)),
            Kind::Server { requests, queue, timeout_ns } => {
                tape.set(at + phase::KIND, phase::SERVER);
                tape.set(at + phase::REQUESTS, requests.len() as u64);
                tape.set(at + phase::ARRAYS, arrays as u64);
                tape.set(at + phase::QUEUE, *queue);
                tape.set(at + phase::TIMEOUT_NS, *timeout_ns);
                for (k, (arrival_ns, turns)) in requests.iter().enumerate() {
                    tape.set(arrays + k, *arrival_ns);
                    tape.set(arrays + requests.len() + k, *turns);
                }
            }
        }
    }
}

fn write_file_work(tape: &Tape, at: usize, arrays: usize, (work, seed): (&FileWork, u64)) {
    let what = [
        (work.writes, phase::WRITES),
        (work.random, phase::RANDOM),
        (work.flushes, phase::FLUSHES),
        (work.cached, phase::CACHED),
        (work.layer_bytes.is_some(), phase::LAYER),
    ];
    let operation = what.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum();
    let words = [
        (phase::KIND, phase::DISK),
        (phase::REQUESTS, work.operations),
        (phase::ARRAYS, arrays as u64),
        (phase::BLOCK_BYTES, work.block_bytes),
        (phase::FILE_BLOCKS, work.file_blocks),
        (phase::RATE, work.rate.unwrap_or(0)),
        (phase::OPERATION, operation),
        (phase::SEED, seed),
    ];
    words.into_iter().for_each(|(word, value)| tape.set(at + word, value));
}

fn write_forks(tape: &Tape, at: usize, arrays: usize, (work, forks, safe): (&ForkWork, u64, u64)) {
    let words = [
        (phase::KIND, phase::FORK),
        (phase::REQUESTS, forks),
        (phase::ARRAYS, arrays as u64),
        (phase::FORK_RATE, work.rate.to_bits()),
        (phase::LIFETIME_NS, work.lifetime_ns),
        (phase::MOST, work.most.unwrap_or(0)),
        (phase::SAFE, safe),
    ];
    words.into_iter().for_each(|(word, value)| tape.set(at + word, value));
}

fn write_messages(tape: &Tape, at: usize, arrays: usize, work: &NetworkWork, peer: Address) {
    let before_last = (work.messages - 1).saturating_mul(work.message_bytes);
    let (requests, stream_bytes) =
        if work.answered { (work.messages, 0) } else { (0, before_last.saturating_add(work.last_bytes)) };
    let words = [
        (phase::KIND, phase::NETWORK),
        (phase::REQUESTS, requests),
        (phase::ARRAYS, arrays as u64),
        (phase::MESSAGE_BYTES, work.message_bytes),
        (phase::STREAM_BYTES, stream_bytes),
        (phase::ADDRESS, u64::from(peer.ip.to_bits())),
        (phase::TO_PORT, u64::from(peer.port)),
    ];
    words.into_iter().for_each(|(word, value)| tape.set(at + word, value));
}
