//! Runs that are made to be killed: where they are carried out, how they are started, where they halt.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::Backend as _;
use catamaran_scenario::{Plan, Platform};

/// Set for the process that is killed: its ground and the run's length, or [`CLEAN`].
pub(crate) const VICTIM: &str = "CATAMARAN_KILL_TEST";
/// What an ordinary user's process is told that shall clean up.
const CLEAN: &str = "clean";
/// What a process is told beside its ground that shall have a tenant that forks.
const FORKS: &str = "forks";
/// Number of an ordinary user and its group: `nobody`.
const NOBODY: u32 = 65534;

/// Where a run is carried out, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ground {
    pub(crate) name: &'static str,
    pub(crate) platform: Platform,
    pub(crate) rootless: bool,
    pub(crate) ordinary: bool,
    /// Tenants talk to each other.
    pub(crate) talks: bool,
    /// Tenants are started while the run goes on.
    pub(crate) lives: bool,
}

const fn ground(name: &'static str, platform: Platform) -> Ground {
    Ground { name, platform, rootless: false, ordinary: false, talks: false, lives: false }
}

pub(crate) const BARE_METAL: Ground = ground("bare-metal", Platform::BareMetal);
pub(crate) const CHROOT: Ground = ground("chroot", Platform::Chroot);
pub(crate) const NAMESPACES: Ground = ground("namespaces", Platform::Namespaces);
pub(crate) const CGROUPS: Ground = ground("cgroups", Platform::Cgroups);
pub(crate) const CONTAINER: Ground = ground("container", Platform::Container);
pub(crate) const ROOTLESS: Ground =
    Ground { rootless: true, ..ground("container, rootless", Platform::Container) };
pub(crate) const ORDINARY: Ground = Ground {
    rootless: true,
    ordinary: true,
    ..ground("container, by an ordinary user", Platform::Container)
};
pub(crate) const RUNC: Ground = ground("runc", Platform::Runc);
pub(crate) const MICROVM: Ground = ground("microvm", Platform::Microvm);
pub(crate) const VM: Ground = ground("vm", Platform::Vm);

/// An engine of the run's own in the place of a launcher.
pub(crate) const ENGINES: [Ground; 4] = [
    ground("podman", Platform::Podman),
    ground("containerd", Platform::Containerd),
    ground("docker", Platform::Docker),
    ground("lxc", Platform::Lxc),
];

pub(crate) const SHARED_NETWORK: Ground =
    Ground { talks: true, ..ground("bare-metal, with a network", Platform::BareMetal) };
pub(crate) const OWN_NETWORKS: Ground =
    Ground { talks: true, ..ground("container, with a network", Platform::Container) };

pub(crate) const LIVES: Ground =
    Ground { lives: true, ..ground("container, with events", Platform::Container) };

/// All of them.
pub(crate) const GROUNDS: [Ground; 17] = [
    BARE_METAL,
    CHROOT,
    NAMESPACES,
    CGROUPS,
    CONTAINER,
    RUNC,
    ROOTLESS,
    ORDINARY,
    MICROVM,
    VM,
    SHARED_NETWORK,
    OWN_NETWORKS,
    LIVES,
    ENGINES[0],
    ENGINES[1],
    ENGINES[2],
    ENGINES[3],
];

/// Folders of the users.
pub(crate) struct Homes {
    /// What an ordinary user has in the place of `/run`.
    runtime: tempfile::TempDir,
}

impl Homes {
    pub(crate) fn make() -> Self {
        let runtime = tempfile::tempdir().expect("a folder");
        chown(runtime.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
        Self { runtime }
    }

    /// Where runs on this ground have their folders.
    pub(crate) fn of(&self, ground: &Ground) -> PathBuf {
        if ground.ordinary { self.runtime.path().join("catamaran") } else { "/run/catamaran".into() }
    }

    /// This very test as the ground's user.
    fn this_test(&self, ordinary: bool) -> Command {
        let this = std::env::current_exe().expect("this test");
        let mut command = if ordinary { as_nobody(&this) } else { Command::new(this) };
        command
            .args(["--exact", "victim", "--nocapture", "--test-threads=1"])
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a run that halts at `stage`, if there is one.
    pub(crate) fn start(&self, ground: Ground, duration: &str, stage: Option<&str>) -> Victim {
        let mut command = self.this_test(ground.ordinary);
        command.env(VICTIM, format!("{};{duration}", ground.name));
        if let Some(stage) = stage {
            command.env("CATAMARAN_STOP_AT", stage);
        }
        let process = command.spawn().expect("the victim starts");
        Victim { process, started: Instant::now(), ground, home: self.of(&ground) }
    }

    /// The same of a run whose tenant forks.
    pub(crate) fn start_forks(&self, ground: Ground, duration: &str) -> Victim {
        let mut command = self.this_test(ground.ordinary);
        let process = command.env(VICTIM, format!("{};{duration};{FORKS}", ground.name)).spawn();
        let process = process.expect("the victim starts");
        Victim { process, started: Instant::now(), ground, home: self.of(&ground) }
    }

    /// Has both users clean up.
    pub(crate) fn clean(&self, ordinary: bool) {
        let cleaned = catamaran_native::clean();
        assert!(cleaned.is_ok(), "{cleaned:?}");
        if ordinary {
            let output = self.this_test(true).env(VICTIM, CLEAN).output().expect("setpriv starts");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("cleaned"), "an ordinary user could not clean up: {said}");
        }
    }
}

fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
    command.arg(program);
    command
}

