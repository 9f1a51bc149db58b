//! The speed workloads: small worlds with answers that every exact engine gets, through the doors that scenarios use.

mod hold;
mod hosts;
mod queueing;

pub(crate) use hold::hold;
pub(crate) use hosts::shared_hosts;
pub(crate) use queueing::mm1;

/// The seed of the workloads' demands, and that of the service times beside arrivals.
const SEED: u64 = 42;
const SERVICE_SEED: u64 = 43;
