//! The last steps: everything that takes privileges, then the user, capabilities, no_new_privs and the filter of system calls,
//! which is the very last where it can be.

use std::convert::Infallible;
use std::ffi::c_char;
use std::os::fd::{AsFd as _, OwnedFd};

use catamaran_oci_init::filter::Filter;
use catamaran_oci_init::hook;
use catamaran_oci_init::order::{Order, Process};
use catamaran_oci_init::wire::States;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::{fchdir, getcwd, umask};
use rustix::thread::set_no_new_privs;

use super::program::Program;
use super::{agent, privileges, user};
use crate::failure::{Done, During as _, Failure};
use crate::inside::{self, Make};
use crate::proc_files::ProcFiles;
use crate::sys;

/// Where the configuration says nothing, as runc and crun have it.
const DEFAULT_UMASK: u32 = 0o022;

/// Arguments and environment of a program as execve(2) takes them.
pub(crate) struct Words {
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
}

impl Words {
    /// Those of `program`, which must be there as long as they are.
    pub(crate) fn of(program: &Program) -> Self {
        let Program { arguments, environment, .. } = program;
        Self { arguments: sys::pointers(arguments), environment: sys::pointers(environment) }
    }
}

/// Hooks that run inside, when the container is started.
pub(crate) fn run_hooks(order: &Order, states: &States) -> Done {
    // One of these that is given no environment has that of the program, whose place it prepares.
    let environment = &order.process.env;
    let hooks = order.start_container.iter().map(|hook| hook.with_environment(environment));
    hook::run(&hooks.collect::<Vec<_>>(), "startContainer", &states.created).map_err(Failure)
}

/// Everything that the program finds done, its filter last.
pub(crate) fn prepare(order: &Order, files: ProcFiles, mut agent: Option<OwnedFd>, states: &States) -> Done {
    let process = &order.process;
    label(process, &files)?;
    // From here on paths of the container's own choice are gone: through a folder of the caller that is still open they would lead
    // out (CVE-2024-21626).
    drop(files);
    tune(process)?;
    user::own_streams(process);
    let is_there = go_to_work(process, order.root.is_some(), Turn::AsRoot)?;
    // Taking a filter while one may gain privileges takes CAP_SYS_ADMIN, which is gone afterwards.
    if !process.no_new_privileges
        && let Some(filter) = &process.filter
    {
        load(&mut agent, filter, &states.agent)?;
    }
    if let Some(sets) = &process.capabilities {
        privileges::before_user(sets)?;
    }
    user::become_user(process)?;
    if let Some(sets) = &process.capabilities {
        privileges::after_user(sets)?;
    }
    if !is_there {
        go_to_work(process, false, Turn::AsUser)?;
    }
    stay_inside()?;
    sys::close_on_exec_from(3 + process.preserved).during(|| "close_range".to_owned())?;
    sys::reset_signals().during(|| "reset the signals".to_owned())?;
    if process.no_new_privileges {
        set_no_new_privs(true).during(|| "process.noNewPrivileges: set it".to_owned())?;
        if let Some(filter) = &process.filter {
            load(&mut agent, filter, &states.agent)?;
        }
    }
    Ok(())
}

/// Makes nothing any more: a filter may be there that allows the program's calls alone.
pub(crate) fn become_program(program: &Program, words: &Words) -> Done<Infallible> {
    let Words { arguments, environment } = words;
    let error = sys::exec(&program.path, arguments, environment);
    let path = program.path.to_string_lossy();
    Err(match error {
        Errno::NOENT => Failure(format!(
            "exec {path}: no such file or directory (where the file is there, the interpreter or dynamic linker that it names is not)"
        )),
        Errno::NOEXEC => Failure(format!("exec {path}: exec format error")),
        Errno::ACCESS => Failure(format!("exec {path}: permission denied")),
        error => Failure::new(format!("exec {path}"), error),
    })
}

/// Labels that the kernel gives to the process at exec.
fn label(process: &Process, files: &ProcFiles) -> Done {
    if let Some(profile) = &process.apparmor {
        let value = format!("exec {profile}");
        let write = match files.write("self/attr/apparmor/exec", &value) {
            Err(Errno::NOENT) => files.write("self/attr/exec", &value),
            done => done,
        };
        write.during(|| format!("process.apparmorProfile: change to {profile} at exec"))?;
    }
    if let Some(label) = &process.selinux {
        let write = files.write("self/attr/exec", label);
        write.during(|| format!("process.selinuxLabel: change to {label} at exec"))?;
    }
    Ok(())
}

fn tune(process: &Process) -> Done {
    if let Some(how) = &process.scheduling {
        sys::set_scheduling(how).during(|| "process.scheduler: sched_setattr".to_owned())?;
    }
    if let Some(value) = process.io_priority {
        sys::set_io_priority(value).during(|| "process.ioPriority: ioprio_set".to_owned())?;
    }
    if let Some(policy) = &process.memory_policy {
        sys::set_memory_policy(policy).during(|| {
            "linux.memoryPolicy: set_mempolicy (takes a kernel with NUMA and nodes of the cpuset)".to_owned()
        })?;
    }
    if let Some(persona) = process.personality {
        sys::set_personality(persona).during(|| "linux.personality: set it".to_owned())?;
    }
    for limit in &process.rlimits {
        sys::set_rlimit(limit.resource, limit.soft, limit.hard)
            .during(|| format!("process.rlimits: set limit {}", limit.resource))?;
    }
    umask(Mode::from_raw_mode(process.umask.unwrap_or(DEFAULT_UMASK)));
    Ok(())
}

/// Whose rights a step is taken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    AsRoot,
    AsUser,
}

/// Goes to the working directory, which a new container makes where it is missing; whether that was allowed. The way there may
/// lead through links of the container's own, not through those by which the kernel hands out what is open.
fn go_to_work(process: &Process, make: bool, turn: Turn) -> Done<bool> {
    let cwd = process.cwd.as_str();
    let go = || -> Result<(), Errno> {
        let root = openat(CWD, c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        if make {
            // A read-only root file system shows below as a folder that is not there.
            let _ = inside::make(root.as_fd(), cwd, Make::Directory);
        }
        fchdir(inside::look(root.as_fd(), cwd)?)
    };
    match go() {
        Ok(()) => Ok(true),
        // Root in a user namespace, or on a network file system, may do less than the user.
        Err(Errno::ACCESS | Errno::PERM) if turn == Turn::AsRoot => Ok(false),
        Err(error) => Err(Failure::new(format!("process.cwd: go to {cwd}"), error)),
    }
}

/// The working directory is below the root: by a descriptor that came from outside it could be elsewhere (CVE-2024-21626).
fn stay_inside() -> Done {
    let path = getcwd(Vec::new()).during(|| "process.cwd: where is it?".to_owned())?;
    if path.as_bytes().first() == Some(&b'/') {
        return Ok(());
    }
    Err(Failure("process.cwd: it leads out of the container's root".to_owned()))
}

fn load(agent: &mut Option<OwnedFd>, filter: &Filter, words: &str) -> Done {
    if filter.instructions.is_empty() {
        return Ok(());
    }
    match agent.take() {
        Some(agent) => agent::load(filter, agent, words.to_owned()),
        None => sys::seccomp(&filter.instructions, filter.flags)
            .map(drop)
            .during(|| "linux.seccomp: load the filter".to_owned()),
    }
}
