//! What one case has for itself: a bundle, a root folder for the runtime's state, an id; and the calls that cases make.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use serde_json::{Value, json};

use crate::call::{Said, to_its_end, wait_for};
use crate::check::{Verdict, equal, merge, wrong};
use crate::host::{Host, said_in};
use crate::runtime::Runtime;

/// Longest time of one call.
const CALL: Duration = Duration::from_secs(15);
/// Longest time until something that was asked for is there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Name of the variable by which a container's processes are known.
pub(crate) const MARK: &str = "CONFORMANCE_ID";

/// One case's bed.
pub(crate) struct Bed<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) host: &'a Host,
    /// Id of the container, and part of every name that the case makes.
    pub(crate) id: String,
    /// `config.json`, written before each `create` and `run`.
    pub(crate) config: Value,
    folder: tempfile::TempDir,
    /// Ids of all containers that were asked for.
    ids: Vec<String>,
    /// Where the case itself has mounted something, in this order.
    mounted: Vec<PathBuf>,
    /// Options between `create` or `run` and the id.
    pub(crate) options: Vec<String>,
    /// A program that calls the runtime, and its arguments; usually none.
    before: Vec<String>,
    calls: u32,
}

impl<'a> Bed<'a> {
    /// A bundle with the probe as its only file.
    ///
    /// # Errors
    /// Where the files can't be made.
    pub(crate) fn make(runtime: &'a Runtime, host: &'a Host, id: String, probe: &Path) -> Verdict<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("{id}-")).tempdir()?;
        // Users inside of a user namespace are strangers here, and must get through.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let rootfs = folder.path().join("bundle/rootfs");
        for name in ["proc", "dev", "sys", "tmp"] {
            fs::create_dir_all(rootfs.join(name))?;
        }
        fs::create_dir(folder.path().join("root"))?;
        fs::hard_link(probe, rootfs.join("probe"))?;
        let config = plain(&id);
        Ok(Self {
            runtime,
            host,
            ids: vec![id.clone()],
            id,
            config,
            folder,
            mounted: Vec::new(),
            options: Vec::new(),
            before: Vec::new(),
            calls: 0,
        })
    }

    /// The folder with everything of this case.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file beside the bundle.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The same as text.
    pub(crate) fn place(&self, name: &str) -> String {
        self.file(name).to_string_lossy().into_owned()
    }

    /// The bundle.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.file("bundle")
    }

    /// A file of the root file system, seen from here.
    pub(crate) fn inside(&self, name: &str) -> PathBuf {
        self.bundle().join("rootfs").join(name)
    }

    /// Where the runtime keeps its state.
    pub(crate) fn root(&self) -> PathBuf {
        self.file("root")
    }

    /// Changes `config.json`: objects are merged, null removes.
    pub(crate) fn set(&mut self, patch: Value) {
        merge(&mut self.config, patch);
    }

    /// Another mount, after those that are there.
    pub(crate) fn mount(&mut self, mount: Value) {
        if let Some(mounts) = self.config.get_mut("mounts").and_then(Value::as_array_mut) {
            mounts.push(mount);
        }
    }

    /// A bind mount of a file or folder beside the bundle.
    pub(crate) fn bind(&mut self, from: &str, to: &str, options: &[&str]) {
        let source = self.place(from);
        self.mount(json!({ "destination": to, "type": "bind", "source": source, "options": options }));
    }

    /// Mounts a tmpfs for the case, outside of all containers.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn tmpfs_at(&mut self, name: &str) -> Verdict<PathBuf> {
        let place = self.file(name);
        fs::create_dir_all(&place)?;
        mount("none", &place, "tmpfs", MountFlags::empty(), None).map_err(io::Error::from)?;
        self.mounted.push(place.clone());
        Ok(place)
    }

    /// Makes a folder a shared mount, as the root of a machine often is.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn share(&mut self, place: &Path) -> Verdict {
        if !self.mounted.iter().any(|mounted| mounted == place) {
            mount(place, place, "", MountFlags::BIND, None).map_err(io::Error::from)?;
            self.mounted.push(place.to_owned());
        }
        Ok(mount_change(place, MountPropagationFlags::SHARED).map_err(io::Error::from)?)
    }

    /// What the case itself has mounted.
    pub(crate) fn mounted(&self) -> &[PathBuf] {
        &self.mounted
    }

    /// Another namespace.
    pub(crate) fn namespace(&mut self, namespace: Value) {
        if let Some(list) = self.config.pointer_mut("/linux/namespaces").and_then(Value::as_array_mut) {
            list.push(namespace);
        }
    }

    /// Without the namespace of that kind.
    pub(crate) fn without_namespace(&mut self, kind: &str) {
        if let Some(list) = self.config.pointer_mut("/linux/namespaces").and_then(Value::as_array_mut) {
            list.retain(|namespace| namespace["type"] != kind);
        }
    }

    /// What the container's probe is to do, deed by deed.
    pub(crate) fn deeds(&mut self, deeds: &[&str]) {
        self.set(json!({ "process": { "args": arguments(deeds) } }));
    }

    /// Writes `config.json`.
    pub(crate) fn write(&self) -> Verdict {
        Ok(fs::write(self.bundle().join("config.json"), serde_json::to_vec_pretty(&self.config)?)?)
    }

    /// Calls the runtime with `--root` and these arguments.
    pub(crate) fn call(&mut self, arguments: &[&str]) -> Verdict<Said> {
        self.calls += 1;
        let (out, err) = (format!("out.{}", self.calls), format!("err.{}", self.calls));
        self.call_into(arguments, &out, &err)
    }

    fn call_into(&self, arguments: &[&str], out: &str, err: &str) -> Verdict<Said> {
        let mut command = self.through(self.runtime.command());
        command.arg("--root").arg(self.root()).args(arguments);
        command.env(MARK, &self.id).current_dir(self.folder());
        match to_its_end(&mut command, &self.file(out), &self.file(err), CALL)? {
            Some(said) => Ok(said),
            None => wrong(format!("`{}` did not end within {} s", arguments.join(" "), CALL.as_secs())),
        }
    }

    /// The command as the last words of another program, where a case wants one before it.
    fn through(&self, command: Command) -> Command {
        let mut words = self.before.iter();
        let Some(first) = words.next() else { return command };
        let mut outer = Command::new(first);
        outer.args(words).arg(command.get_program()).args(command.get_args());
        outer
    }

    /// Has that program call the runtime from here on.
    pub(crate) fn through_program(&mut self, words: &[&str]) {
        self.before = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// `run` by another program, which makes the descriptors; it must succeed.
    pub(crate) fn run_by(&mut self, words: &[&str]) -> Verdict<Said> {
        self.through_program(words);
        let said = self.run();
        self.before.clear();
        let said = said?;
        if said.code == 0 { Ok(said) } else { wrong(failure(&["run"], &said)) }
    }

    /// A call that must succeed.
    pub(crate) fn must(&mut self, arguments: &[&str]) -> Verdict<Said> {
        let said = self.call(arguments)?;
        if said.code == 0 { Ok(said) } else { wrong(failure(arguments, &said)) }
    }

    /// A call that must be refused: an exit status other than 0.
    pub(crate) fn must_not(&mut self, arguments: &[&str]) -> Verdict<Said> {
        let said = self.call(arguments)?;
        if said.code == 0 { wrong(format!("`{}` was not refused", arguments.join(" "))) } else { Ok(said) }
    }

    fn bring(&mut self, verb: &str, id: &str) -> Verdict<Said> {
        self.write()?;
        if !self.ids.iter().any(|known| known == id) {
            self.ids.push(id.to_owned());
        }
        let bundle = self.bundle().to_string_lossy().into_owned();
        let options: Vec<String> = self.options.clone();
        let mut arguments = vec![verb, "--bundle", bundle.as_str()];
        arguments.extend(options.iter().map(String::as_str));
        arguments.push(id);
        self.call_into(&arguments, &format!("{id}.out"), &format!("{id}.err"))
    }

    /// `run` in the foreground.
    pub(crate) fn run(&mut self) -> Verdict<Said> {
        self.bring("run", &self.id.clone())
    }

    /// `create`, whatever comes of it.
    pub(crate) fn try_create(&mut self) -> Verdict<Said> {
        self.bring("create", &self.id.clone())
    }

    /// `create`, which must succeed.
    pub(crate) fn create(&mut self) -> Verdict {
        self.create_as(&self.id.clone())
    }

    /// `create` of another container from the same bundle.
    pub(crate) fn create_as(&mut self, id: &str) -> Verdict {
        let said = self.bring("create", id)?;
        if said.code == 0 { Ok(()) } else { wrong(failure(&["create"], &said)) }
    }

    /// `start`, which must succeed.
    pub(crate) fn start(&mut self) -> Verdict {
        self.must(&["start", &self.id.clone()]).map(drop)
    }

    /// A container whose program waits for signals, and has said so.
    pub(crate) fn up(&mut self) -> Verdict {
        self.deeds(&["wait"]);
        self.create()?;
        self.start()?;
        self.says("ready")
    }

    /// Waits until the container's output has that line.
    pub(crate) fn says(&self, line: &str) -> Verdict {
        let has = || self.output().lines().any(|one| one == line).then_some(());
        match wait_for(PATIENCE, has) {
            Some(()) => Ok(()),
            None => wrong(format!("the container does not say {line:?}: {:?}", self.output())),
        }
    }

    /// What the container has written to its standard output.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.file(&format!("{}.out", self.id))).unwrap_or_default()
    }

    /// Runs a container to its end; what its probe answered, an element each deed.
    pub(crate) fn ask(&mut self, deeds: &[&str]) -> Verdict<Value> {
        self.deeds(deeds);
        self.answers()
    }

    /// Runs the container as it is configured; what its probe answered.
    pub(crate) fn answers(&mut self) -> Verdict<Value> {
        if self.runtime.may_hang_in_run() {
            self.create()?;
            self.start()?;
            self.becomes("stopped")?;
            return answers(&self.output());
        }
        let said = self.run()?;
        if said.code != 0 {
            return wrong(failure(&["run"], &said));
        }
        answers(&said.out)
    }

    /// Runs a container; what its probe sees.
    pub(crate) fn seen(&mut self) -> Verdict<Value> {
        Ok(self.ask(&["see"])?[0].take())
    }

    /// `exec` of the probe in the container, options first; its answers.
    pub(crate) fn exec(&mut self, options: &[&str], deeds: &[&str]) -> Verdict<Value> {
        let words = arguments(deeds);
        let id = self.id.clone();
        let mut all = vec!["exec"];
        all.extend(options);
        all.push(&id);
        all.extend(words.iter().map(String::as_str));
        let said = self.must(&all)?;
        answers(&said.out)
    }

    /// The container's state.
    pub(crate) fn state(&mut self) -> Verdict<Value> {
        let said = self.must(&["state", &self.id.clone()])?;
        Ok(serde_json::from_str(&said.out)?)
    }

    /// Its process, as this machine numbers it.
    pub(crate) fn pid(&mut self) -> Verdict<i64> {
        let state = self.state()?;
        state["pid"].as_i64().map_or_else(|| wrong(format!("the state has no pid: {state}")), Ok)
    }

    /// Waits until the state has that status.
    pub(crate) fn becomes(&mut self, status: &str) -> Verdict {
        let mut found = Ok(Value::Null);
        let answer = wait_for(PATIENCE, || {
            found = self.state();
            found.as_ref().is_ok_and(|state| state["status"] == status).then_some(())
        });
        match answer {
            Some(()) => Ok(()),
            None => equal("status", found?["status"].take(), status),
        }
    }

    /// Ends the container's program and waits until it is stopped.
    pub(crate) fn stop(&mut self) -> Verdict {
        self.must(&["kill", &self.id.clone(), "KILL"])?;
        self.becomes("stopped")
    }

    /// `create` must be refused, and leave no container.
    pub(crate) fn refused(&mut self) -> Verdict {
        let said = self.try_create()?;
        if said.code == 0 {
            return wrong("`create` was not refused");
        }
        let state = self.call(&["state", &self.id.clone()])?;
        if state.code == 0 { wrong(format!("a refused container is there: {}", state.out)) } else { Ok(()) }
    }

    /// At the latest `start` must be refused.
    pub(crate) fn refused_or_not_started(&mut self) -> Verdict {
        if self.try_create()?.code == 0 {
            self.must_not(&["start", &self.id.clone()])?;
        }
        Ok(())
    }

    /// What a file of the container's control group says.
    pub(crate) fn limit(&mut self, controller: &str, file: &str) -> Verdict<String> {
        let pid = self.pid()?;
        let file = self.host.group(pid, controller)?.join(file);
        if file.exists() {
            said_in(&file)
        } else {
            crate::check::skip(format!("this kernel has no {file:?}"))
        }
    }

    /// All ids that were given to the runtime.
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }
}

