//! How a failure is injected, and what has to hold of it whatever it is.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use catamaran_scenario::Calibration;
use rustix::process::{Pid, Signal, kill_process};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use tempfile::TempDir;

use crate::inventory::Inventory;

/// Set for the process that puts itself behind a filter: the number of a system call, and the error that it gets.
pub(crate) const FILTER: &str = "CATAMARAN_FAILURES_TEST";
/// What that process then becomes: program and arguments.
const THEN: &str = "CATAMARAN_FAILURES_THEN";
/// Number of an ordinary user and its group: `nobody`.
const NOBODY: u32 = 65534;
/// Rows at once: most of them wait.
const AT_ONCE: usize = 4;
/// Longest wait for a row to come to where it is interrupted.
const PATIENCE: Duration = Duration::from_secs(30);

/// Carries out what is injected in a mount namespace of its own, where runs have their folders in `$OUT/runs`, and notes
/// what is there before and after the program.
const SCRIPT: &str = r#"
set -e
mkdir -p /run/catamaran
mount --bind "$OUT/runs" /run/catamaran
eval "$INJECT"
set +e
cat /proc/self/mounts >"$OUT/mounts-before" 2>/dev/null
sh -c 'echo $$ >"$OUT/pid"; exec "$@"' sh "$@"
code=$?
cat /proc/self/mounts >"$OUT/mounts-after" 2>/dev/null
find /run/catamaran "$OUT/mine" -mindepth 1 ! -name door ! -name catamaran >"$OUT/left"
exit $code
"#;

/// When a run is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// When it has halted at this stage.
    At(&'static str),
    /// When QEMU is there.
    Booting,
}

/// One failure, or one use of the program.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What is done to the program.
    what: String,
    /// The platform, and what else has to work here, as `doctor` names it.
    needs: Vec<&'static str>,
    /// Arguments; `@` stands for the folder of the row, where `scenario.toml` is.
    arguments: Vec<String>,
    scenario: String,
    /// Shell lines in the mount namespace, before the program.
    inject: String,
    /// Programs that become the next one, before the program: `prlimit`, `env`, …
    before: Vec<String>,
    /// A system call and the error that it gets.
    deny: Option<(libc::c_long, i32)>,
    interrupt: Option<Interrupt>,
    ordinary: bool,
    code: i32,
    /// What the error says, or what standard output says where there is none.
    says: Vec<&'static str>,
}

impl Row {
    /// A run on a platform.
    pub(crate) fn on(platform: &'static str, what: &str) -> Self {
        let run = ["run", "@/scenario.toml", "--on", platform];
        Self { scenario: scenario(platform), needs: vec![platform], ..Self::of(&run, what) }
    }

    /// Any other use of the program.
    pub(crate) fn of(arguments: &[&str], what: &str) -> Self {
        Self {
            what: what.to_owned(),
            needs: Vec::new(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            scenario: scenario("bare-metal"),
            inject: String::new(),
            before: Vec::new(),
            deny: None,
            interrupt: None,
            ordinary: false,
            code: 0,
            says: Vec::new(),
        }
    }

    /// The scenario with another piece of text.
    pub(crate) fn with(mut self, old: &str, new: &str) -> Self {
        assert!(self.scenario.contains(old), "{}: no {old} in the scenario", self.what);
        self.scenario = self.scenario.replace(old, new);
        self
    }

    /// The scenario for this platform, whatever is done with it.
    pub(crate) fn scenario(mut self, platform: &str) -> Self {
        self.scenario = scenario(platform);
        self
    }

    /// What `doctor` has to find working here.
    pub(crate) fn needs(mut self, name: &'static str) -> Self {
        self.needs.push(name);
        self
    }

    /// Shell lines; `$OUT` is the folder of the row.
    pub(crate) fn inject(mut self, lines: &str) -> Self {
        self.inject = lines.to_owned();
        self
    }

    /// Started by such a program.
    pub(crate) fn through(mut self, words: &[&str]) -> Self {
        self.before.extend(words.iter().map(|&word| word.to_owned()));
        self
    }

    /// With a variable in the environment.
    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        self.through(&["env", &format!("{name}={value}")])
    }

    /// With a limit of `prlimit`.
    pub(crate) fn limit(self, limit: &str) -> Self {
        self.through(&["prlimit", limit])
    }

    /// Behind a filter that refuses one system call.
    pub(crate) fn deny(mut self, call: libc::c_long, error: i32) -> Self {
        self.deny = Some((call, error));
        self
    }

    /// Interrupted.
    pub(crate) fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// By an ordinary user.
    pub(crate) fn ordinary(mut self) -> Self {
        self.ordinary = true;
        self.needs.clear();
        self
    }

