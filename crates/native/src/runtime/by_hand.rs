//! A runtime's containers as shell lines that a person can type.

use std::path::{Path, PathBuf};

use catamaran_scenario::Platform;
use catamaran_scenario::plan::Tenant;

use super::bundle::Contents;
use super::{Runtime, no_room};
use crate::cgroup::Cgroup;
use crate::dry_run::{PUT_IN, in_memory, make_root, missing, quote, quoted, show, words};
use crate::platform;
use crate::problem::Problem;
use crate::root_by_hand;
use crate::shown::Shown;

impl Runtime {
    /// What is made in every hierarchy before the first tenant is there: groups of a guard called `name`, but for those in `made`,
    /// to which they are added.
    pub(crate) fn typed_guard(
        &mut self,
        cgroup: &dyn Cgroup,
        name: &str,
        made: &mut Vec<String>,
    ) -> Vec<String> {
        self.shown = Shown::of(cgroup, name);
        missing(&self.shown.groups, made)
    }

    /// The bundle of a tenant in `folder`, and its start.
    ///
    /// # Errors
    /// Where the configuration can't be written down.
    pub(crate) fn typed(
        &self,
        folder: &Path,
        how: &platform::Plan,
        tenant: &Tenant,
        label: &str,
    ) -> Result<Vec<String>, Problem> {
        let bundle = folder.join(format!("{label}.bundle"));
        let root = bundle.join("rootfs");
        let programs = root_by_hand::programs();
        let contents = Contents {
            arguments: words(),
            root: &root,
            writable: false,
            host_name: &tenant.name,
            oom_score_adj: how.script.oom_score_adj,
            file: None,
            group: label,
            limits: &how.limits,
            programs: &programs,
        };
        let config = serde_json::to_string(&contents.spec()?)
            .map_err(std::io::Error::from)
            .map_err(no_room(&bundle))?;
        let hidden = self.shown.hidden.iter().map(|point| in_memory(point));
        let mut inside: Vec<String> = self.shown.groups.iter().map(show).chain(hidden).collect();
        let nice = how.script.nice.map(|nice| format!("nice -n {nice} ")).unwrap_or_default();
        inside.push(format!(
            "exec {nice}{} --root {} run --pid-file {} --bundle {} by-hand-{label}",
            quoted(&self.installed.program),
            quoted(&folder.join("runtime")),
            quoted(&pid_file(folder, label)),
            quoted(&bundle),
        ));
        Ok(vec![
            make_root(&root),
            format!("echo {} | {PUT_IN} > {}", quote(&config), quoted(&bundle.join("config.json"))),
            format!(
                "unshare --mount --propagation private sh -c {} &",
                quote(&format!("set -e; {}", inside.join("; ")))
            ),
        ])
    }
}

/// Lines that act on the process in `$!`, for the container's own process.
pub(crate) fn on_container(folder: &Path, label: &str, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    let file = quoted(&pid_file(folder, label));
    let there = format!("until [ -s {file} ]; do sleep 0.01; done");
    let lines = lines.into_iter().map(|line| line.replace("$!", &format!("$(cat {file})")));
    std::iter::once(there).chain(lines).collect()
}

/// What takes the loopback of the container in `$!` into service, where its runtime does not.
pub(crate) fn loopback_by_hand(platform: Platform) -> Vec<String> {
    let line = super::leaves_the_loopback_down(platform)
        .then(|| "nsenter --target $! --net ip link set lo up".into());
    line.into_iter().collect()
}

fn pid_file(folder: &Path, label: &str) -> PathBuf {
    folder.join(format!("{label}.pid"))
}
