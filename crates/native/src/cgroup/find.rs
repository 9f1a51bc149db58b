//! Which control groups this process may use.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::delegate::{self, Base};
use super::{Cgroup, Needs, V1, V2};
use crate::machine::Hierarchies;
use crate::problem::Problem;

/// What to do when a control group refuses.
pub(crate) const ADVICE: &str =
    "sudo catamaran …; on cgroup v2 also systemd-run --user --scope -p Delegate=yes catamaran …";

/// Control groups, ready for a guard.
pub(crate) struct Found {
    /// The version that has the `cpu` controller.
    pub(crate) cgroup: Arc<dyn Cgroup>,
    /// v2: where the guard goes and what has to be done before.
    pub(crate) base: Option<Base>,
}

/// The control groups of this machine, with a guard called `name` below our own.
pub(crate) fn find(name: &str, needs: Needs) -> Result<Found, Problem> {
    let found = Hierarchies::find();
    let mut wanted = vec!["cpu", "memory"];
    wanted.extend(
        [("cpuset", needs.cpuset), ("pids", needs.pids)]
            .iter()
            .filter(|(_, needed)| *needed)
            .map(|(name, _)| *name),
    );
    // The same controller by its two names.
    let io = if found.v1.contains_key("blkio") { "blkio" } else { "io" };
    wanted.extend(needs.io.then_some(io));
    // A controller is in one version's tree only: where one that we want is in the first, the others have to be.
    if wanted.iter().any(|controller| found.v1.contains_key(*controller)) {
        return v1(&found.v1, name, &wanted);
    }
    let (Some(own), Some(root)) = (&found.v2, &found.v2_root) else {
        return Err(Problem::unavailable(
            "no control groups are mounted",
            "mount -t cgroup2 none /sys/fs/cgroup",
        ));
    };
    // podman bounds every container's processes by itself.
    let needs = Needs { pids: needs.pids || needs.engine, ..needs };
    if needs.engine && !wanted.contains(&"pids") {
        wanted.push("pids");
    }
    let base = delegate::base(own, root, &format!("{name}.aside"), &wanted, std::process::id())?;
    Ok(Found { cgroup: Arc::new(V2::new(&base.group, name, needs)), base: Some(base) })
}

fn v1(own: &BTreeMap<String, PathBuf>, name: &str, wanted: &[&str]) -> Result<Found, Problem> {
    let mounted =
        |controller: &&str| own.get(*controller).is_some_and(|group| group.join("cgroup.procs").exists());
    if let Some(missing) = wanted.iter().find(|controller| !mounted(controller)) {
        return Err(Problem::unavailable(
            format!("the controller {missing} is not mounted, or something hides it (cgroup v1)"),
            format!("mount -t cgroup -o {missing} none /sys/fs/cgroup/{missing}"),
        ));
    }
    let nodes = own.get("cpuset").map(|own| own.join("cpuset.effective_mems"));
    let nodes = nodes.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_else(|| "0".to_owned());
    let mut own = own.clone();
    own.retain(|controller, _| {
        !["pids", "blkio"].contains(&&**controller) || wanted.contains(&&**controller)
    });
    Ok(Found { cgroup: Arc::new(V1::new(&own, name, nodes.trim().to_owned())), base: None })
}

/// The memory that the groups above us leave us (bytes): a guard that may have more would have us killed in its tenants'
/// place.
pub(crate) fn inherited_memory_limit() -> u64 {
    let found = Hierarchies::find();
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    if let Some(group) = found.v1.get("memory") {
        let stat = read(group.join("memory.stat")).unwrap_or_default();
        return super::keyed(&stat, "hierarchical_memory_limit").unwrap_or(u64::MAX);
    }
    let (Some(own), Some(root)) = (found.v2, found.v2_root) else { return u64::MAX };
    let above = own.ancestors().take_while(|group| group.starts_with(&root));
    let limits = above.filter_map(|group| read(group.join("memory.max"))?.trim().parse().ok());
    limits.min().unwrap_or(u64::MAX)
}