    /// What has to come of it.
    pub(crate) fn ends(mut self, code: i32, says: &[&'static str]) -> Self {
        (self.code, self.says) = (code, says.to_vec());
        self
    }
}

fn scenario(platform: &str) -> String {
    let memory = if platform == "vm" { "512MiB" } else { "128MiB" };
    format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"doomed\"\nseed = 1\nduration = \"200ms\"\n\
         platforms = [\"{platform}\"]\n[host]\ncores = 1\nmemory = \"{memory}\"\n\
         [platform.vm]\naccel = \"tcg\"\nvcpus = 1\nmemory = \"192MiB\"\n[platform.container]\nrootless = false\n\
         [[tenant]]\nname = \"web\"\ncpu = {{ limit = \"1\" }}\n\
         workload = {{ kind = \"server\", arrivals = {{ process = \"constant\", rate = \"50/s\" }}, \
         service = {{ cpu = \"1ms\", distribution = \"constant\" }} }}\n"
    )
}

/// This machine, as far as rows depend on it.
pub(crate) struct Ground {
    checks: Vec<serde_json::Value>,
    /// A cache with a calibration of this machine, so that no row measures it anew.
    cache: TempDir,
}

impl Ground {
    /// Looks what works here; `None` where nothing can be injected, with a printed reason.
    pub(crate) fn find(test: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: {test}: it takes root to make a mount namespace");
            return None;
        }
        let unshare = Command::new("unshare").args(["--mount", "true"]).output();
        if !unshare.is_ok_and(|output| output.status.success()) {
            println!("skipped: {test}: no mount namespace can be made here");
            return None;
        }
        let doctor = Command::new(program()).args(["doctor", "--json"]).output().expect("it starts");
        let cache = tempfile::tempdir().unwrap();
        let calibration = Calibration { machine: catamaran_native::machine(), ..Calibration::reference() };
        fs::create_dir(cache.path().join("catamaran")).unwrap();
        fs::write(cache.path().join("catamaran/host.toml"), calibration.to_toml()).unwrap();
        open_to_all(cache.path());
        Some(Self { checks: serde_json::from_slice(&doctor.stdout).expect("checks"), cache })
    }

    fn check(&self, name: &str) -> Option<&serde_json::Value> {
        self.checks.iter().find(|check| check["name"] == name)
    }

    /// The image that guests boot here.
    pub(crate) fn guest_kernel(&self) -> Option<&Path> {
        let found = self.check("guest-kernel")?["found"].as_str()?;
        found.split_once(" at ").map(|(_, path)| Path::new(path))
    }

    /// The rows that this machine offers what they need for; says why of the others.
    pub(crate) fn possible(&self, rows: Vec<Row>) -> Vec<Row> {
        let lacking = |row: &Row| {
            let checks = row.needs.iter().map(|name| (*name, self.check(name)));
            let mut lacking = checks.filter(|(_, check)| check.is_none_or(|check| check["works"] != true));
            lacking.next().map(|(name, check)| match check {
                Some(check) => format!("{name}: {}", check["found"]),
                None => format!("there is no {name} here"),
            })
        };
        let possible = rows.into_iter().filter(|row| match lacking(row) {
            None => true,
            Some(why) => {
                println!("not done here: {}: {}", row.what, why.replace('\n', " "));
                false
            }
        });
        possible.collect()
    }

    /// Carries the rows out, a few at a time; what was not as it should be.
    pub(crate) fn carry_out(&self, rows: &[Row]) -> Vec<String> {
        let (left, faults) = (Mutex::new(rows.iter()), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let Some(row) = left.lock().unwrap().next() else { return };
                        let found = self.try_row(row);
                        faults.lock().unwrap().extend(found);
                    }
                });
            }
        });
        faults.into_inner().unwrap()
    }

    fn try_row(&self, row: &Row) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["runs", "mine"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        chown(folder.path().join("mine"), Some(NOBODY), Some(NOBODY)).unwrap();
        fs::write(folder.path().join("scenario.toml"), &row.scenario).unwrap();
        open_to_all(folder.path());
        let began = Instant::now();
        let (code, stdout, stderr) = end(self.start(row, folder.path()), row.interrupt, folder.path());
        let (took, answer) = (began.elapsed().as_secs_f64(), code.unwrap_or(-1));
        println!("{answer:3} {took:5.1} s  {}: {}", row.what, stderr.trim_end());
        let faults = faults(row, folder.path(), code, &stdout, &stderr);
        (!faults.is_empty()).then(|| {
            format!(
                "{}:\n  {}\n  exit code {code:?}, it said: {stderr}{stdout}",
                row.what,
                faults.join("\n  ")
            )
        })
    }

    fn start(&self, row: &Row, folder: &Path) -> Child {
        let path = |name: &str| folder.join(name).display().to_string();
        let mut line: Vec<String> = Vec::new();
        if row.ordinary {
            let user = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()];
            line.push("setpriv".into());
            line.extend(user);
        }
        line.extend(["env".into(), format!("XDG_RUNTIME_DIR={}", path("mine"))]);
        line.extend(row.before.iter().map(|word| word.replace("@/", &path(""))));
        let arguments = row.arguments.iter().map(|word| word.replace("@/", &path("")));
        let then: Vec<String> = [program().to_owned()].into_iter().chain(arguments).collect();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh"]);
        if let Some((call, error)) = row.deny {
            let this = std::env::current_exe().unwrap().display().to_string();
            line.extend([this, "--exact".into(), "behind_a_filter".into()]);
            line.extend(["--nocapture".into(), "--test-threads=1".into()]);
            command.env(FILTER, format!("{call} {error}")).env(THEN, then.join("\n"));
        } else {
            line.extend(then);
        }
        if let Some(Interrupt::At(stage)) = row.interrupt {
            command.env("CATAMARAN_STOP_AT", stage);
        }
        command.args(line).env("OUT", folder).env("INJECT", &row.inject);
        command.env("XDG_CACHE_HOME", self.cache.path()).env("HOME", folder);
        for name in ["NO_COLOR", "COLUMNS", "CATAMARAN_LOG"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("unshare starts")
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_catamaran")
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Number of the program's process, once it is known.
fn pid(folder: &Path) -> Option<u32> {
    fs::read_to_string(folder.join("pid")).ok()?.trim().parse().ok()
}

/// Waits for the end, and interrupts before if that is wanted; exit code, standard output and standard error.
fn end(mut child: Child, interrupt: Option<Interrupt>, folder: &Path) -> (Option<i32>, String, String) {
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut stderr = String::new();
    match interrupt {
        Some(Interrupt::At(stage)) => {
            while errors.read_line(&mut stderr).unwrap() > 0 && !stderr.contains(stage) {}
            stderr.clear();
        }
        Some(Interrupt::Booting) => {
            let until = Instant::now() + PATIENCE;
            let home = PathBuf::new();
            let there =
                |pid| Inventory::take(pid, &home).tenants().iter().any(|t| t.words.contains("microvm"));
            while !pid(folder).is_some_and(there) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        None => {}
    }
    if interrupt.is_some()
        && let Some(pid) = pid(folder).and_then(|pid| Pid::from_raw(pid as i32))
    {
        let _ = kill_process(pid, Signal::INT);
    }
    errors.read_to_string(&mut stderr).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    (child.wait().unwrap().code(), stdout, stderr)
}

/// What is not as it has to be.
fn faults(row: &Row, folder: &Path, code: Option<i32>, stdout: &str, stderr: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if code != Some(row.code) {
        faults.push(format!("exit code {code:?} in the place of {}", row.code));
    }
    if row.code != 0 && (stderr.lines().count() != 1 || !stderr.starts_with("error: ")) {
        faults.push("not one error in one line".to_owned());
    }
    if row.code != 0 && row.deny.is_none() && !stdout.is_empty() {
        faults.push("an answer beside the error".to_owned());
    }
    let said = if row.code == 0 { stdout } else { stderr };
    let unsaid = row.says.iter().filter(|part| !said.contains(**part));
    faults.extend(unsaid.map(|part| format!("it does not say {part:?}")));
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    if !text("left").is_empty() {
        faults.push(format!("left behind: {}", text("left")));
    }
    let (before, after) =
        (mounts(&text("mounts-before"), pid(folder)), mounts(&text("mounts-after"), pid(folder)));
    if before != after {
        faults.push(format!("mounts: {before:#?} became {after:#?}"));
    }
    match pid(folder) {
        None => faults.push("it was not started: the injection failed".to_owned()),
        Some(pid) => {
            let left = Inventory::take_when_settled(pid, &folder.join("runs"));
            if !left.is_empty() {
                faults.push(format!("left behind: {left:#?}"));
            }
        }
    }
    faults
}

/// The mounts in a text, but for those of other runs of catamaran, which come and go.
fn mounts(text: &str, pid: Option<u32>) -> Vec<String> {
    let ours = format!("/run/catamaran/{:x}-", pid.unwrap_or(0));
    let others = |mount: &&str| mount.contains("/run/catamaran/") && !mount.contains(&ours);
    text.lines().filter(|mount| !others(mount)).map(str::to_owned).collect()
}

/// Puts this thread behind a filter and becomes the program, which stays behind it.
pub(crate) fn become_filtered(filter: &str) -> ! {
    let (call, error) = filter.split_once(' ').expect("call and error");
    let rules = [(call.parse().expect("a number"), Vec::new())].into_iter().collect();
    let refuse = SeccompAction::Errno(error.parse().expect("a number"));
    let architecture = std::env::consts::ARCH.try_into().expect("a known architecture");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture).expect("a filter");
    let filter: BpfProgram = filter.try_into().expect("a program");
    seccompiler::apply_filter(&filter).expect("the kernel takes it");
    let then = std::env::var(THEN).expect("a program");
    let mut words = then.lines();
    let program = words.next().expect("a program");
    let failed = Command::new(program).args(words).env_remove(FILTER).env_remove(THEN).exec();
    panic!("{program}: {failed}");
}
