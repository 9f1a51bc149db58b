//! Platforms on which an OCI runtime that is installed here starts the tenants: each has a bundle, and a launcher that becomes the
//! runtime and goes once the tenant runs (decision 1310).
//!
//! The runtime sees the run's guard in the place of every hierarchy of control groups: what it makes lies in groups that are ours,
//! whatever it takes a path for. crun refuses machines on which version 2 is mounted beside version 1; it does not see it.

mod bundle;
mod by_hand;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitStatus;

use catamaran_scenario::Platform;
use catamaran_scenario::plan::Tenant;
use catamaran_worker::minimal::{FILE, PROGRAM};
use catamaran_worker::runtime_call::RuntimeCall;

use crate::adopt::turn;
use crate::guard::Guard;
use crate::image::worker::FOLDERS;
use crate::installed::Installed;
use crate::launcher::WORKER;
use crate::platform;
use crate::problem::Problem;
use crate::run_folder::Resource;
use crate::shown::Shown;

use bundle::Contents;
pub(crate) use by_hand::{loopback_by_hand, on_container};

/// Whether tenants are started by an OCI runtime that is installed.
pub(crate) fn is_used(platform: Platform) -> bool {
    remedy(platform).is_some()
}

/// The platform of a runtime by its name.
pub(crate) fn named(name: &str) -> Option<Platform> {
    Platform::ALL.iter().copied().find(|platform| platform.name() == name && is_used(*platform))
}

/// How to get the runtime of a platform.
pub(crate) fn remedy(platform: Platform) -> Option<&'static str> {
    match platform {
        Platform::Runc => Some("apt-get install runc"),
        Platform::Crun => Some("apt-get install crun"),
        // No distribution has it; by default it is built without anything.
        Platform::Youki => Some("cargo install youki --locked --features v1,v2,seccomp"),
        _ => None,
    }
}

/// A runtime, and what its containers have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runtime {
    installed: Installed,
    shown: Shown,
}

/// Whether the runtime of a platform leaves the loopback of a network namespace that it makes out of service. runc
/// (`libcontainer/network_linux.go`) and crun don't, youki 0.7 does; the specification is silent.
pub(crate) fn leaves_the_loopback_down(platform: Platform) -> bool {
    platform == Platform::Youki
}

impl Runtime {
    /// The runtime of a platform; none where tenants are started otherwise.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] where it is not installed.
    pub(crate) fn find(platform: Platform) -> Result<Option<Self>, Problem> {
        let Some(remedy) = remedy(platform) else { return Ok(None) };
        let _turn = turn();
        let installed = Installed::find(platform.name(), remedy)?;
        Ok(Some(Self { installed, shown: Shown::default() }))
    }

    /// What it says of itself, `runc version 1.1.5+ds1`.
    pub(crate) fn version(&self) -> &str {
        &self.installed.version
    }

    /// Makes ready for its containers in a run's guard, which gets a group in every hierarchy.
    ///
    /// # Errors
    /// As [`Shown::make`].
    pub(crate) fn prepare(mut self, guard: &mut Guard) -> Result<Self, Problem> {
        self.shown = Shown::of(&*guard.cgroup, &guard.group_name());
        self.shown.make(guard)?;
        let worker = guard.path().join(PROGRAM);
        let write = || -> std::io::Result<()> {
            fs::write(&worker, WORKER)?;
            fs::set_permissions(&worker, fs::Permissions::from_mode(0o755))
        };
        write().map_err(no_room(&worker))?;
        Ok(self)
    }

    /// Makes a tenant's bundle and puts the runtime's call into its script. `how` is what its own container would be started by.
    pub(crate) fn lay_out(
        &self,
        guard: &mut Guard,
        how: &mut platform::Plan,
        tenant: &Tenant,
        label: &str,
    ) -> Result<(), Problem> {
        for (group, _) in &self.shown.groups {
            guard.note(&Resource::Group(group.join(label)))?;
        }
        let folder = guard.path().to_owned();
        let bundle = folder.join(format!("{label}.bundle"));
        let script = &mut how.script;
        let mounted = bundle.join("rootfs");
        let root = catamaran_worker::minimal::top(&mounted, script.image.is_some());
        let role = if script.probe.is_empty() { "work" } else { "probe" };
        let mut arguments = vec![format!("/{PROGRAM}"), role.to_owned(), guard.id().to_owned()];
        arguments.append(&mut script.probe);
        arguments.extend(script.file.as_ref().map(|_| format!("/{FILE}")));
        let contents = Contents {
            arguments,
            root: &root,
            writable: script.image.is_some(),
            host_name: &tenant.name,
            oom_score_adj: script.oom_score_adj,
            file: script.file.as_deref(),
            group: label,
            limits: &how.limits,
            programs: &script.programs,
        };
        let config = serde_json::to_vec_pretty(&contents.spec()?).map_err(|error| {
            Problem::new(format!("config.json: {error}"), "this is a defect of catamaran")
        })?;
        furnish(&folder, &bundle, &config).map_err(no_room(&bundle))?;
        script.errors = Some(folder.join(format!("{label}.errors")));
        script.runtime = Some(self.call(guard, &bundle, label));
        Ok(())
    }

    fn call(&self, guard: &Guard, bundle: &Path, label: &str) -> RuntimeCall {
        let pid_file = guard.path().join(format!("{label}.pid"));
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let words = [
            text(&self.installed.program),
            "--root".to_owned(),
            text(&guard.path().join("runtime")),
            "run".to_owned(),
            "--detach".to_owned(),
            "--pid-file".to_owned(),
            text(&pid_file),
            "--bundle".to_owned(),
            text(bundle),
            format!("{}-{label}", guard.id()),
        ];
        let Shown { groups: shown, hidden } = self.shown.clone();
        RuntimeCall { words: words.into(), pid_file, root: bundle.join("rootfs"), shown, hidden }
    }
}

/// Why the runtime did not start a tenant, in its own last words.
pub(crate) fn failed(call: &RuntimeCall, ended: ExitStatus, errors: Option<&Path>) -> Problem {
    let said = errors.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim();
    let program = call.words.first().map_or("the runtime", String::as_str);
    Problem::new(format!("{program} did not start a tenant ({ended}): {last}"), "see what it complains of")
}

/// Makes the folder of a bundle, whose root has the worker and places for what is mounted.
pub(crate) fn furnish(folder: &Path, bundle: &Path, config: &[u8]) -> std::io::Result<()> {
    let root = bundle.join("rootfs");
    for (name, _) in FOLDERS {
        fs::create_dir_all(root.join(name))?;
    }
    fs::File::create(root.join(FILE))?;
    // One file for all tenants; none can write to it, as their roots are read-only.
    fs::hard_link(folder.join(PROGRAM), root.join(PROGRAM))?;
    fs::write(bundle.join("config.json"), config)
}

pub(crate) fn no_room(path: &Path) -> impl Fn(std::io::Error) -> Problem + '_ {
    move |error| {
        let what = format!("cannot make {}: {error}", path.display());
        Problem::by_errno(what, "make room on the file system of /run")
    }
}
