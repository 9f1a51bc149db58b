//! A container of this machine's own programs: its root file system is empty folders, onto which `/usr` and what leads there are
//! mounted read-only. What it says goes to a folder that is mounted at `/out`.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic, dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use catamaran_oci::{Warning, command};
use serde_json::{Value, json};

/// How long something that takes milliseconds may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether containers can be made here; says why not.
pub(crate) fn is_root(name: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: {name}: it takes root");
    }
    root
}

/// A bundle and the folder with its container's state; removed together, whatever became of the container.
pub(crate) struct Ship {
    folder: tempfile::TempDir,
    pub(crate) id: String,
    pub(crate) config: Value,
}

impl Ship {
    /// One whose program is the shell with this script.
    pub(crate) fn new(name: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("rootfs");
        for inside in ["proc", "dev", "sys", "tmp", "out", "usr", "etc"] {
            fs::create_dir_all(root.join(inside)).expect("made");
        }
        fs::create_dir(folder.path().join("out")).expect("made");
        let mut mounts = vec![
            json!({"destination": "/proc", "type": "proc", "source": "proc"}),
            json!({"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}),
            json!({"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                   "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]}),
            json!({"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]}),
            json!({"destination": "/out", "type": "bind", "source": "out", "options": ["bind"]}),
        ];
        for linked in ["bin", "sbin", "lib", "lib64"] {
            let outside = Path::new("/").join(linked);
            match fs::read_link(&outside) {
                Ok(target) => std::os::unix::fs::symlink(target, root.join(linked)).expect("linked"),
                Err(_) if outside.is_dir() => mounts.push(
                    json!({"destination": outside, "type": "bind", "source": outside, "options": ["rbind", "ro"]}),
                ),
                Err(_) => {}
            }
        }
        let config = json!({
            "ociVersion": "1.2.0",
            "process": {
                "user": {"uid": 0, "gid": 0},
                "args": ["sh", "-c", script],
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                "cwd": "/",
            },
            "root": {"path": "rootfs"},
            "mounts": mounts,
            "linux": {"namespaces": [
                {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}, {"type": "cgroup"},
            ]},
        });
        let id = format!("catamaran-test-{name}-{}", std::process::id());
        Self { folder, id, config }
    }

    /// Where the states are.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn bundle(&self) -> &Path {
        self.folder.path()
    }

    /// A file in `/out`.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    /// What the container wrote there, at the latest in a while.
    pub(crate) fn said(&self, name: &str) -> String {
        let mut text = String::new();
        eventually(&format!("{name} is written"), || {
            text = fs::read_to_string(self.out(name)).unwrap_or_default();
            text.ends_with('\n')
        });
        text
    }

    pub(crate) fn new_container(&self) -> command::New {
        let text = serde_json::to_vec(&self.config).expect("JSON");
        fs::write(self.folder.path().join("config.json"), text).expect("written");
        command::New {
            root: self.root(),
            id: self.id.clone(),
            bundle: self.folder.path().to_owned(),
            ..command::New::default()
        }
    }

    pub(crate) fn create(&self) {
        command::create(&self.new_container(), &mut Vec::new())
            .unwrap_or_else(|why| panic!("{}: {why}", self.id));
    }

    pub(crate) fn start(&self) {
        command::start(&self.root(), &self.id).unwrap_or_else(|why| panic!("{}: {why}", self.id));
    }

    /// Runs it to its end; its exit code and what was left out.
    pub(crate) fn run(&self) -> (u8, Vec<Warning>) {
        let mut warnings = Vec::new();
        let code = command::run(&self.new_container(), false, false, &mut warnings);
        (code.unwrap_or_else(|why| panic!("{}: {why}", self.id)), warnings)
    }

    /// Why it can't be made; nothing may be left of it.
    pub(crate) fn refused(&self) -> String {
        let why = command::run(&self.new_container(), false, false, &mut Vec::new()).expect_err("refused");
        assert!(!self.root().join(&self.id).exists(), "{why}: its state is left");
        assert_eq!(groups(&self.id), Vec::<PathBuf>::new(), "{why}: its groups are left");
        why.to_string()
    }

    pub(crate) fn state(&self) -> Value {
        let text = command::state(&self.root(), &self.id).expect("it is there");
        serde_json::from_str(&text).expect("JSON")
    }

    pub(crate) fn status(&self) -> String {
        self.state()["status"].as_str().expect("a word").to_owned()
    }

    pub(crate) fn wait_until(&self, status: &str) {
        eventually(&format!("{} is {status}", self.id), || self.status() == status);
    }

    pub(crate) fn delete(&self, force: bool) -> Result<(), String> {
        command::delete(&self.root(), &self.id, force, &mut Vec::new()).map_err(|why| why.to_string())
    }

    pub(crate) fn exec(&self, script: &str) -> command::Exec {
        command::Exec {
            root: self.root(),
            id: self.id.clone(),
            args: ["sh", "-c", script].map(str::to_owned).to_vec(),
            ..command::Exec::default()
        }
    }

    /// Adds a namespace.
    pub(crate) fn add_namespace(&mut self, namespace: Value) {
        self.config["linux"]["namespaces"].as_array_mut().expect("a list").push(namespace);
    }
}

impl Drop for Ship {
    fn drop(&mut self) {
        let left = self.delete(true);
        if !std::thread::panicking() {
            assert_eq!(left, Ok(()));
            assert_eq!(groups(&self.id), Vec::<PathBuf>::new(), "its groups are left");
        }
    }
}

/// Waits for what is not asked of a clock: it comes soon, or the test fails.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Control groups of this name, in every hierarchy.
pub(crate) fn groups(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::from("/sys/fs/cgroup"), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name() == name {
                found.push(entry.path());
            }
            if depth < 4 {
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    found
}

/// Whether this is the test `name` in a process of its own, whose memory and descriptors are no other test's. Elsewhere it is begun
/// anew as one, and has to succeed there.
pub(crate) fn is_alone(name: &str) -> bool {
    const ALONE: &str = "CATAMARAN_OCI_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let anew = std::process::Command::new("/proc/self/exe")
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("begun anew");
    assert!(anew.status.success(), "{}", String::from_utf8_lossy(&anew.stderr));
    print!("{}", String::from_utf8_lossy(&anew.stdout));
    false
}
