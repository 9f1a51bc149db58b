//! The first process of the scene's namespaces: makes private what engines keep in places of the machine's, starts the
//! player, and takes in orphans (shims, monitors) until it has ended. With it everything ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, WaitOptions, wait};

/// Where engines, monitors and runtimes keep state whatever they are told, and where `/dev/shm` holds podman's locks.
const PRIVATE: [&str; 6] =
    ["/run", "/dev/shm", "/var/lib/containers", "/var/lib/docker", "/var/lib/containerd", "/var/lib/cni"];

/// When a scene is given up: something in it waits for ever.
const LIMIT: Duration = Duration::from_secs(240);

pub(crate) fn process(arguments: [&str; 3]) -> Result<()> {
    let [folder, ..] = arguments;
    for target in PRIVATE.into_iter().filter(|target| Path::new(target).is_dir()).chain([folder]) {
        mount("catamaran", target, "tmpfs", MountFlags::NOSUID, None::<&std::ffi::CStr>)
            .with_context(|| format!("mounting a file system in memory on {target}"))?;
    }
    fs::create_dir("/run/lock")?;
    let child = Command::new(std::env::current_exe()?)
        .arg("play")
        .args(arguments)
        .env("TMPDIR", folder)
        .env("HOME", folder)
        .env_remove("XDG_RUNTIME_DIR")
        .env_remove("DOCKER_HOST")
        .stdin(Stdio::null())
        .spawn()?;
    let player = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process has a number")?;
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        match wait(WaitOptions::NOHANG)? {
            Some((pid, status)) if pid == player && status.exit_status() == Some(0) => return Ok(()),
            Some((pid, status)) if pid == player => bail!("the player ended: {status:?}"),
            Some(_) => {}
            None => sleep(Duration::from_millis(10)),
        }
    }
    bail!("after {} s it still went on: the last command hangs", LIMIT.as_secs())
}
