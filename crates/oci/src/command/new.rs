//! Making a container, up to where nothing but its start is left: `create` and the first half of `run`.

use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use catamaran_oci_init::filter::Listener;
use catamaran_oci_init::hook;
use catamaran_oci_init::order::{Handed, Mounting, Order, Process};
use catamaran_oci_init::wire::States;
use oci_spec::runtime::{LinuxResources, Spec};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::geteuid;

use crate::bundle::Bundle;
use crate::cgroup::{Manager, Place};
use crate::console::Console;
use crate::cover::Cover;
use crate::launch::{Attendant, Coming, Launch};
use crate::network::{self, Moved};
use crate::order::{self, Circumstances, Namespaces};
use crate::resctrl::Class;
use crate::state::{Folder, State, Status};
use crate::{Problem, Warning, agent, check, clock, door, maps};

/// Options of `create` and `run`.
#[derive(Debug, Clone, Default)]
pub struct New {
    /// Folder with the states of all containers.
    pub root: PathBuf,
    /// Identifier.
    pub id: String,
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// Socket that takes the terminal's master.
    pub console_socket: Option<PathBuf>,
    /// File into which the number of the container's process goes.
    pub pid_file: Option<PathBuf>,
    /// Descriptors from 3 on that the program gets, beside the sockets.
    pub preserve_fds: u32,
    /// Sockets that systemd has opened for the program: the first of these descriptors (sd_listen_fds(3)).
    pub listen_fds: u32,
    /// Whether the root is changed by chroot(2) instead of pivot_root(2).
    pub no_pivot: bool,
    /// Whether the caller's session keyring stays.
    pub no_new_keyring: bool,
}

/// How the container gets started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// By the process that makes it, and stays with it.
    Maker,
    /// By the process that makes it, and goes.
    Leaver,
    /// By another command.
    Other,
}

/// A container that waits for its start.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) attempt: Attempt,
    pub(super) console: Option<Console>,
}

/// Everything that must go if it comes to nothing.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) folder: Folder,
    pub(super) state: State,
    pub(super) launch: Option<Launch>,
    /// Network devices that it was given.
    pub(super) devices: Option<Moved>,
}

impl Attempt {
    /// Leaves nothing of it. Of what fails here the first reason is of more use.
    pub(super) fn undo(mut self) {
        if let Some(devices) = &self.devices {
            // While there is a namespace that they can leave.
            let _ = devices.take_back();
        }
        if let Some(launch) = &mut self.launch {
            launch.kill();
        }
        if let Some(groups) = &self.state.groups {
            let _ = groups.kill();
            let _ = groups.remove();
        }
        if let Some(class) = &self.state.class {
            let _ = class.undo();
        }
        let _ = self.state.uncover();
        let _ = self.folder.remove();
    }
}

/// Makes the container of `new`.
pub(super) fn make(new: &New, by: By, warnings: &mut Vec<Warning>) -> Result<Made, Problem> {
    let bundle = Bundle::read(&new.bundle, warnings)?;
    warnings.extend(check::check(&bundle.spec, &check::Facts::here(&bundle.spec))?);
    let rootfs = bundle.rootfs()?;
    let state = state_of(new, &bundle, &rootfs, by)?;
    let folder = Folder::make(&new.root, &new.id)?;
    let mut attempt = Attempt { folder, state, launch: None, devices: None };
    match fill(new, by, &bundle, &mut attempt, warnings) {
        Ok(console) => Ok(Made { attempt, console }),
        Err(problem) => {
            attempt.undo();
            Err(problem)
        }
    }
}

fn state_of(new: &New, bundle: &Bundle, rootfs: &Path, by: By) -> Result<State, Problem> {
    let hooks = bundle.spec.hooks().as_ref();
    let namespaces = Namespaces::of(&bundle.spec)?;
    let covers = order::mounting(&bundle.spec, &namespaces) == Mounting::Callers;
    Ok(State {
        oci_version: bundle.spec.version().clone(),
        id: new.id.clone(),
        bundle: bundle.folder.clone(),
        rootfs: rootfs.to_owned(),
        created: clock::now(),
        owner: geteuid().as_raw(),
        annotations: bundle.spec.annotations().clone().unwrap_or_default(),
        process: None,
        groups: None,
        class: None,
        waits: by == By::Other,
        own_pids: namespaces.make & order::namespaces::PID != 0,
        chrooted: new.no_pivot || !namespaces.has_mounts(),
        cover: covers.then(|| Cover::before(rootfs)).transpose()?,
        poststart: hooks.is_some_and(|hooks| !order::hooks_of(hooks.poststart()).is_empty()),
        poststop: hooks.is_some_and(|hooks| !order::hooks_of(hooks.poststop()).is_empty()),
    })
}

