//! The second stage: the container's own process, in its namespaces, until it becomes the container's program.

mod agent;
mod console;
mod copy;
mod devices;
mod finish;
mod groups;
mod long;
mod mask;
mod mounts;
mod privileges;
mod program;
mod root;
pub(crate) mod sources;
mod start;
mod user;

use std::os::fd::{AsFd as _, OwnedFd};

use catamaran_oci_init::order::Order;
use catamaran_oci_init::wire::{Event, States, Word, receive, send};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::failure::{Done, During as _, Failure};
use crate::handed::Handed;
use crate::proc_files::ProcFiles;
use crate::stage1::joined_in_group;
use crate::sys;

/// What the second stage has at hand.
pub(crate) struct Stage<'a> {
    pub(crate) runtime: &'a OwnedFd,
    pub(crate) order: &'a Order,
    pub(crate) handed: Handed,
    pub(crate) files: ProcFiles,
    /// The root file system and the sources of bind mounts that the first stage opened.
    pub(crate) early: Vec<Option<OwnedFd>>,
    /// Whether the runtime has to put it into its group of version 2.
    pub(crate) outside_group: bool,
}

impl Stage<'_> {
    fn say(&self, event: &Event) -> Done {
        say(self.runtime, event)
    }

    fn warn(&self, what: String) -> Done {
        self.say(&Event::Warning(what))
    }

    fn hear(&self) -> Done<Word> {
        hear(self.runtime)
    }
}

fn say(runtime: &OwnedFd, event: &Event) -> Done {
    send(runtime, event, &[]).during(|| "tell the runtime".to_owned())
}

/// Waits for a word of the runtime. Its end is ours: nobody would ever start this container.
fn hear(runtime: &OwnedFd) -> Done<Word> {
    let received = receive::<Word>(runtime).during(|| "hear the runtime".to_owned())?;
    received.map(|(word, _)| word).ok_or_else(|| Failure("the runtime is gone".to_owned()))
}

pub(crate) fn carry_out(mut stage: Stage<'_>) -> Done {
    let order = stage.order;
    enter_groups(&mut stage)?;
    if order.wait_for_maps {
        stage.say(&Event::NeedsMaps)?;
        match stage.hear()? {
            Word::Mapped => {}
            other => return Err(Failure::new("expected the maps", format!("{other:?}"))),
        }
    }
    if order.wait_for_devices {
        stage.say(&Event::NeedsDevices)?;
        match stage.hear()? {
            Word::Given => {}
            other => return Err(Failure::new("expected network devices", format!("{other:?}"))),
        }
    }
    if order.become_root {
        become_root()?;
    }
    shift_clocks(&stage)?;
    // Of a session that is left nobody can type into the caller's terminal.
    rustix::process::setsid().during(|| "begin a session".to_owned())?;
    if let Some(name) = &order.process.keyring {
        user::new_keyring(&stage, name)?;
    }
    let mut states = States::default();
    let mut early = std::mem::take(&mut stage.early).into_iter();
    let inside = match &order.root {
        Some(root) => Some(root::build(&stage, root, &mut early, &mut states)?),
        None => None,
    };
    if let Some(root) = stage.handed.root.take() {
        root::enter_by(&root)?;
    }
    let here = match inside {
        Some(inside) => inside,
        None => openat(CWD, c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .during(|| "open the container's root".to_owned())?,
    };
    if order.process.terminal {
        console::open(&mut stage, here.as_fd())?;
    }
    if order.root.is_none() && order.wait_for_hooks {
        states = proceed(&stage)?;
    }
    // Nothing that the working directory could be reached by.
    drop(here);
    wait_and_go(stage, &states)
}

/// Waits for the start and becomes the program.
fn wait_and_go(stage: Stage<'_>, states: &States) -> Done {
    let Stage { runtime, order, handed, files, .. } = stage;
    let program = program::find(&order.process)?;
    let words = finish::Words::of(&program);
    let (door, agent) = (handed.start, handed.agent);
    // Whoever answers its system calls is told when the container is created, as with runc; until the start there are sendmsg and
    // accept4 to be answered. Hooks inside come before the filter, and with them the filter after the start.
    let early = order.start_container.is_empty() && door.is_some() && agent.is_some();
    let later = if early {
        finish::prepare(order, files, agent, states)?;
        None
    } else {
        Some((files, agent))
    };
    let start = start::wait(runtime, door)?;
    let prepared = later.map_or(Ok(()), |(files, agent)| {
        finish::run_hooks(order, states)?;
        finish::prepare(order, files, agent, states)
    });
    match prepared.and_then(|()| finish::become_program(&program, &words)) {
        Ok(never) => match never {},
        Err(failure) => start.failed(failure),
    }
}

/// Tells the runtime that its hooks may run, and waits until they have; what the hooks inside get.
fn proceed(stage: &Stage<'_>) -> Done<States> {
    stage.say(&Event::Mounted)?;
    match stage.hear()? {
        Word::Proceed(states) => Ok(states),
        other => Err(Failure::new("expected the end of the hooks", format!("{other:?}"))),
    }
}

/// User and group 0 of the user namespace, where it has them: new files then have an owner. Without, the process keeps its
/// privileges all the same until it becomes the container's user.
fn become_root() -> Done {
    for become_zero in [sys::set_group, sys::set_user] {
        match become_zero(0) {
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(Failure::new("become root of the user namespace", error)),
        }
    }
    Ok(())
}

/// Groups of version 1; in one of version 2 the process was made.
fn enter_groups(stage: &mut Stage<'_>) -> Done {
    for tasks in std::mem::take(&mut stage.handed.tasks) {
        rustix::io::write(&tasks, b"0").during(|| "enter a control group".to_owned())?;
    }
    if stage.outside_group {
        stage.say(&Event::NeedsGroup)?;
        match stage.hear()? {
            Word::Entered => {}
            other => return Err(Failure::new("expected a control group", format!("{other:?}"))),
        }
    }
    let late = joined_in_group(stage.order);
    if let Some(container) = stage.handed.container.take().filter(|_| late != 0) {
        sys::setns(&container, late).during(|| "enter the container's control group namespace".to_owned())?;
    }
    if stage.order.make & libc::CLONE_NEWCGROUP as u32 != 0 {
        sys::unshare(libc::CLONE_NEWCGROUP as u32).during(|| "make a control group namespace".to_owned())?;
    }
    if let Some(cpus) = &stage.order.process.affinity.1 {
        sys::set_affinity(cpus).during(|| "process.execCPUAffinity.final: sched_setaffinity".to_owned())?;
    }
    Ok(())
}

/// A new time namespace, its offsets first (time_namespaces(7): they are fixed once somebody is in it).
fn shift_clocks(stage: &Stage<'_>) -> Done {
    let kind = libc::CLONE_NEWTIME as u32;
    if stage.order.make & kind == 0 {
        return Ok(());
    }
    sys::unshare(kind).during(|| "make a time namespace".to_owned())?;
    if !stage.order.time_offsets.is_empty() {
        let offsets = &stage.order.time_offsets;
        stage
            .files
            .write("self/timens_offsets", offsets)
            .during(|| "linux.timeOffsets: write them".to_owned())?;
    }
    let made = stage.files.own_namespace("time_for_children")?;
    sys::setns(&made, kind).during(|| "enter the time namespace".to_owned())
}
