//! The first stage, with the privileges and in the namespaces of the caller: opens what only the caller may, enters namespaces
//! that are there, makes the container's process in new ones, and is gone. The container's process is the runtime's child
//! (`CLONE_PARENT`), and later that of whoever reaps the runtime's orphans: conmon, a shim.

use std::os::fd::OwnedFd;

use catamaran_oci_init::order::{Join, Order};
use catamaran_oci_init::wire::{Event, send};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::failure::{Done, During as _, Failure};
use crate::handed::Handed;
use crate::proc_files::ProcFiles;
use crate::stage2::{self, Stage, sources};
use crate::sys;

pub(crate) fn carry_out(runtime: &OwnedFd, order: &Order, mut handed: Handed) -> Done {
    let files = ProcFiles::open()?;
    if is_seen_by_others(order) {
        // Whoever is in the container must not look into a process that is not theirs yet (CVE-2016-9962).
        set_dumpable_behavior(DumpableBehavior::NotDumpable).during(|| "hide the process".to_owned())?;
    }
    adjust_oom_score(runtime, order, &files)?;
    raise_rlimits(order)?;
    if let Some(cpus) = &order.process.affinity.0 {
        sys::set_affinity(cpus).during(|| "process.execCPUAffinity.initial: sched_setaffinity".to_owned())?;
    }
    let early = match &order.root {
        Some(root) if root.early_sources => sources::open_all(root)?,
        _ => Vec::new(),
    };
    join(&order.join)?;
    if let Some(container) = &handed.container {
        let now = order.join_container & !joined_in_group(order);
        if now != 0 {
            sys::setns(container, now).during(|| "enter the container's namespaces".to_owned())?;
        }
    }
    // A control group namespace begins where its maker is, so it is made once the process is in its group; a time namespace gets
    // its offsets before anybody is in it.
    let late = (libc::CLONE_NEWCGROUP | libc::CLONE_NEWTIME) as u32;
    let (pid, outside_group) = clone(order.make & !late, handed.group.take().as_ref())
        .during(|| format!("clone3 of the container's process{}", hint(order)))?;
    if pid != 0 {
        return send(runtime, &Event::Cloned(pid), &[]).during(|| "tell the runtime".to_owned());
    }
    stage2::carry_out(Stage { runtime, order, handed, files, early, outside_group })
}

/// Whether processes of another container see this one before it is the program: it joins theirs. Not where the runtime still has
/// to write the maps of a user namespace, for an ordinary user may not do so to a process that is hidden; of a new user namespace
/// those others have no rights in, anyway.
fn is_seen_by_others(order: &Order) -> bool {
    let joins_processes = order.join.iter().any(|one| one.kind == libc::CLONE_NEWPID as u32);
    order.join_container != 0 || (joins_processes && !order.wait_for_maps)
}

/// The namespace of control groups of a container that is joined, where it can wait until the process is in its group: with
/// `nsdelegate` nobody in that namespace is born from outside of it into it (`kernel/cgroup/cgroup.c`,
/// `cgroup_procs_write_permission`). With a user namespace it can't wait, for it may be of those outside of it.
pub(crate) fn joined_in_group(order: &Order) -> u32 {
    let joins = |kind: libc::c_int| order.join_container & kind as u32;
    if joins(libc::CLONE_NEWUSER) == 0 { joins(libc::CLONE_NEWCGROUP) } else { 0 }
}

/// The process, and whether it still has to be put into its group of version 2 by the runtime: one that hands controllers down takes
/// no births (EBUSY), and a group below it has to be found; into a namespace of control groups that was joined nobody is born from
/// outside (ENOENT).
fn clone(flags: u32, group: Option<&OwnedFd>) -> Result<(i32, bool), Errno> {
    match sys::clone_sibling(flags, group) {
        Err(Errno::BUSY | Errno::OPNOTSUPP | Errno::NOENT) if group.is_some() => {
            Ok((sys::clone_sibling(flags, None)?, true))
        }
        other => Ok((other?, false)),
    }
}

fn hint(order: &Order) -> &'static str {
    if order.make & libc::CLONE_NEWUSER as u32 == 0 {
        return "";
    }
    " (user namespaces: see /proc/sys/user/max_user_namespaces and kernel.unprivileged_userns_clone)"
}

