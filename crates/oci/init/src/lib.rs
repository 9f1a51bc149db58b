//! What an OCI runtime does inside of the container. The runtime writes an order, the static program of this crate carries
//! it out.

pub mod capability;
pub mod filter;
pub mod hook;
pub mod mount;
pub mod order;
pub mod wire;
