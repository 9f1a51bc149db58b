//! `exec`: one more process in a container.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use catamaran_oci_init::filter::Listener;
use catamaran_oci_init::order::{Handed, Order};
use catamaran_oci_init::wire::States;
use oci_spec::runtime::{self, Capabilities, LinuxCapabilities, Spec};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::geteuid;

use super::new::{Descriptors, put, write_pid};
use crate::cgroup::Manager;
use crate::console::Console;
use crate::foreground::{self, Foreground};
use crate::launch::{Attendant, Launch};
use crate::order::{self, namespaces, process};
use crate::process::Process;
use crate::resctrl::Class;
use crate::state::{Folder, State, Status};
use crate::{Problem, Warning, agent, bundle, check};

/// Options of `exec`.
#[derive(Debug, Clone, Default)]
pub struct Exec {
    /// Folder with the states of all containers.
    pub root: PathBuf,
    /// Container.
    pub id: String,
    /// A file with the whole of the process; else it is that of the container with the changes below.
    pub process: Option<PathBuf>,
    /// Program and arguments.
    pub args: Vec<String>,
    /// Working directory.
    pub cwd: Option<PathBuf>,
    /// More of the environment, `NAME=value`.
    pub env: Vec<String>,
    /// User and group, `UID[:GID]`.
    pub user: Option<String>,
    /// Additional groups.
    pub additional_gids: Vec<u32>,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Names of capabilities that it gets as well.
    pub capabilities: Vec<String>,
    /// Whether no_new_privs is set.
    pub no_new_privileges: bool,
    /// AppArmor profile.
    pub apparmor: Option<String>,
    /// SELinux label.
    pub label: Option<String>,
    /// Whether to come back once the program runs.
    pub detach: bool,
    /// File into which the number of the process goes.
    pub pid_file: Option<PathBuf>,
    /// Socket that takes the terminal's master.
    pub console_socket: Option<PathBuf>,
    /// Descriptors from 3 on that the program gets.
    pub preserve_fds: u32,
    /// Whether a frozen container is no reason to refuse.
    pub ignore_paused: bool,
    /// Groups below the container's to be in, `[CONTROLLER,…:]PATH`; none: the container's own.
    pub groups: Vec<String>,
    /// Takes what is of use to who looks for a mistake (`--debug`); nobody wants to know otherwise.
    pub debug: Option<fn(&str)>,
}

/// Starts a process in a running container; its exit code, 0 where it is detached.
///
/// # Errors
/// Where the container does not run, and whatever keeps the process from being started.
pub fn exec(how: &Exec, warnings: &mut Vec<Warning>) -> Result<u8, Problem> {
    let folder = Folder::open(&how.root, &how.id)?;
    let state = folder.read()?;
    refuse_unless_running(how, &state, &folder)?;
    let spec = folder.config()?;
    let configured = configured(how, &spec, warnings)?;
    check::process(&configured, &spec, &check::Facts::here(&spec))?;
    let (mut order, console, mut with) = prepare(how, &state, &spec, &configured, warnings)?;
    let groups = state.groups.as_ref().map(|groups| groups.below(&how.groups)).transpose()?;
    if let Some(groups) = &groups {
        with.enter(groups)?;
    }
    let guest = Guest {
        listener: order::listener(&order.process).cloned(),
        document: state.document(Status::Running).to_json()?,
        groups,
        class: state.class.clone(),
        first: state.process.map(|process| process.pid),
    };
    tell_affinity(how, &order.process);
    let mut launch = Launch::begin(order.process.preserved)?;
    let ordered = with.order(&launch, &mut order);
    // Another command may act on the container while this process runs.
    drop(folder);
    match ordered.and_then(|()| start(how, &mut launch, console, guest, warnings)) {
        Ok(code) => Ok(code),
        Err(problem) => {
            launch.kill();
            Err(problem)
        }
    }
}

/// Nobody sees the CPUs that a process begins on once it has gone over to the final ones.
fn tell_affinity(how: &Exec, process: &catamaran_oci_init::order::Process) {
    let (Some(debug), Some(cpus)) = (how.debug, &process.affinity.0) else { return };
    let digits: String = cpus.iter().rev().map(|word| format!("{word:016x}")).collect();
    debug(&format!("process.execCPUAffinity.initial: affinity: 0x{}", digits.trim_start_matches('0')));
}

