//! What tests of real control groups begin with: groups that are removed whatever happens, processes that wait for a word.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use catamaran_oci::cgroup::{Manager, Place};
use oci_spec::runtime::LinuxResources;
use serde_json::Value;

/// A container's groups, below those of this process.
pub(crate) struct Groups {
    pub(crate) manager: Manager,
    pub(crate) place: Place,
}

impl Groups {
    /// Makes them, in all hierarchies or in those that `keep` wants.
    pub(crate) fn made(name: &str, keep: impl Fn(&catamaran_oci::cgroup::Hierarchy) -> bool) -> Self {
        let mut place = place(name);
        place.hierarchies.retain(keep);
        let mut manager = Manager::new(&place).expect("a place");
        manager.create().expect("groups");
        Self { manager, place }
    }

    /// A file of the group that has a controller.
    pub(crate) fn read(&self, controller: &str, file: &str) -> String {
        let path = self.path(controller).join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.trim().to_owned()
    }

    /// Where the group with a controller is.
    pub(crate) fn path(&self, controller: &str) -> PathBuf {
        self.manager.paths().get(controller).expect("a controller that was looked for").clone()
    }

    /// Applies what `update` would.
    pub(crate) fn update(&self, resources: Value) {
        self.manager.update(&resources_of(resources)).expect("limits");
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        let _ = self.manager.thaw();
        let removed = self.manager.kill().and_then(|()| self.manager.remove());
        if !std::thread::panicking() {
            removed.expect("the groups are removed");
        }
    }
}

/// Where the groups of a container of this test go.
pub(crate) fn place(name: &str) -> Place {
    let id = format!("catamaran-oci-test-{}-{name}", std::process::id());
    Place::here(None, &id).expect("control groups of this process")
}

/// Resources as a configuration has them.
pub(crate) fn resources_of(value: Value) -> LinuxResources {
    serde_json::from_value(value).expect("resources")
}

/// A shell that carries out a line when it is told to.
pub(crate) struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Shell {
    pub(crate) fn waiting() -> Self {
        let script = "while read line; do eval \"$line\"; done";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Carries out a line, and answers the next line that it prints.
    pub(crate) fn does(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("the shell listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the shell answers");
        answer.trim().to_owned()
    }

    /// Whether it can open a device, to read and write it.
    pub(crate) fn opens(&mut self, device: &str) -> bool {
        self.does(&format!("if ( exec 3<>{device} ); then echo yes; else echo no; fi")) == "yes"
    }

    /// Waits until it is gone; the signal that ended it.
    pub(crate) fn ended(mut self) -> Option<i32> {
        std::os::unix::process::ExitStatusExt::signal(&self.child.wait().expect("a child"))
    }
}

/// A rootless user who may make no groups: what was not asked for is done without, a limit is an error that names it.
pub(crate) fn nobody_is_told_what_cannot_be(name: &str) {
    let name = name.to_owned();
    // The number is the thread's alone.
    let thread = std::thread::spawn(move || {
        let nobody = rustix::process::Uid::from_raw(65534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("root may");
        let place = place(&name);
        assert!(place.rootless);
        let mut manager = Manager::new(&place).expect("a place");
        manager.create().expect("nothing is asked for");
        assert!(manager.paths().is_empty(), "{:?}", manager.paths());
        manager.apply(&LinuxResources::default()).expect("nothing is asked for");
        let limit = resources_of(serde_json::json!({ "memory": { "limit": 1 << 26 } }));
        let problem = manager.apply(&limit).expect_err("a limit is asked for").to_string();
        assert!(problem.contains("apply linux.resources.memory.limit"), "{problem}");
        assert!(problem.contains("Permission denied") && problem.contains("Delegate=yes"), "{problem}");
        let path = Some(PathBuf::from(format!("/{}", place.id)));
        let mut named = Manager::new(&Place { path, ..place }).expect("a place");
        named.create().expect_err("a group is asked for");
    });
    thread.join().expect("a thread");
}

/// The number of a disk of this machine, `8:0`; else says why the test `name` is skipped. Where the guest was promised one,
/// nothing is skipped.
pub(crate) fn disk(name: &str) -> Option<String> {
    let disks = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let real = disks.filter(|disk| disk.path().join("device").exists());
    let number = real.filter_map(|disk| fs::read_to_string(disk.path().join("dev")).ok()).next();
    if number.is_none() {
        assert!(std::env::var_os("CATAMARAN_DISK").is_none(), "a disk was promised");
        println!("skipped: {name}: this machine has no disk");
    }
    number.map(|number| number.trim().to_owned())
}

/// Bounds of a disk, far above what any reaches: `8:0` becomes its numbers.
pub(crate) fn rates(disk: &str) -> Value {
    let (major, minor) = disk.split_once(':').expect("8:0");
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let rate =
        |rate: u64| serde_json::json!([{ "major": number(major), "minor": number(minor), "rate": rate }]);
    serde_json::json!({ "blockIO": {
        "throttleReadBpsDevice": rate(1 << 40), "throttleWriteBpsDevice": rate(1 << 41),
        "throttleReadIOPSDevice": rate(1 << 24), "throttleWriteIOPSDevice": rate(1 << 25)
    } })
}
