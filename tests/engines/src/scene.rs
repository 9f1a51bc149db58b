//! The scenes, and what each has to show.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::engine::{Engine, How};
use crate::groups::{self, Limits};
use crate::left::{self, Inventory};
use crate::place::Place;
use crate::tool::{Said, until};
use crate::{containerd, crowd, docker, image, podman, rootless};

/// A scene, and the programs that it takes.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) programs: &'static [&'static str],
    play: fn(&Place) -> Result<()>,
}

const SCENES: [Scene; 5] = [
    Scene {
        name: NAMES[0],
        programs: &["podman", "conmon"],
        play: |place| full(podman::start(place)?, place),
    },
    Scene {
        name: NAMES[1],
        programs: &["containerd", "containerd-shim-runc-v2", "ctr", "script"],
        play: |place| full(containerd::start(place)?, place),
    },
    Scene {
        name: NAMES[2],
        programs: &["dockerd", "docker", "containerd", "containerd-shim-runc-v2"],
        play: |place| full(docker::start(place)?, place),
    },
    Scene { name: NAMES[3], programs: &["podman", "conmon", "newuidmap"], play: rootless::play },
    Scene { name: NAMES[4], programs: &[], play: crowd::play },
];

pub(crate) const NAMES: [&str; 5] = ["podman", "containerd", "docker", "rootless-podman", "crowd"];

pub(crate) fn named(name: &str) -> Result<&'static Scene> {
    let scene = SCENES.iter().find(|scene| scene.name == name);
    scene.with_context(|| format!("there is no scene {name}; there are {}", NAMES.join(", ")))
}

/// Plays one in the namespaces that were made for it.
pub(crate) fn play(scene: &str, folder: &Path, runtime: &Path) -> Result<()> {
    (named(scene)?.play)(&Place::new(folder, runtime)?)
}

const LIMITS: Limits = Limits { memory_bytes: 64 << 20, cpu_percent: 50, pids: 33 };
const MORE_MEMORY_BYTES: u64 = 96 << 20;

/// Answers SIGTERM with an exit code of its own. The shell, being process 1, has it only because of the trap.
pub(crate) const SERVES: [&str; 3] =
    ["/bin/sh", "-c", "trap 'echo stopping; exit 43' TERM; echo ready; sleep 600 & while :; do wait; done"];

/// All that an engine has to do for people, through the runtime.
fn full(engine: Box<dyn Engine>, place: &Place) -> Result<()> {
    engine.load(&image::archive(place)?)?;
    ends_with_its_code(&*engine).context("a container that ends by itself")?;
    // What the first containers leave is the engine's, for all that follow.
    let before = Inventory::take(place)?;
    serves(&*engine, place).context("a container that serves until it is stopped")?;
    before.is_restored(place)?;
    has_a_terminal(&*engine).context("a container with a terminal")?;
    before.is_restored(place)?;
    is_killed(&*engine).context("a container that is killed")?;
    before.is_restored(place)?;
    has_no_program(&*engine).context("a container whose program is not there")?;
    before.is_restored(place)?;
    engine.shut_down()
}

pub(crate) fn ends_with_its_code(engine: &dyn Engine) -> Result<()> {
    let script = "echo out; echo err >&2; exit 5";
    let said = engine.run("ends", How::default(), &["/bin/sh", "-c", script])?;
    ensure!(said.code == Some(5), "its exit code is 5: {said}");
    ensure!(said.out == "out\n" && said.err.contains("err"), "it writes to both streams: {said}");
    Ok(())
}

