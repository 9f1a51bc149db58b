//! What this machine can run natively, found out by trying: namespaces are entered by a process that ends at once, and
//! each platform carries out a moment of nothing.

use std::fs;
use std::path::Path;

use catamaran_report::RunError;
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::script::{Namespace, Script};
use rustix::fs::{Access, access};

use crate::cgroup::Needs;
use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WorkerFile};
use crate::machine::{self, Hierarchies};
use crate::order::Order;
use crate::problem::Problem;
use crate::run::Run;
use crate::{accept, cgroup, network, platform, vm};

/// One row of `catamaran doctor`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What was tried: a platform's name, or a facility (`cgroup-v1-cpu`, `namespace-pid`, …).
    pub name: String,
    /// Whether it works here, by trying.
    pub works: bool,
    /// What was found.
    pub found: String,
    /// One line: how to get it; `None` where it works.
    pub remedy: Option<String>,
}

impl Check {
    fn works(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), works: true, found: found.into(), remedy: None }
    }

    fn fails(name: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), works: false, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub(crate) fn of(name: impl Into<String>, tried: Result<String, Problem>) -> Self {
        match tried {
            Ok(found) => Self::works(name, found),
            Err(Problem::Failed(why, remedy) | Problem::Unavailable(why, remedy)) => {
                Self::fails(name, why, remedy)
            }
            Err(Problem::Input { what, advice, .. }) => Self::fails(name, what, advice),
            Err(Problem::Interrupted) => Self::fails(name, "interrupted", "try again"),
        }
    }
}

/// Tries what this machine can run natively: its facilities first, then every platform.
#[must_use]
pub fn doctor() -> Vec<Check> {
    let mut checks = vec![user(), size()];
    checks.extend(control_groups());
    checks.extend(Namespace::ALL.map(namespace));
    checks.push(user_namespace());
    checks.extend(network::checks());
    checks.push(kvm());
    checks.extend(vm::checks());
    checks.extend(Platform::ALL.iter().map(|platform| try_platform(*platform)));
    checks.push(rootless(Platform::Container));
    // To root it is refused.
    checks.extend((!rustix::process::geteuid().is_root()).then(|| rootless(Platform::Podman)));
    checks
}

fn user() -> Check {
    if rustix::process::geteuid().is_root() {
        return Check::works("root", "runs as root");
    }
    Check::fails(
        "root",
        "runs as an ordinary user",
        "sudo catamaran …; a container goes without, with `[platform.container] rootless = true`",
    )
}

fn size() -> Check {
    let (cpus, memory) = (machine::allowed_cpus(), machine::memory_bytes());
    let kernel = machine::kernel_release();
    let found = format!("{} core(s), {} MiB of memory, Linux {kernel}", cpus.len(), memory >> 20);
    Check::works("machine", found)
}

/// Each controller that a run uses, where it is, and whether a group can be made there.
fn control_groups() -> Vec<Check> {
    let found = Hierarchies::find();
    let controllers = ["cpu", "cpuset", "memory", "pids", "cpuacct"];
    let Some(own) = found.v2.filter(|_| !found.v1.contains_key("cpu")) else {
        return controllers
            .map(|controller| {
                let name = format!("cgroup-v1-{controller}");
                let Some(group) = found.v1.get(controller) else {
                    let remedy = format!("mount -t cgroup -o {controller} none /sys/fs/cgroup/{controller}");
                    return Check::fails(name, "not mounted", remedy);
                };
                Check::of(name, writable(group))
            })
            .into();
    };
    let tried = cgroup::find("catamaran-doctor", Needs { cpuset: true, pids: true, ..Needs::default() });
    let offered = fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default();
    let place = match tried {
        Ok(found) => Ok(found
            .base
            .map_or_else(String::new, |base| format!("groups go below {}", base.group.display()))),
        Err(problem) => Err(problem),
    };
    let mut checks = vec![Check::of("cgroup-v2", place)];
    for controller in controllers.into_iter().filter(|name| *name != "cpuacct") {
        let name = format!("cgroup-v2-{controller}");
        checks.push(if offered.split_ascii_whitespace().any(|offer| offer == controller) {
            Check::works(name, format!("offered in {}", own.display()))
        } else {
            let remedy = "systemd-run --scope -p Delegate=yes catamaran …";
            Check::fails(name, format!("not offered in {}", own.display()), remedy)
        });
    }
    checks
}

