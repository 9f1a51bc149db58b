//! Which control groups this process may use.

use std::fs;

use super::{Cgroup, V1, V2};
use crate::machine::Hierarchies;
use crate::problem::Problem;

/// What to do when a control group refuses.
pub(crate) const ADVICE: &str =
    "run as root, or on cgroup v2 under `systemd-run --user --scope -p Delegate=yes`";

/// The control groups of this machine, with a guard called `name` below our own.
pub(crate) fn find(name: &str) -> Result<Box<dyn Cgroup>, Problem> {
    let found = Hierarchies::find();
    if found.v1.contains_key("cpu") && found.v1.contains_key("cpuset") {
        let nodes = found.v1.get("cpuset").map(|own| own.join("cpuset.effective_mems"));
        let nodes = nodes.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_else(|| "0".to_owned());
        return Ok(Box::new(V1::new(&found.v1, name, nodes.trim().to_owned())));
    }
    if let Some(own) = &found.v2 {
        return Ok(Box::new(V2::new(own, name)));
    }
    Err(Problem::unavailable("no control groups are mounted", "mount -t cgroup2 none /sys/fs/cgroup"))
}