fn refuse_unless_running(how: &Exec, state: &State, folder: &Folder) -> Result<(), Problem> {
    let id = &how.id;
    match state.status(&folder.path) {
        Status::Created | Status::Running => Ok(()),
        Status::Paused if how.ignore_paused => Ok(()),
        Status::Paused => Err(Problem::Usage(format!(
            "container {id} is paused; resume it first, or give --ignore-paused and wait until it is"
        ))),
        status => Err(Problem::Usage(format!(
            "container {id} is {}; only in a running container a process can be started",
            status.word()
        ))),
    }
}

fn start(
    how: &Exec,
    launch: &mut Launch,
    console: Option<Console>,
    mut guest: Guest,
    warnings: &mut Vec<Warning>,
) -> Result<u8, Problem> {
    let process = launch.attend(&mut guest, warnings)?;
    guest.class.as_ref().map_or(Ok(()), |class| class.enter(process.pid))?;
    let foreground = Foreground::prepare(console, how.detach)?;
    if let Some(path) = &how.pid_file {
        write_pid(path, process.pid)?;
    }
    launch.run(warnings)?;
    foreground.map_or(Ok(0), |foreground| foreground::attend(foreground, process))
}

/// The process as it is configured: by a file, or as the container's own with changes.
fn configured(how: &Exec, spec: &Spec, warnings: &mut Vec<Warning>) -> Result<runtime::Process, Problem> {
    if let Some(path) = &how.process {
        let text = bundle::read_bounded(path)?;
        let name = path.display().to_string();
        return bundle::parse_prepared(&text, &name, check::prepare_process, warnings);
    }
    let mut process = spec.process().clone().ok_or_else(|| {
        Problem::config("process", "missing", "give the whole of the process by --process FILE")
    })?;
    if how.args.is_empty() {
        return Err(Problem::Usage("exec: give a program, or --process FILE".to_owned()));
    }
    process.set_args(Some(how.args.clone()));
    process.set_terminal(Some(how.tty));
    if let Some(cwd) = &how.cwd {
        process.set_cwd(cwd.clone());
    }
    let mut environment = process.env().clone().unwrap_or_default();
    environment.extend(how.env.iter().cloned());
    process.set_env(Some(environment));
    if how.no_new_privileges {
        process.set_no_new_privileges(Some(true));
    }
    if how.apparmor.is_some() {
        process.set_apparmor_profile(how.apparmor.clone());
    }
    if how.label.is_some() {
        process.set_selinux_label(how.label.clone());
    }
    set_user(&mut process, how)?;
    add_capabilities(&mut process, &how.capabilities)?;
    Ok(process)
}

fn set_user(process: &mut runtime::Process, how: &Exec) -> Result<(), Problem> {
    let mut user = process.user().clone();
    if let Some(wanted) = &how.user {
        let (uid, gid) =
            wanted.split_once(':').map_or((wanted.as_str(), None), |(uid, gid)| (uid, Some(gid)));
        let number = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| Problem::Usage(format!("--user {wanted:?}: takes numbers, UID or UID:GID")))
        };
        user.set_uid(number(uid)?);
        if let Some(gid) = gid {
            user.set_gid(number(gid)?);
        }
    }
    if !how.additional_gids.is_empty() {
        let mut gids = user.additional_gids().clone().unwrap_or_default();
        gids.extend(&how.additional_gids);
        user.set_additional_gids(Some(gids));
    }
    process.set_user(user);
    Ok(())
}

/// What is named comes into every set but the ambient one, as runc has it.
fn add_capabilities(process: &mut runtime::Process, names: &[String]) -> Result<(), Problem> {
    if names.is_empty() {
        return Ok(());
    }
    let parse = |name: &String| {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned();
        bare.parse::<runtime::Capability>().map_err(|_| {
            Problem::Usage(format!("--cap {name}: no such capability; a name is such as CAP_NET_ADMIN"))
        })
    };
    let added = names.iter().map(parse).collect::<Result<Capabilities, _>>()?;
    let mut sets = process.capabilities().clone().unwrap_or_else(none);
    let with = |set: &Option<Capabilities>| -> Option<Capabilities> {
        Some(set.iter().flatten().chain(&added).copied().collect())
    };
    let (bounding, effective, permitted) =
        (with(sets.bounding()), with(sets.effective()), with(sets.permitted()));
    sets.set_bounding(bounding);
    sets.set_effective(effective);
    sets.set_permitted(permitted);
    process.set_capabilities(Some(sets));
    Ok(())
}

