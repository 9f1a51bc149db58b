//! A container made by hand, whole and in one process, as the benchmark times it: it leaves nothing, also when killed.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use catamaran_native::clean;

/// A group of version 1 that the containers of this test have, on machines that have that version.
const GROUP: &str = "/sys/fs/cgroup/pids/catamaran-by-hand-test";

const ISOLATED: &str = "start\nnamespace mount\nnamespace uts\nnamespace ipc\nnamespace net\nnamespace pid\n\
                        namespace cgroup\nhost-name by-hand\nconfined yes\n";

fn has_groups() -> bool {
    Path::new("/sys/fs/cgroup/pids/tasks").exists()
}

fn script() -> String {
    if !has_groups() {
        return ISOLATED.to_owned();
    }
    format!("{ISOLATED}limits make {GROUP}\nlimits write {GROUP}/pids.max\t8\nenter {GROUP}\n")
}

fn start(script: &str, stop_at: Option<&str>) -> (tempfile::NamedTempFile, Child) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), script).expect("written");
    let mut command = Command::new(env!("CATAMARAN_WORKER"));
    command
        .arg("container")
        .arg(file.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.env_clear().envs(stop_at.map(|stage| ("CATAMARAN_STOP_AT", stage)));
    (file, command.spawn().expect("the worker starts"))
}

/// Folders of the runs of a process.
fn folders(pid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir("/run/catamaran").into_iter().flatten().flatten();
    let ours = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{pid:x}-")))
    };
    entries.map(|entry| entry.path()).filter(ours).collect()
}

fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    (child.wait().expect("it ends").code(), said)
}

fn is_root() -> bool {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: a container by hand: it takes root");
    }
    rustix::process::geteuid().is_root()
}

/// One test, because all of it uses one group.
#[test]
fn a_container_by_hand_leaves_nothing_also_when_killed() {
    if !is_root() {
        return;
    }
    let (_file, child) = start(&script(), None);
    let pid = child.id();
    assert_eq!(ended(child), (Some(0), String::new()));
    assert_eq!((folders(pid), Path::new(GROUP).exists()), (Vec::new(), false));
    for stage in ["limits", "clone", "isolate", "rootfs", "pivot"] {
        let (_file, mut child) = start(&script(), Some(stage));
        let pid = child.id();
        let mut line = String::new();
        BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line).expect("text");
        assert_eq!(line, format!("stopped at {stage}\n"));
        child.kill().expect("killed");
        child.wait().expect("it ended");
        // Until the container's process is gone as well, the run lives: it holds the lock, too.
        let deadline = Instant::now() + Duration::from_secs(5);
        while !folders(pid).is_empty() && Instant::now() < deadline {
            clean().unwrap_or_else(|error| panic!("{stage}: {error}"));
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!((folders(pid), Path::new(GROUP).exists()), (Vec::new(), false), "killed at {stage}");
    }
}

#[test]
fn what_a_container_by_hand_cannot_do_is_said() {
    if !is_root() {
        return;
    }
    let table = [
        ("namespace time\n", "namespace time"),
        ("limits make /nowhere/catamaran-x\n", "cannot make the control group /nowhere/catamaran-x"),
        ("enter /nowhere/catamaran-x\n", "/nowhere/catamaran-x/tasks"),
    ];
    for (line, says) in table {
        let (_file, child) = start(&format!("start\n{line}"), None);
        let pid = child.id();
        let (code, said) = ended(child);
        assert_ne!(code, Some(0), "{line}");
        assert!(said.contains(says), "{line}: {said}");
        clean().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(folders(pid), Vec::<PathBuf>::new(), "{line}");
    }
}
