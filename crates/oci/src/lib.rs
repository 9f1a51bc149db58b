//! An OCI runtime (runtime specification 1.2): everything it does outside of the container. What happens inside is
//! [`catamaran_oci_init`]'s.

pub mod capabilities;
pub mod check;
pub mod mounts;
mod problem;
pub mod seccomp;
mod warning;

pub use problem::Problem;
pub use warning::Warning;
