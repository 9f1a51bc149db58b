//! The launcher becomes an OCI runtime, which starts the tenant from its bundle and is gone. The socket and the tape are the
//! runtime's standard input and output, and so the tenant's.

#![allow(unsafe_code)]

use std::os::unix::process::CommandExt as _;

use catamaran_worker::runtime_call::RuntimeCall;
use catamaran_worker::script::Script;
use catamaran_worker::stop::stop_at;
use rustix::mount::{MountFlags, mount, mount_bind};

use crate::{network, rootfs};

/// Becomes the runtime; comes back only with what failed.
pub(crate) fn become_it(script: &Script, call: &RuntimeCall) -> String {
    match prepare(script, call) {
        Ok(mut command) => {
            let error = command.exec();
            format!("cannot exec {}: {error}", command.get_program().display())
        }
        Err(failed) => failed,
    }
}

fn prepare(script: &Script, call: &RuntimeCall) -> Result<std::process::Command, String> {
    let (program, arguments) = call.words.split_first().ok_or("no runtime to become")?;
    script.network.as_deref().map_or(Ok(()), network::enter)?;
    if let Some(nice) = script.nice {
        // The tenant inherits it; afterwards it could be given to its threads one by one only.
        rustix::process::setpriority_process(None, nice)
            .map_err(|error| format!("cannot give the runtime the nice value {nice}: {error}"))?;
    }
    // SAFETY: this process has one thread and no descriptor that depends on its mount namespace.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }
        .map_err(|error| format!("cannot make a mount namespace for the runtime: {error}"))?;
    rootfs::keep_mounts_private()?;
    for (folder, at) in &call.shown {
        mount_bind(folder, at)
            .map_err(|error| format!("cannot bind {} to {}: {error}", folder.display(), at.display()))?;
    }
    for at in &call.hidden {
        mount(c"none", at, c"tmpfs", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)
            .map_err(|error| format!("cannot hide {}: {error}", at.display()))?;
    }
    if let Some(image) = &script.image {
        let here = std::env::current_dir().map_err(|error| format!("no working directory: {error}"))?;
        rootfs::mount_at(&call.root, Some(image), false)?;
        rustix::process::chdir(&here)
            .map_err(|error| format!("cannot go back to {}: {error}", here.display()))?;
    }
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    if let Some(path) = &script.errors {
        let file = std::fs::File::create(path)
            .map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        command.stderr(file);
    }
    stop_at("runtime");
    Ok(command)
}
