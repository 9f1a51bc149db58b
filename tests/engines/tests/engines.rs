//! podman, containerd, docker and an ordinary user's podman run containers through each runtime; a crowd of containers
//! is made and removed at once.
//!
//! The program of this package plays the scenes, in namespaces of their own. Where one can't be played, the test says
//! `skipped: NAME: reason` and ends.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_catamaran-engines");

/// A runtime under test.
#[derive(Clone, Copy)]
enum Runtime {
    /// Debian's, which shows what an engine does with one that it knows.
    Runc,
    /// `catamaran-oci`.
    Ours,
}

impl Runtime {
    fn program(self) -> Result<PathBuf, String> {
        match self {
            Self::Ours => {
                // Built beside our own program, if the whole workspace is.
                let program = Path::new(PROGRAM).with_file_name("catamaran-oci");
                Some(program)
                    .filter(|file| file.is_file())
                    .ok_or_else(|| "`catamaran-oci` is not built".into())
            }
            Self::Runc => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
                let mut files = folders.map(|folder| folder.join("runc"));
                files.find(|file| file.is_file()).ok_or_else(|| "runc is not installed".into())
            }
        }
    }
}

/// Plays a scene; `name` is the test's.
fn play(name: &str, scene: &str, runtime: Runtime) {
    let runtime = match runtime.program() {
        Ok(runtime) => runtime,
        Err(why) => return println!("skipped: {name}: {why}"),
    };
    let output = run(scene, &runtime);
    let said = String::from_utf8_lossy(&output.stdout);
    let (said, errors) = (said.trim(), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => {}
        Some(77) => {
            let why = said.rsplit_once("cannot: ").map_or(said, |(_, why)| why);
            println!("skipped: {name}: {why}");
        }
        _ => panic!("{scene} through {}:\n{said}\n{errors}", runtime.display()),
    }
}

fn run(scene: &str, runtime: &Path) -> std::process::Output {
    let mut command = Command::new(PROGRAM);
    command.arg("run").arg(scene).arg(runtime).stdin(Stdio::null());
    command.output().expect("the program of this package starts")
}

#[test]
fn podman_runs_containers_through_runc() {
    play("podman_runs_containers_through_runc", "podman", Runtime::Runc);
}

#[test]
fn podman_runs_containers_through_ours() {
    play("podman_runs_containers_through_ours", "podman", Runtime::Ours);
}

#[test]
fn containerd_runs_containers_through_runc() {
    play("containerd_runs_containers_through_runc", "containerd", Runtime::Runc);
}

#[test]
fn containerd_runs_containers_through_ours() {
    play("containerd_runs_containers_through_ours", "containerd", Runtime::Ours);
}

#[test]
fn docker_runs_containers_through_runc() {
    play("docker_runs_containers_through_runc", "docker", Runtime::Runc);
}

#[test]
fn docker_runs_containers_through_ours() {
    play("docker_runs_containers_through_ours", "docker", Runtime::Ours);
}

#[test]
fn an_ordinary_users_podman_runs_containers_through_runc() {
    play("an_ordinary_users_podman_runs_containers_through_runc", "rootless-podman", Runtime::Runc);
}

#[test]
fn an_ordinary_users_podman_runs_containers_through_ours() {
    play("an_ordinary_users_podman_runs_containers_through_ours", "rootless-podman", Runtime::Ours);
}

#[test]
fn a_hundred_containers_of_ours_come_and_go_at_once() {
    play("a_hundred_containers_of_ours_come_and_go_at_once", "crowd", Runtime::Ours);
}

/// Control groups and processes of the run of this name.
fn left(name: &str) -> Vec<String> {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let top = Path::new("/sys/fs/cgroup");
    let groups = entries(top).map(|entry| entry.path().join(name)).chain([top.join(name)]);
    let groups = groups.filter(|group| group.exists()).map(|group| group.display().to_string());
    let processes = entries(Path::new("/proc")).filter_map(|entry| {
        let words = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        words.contains(name).then(|| words.replace('\0', " "))
    });
    let folder = std::env::temp_dir().join(name);
    groups.chain(processes).chain(folder.exists().then(|| folder.display().to_string())).collect()
}

/// Waits, long for a machine that has much to do.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "never happened: {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_scene_that_is_killed_leaves_nothing() {
    const NAME: &str = "a_scene_that_is_killed_leaves_nothing";
    let runtime = match Runtime::Runc.program() {
        Ok(runtime) => runtime,
        Err(why) => return println!("skipped: {NAME}: {why}"),
    };
    let mut command = Command::new(PROGRAM);
    command.arg("run").arg("crowd").arg(runtime).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the program of this package starts");
    let name = format!("catamaran-engines-{}", child.id());
    let mut early = None;
    wait_until("containers are made", || {
        early = child.try_wait().expect("our child");
        early.is_some() || left(&name).iter().any(|what| what.starts_with("/sys/fs/cgroup"))
    });
    if early.is_some_and(|status| status.code() == Some(77)) {
        return println!("skipped: {NAME}: it takes root and control groups");
    }
    assert_eq!(early, None, "the scene ended before it could be killed");
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
    wait_until("everything is removed", || left(&name).is_empty());
}