/// The probe's arguments for these deeds; their words are set apart by blanks.
pub(crate) fn arguments(deeds: &[&str]) -> Vec<String> {
    let mut words = vec!["/probe".to_owned()];
    for (number, deed) in deeds.iter().enumerate() {
        if number > 0 {
            words.push("--".to_owned());
        }
        words.extend(deed.split(' ').map(str::to_owned));
    }
    words
}

/// The last line that is an array.
pub(crate) fn answers(out: &str) -> Verdict<Value> {
    let line = out.lines().rev().find(|line| line.starts_with('['));
    match line {
        Some(line) => Ok(serde_json::from_str(line)?),
        None => wrong(format!("the probe answered nothing: {out:?}")),
    }
}

/// How a call failed, in a line.
pub(crate) fn failure(arguments: &[&str], said: &Said) -> String {
    let why: String = said.err.trim().replace('\n', " | ").chars().take(400).collect();
    format!("`{}` ended with {}: {why}", arguments.join(" "), said.code)
}

/// A plain container of the id.
fn plain(id: &str) -> Value {
    let kept = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "MKNOD", "SETGID", "SETUID"]
        .map(|name| format!("CAP_{name}"));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": ["/probe", "see"],
            "env": ["PATH=/bin:/", format!("{MARK}={id}")],
            "cwd": "/",
            "capabilities": { "bounding": kept, "effective": kept, "permitted": kept }
        },
        "root": { "path": "rootfs" },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"] },
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
              "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] }
        ],
        "linux": {
            "cgroupsPath": format!("/{id}"),
            "namespaces": [{ "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }]
        }
    })
}