fn fill(
    new: &New,
    by: By,
    bundle: &Bundle,
    attempt: &mut Attempt,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Console>, Problem> {
    let spec = &bundle.spec;
    let linux = spec.linux().as_ref();
    let preserved = new.preserve_fds.saturating_add(new.listen_fds);
    let coming = Coming::begin(preserved)?;
    let path = linux.and_then(|linux| linux.cgroups_path().as_deref());
    let mut groups = Manager::new(&Place::here(path, &new.id)?)?;
    groups.create()?;
    // From here on whoever cleans up finds them.
    attempt.state.groups = Some(groups);
    attempt.folder.write(&attempt.state)?;
    let groups = attempt.state.groups.as_ref();
    let namespaces = Namespaces::of(spec)?;
    if let Some(groups) = groups {
        bound(groups, spec, &namespaces)?;
    }
    attempt.state.class = class(spec, &new.id)?;
    let circumstances = Circumstances {
        bundle: &bundle.folder,
        rootfs: &attempt.state.rootfs,
        groups,
        privileged: geteuid().is_root(),
        pivot: !new.no_pivot,
        keyring: (!new.no_new_keyring).then(|| format!("_ses.{}", new.id)),
        preserved,
    };
    let mut order = order::of(spec, &circumstances, warnings)?;
    announce(&mut order.process, new.listen_fds);
    let mut console =
        Console::for_process(order.process.terminal, new.console_socket.as_deref(), by == By::Maker)?;
    let mut with = Descriptors::default();
    if let Some(console) = &mut console {
        with.push(Handed::Console, console.theirs()?);
    }
    if by == By::Other {
        with.push(Handed::Start, door::open(&attempt.folder.door())?);
    }
    let listener = order::listener(&order.process).cloned();
    if let Some(listener) = &listener {
        with.push(Handed::SeccompAgent, agent::reach(listener)?);
    }
    if let Some(groups) = groups {
        with.enter(groups)?;
    }
    let launch = attempt.launch.insert(coming.arrive()?);
    with.order(launch, &mut order)?;
    // While the process is at work.
    attempt.folder.write_config(&bundle.text)?;
    let mut attendant = Maker {
        spec,
        namespaces: &namespaces,
        state: &mut attempt.state,
        devices: &mut attempt.devices,
        listener,
    };
    let process = launch.attend(&mut attendant, warnings)?;
    attempt.state.made(process)?;
    attempt.state.class.as_ref().map_or(Ok(()), |class| class.enter(process.pid))?;
    attempt.folder.write(&attempt.state)?;
    if let Some(path) = &new.pid_file {
        write_pid(path, process.pid)?;
    }
    Ok(console)
}

/// The class of service that the configuration asks for.
fn class(spec: &Spec, id: &str) -> Result<Option<Class>, Problem> {
    let wanted = spec.linux().as_ref().and_then(|linux| linux.intel_rdt().as_ref());
    let Some(wanted) = wanted else { return Ok(None) };
    // That there is one was checked.
    let root = check::mounted_at("resctrl").unwrap_or_else(|| "/sys/fs/resctrl".into());
    Class::make(&root, wanted, id).map(Some)
}

/// Sets the limits of the container's groups, and whose they are. Which devices may be used is bounded also where nothing is said of
/// resources.
fn bound(groups: &Manager, spec: &Spec, namespaces: &Namespaces) -> Result<(), Problem> {
    let given = spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    match given {
        Some(resources) => groups.apply(resources)?,
        None => groups.apply(&LinuxResources::default())?,
    }
    match order::owner_of_group(spec, namespaces)? {
        Some(user) if geteuid().is_root() => groups.hand_over(user),
        // Of an ordinary user they are already.
        _ => Ok(()),
    }
}

/// Tells the program of sockets that it gets (sd_listen_fds(3)); in its pid namespace it is the first process.
pub(crate) fn announce(process: &mut Process, sockets: u32) {
    if sockets > 0 {
        process.env.extend([format!("LISTEN_FDS={sockets}"), "LISTEN_PID=1".to_owned()]);
    }
}

/// Writes the number of a process so that whoever reads finds it whole. Through no link, for the folder may be everybody's.
pub(crate) fn write_pid(path: &Path, pid: i32) -> Result<(), Problem> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let fresh = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::File::create_new(&fresh)?.write_all(pid.to_string().as_bytes())?;
        std::fs::rename(&fresh, path)
    };
    write().map_err(|error| Problem::system(format!("write {}", path.display()), error))
}

