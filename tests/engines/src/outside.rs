//! The scene from outside: namespaces to play it in, a keeper, and a look at what is left.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::place::PREFIX;
use crate::{Ended, groups, keeper, scene, tool};

/// What makes the namespaces; both are in util-linux.
const MAKERS: [&str; 2] = ["unshare", "setpriv"];

pub(crate) fn run(scene: &str, runtime: &Path) -> Result<Ended> {
    let scene = scene::named(scene)?;
    ensure!(runtime.is_file(), "{} is no runtime: no such file", runtime.display());
    if !rustix::process::geteuid().is_root() {
        return Ok(Ended::Unavailable("it takes root".into()));
    }
    for program in MAKERS.iter().chain(scene.programs) {
        if tool::find(program).is_none() {
            return Ok(Ended::Unavailable(format!("{program} is not installed")));
        }
    }
    if groups::hierarchies()?.is_empty() {
        return Ok(Ended::Unavailable("no control groups are mounted".into()));
    }
    keeper::sweep()?;
    let mounts = mounts()?;
    let folder = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
    let mut keeper = keeper::start(&folder)?;
    let played = play(&folder, scene.name, runtime);
    let kept = end(&mut keeper);
    played?;
    kept?;
    ensure!(!folder.exists(), "{} is left", folder.display());
    let left = groups::own(&folder)?;
    ensure!(left.is_empty(), "control groups are left: {left:?}");
    let added: Vec<_> = self::mounts()?.into_iter().filter(|mount| !mounts.contains(mount)).collect();
    let ours: Vec<_> = added.iter().filter(|mount| mount.contains(PREFIX)).collect();
    ensure!(ours.is_empty(), "mounts are left: {ours:?}");
    Ok(Ended::Well)
}

/// Plays it as the first process of new namespaces, which dies with us and takes all others with it.
fn play(folder: &Path, scene: &str, runtime: &Path) -> Result<()> {
    fs::create_dir(folder).with_context(|| folder.display().to_string())?;
    let this = std::env::current_exe()?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--net"]);
    command.args(["--ipc", "--uts", "--kill-child=KILL", "--mount-proc", "--"]).arg(this);
    command.arg("first").arg(folder).arg(scene).arg(runtime);
    let status = command.stdin(Stdio::null()).status()?;
    if !status.success() {
        bail!("the scene {scene} with {} failed ({status}): its last lines tell why", runtime.display());
    }
    Ok(())
}

/// Lets the keeper go, which now removes everything.
fn end(keeper: &mut Child) -> Result<()> {
    drop(keeper.stdin.take());
    let mut said = String::new();
    if let Some(output) = &mut keeper.stdout {
        output.read_to_string(&mut said)?;
    }
    keeper.wait()?;
    ensure!(said.is_empty(), "the keeper could not remove everything: {said}");
    Ok(())
}

/// Lines of the machine's table of mounts.
fn mounts() -> Result<Vec<String>> {
    Ok(fs::read_to_string("/proc/self/mountinfo")?.lines().map(str::to_owned).collect())
}