/// A run under way; it ends with the test, also when that fails.
pub(crate) struct Victim {
    process: Child,
    pub(crate) started: Instant,
    pub(crate) ground: Ground,
    pub(crate) home: PathBuf,
}

impl Victim {
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the run says that it has halted.
    pub(crate) fn wait_for_stop(&mut self, stage: &str) {
        let mut errors = BufReader::new(self.process.stderr.take().expect("piped"));
        let mut complained = String::new();
        while errors.read_line(&mut complained).expect("readable") > 0 {
            if complained.trim_end().ends_with(&format!("stopped at {stage}")) {
                return;
            }
        }
        let said = self.said();
        panic!("the run on {} never came to {stage}: {said}\n{complained}", self.ground.name);
    }

    /// What it said, once it has ended.
    pub(crate) fn said(&mut self) -> String {
        let mut said = String::new();
        let _ = self.process.stdout.take().expect("piped").read_to_string(&mut said);
        let _ = self.process.wait();
        said
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.try_wait().expect("askable").is_none()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ended");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the process does that is killed, or that cleans up as an ordinary user.
pub(crate) fn be(what: &str) {
    if what == CLEAN {
        match catamaran_native::clean() {
            Ok(cleaned) => println!("cleaned {cleaned:?}"),
            Err(error) => println!("failed: {error}"),
        }
        return;
    }
    let (name, rest) = what.split_once(';').expect("ground and duration");
    let (duration, batch) = match rest.split_once(';') {
        Some((duration, _)) => (duration, BOMB),
        None => (rest, BATCH),
    };
    let ground = GROUNDS.into_iter().find(|ground| ground.name == name).expect("a ground");
    let options = RunnerOptions { turns_per_cpu_s: Some(5e8), ..RunnerOptions::default() };
    let mut runner = Runner::new(options).expect("a runner");
    match runner.run(&scenario(ground, duration, batch), ground.platform, 0) {
        Ok(report) => println!("reported {} tenants", report.tenants.len()),
        Err(error) => println!("failed: {error}"),
    }
}

const BATCH: &str =
    "[[tenant]]\nname = \"batch\"\nworkload = { kind = \"compute\", threads = 2, work = \"1h\" }";
const CLIENT: &str = "[[tenant]]\nname = \"batch\"\nworkload = { kind = \"network\", to = \"web\", bytes = \"100GiB\", size = \"1MiB\" }";
/// A hundred children at once, that come and go; ten that stay; and a program whose children are in sessions of their own.
const BOMB: &str = "[[tenant]]\nname = \"bomb\"\nworkload = { kind = \"fork\", rate = \"500/s\", lifetime = \"200ms\" }\n\
     [[tenant]]\nname = \"stay\"\nworkload = { kind = \"fork\", rate = \"500/s\", lifetime = \"1h\", max = 10 }\n\
     [[tenant]]\nname = \"own\"\nworkload = { kind = \"command\", argv = [\"/bin/sh\", \"-c\", \
     \"setsid sleep 1001 & setsid sleep 1002 & exec sleep 1003\"] }";

/// A server that is started again, and a second one.
const EVENTS: &str = "[[event]]\nat = \"30ms\"\ndo = \"kill\"\ntarget = \"web\"\n\
     [[event]]\nat = \"120ms\"\ndo = \"scale\"\ntarget = \"web\"\nreplicas = 2";

const SERVER: &str = "{ kind = \"server\", arrivals = { process = \"poisson\", rate = \"50/s\" }, service = { cpu = \"2ms\", distribution = \"constant\" } }";
/// In a guest: a disk that has to go with it, and a daemon that shows it a program.
const FILE: &str = "{ phases = [\
     { kind = \"disk\", op = \"randwrite\", size = \"4MiB\", rate = \"400KB/s\", fsync = true }, \
     { kind = \"command\", argv = [\"sleep\", \"1004\"] }] }";

/// A server, and a tenant that never comes to an end; a guest with a disk where each would be a guest.
fn scenario(ground: Ground, duration: &str, batch: &str) -> Plan {
    let (rootless, platform) = (ground.rootless, ground.platform);
    // Guests want memory and, to boot while anybody waits, all of a core.
    let (memory, limit, batch) =
        if platform == Platform::Vm { ("512MiB", "1", "") } else { ("128MiB", "50m", batch) };
    let (batch, network) = match ground.talks {
        true => (CLIENT, "network = { bandwidth = \"100MB/s\" }"),
        false => (batch, ""),
    };
    let workload = if platform == Platform::Vm { FILE } else { SERVER };
    let (restart, events) = if ground.lives { ("on-failure", EVENTS) } else { ("never", "") };
    let text = format!(
        r#"
        schema = "catamaran/scenario/v1"
        name = "to-be-killed"
        seed = 1
        duration = "{duration}"
        platforms = ["{platform}"]
        [host]
        cores = {cores}
        memory = "{memory}"
        {network}
        [platform.vm]
        accel = "tcg"
        vcpus = 1
        [platform.microvm]
        guest = "bare"
        [platform.container]
        rootless = {rootless}
        [[tenant]]
        name = "web"
        restart = "{restart}"
        cpu = {{ limit = "{limit}", period = "500ms" }}
        workload = {workload}
        {batch}
        {events}
        "#,
        cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(2),
    );
    Plan::from_toml(&text, "kill").expect("a valid scenario")
}
