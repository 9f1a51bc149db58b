//! Room 0: orders events, draws numbers, keeps the causal trace. Knows no unit but the nanosecond.

pub(crate) mod choice;
pub(crate) mod queue;
pub(crate) mod rng;
pub(crate) mod trace;

/// An instant of simulated time: nanoseconds from the start of the run.
pub(crate) type Instant = u64;