/// Where it may not be lowered, the score stays what it is, and that is said.
fn adjust_oom_score(runtime: &OwnedFd, order: &Order, files: &ProcFiles) -> Done {
    let Some(score) = order.oom_score_adj else { return Ok(()) };
    match files.write("self/oom_score_adj", &score.to_string()) {
        Ok(()) => Ok(()),
        Err(Errno::ACCESS | Errno::PERM) => {
            let what = format!(
                "process.oomScoreAdj: {score} is lower than the runtime's own, which takes CAP_SYS_RESOURCE; the runtime's stays"
            );
            send(runtime, &Event::Warning(what), &[]).during(|| "tell the runtime".to_owned())
        }
        Err(error) => Err(Failure::new(format!("process.oomScoreAdj: write {score}"), error)),
    }
}

/// Raises hard limits while the process may; they are lowered in the end.
fn raise_rlimits(order: &Order) -> Done {
    for limit in &order.process.rlimits {
        let set = || -> Result<(), Errno> {
            let (hard, soft) = sys::rlimit(limit.resource)?;
            if limit.hard > hard { sys::set_rlimit(limit.resource, soft, limit.hard) } else { Ok(()) }
        };
        set().during(|| {
            format!(
                "process.rlimits: raise limit {} to {} (takes CAP_SYS_RESOURCE; ask for no more than `ulimit -H -a` shows)",
                limit.resource, limit.hard
            )
        })?;
    }
    Ok(())
}

/// Enters namespaces by path. Those that the caller may not enter may belong to the user namespace that is entered: they get
/// another try after it.
fn join(all: &[Join]) -> Done {
    let open = |one: &Join| {
        // Of a pipe nobody may ever write, opening would wait for ever.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        openat(CWD, one.path.as_str(), flags, Mode::empty())
            .during(|| format!("linux.namespaces: open {}", one.path))
    };
    let opened = all.iter().map(open).collect::<Done<Vec<_>>>()?;
    let mut later = Vec::new();
    let user = libc::CLONE_NEWUSER as u32;
    for (one, descriptor) in all.iter().zip(&opened).filter(|(one, _)| one.kind != user) {
        match sys::setns(descriptor, one.kind) {
            Ok(()) => {}
            Err(Errno::PERM) => later.push((one, descriptor)),
            Err(error) => return Err(refused(one, error)),
        }
    }
    let users = all.iter().zip(&opened).filter(|(one, _)| one.kind == user);
    for (one, descriptor) in users.chain(later) {
        sys::setns(descriptor, one.kind).map_err(|error| refused(one, error))?;
    }
    Ok(())
}

fn refused(one: &Join, error: Errno) -> Failure {
    let hint = if error == Errno::INVAL { " (is it a namespace of this type?)" } else { "" };
    Failure::new(format!("linux.namespaces: enter {}{hint}", one.path), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_joins_the_processes_of_another_is_hidden() {
        let order = |join_container: u32, joins: &[libc::c_int], wait_for_maps: bool| Order {
            handed: Vec::new(),
            join: joins.iter().map(|&kind| Join { kind: kind as u32, path: "/n".to_owned() }).collect(),
            join_container,
            make: 0,
            time_offsets: String::new(),
            wait_for_maps,
            wait_for_devices: false,
            become_root: false,
            oom_score_adj: None,
            root: None,
            process: catamaran_oci_init::order::Process::default(),
            wait_for_hooks: false,
            create_container: Vec::new(),
            start_container: Vec::new(),
        };
        let pids = libc::CLONE_NEWPID;
        assert!(is_seen_by_others(&order(pids as u32, &[], false)), "exec");
        assert!(is_seen_by_others(&order(0, &[libc::CLONE_NEWNET, pids], false)), "a pod");
        assert!(!is_seen_by_others(&order(0, &[libc::CLONE_NEWNET], false)));
        assert!(!is_seen_by_others(&order(0, &[], false)));
        // Nobody but root could write the maps of one that is hidden.
        assert!(!is_seen_by_others(&order(0, &[pids], true)));
    }
}
