//! A crowd: a hundred containers made and removed at the same time by the runtime itself, without an engine. Nothing is
//! left of them, and nobody waits for ever. Of many who want the same name one gets it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Barrier;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::image;
use crate::left::Inventory;
use crate::place::Place;
use crate::tool::until;

/// Containers at a time.
const MANY: usize = 100;
/// Who want the same name.
const RIVALS: usize = 20;

pub(crate) fn play(place: &Place) -> Result<()> {
    let crowd = Crowd { root: place.folder("runtime")?.into(), image: image::root(place)?, place };
    // The first shows what any container leaves for all that follow, such as the group above it.
    crowd.alone("first")?;
    let before = Inventory::take(place)?;
    println!("  {MANY} are made at once, then removed at once");
    crowd.each(|name, barrier| {
        let created = crowd.create(name);
        // Whoever fails may not leave the others waiting.
        barrier.wait();
        created?;
        crowd.kill(name)?;
        crowd.must(&["delete", name], name)
    })?;
    crowd.nothing_is_left(&before)?;
    println!("  {MANY} are made and removed, started in between, each at its own time");
    crowd.each(|name, _| crowd.alone(name))?;
    crowd.nothing_is_left(&before)?;
    println!("  {RIVALS} want the same name");
    crowd.rivals()?;
    crowd.nothing_is_left(&before)
}

struct Crowd<'a> {
    /// The runtime's `--root`.
    root: PathBuf,
    image: PathBuf,
    place: &'a Place,
}

impl Crowd<'_> {
    /// Does the same for each of many containers at a time; the first failure.
    fn each(&self, work: impl Fn(&str, &Barrier) -> Result<()> + Sync) -> Result<()> {
        let barrier = Barrier::new(MANY);
        thread::scope(|scope| {
            let (work, barrier) = (&work, &barrier);
            let threads: Vec<_> = (0..MANY)
                .map(|number| scope.spawn(move || work(&format!("member-{number}"), barrier)))
                .collect();
            let mut ends = threads.into_iter().map(thread::ScopedJoinHandle::join);
            ends.try_for_each(|end| end.unwrap_or_else(|_| bail!("a thread of ours panicked")))
        })
    }

    fn alone(&self, name: &str) -> Result<()> {
        self.create(name)?;
        self.must(&["start", name], name)?;
        self.delete(name)
    }

    fn create(&self, name: &str) -> Result<()> {
        let bundle = self.bundle(name)?;
        self.must(&["create", "--bundle", &bundle, name], name)
    }

    /// Removes a container that may run.
    fn delete(&self, name: &str) -> Result<()> {
        self.must(&["delete", "--force", name], name)
    }

    /// Kills a container and waits until the runtime says that it has stopped.
    fn kill(&self, name: &str) -> Result<()> {
        self.must(&["kill", name, "KILL"], name)?;
        until("waiting for the end of a container that was killed", || {
            let mut command = Command::new(&self.place.runtime);
            let output = command.arg("--root").arg(&self.root).args(["state", name]).output()?;
            let state: Value = serde_json::from_slice(&output.stdout).context("the state is JSON")?;
            ensure!(state["status"] == "stopped", "it is {}", state["status"]);
            Ok(())
        })
    }

    /// One of those who make a container of the same name at the same time succeeds.
    fn rivals(&self) -> Result<()> {
        let bundle = self.bundle("wanted")?;
        let barrier = Barrier::new(RIVALS);
        let one = |number: usize| {
            barrier.wait();
            let status = self.call(&["create", "--bundle", &bundle, "wanted"], &format!("rival-{number}"))?;
            Ok(status.success())
        };
        let outcomes: Result<Vec<bool>> = thread::scope(|scope| {
            let one = &one;
            let threads: Vec<_> = (0..RIVALS).map(|number| scope.spawn(move || one(number))).collect();
            let ends = threads.into_iter().map(thread::ScopedJoinHandle::join);
            ends.map(|end| end.unwrap_or_else(|_| bail!("a thread of ours panicked"))).collect()
        });
        let winners = outcomes?.into_iter().filter(|won| *won).count();
        ensure!(winners == 1, "{winners} of {RIVALS} got the same name");
        self.must(&["start", "wanted"], "wanted")?;
        self.delete("wanted")
    }

    fn must(&self, arguments: &[&str], name: &str) -> Result<()> {
        let status = self.call(arguments, name)?;
        let why = || fs::read_to_string(self.errors(name)).unwrap_or_default();
        ensure!(status.success(), "{arguments:?}: {status}: {}", why().trim());
        Ok(())
    }

    /// Runs a command of the runtime. Its streams are no pipes of ours: the container has them, too, and lives on.
    fn call(&self, arguments: &[&str], name: &str) -> Result<ExitStatus> {
        let mut command = Command::new(&self.place.runtime);
        command.arg("--root").arg(&self.root).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(self.errors(name))?);
        command.status().with_context(|| self.place.runtime())
    }

    fn errors(&self, name: &str) -> PathBuf {
        self.place.folder.join(format!("errors-of-{name}"))
    }

    /// Makes a bundle; its path.
    fn bundle(&self, name: &str) -> Result<String> {
        let folder = self.place.folder(&format!("bundles/{name}"))?;
        let text = configuration(&self.image, &format!("/{}/{name}", self.place.group)).to_string();
        fs::write(Path::new(&folder).join("config.json"), text)?;
        Ok(folder)
    }

    /// The state folder is empty, and everything else is as it was.
    fn nothing_is_left(&self, before: &Inventory) -> Result<()> {
        before.is_restored(self.place)?;
        let left: Vec<_> = fs::read_dir(&self.root)?.flatten().map(|entry| entry.file_name()).collect();
        ensure!(left.is_empty(), "states are left: {left:?}");
        Ok(())
    }
}

/// A container that sleeps, with limits, that needs nothing of its own on the disk.
fn configuration(root: &Path, group: &str) -> Value {
    let namespaces = ["pid", "mount", "ipc", "uts", "network"].map(|kind| json!({ "type": kind }));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": ["/bin/sleep", "600"],
            "env": ["PATH=/bin"],
            "cwd": "/",
            "noNewPrivileges": true,
        },
        "root": { "path": root, "readonly": true },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"] },
        ],
        "linux": {
            "cgroupsPath": group,
            "namespaces": namespaces,
            "resources": { "memory": { "limit": 32 << 20 }, "pids": { "limit": 16 } },
            "maskedPaths": ["/proc/kcore"],
            "readonlyPaths": ["/proc/sys"],
        },
    })
}
