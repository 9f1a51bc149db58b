//! Common random numbers: arrival `k` of a tenant and its service demand are functions of (seed, tenant, replica, k) alone,
//! so the native run replays exactly what the simulator draws.
//!
//! *Architecture invariant*: nothing here knows a platform, a thread or a clock. Floats use `+ - * /` and the crate `libm`,
//! whose results are the same bits on every target. What draws is inlined into those who ask: the page has this crate built for
//! size and the simulator for speed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::Plan;
use crate::plan::{ArrivalProcess, Distribution, Server, Service, Workload};

/// Goes into every stream's key; another version of this module's numbers needs another label.
const LABEL: &[u8] = b"catamaran/draw/v1";

/// One request of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// When it is meant to arrive (ns from the start of the tenant's server phase).
    pub arrival_ns: u64,
    /// CPU time that it needs at the calibrated speed of one busy core (ns), at least 1.
    pub demand_ns: u64,
}

/// The requests of one replica in one server phase, by arrival.
#[derive(Debug, Clone)]
pub struct Requests {
    arrivals: ArrivalTimes,
    demands: Demands,
    end_ns: u64,
}

impl Requests {
    /// The requests of replica `replica` of tenant `tenant` (by its place in the plan) in phase `phase` (0 where the workload
    /// is the server itself). They end with the phase, or with the run; arrivals beyond the run's end of a phase that starts
    /// late are for the backend to leave out. A program's `like` counts as the workload itself. `None` where there is no such
    /// tenant or phase, or no server in it.
    #[must_use]
    pub fn new(plan: &Plan, tenant: usize, replica: u32, phase: usize) -> Option<Self> {
        let tenant = plan.tenants().get(tenant)?;
        let left_ns = plan.duration().0.saturating_sub(tenant.start_at.0);
        let (server, end_ns) = match &tenant.workload {
            Workload::Phases(phases) => {
                let phase = phases.get(phase)?;
                (server_of(&phase.workload)?, phase.lasts.map_or(left_ns, |lasts| lasts.0.min(left_ns)))
            }
            workload if phase == 0 => (server_of(workload)?, left_ns),
            _ => return None,
        };
        let stream = |what| stream(what, plan.seed(), &tenant.name, replica, phase as u64);
        Some(Self {
            arrivals: ArrivalTimes::new(server, stream("gaps")),
            demands: Demands { service: server.service.clone(), stream: stream("demands") },
            end_ns,
        })
    }
}

impl Iterator for Requests {
    type Item = Request;

    #[inline]
    fn next(&mut self) -> Option<Request> {
        let arrival_ns = self.arrivals.next_ns();
        (arrival_ns < self.end_ns).then(|| Request { arrival_ns, demand_ns: self.demands.next_ns() })
    }
}

fn server_of(workload: &Workload) -> Option<&Server> {
    match workload {
        Workload::Server(server) => Some(server),
        Workload::Command { like: Some(like), .. } => server_of(like),
        _ => None,
    }
}

/// The stream of that name. The key is a hash of all that it depends on, the phase is the generator's stream number.
fn stream(what: &str, seed: u64, tenant: &str, replica: u32, phase: u64) -> ChaCha8Rng {
    let key = Sha256::new()
        .chain_update(LABEL)
        .chain_update([0])
        .chain_update(what)
        .chain_update([0])
        .chain_update(seed.to_le_bytes())
        .chain_update(replica.to_le_bytes())
        .chain_update(tenant)
        .finalize();
    let mut stream = ChaCha8Rng::from_seed(key.into());
    stream.set_stream(phase);
    stream
}

/// When requests come.
#[derive(Debug, Clone)]
struct ArrivalTimes {
    process: ArrivalProcess,
    rate: f64,
    stream: ChaCha8Rng,
    /// Requests so far.
    count: u64,
    /// Time of the last one (ns); Poisson only.
    last_ns: u64,
}

impl ArrivalTimes {
    fn new(server: &Server, stream: ChaCha8Rng) -> Self {
        Self { process: server.arrivals.process, rate: server.arrivals.rate, stream, count: 0, last_ns: 0 }
    }

    /// The first request of a constant or burst process comes at once, that of a Poisson process after a gap.
    #[inline]
    fn next_ns(&mut self) -> u64 {
        let count = self.count;
        self.count += 1;
        match self.process {
            ArrivalProcess::Poisson => {
                let gap_ns = whole(exponential(&mut self.stream) * 1e9 / self.rate);
                self.last_ns = self.last_ns.saturating_add(gap_ns);
                self.last_ns
            }
            ArrivalProcess::Constant => self.multiple_ns(count),
            ArrivalProcess::Burst { size } => self.multiple_ns(count - count % u64::from(size.max(1))),
        }
    }

    /// When `count` requests at the mean rate have come; not a sum of rounded gaps, so that it does not drift.
    fn multiple_ns(&self, count: u64) -> u64 {
        whole(count as f64 * 1e9 / self.rate)
    }
}

/// What requests need.
#[derive(Debug, Clone)]
struct Demands {
    service: Service,
    stream: ChaCha8Rng,
}

impl Demands {
    /// Every demand takes two words of its stream, whatever the distribution: demand `k` stays at one place.
    #[inline]
    fn next_ns(&mut self) -> u64 {
        let mean_ns = self.service.cpu.0 as f64;
        let (first, second) = (unit(&mut self.stream), unit(&mut self.stream));
        let demand_ns = match self.service.distribution {
            Distribution::Constant => return self.service.cpu.0.max(1),
            Distribution::Exponential => mean_ns * -libm::log(first),
            // The mean of exp(µ + σZ) is exp(µ + σ²/2).
            Distribution::Lognormal { sigma } => {
                mean_ns * libm::exp(sigma * normal(first, second) - sigma * sigma / 2.0)
            }
        };
        whole(demand_ns).max(1)
    }
}

/// Uniform in (0, 1], in steps of 2^-53.
#[inline]
fn unit(stream: &mut ChaCha8Rng) -> f64 {
    const STEP: f64 = 1.0 / (1u64 << 53) as f64;
    ((stream.next_u64() >> 11) + 1) as f64 * STEP
}

/// Exponential with mean 1.
#[inline]
fn exponential(stream: &mut ChaCha8Rng) -> f64 {
    -libm::log(unit(stream))
}

/// Standard normal of two uniform numbers (Box and Muller 1958).
#[inline]
fn normal(first: f64, second: f64) -> f64 {
    libm::sqrt(-2.0 * libm::log(first)) * libm::cos(2.0 * std::f64::consts::PI * second)
}

/// The nearest whole number of ns; numbers beyond `u64` become its end.
#[inline]
fn whole(ns: f64) -> u64 {
    libm::round(ns) as u64
}