/// No capability at all; what the crate calls the default has some.
fn none() -> LinuxCapabilities {
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(None).set_effective(None).set_permitted(None).set_inheritable(None).set_ambient(None);
    sets
}

fn prepare(
    how: &Exec,
    state: &State,
    spec: &Spec,
    configured: &runtime::Process,
    warnings: &mut Vec<Warning>,
) -> Result<(Order, Option<Console>, Descriptors), Problem> {
    let first =
        state.process.ok_or_else(|| Problem::Usage(format!("container {} has no process", how.id)))?;
    let handle =
        first.handle().ok_or_else(|| Problem::Usage(format!("container {} has just stopped", how.id)))?;
    let join_container = others(first.pid)?;
    let in_user = join_container & namespaces::USER != 0;
    let sets_groups = geteuid().is_root() || !in_user;
    let mut process = process::of(configured, sets_groups, process::grantable(in_user)?, warnings)?;
    if let Some(linux) = spec.linux() {
        process::of_linux(&mut process, linux, warnings)?;
    }
    process.preserved = how.preserve_fds;
    let mut console = Console::for_process(process.terminal, how.console_socket.as_deref(), !how.detach)?;
    let mut with = Descriptors::default();
    if state.chrooted {
        // By the handle it is known that the number was still the container's when this was opened.
        with.push(Handed::Root, root_of(first)?);
    }
    with.push(Handed::Container, handle);
    if let Some(console) = &mut console {
        with.push(Handed::Console, console.theirs()?);
    }
    let listener = order::listener(&process);
    if let Some(listener) = listener {
        with.push(Handed::SeccompAgent, agent::reach(listener)?);
    }
    let wait_for_hooks = listener.is_some();
    let order = Order {
        handed: Vec::new(),
        join: Vec::new(),
        join_container,
        make: 0,
        time_offsets: String::new(),
        wait_for_maps: false,
        wait_for_devices: false,
        become_root: in_user,
        oom_score_adj: configured.oom_score_adj(),
        root: None,
        process,
        wait_for_hooks,
        create_container: Vec::new(),
        start_container: Vec::new(),
    };
    Ok((order, console, with))
}

/// The root of a process of the container.
fn root_of(first: Process) -> Result<OwnedFd, Problem> {
    let path = format!("/proc/{}/root", first.pid);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root =
        open(&path, flags, Mode::empty()).map_err(|error| Problem::system(format!("open {path}"), error))?;
    if first.is_alive() { Ok(root) } else { Err(Problem::Usage("the container has just stopped".to_owned())) }
}

/// Namespaces of a process that are not ours.
fn others(pid: i32) -> Result<u32, Problem> {
    let mut kinds = 0;
    for (name, kind) in namespaces::NAMES {
        let read = |of: &str| std::fs::read_link(Path::new("/proc").join(of).join("ns").join(name));
        match (read(&pid.to_string()), read("self")) {
            (Ok(theirs), Ok(ours)) if theirs == ours => {}
            (Ok(_), Ok(_)) => kinds |= kind,
            // A kernel without this kind.
            (_, Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            (Err(error), _) | (_, Err(error)) => {
                return Err(Problem::system(format!("look at the namespaces of process {pid}"), error));
            }
        }
    }
    Ok(kinds)
}

/// A process that joins a container has no maps, devices and hooks, but maybe an agent for its system calls.
struct Guest {
    listener: Option<Listener>,
    /// State of the container.
    document: String,
    groups: Option<Manager>,
    class: Option<Class>,
    /// The container's first process.
    first: Option<i32>,
}

impl Attendant for Guest {
    fn enter(&mut self, pid: i32) -> Result<(), Problem> {
        put(self.groups.as_ref(), pid, self.first)
    }

    fn map(&mut self, _: i32) -> Result<(), Problem> {
        Err(Problem::Inside("a process that joins a container has no maps".to_owned()))
    }

    fn devices(&mut self, _: i32) -> Result<(), Problem> {
        Err(Problem::Inside("a process that joins a container gets no devices".to_owned()))
    }

    fn hooks(&mut self, pid: i32) -> Result<States, Problem> {
        let told =
            self.listener.as_ref().map(|listener| agent::words(listener, pid, &self.document)).transpose()?;
        Ok(States { agent: told.unwrap_or_default(), ..States::default() })
    }
}
