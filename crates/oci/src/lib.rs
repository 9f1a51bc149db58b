//! An OCI runtime (runtime specification 1.3): everything it does outside of the container. What happens inside is
//! [`catamaran_oci_init`]'s.

mod agent;
mod bundle;
pub mod capabilities;
pub mod cgroup;
pub mod check;
mod clock;
pub mod command;
mod console;
mod cover;
mod door;
mod foreground;
mod image;
mod launch;
mod maps;
pub mod mounts;
mod network;
mod order;
mod problem;
mod process;
mod rehearse;
mod resctrl;
pub mod seccomp;
mod state;
mod warning;

pub use clock::now;
pub use problem::Problem;
pub use rehearse::rehearse;
pub use warning::Warning;
