//! What the runner and the static worker have in common: the [`tape`] (shared memory through which a tenant gets its
//! work and publishes what it did), the [`script`] of steps that start a tenant, or the
//! [call](runtime_call) of an OCI runtime that does, the [room](room_plan) of an engine, what a container keeps ([`minimal`],
//! [`seccomp`]), the [`port`] through which a guest is spoken to and what it is [shown](share), the [`folder`] in which a run registers what it makes,
//! the [`file`](mod@file) on which it works, the [`facts`] by which surroundings are told apart, how a child is [reaped](reap), how a
//! [program] of the user's own is told about, the fixed loop, the clock, and what is known of a [bare guest](bare).
//!
//! *Architecture invariant*: the worker knows no scenario and no report. It is told turns and instants, and answers
//! with turns and instants.

pub mod bare;
pub mod clock;
pub mod facts;
pub mod file;
pub mod fixed_loop;
pub mod folder;
pub mod minimal;
pub mod modules;
pub mod port;
pub mod program;
pub mod reap;
pub mod room_plan;
pub mod runtime_call;
pub mod script;
pub mod seccomp;
pub mod share;
pub mod stop;
pub mod tape;
