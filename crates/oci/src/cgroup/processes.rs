//! Who is in a container's groups, and in groups that it made below them.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::Manager;
use super::folder::Folder;
use crate::Problem;

/// Numbers of the processes in a group and all below it. Processes of a foreign PID namespace have none here.
pub(super) fn within(group: &Folder) -> Result<BTreeSet<u32>, Errno> {
    let mut found = BTreeSet::new();
    group.walk(&mut |group| {
        // A threaded group does not tell (EOPNOTSUPP): the group above it tells of its processes. One that is gone has none.
        let text = group.read("cgroup.procs").unwrap_or_default();
        found.extend(text.lines().filter_map(|line| line.trim().parse::<u32>().ok()).filter(|pid| *pid != 0));
    })?;
    Ok(found)
}

impl Manager {
    /// Numbers of all processes of the container, ascending: whoever is in one of its groups or below.
    ///
    /// # Errors
    /// Where the kernel does not let us look.
    pub fn processes(&self) -> Result<Vec<u32>, Problem> {
        let mut found = BTreeSet::new();
        for group in &self.groups {
            match group.open().and_then(|folder| within(&folder)) {
                Ok(processes) => found.extend(processes),
                Err(Errno::NOENT | Errno::NODEV) => {}
                Err(errno) => {
                    let what = format!("list the processes in the control group {}", group.place().display());
                    return Err(Problem::system(what, errno));
                }
            }
        }
        Ok(found.into_iter().collect())
    }
}
