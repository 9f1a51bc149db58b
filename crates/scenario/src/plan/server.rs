//! What a server answers, and how.

use serde::Serialize;

use crate::Nanos;

/// Open-loop server: FIFO queue, `threads` workers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Server {
    /// When requests come.
    pub arrivals: Arrivals,
    /// CPU time that each needs.
    pub service: Service,
    /// Workers, at least 1.
    pub threads: u32,
    /// Requests that may wait, the ones in service not counted; an arrival at a full queue fails.
    pub queue: u32,
    /// A request not yet begun this long after its arrival fails (ns).
    pub timeout: Option<Nanos>,
}

/// `server.arrivals`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Arrivals {
    /// The process.
    pub process: ArrivalProcess,
    /// Mean rate (1/s), above 0.
    pub rate: f64,
}

/// `server.arrivals.process`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub enum ArrivalProcess {
    /// Exponential gaps.
    Poisson,
    /// Equal gaps.
    Constant,
    /// `size` requests at once, equal gaps between bursts, so that the mean rate is `rate`.
    Burst {
        /// Requests a burst, at least 1.
        size: u32,
    },
}

/// `server.service`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Service {
    /// Mean CPU time of a request (ns), above 0, at the calibrated speed of one busy core.
    pub cpu: Nanos,
    /// How it varies.
    pub distribution: Distribution,
}

/// `server.service.distribution`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Distribution {
    /// Always the mean.
    Constant,
    /// Exponential with that mean.
    Exponential,
    /// Log-normal with that mean.
    Lognormal {
        /// Standard deviation of the logarithm, above 0.
        sigma: f64,
    },
}
