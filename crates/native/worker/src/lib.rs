//! What the runner and the static worker have in common: the [`tape`] (shared memory through which a tenant gets its
//! work and publishes what it did), the [`script`] of steps that start a tenant, the [`port`] through which a guest is
//! spoken to, the fixed loop and the clock.
//!
//! *Architecture invariant*: the worker knows no scenario and no report. It is told turns and instants, and answers
//! with turns and instants.

pub mod clock;
pub mod fixed_loop;
pub mod port;
pub mod script;
pub mod stop;
pub mod tape;