/// Descriptors that go along with an order.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    kinds: Vec<Handed>,
    all: Vec<OwnedFd>,
}

impl Descriptors {
    pub(crate) fn push(&mut self, kind: Handed, descriptor: OwnedFd) {
        self.kinds.push(kind);
        self.all.push(descriptor);
    }

    /// What it takes to get into the container's groups: those of version 1 are entered by the process itself, which locks
    /// nothing (Linux `cgroup_procs_write_start`), into that of version 2 it is born.
    pub(crate) fn enter(&mut self, groups: &Manager) -> Result<(), Problem> {
        let mut seen: Vec<PathBuf> = Vec::new();
        for (controller, path) in groups.paths() {
            if seen.contains(&path) {
                continue;
            }
            let (kind, file, flags) = if controller.is_empty() {
                (Handed::Group, path.clone(), OFlags::RDONLY | OFlags::DIRECTORY)
            } else {
                (Handed::Tasks, path.join("tasks"), OFlags::WRONLY)
            };
            let opened = open(&file, flags | OFlags::CLOEXEC, Mode::empty())
                .map_err(|error| Problem::system(format!("open {}", file.display()), error))?;
            self.push(kind, opened);
            seen.push(path);
        }
        Ok(())
    }

    /// Has a process carry an order out.
    pub(crate) fn order(self, launch: &Launch, order: &mut Order) -> Result<(), Problem> {
        order.handed = self.kinds;
        let all: Vec<BorrowedFd<'_>> = self.all.iter().map(OwnedFd::as_fd).collect();
        launch.order(order, &all)
    }
}

/// Puts a process into groups that it could not be born into, beside the container's first one if there is one.
pub(crate) fn put(groups: Option<&Manager>, pid: i32, first: Option<i32>) -> Result<(), Problem> {
    groups.map_or(Ok(()), |groups| groups.enter(pid.cast_unsigned(), first.map(i32::cast_unsigned)))
}

struct Maker<'a> {
    spec: &'a Spec,
    namespaces: &'a Namespaces,
    state: &'a mut State,
    devices: &'a mut Option<Moved>,
    listener: Option<Listener>,
}

impl Attendant for Maker<'_> {
    fn enter(&mut self, pid: i32) -> Result<(), Problem> {
        put(self.state.groups.as_ref(), pid, None)
    }

    fn map(&mut self, pid: i32) -> Result<(), Problem> {
        maps::write(pid, &self.namespaces.users, &self.namespaces.groups)
    }

    fn devices(&mut self, pid: i32) -> Result<(), Problem> {
        let wanted = self.spec.linux().as_ref().map(order::devices_of).unwrap_or_default();
        *self.devices = Some(network::give(&wanted, pid)?);
        Ok(())
    }

    fn hooks(&mut self, pid: i32) -> Result<States, Problem> {
        self.state.process = Some(crate::process::Process::of(pid)?);
        let creating = self.state.document(Status::Creating).to_json()?;
        for (kind, hooks) in self.spec.hooks().as_ref().map(order::outside).unwrap_or_default() {
            hook::run(&hooks, kind, &creating).map_err(Problem::Inside)?;
        }
        let told =
            self.listener.as_ref().map(|listener| agent::words(listener, pid, &creating)).transpose()?;
        let created = self.state.document(Status::Created).to_json()?;
        Ok(States { creating, created, agent: told.unwrap_or_default() })
    }
}