fn writable(group: &Path) -> Result<String, Problem> {
    access(group, Access::WRITE_OK).map_err(|error| {
        Problem::unavailable(
            format!("no groups can be made below {}: {error}", group.display()),
            cgroup::ADVICE,
        )
    })?;
    Ok(format!("groups can be made below {}", group.display()))
}

/// Starts the worker in one new namespace.
fn namespace(kind: Namespace) -> Check {
    let script = Script { namespaces: vec![kind], ..Script::default() };
    let remedy = "run as root, in a container with `--cap-add SYS_ADMIN`";
    start_by(&format!("namespace-{}", kind.name()), &script, remedy)
}

/// What rootless containers rest on.
fn user_namespace() -> Check {
    let script = Script { user: Some(platform::own_ids()), ..Script::default() };
    start_by(
        "namespace-user",
        &script,
        "sysctl -w user.max_user_namespaces=15000 (and on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0)",
    )
}

fn start_by(name: &str, script: &Script, remedy: &str) -> Check {
    let start = || {
        let interrupt = Interrupt::default();
        let worker = WorkerFile::make()?;
        let mut launcher = Launcher::start(&worker, "doctor", Order::turns(1, 1).write()?, &interrupt)?;
        launcher.carry_out(script, &interrupt)?;
        Ok("a process can be started in one of its own".to_owned())
    };
    let tried: Result<String, Problem> = start();
    match tried {
        Err(Problem::Failed(why, _) | Problem::Unavailable(why, _)) => Check::fails(name, why, remedy),
        tried => Check::of(name, tried),
    }
}

fn kvm() -> Check {
    let path = "/dev/kvm";
    match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Check::works(
            "kvm",
            format!("{path} can be opened; whether a guest boots under it is tried by each run"),
        ),
        Err(error) => {
            Check::fails("kvm", format!("{path}: {error}"), "enable virtualisation; join the group kvm")
        }
    }
}

/// A tenant that does nothing, for a moment.
const MOMENT: &str = r#"
schema = "catamaran/scenario/v1"
name = "doctor"
seed = 1
duration = "10ms"
platforms = ["bare-metal"]
[host]
cores = 1
memory = "64MiB"
[[tenant]]
name = "idle"
cpu = { limit = "500m" }
workload = { kind = "idle" }
"#;

fn try_platform(platform: Platform) -> Check {
    let moment = match platform {
        Platform::Vm => vm::MOMENT.to_owned(),
        Platform::Microvm => format!("{MOMENT}[platform.microvm]\nguest = \"bare\"\n"),
        _ => MOMENT.to_owned(),
    };
    try_moment(platform.name(), platform, &moment)
}

/// Containers as an ordinary user has them.
fn rootless(platform: Platform) -> Check {
    let moment = format!("{MOMENT}[platform.{platform}]\nrootless = true\n");
    try_moment(&format!("{platform}, rootless"), platform, &moment)
}

fn try_moment(name: &str, platform: Platform, moment: &str) -> Check {
    let moment = || -> Result<(), RunError> {
        let on = |problem: Problem| problem.on(platform);
        let plan = Plan::from_toml(moment, "doctor")
            .map_err(|error| on(Problem::new(error.to_string(), "this is a defect of catamaran")))?;
        accept::check(&plan, platform)?;
        let interrupt = Interrupt::default();
        let run = Run::start(&plan, platform, 1e9, &interrupt).map_err(on)?;
        run.carry_out(0, &mut None).map_err(on).map(drop)
    };
    match moment() {
        Ok(()) => Check::works(name, "carried out a moment of nothing"),
        Err(RunError::Unavailable { why, remedy, .. }) => Check::fails(name, why, remedy),
        Err(RunError::Failed { what, advice }) => Check::fails(name, what, advice),
        Err(other) => Check::fails(name, other.to_string(), "see the message"),
    }
}
