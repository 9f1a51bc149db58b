//! An OCI runtime (runtime specification 1.2): everything it does outside of the container. What happens inside is
//! [`catamaran_oci_init`]'s.

pub mod cgroup;
mod problem;

pub use problem::Problem;