fn serves(engine: &dyn Engine, place: &Place) -> Result<()> {
    let how = How { limits: Some(&LIMITS), terminal: false };
    engine.start("serves", how, &SERVES)?;
    logs(engine, "serves", "ready")?;
    let id = engine.id("serves")?;
    let pid = engine.pid("serves")?;
    is_apart(pid)?;
    let mut limits = groups::limits(pid)?;
    if !engine.limits_processes() {
        limits.pids = LIMITS.pids;
    }
    ensure!(limits == LIMITS, "the kernel shows {limits:?} where {LIMITS:?} was asked for");
    executes(engine).context("exec")?;
    engine.shows("serves", pid).context("what the engine shows of it")?;
    if engine.update_memory("serves", MORE_MEMORY_BYTES)? {
        let bytes = groups::limits(pid)?.memory_bytes;
        ensure!(bytes == MORE_MEMORY_BYTES, "after the update the kernel shows {bytes} bytes");
    }
    engine.pause("serves")?;
    ensure!(groups::is_frozen(pid)?, "it is paused and not frozen");
    engine.resume("serves")?;
    ensure!(!groups::is_frozen(pid)?, "it goes on and is frozen");
    engine.stop("serves")?;
    let code = engine.wait("serves")?;
    ensure!(code == 43, "it answers SIGTERM by exit code 43, not {code}");
    logs(engine, "serves", "stopping")?;
    engine.remove("serves")?;
    left::no_file_is_named_after(&id, place)
}

/// Its namespaces are not ours, and its root is the image's.
pub(crate) fn is_apart(pid: u32) -> Result<()> {
    for kind in ["mnt", "pid", "ipc", "uts", "net"] {
        let of = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/{kind}"));
        ensure!(of(&pid.to_string())? != of("self")?, "the namespace {kind} is that of the engine");
    }
    let root = Path::new("/proc").join(pid.to_string()).join("root");
    ensure!(root.join("bin/sleep").is_file() && !root.join("usr").exists(), "its root is not the image's");
    Ok(())
}

/// Another process in the container `serves`: its output, its exit code, what it sees and its groups.
pub(crate) fn executes(engine: &dyn Engine) -> Result<()> {
    let said = engine.shell("serves", "echo inside; echo err >&2; exit 9")?;
    ensure!(said.code == Some(9), "its exit code is 9: {said}");
    ensure!(said.out == "inside\n" && said.err.contains("err"), "it writes to both streams: {said}");
    // It sees the container's processes: the shell is number 1.
    let said = engine.shell("serves", "cat /proc/1/comm")?;
    ensure!(said.out == "sh\n", "it sees the container's first process: {said}");
    let groups = |process: &str| engine.shell("serves", &format!("cat /proc/{process}/cgroup"));
    let (first, own) = (groups("1")?, groups("self")?);
    ensure!(!own.out.is_empty() && own.out == first.out, "it is in the container's groups, {first}: {own}");
    let said = engine.exec("serves", &["/bin/nothing-of-the-kind"])?;
    ensure!(said.code != Some(0), "a program that is not there is refused: {said}");
    Ok(())
}

fn has_a_terminal(engine: &dyn Engine) -> Result<()> {
    let how = How { limits: None, terminal: true };
    let script = "test -t 0 && test -t 1 && test -c /dev/console && echo terminal; exit 3";
    let said = engine.run("terminal", how, &["/bin/sh", "-c", script])?;
    ensure!(said.code == Some(3), "its exit code is 3: {said}");
    ensure!(said.out.contains("terminal"), "it has a terminal: {said}");
    Ok(())
}

fn is_killed(engine: &dyn Engine) -> Result<()> {
    engine.start("killed", How::default(), &SERVES)?;
    logs(engine, "killed", "ready")?;
    engine.kill("killed")?;
    let code = engine.wait("killed")?;
    ensure!(code == 137, "its exit code is 128 + SIGKILL, not {code}");
    engine.remove("killed")
}

fn has_no_program(engine: &dyn Engine) -> Result<()> {
    let said = engine.run("none", How::default(), &["/bin/nothing-of-the-kind"])?;
    expect_refusal(&said, engine.code_of_no_program())
}

fn expect_refusal(said: &Said, code: i32) -> Result<()> {
    ensure!(said.code == Some(code), "a program that is not there gives exit code {code}: {said}");
    ensure!(said.err.contains("nothing-of-the-kind"), "the message names it: {said}");
    Ok(())
}

/// Waits for a word in what the container wrote.
pub(crate) fn logs(engine: &dyn Engine, name: &str, word: &str) -> Result<()> {
    until("reading the container's logs", || {
        let logs = engine.logs(name)?;
        if !logs.contains(word) {
            bail!("{word:?} is not in its logs: {logs:?}");
        }
        Ok(())
    })
}
