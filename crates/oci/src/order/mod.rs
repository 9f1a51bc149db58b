//! From a checked configuration to the order for the process inside.

mod delegation;
mod devices;
mod files;
pub(crate) mod namespaces;
pub(crate) mod process;

use std::collections::HashMap;
use std::path::Path;

use catamaran_oci_init::filter::Listener;
use catamaran_oci_init::order::{Hook, Mounting, Order, Process, Root};
use oci_spec::runtime::{self, Linux, LinuxNetDevice, Spec};

use crate::cgroup::Manager;
use crate::{Problem, Warning};

pub(crate) use delegation::owner_of_group;
pub(crate) use namespaces::Namespaces;

/// What an order depends on beside the configuration.
pub(crate) struct Circumstances<'a> {
    /// Folder of the bundle, absolute.
    pub(crate) bundle: &'a Path,
    /// The root file system, absolute.
    pub(crate) rootfs: &'a Path,
    pub(crate) groups: Option<&'a Manager>,
    /// Whether the runtime runs as root.
    pub(crate) privileged: bool,
    pub(crate) pivot: bool,
    pub(crate) keyring: Option<String>,
    pub(crate) preserved: u32,
}

/// The order for a new container.
pub(crate) fn of(
    spec: &Spec,
    about: &Circumstances<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Order, Problem> {
    let namespaces = Namespaces::of(spec)?;
    let configured = spec.process().as_ref().ok_or_else(|| {
        Problem::config(
            "process",
            "missing",
            "a container is started with it: give process.args and process.cwd",
        )
    })?;
    let maps_groups = about.privileged || !namespaces.has_user();
    let mut process =
        process::of(configured, maps_groups, process::grantable(namespaces.has_user())?, warnings)?;
    // "This setting is not applicable to the container's init process": it is of `exec`.
    process.affinity = (None, None);
    process.keyring.clone_from(&about.keyring);
    process.preserved = about.preserved;
    let linux = spec.linux().as_ref();
    if let Some(linux) = linux {
        process::of_linux(&mut process, linux, warnings)?;
    }
    let hooks = spec.hooks().as_ref();
    let create_container = hooks.map(|hooks| hooks_of(hooks.create_container())).unwrap_or_default();
    let start_container = hooks.map(|hooks| hooks_of(hooks.start_container())).unwrap_or_default();
    let by_runtime = hooks.is_some_and(|hooks| !outside(hooks).is_empty());
    let is_told = by_runtime || !create_container.is_empty() || !start_container.is_empty();
    let wait_for_hooks = is_told || listener(&process).is_some();
    Ok(Order {
        handed: Vec::new(),
        join: namespaces.join.clone(),
        join_container: 0,
        make: namespaces.make,
        time_offsets: linux.map(namespaces::time_offsets).transpose()?.unwrap_or_default(),
        wait_for_maps: namespaces.makes_user(),
        wait_for_devices: linux.is_some_and(|linux| !devices_of(linux).is_empty()),
        become_root: namespaces.has_user(),
        oom_score_adj: configured.oom_score_adj(),
        root: Some(root(spec, &namespaces, about)?),
        process,
        wait_for_hooks,
        create_container,
        start_container,
    })
}

/// Network devices that move into the container, by their names outside.
pub(crate) fn devices_of(linux: &Linux) -> HashMap<String, LinuxNetDevice> {
    linux.net_devices().clone().unwrap_or_default()
}

/// Who answers system calls of the process.
pub(crate) fn listener(process: &Process) -> Option<&Listener> {
    process.filter.as_ref().and_then(|filter| filter.listener.as_ref())
}

/// Whether some of its paths are hidden or protected, which mounts do.
fn hides(linux: &Linux) -> bool {
    [linux.masked_paths(), linux.readonly_paths()].into_iter().flatten().any(|paths| !paths.is_empty())
}

/// Where what is mounted for a container goes.
pub(crate) fn mounting(spec: &Spec, namespaces: &Namespaces) -> Mounting {
    let is_asked_for = spec.mounts().as_ref().is_some_and(|mounts| !mounts.is_empty())
        || spec.root().as_ref().and_then(runtime::Root::readonly).unwrap_or(false)
        || spec.process().as_ref().and_then(runtime::Process::terminal).unwrap_or(false)
        || spec.linux().as_ref().is_some_and(hides);
    match (namespaces.has_mounts(), is_asked_for) {
        (true, _) => Mounting::Own,
        (false, true) => Mounting::Callers,
        (false, false) => Mounting::Nothing,
    }
}

fn root(spec: &Spec, namespaces: &Namespaces, about: &Circumstances<'_>) -> Result<Root, Problem> {
    let linux = spec.linux().as_ref();
    let mounts = files::mounts(spec, namespaces, about)?;
    let own_dev = files::makes_dev(spec);
    let uses_idmap = mounts.iter().any(|mount| mount.options.idmap.is_some());
    let strings = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    Ok(Root {
        path: text(about.rootfs, "root.path")?,
        mounting: mounting(spec, namespaces),
        read_only: spec.root().as_ref().and_then(runtime::Root::readonly).unwrap_or(false),
        propagation: files::propagation(spec)?,
        pivot: about.pivot && namespaces.has_mounts(),
        early_sources: about.privileged && (namespaces.has_user() || uses_idmap),
        mounts,
        own_dev,
        devices: devices::of(spec)?,
        bind_devices: namespaces.has_user(),
        masked: linux.map(|linux| strings(linux.masked_paths())).unwrap_or_default(),
        read_only_paths: linux.map(|linux| strings(linux.readonly_paths())).unwrap_or_default(),
        hostname: spec.hostname().clone(),
        domainname: spec.domainname().clone(),
        sysctl: linux.map(files::sysctl).unwrap_or_default(),
        loopback: namespaces.make & namespaces::NETWORK != 0,
    })
}

/// Hooks that the runtime runs itself before the root is entered: prestart first.
pub(crate) fn outside(hooks: &runtime::Hooks) -> Vec<(&'static str, Vec<Hook>)> {
    // The specification still demands the deprecated ones.
    #[allow(deprecated)]
    let prestart = hooks_of(hooks.prestart());
    let kinds = [("prestart", prestart), ("createRuntime", hooks_of(hooks.create_runtime()))];
    kinds.into_iter().filter(|(_, hooks)| !hooks.is_empty()).collect()
}

pub(crate) fn hooks_of(hooks: &Option<Vec<runtime::Hook>>) -> Vec<Hook> {
    let all = hooks.iter().flatten();
    all.map(|hook| Hook {
        path: hook.path().display().to_string(),
        args: hook.args().clone().unwrap_or_default(),
        env: hook.env().clone(),
        timeout_s: hook.timeout().map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
    })
    .collect()
}

/// A path as text; what is no UTF-8 has no place in JSON either.
pub(crate) fn text(path: &Path, at: &str) -> Result<String, Problem> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Problem::config(at, path.display().to_string(), "must be UTF-8, as all of config.json is")
    })
}
