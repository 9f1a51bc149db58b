//! The system calls with which our runtime makes a container, as strace sees them: the recording that the page walks through
//! (`web/trace/container.json`) is of this very program. `UPDATE_TRACE=1` (`cargo xtask trace-container`) records anew.
//!
//! Of all calls those are kept that make the container what it is, each kind once, where it first succeeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::strace::{Call, calls, missing};

/// What tells a call that is kept from others of its name: the process that makes it, and a word of its arguments.
struct Kind {
    call: &'static str,
    who: Who,
    word: &'static str,
}

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// `catamaran oci run`.
    Runtime,
    /// The process that it starts, before that makes the container's.
    FirstStage,
    /// The container's process, which becomes its program.
    Container,
}

impl Who {
    const fn word(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::FirstStage => "first-stage",
            Self::Container => "container",
        }
    }
}

const fn kind(call: &'static str, who: Who, word: &'static str) -> Kind {
    Kind { call, who, word }
}

/// What containers of this test are called, with the number of a process after it.
const CONTAINER: &str = "catamaran-trace-";

/// The twelve.
const KINDS: [Kind; 12] = [
    kind("mkdirat", Who::Runtime, CONTAINER),
    kind("clone3", Who::FirstStage, "CLONE_NEW"),
    kind("unshare", Who::Container, "CLONE_NEWCGROUP"),
    kind("open_tree", Who::Container, "OPEN_TREE_CLONE"),
    kind("fsopen", Who::Container, "\"proc\""),
    kind("move_mount", Who::Container, ""),
    kind("mknodat", Who::Container, ""),
    kind("pivot_root", Who::Container, ""),
    kind("sethostname", Who::Container, ""),
    kind("capset", Who::Container, ""),
    kind("seccomp", Who::Container, "SECCOMP_SET_MODE_FILTER"),
    kind("execve", Who::Container, ""),
];

/// Who makes each call: the first process is the runtime; whoever of its children makes namespaces is the first stage, and the
/// process in them is the container's.
fn who(calls: &[Call]) -> impl Fn(&Call) -> Option<Who> {
    let runtime = calls.first().map(|call| call.pid);
    let makes = calls
        .iter()
        .find(|call| call.name == "clone3" && call.arguments.contains("CLONE_NEW") && call.succeeded());
    let first = makes.map(|call| call.pid);
    let container = makes.and_then(|call| call.result.split_whitespace().next()?.parse::<u32>().ok());
    move |call| match Some(call.pid) {
        pid if pid == container => Some(Who::Container),
        pid if pid == first => Some(Who::FirstStage),
        pid if pid == runtime => Some(Who::Runtime),
        _ => None,
    }
}

/// Addresses in memory, which are others each time, as `0x…`; small numbers stay.
fn without_addresses(arguments: &str) -> String {
    const LONG: usize = 9;
    let mut parts = arguments.split("0x");
    let mut cleaned = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_hexdigit).count();
        let rest = part.get(digits..).filter(|_| digits >= LONG);
        cleaned.push_str(&rest.map_or_else(|| format!("0x{part}"), |rest| format!("0x…{rest}")));
    }
    cleaned
}

/// The kept calls in the order in which they first succeeded, each with how often it did.
fn steps(log: &str, cleaned: &dyn Fn(&str) -> String) -> Vec<Value> {
    let calls = calls(log);
    let who = who(&calls);
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<(&Kind, &Call)> = Vec::new();
    for call in calls.iter().filter(|call| call.succeeded()) {
        let is_it = |kind: &&Kind| {
            kind.call == call.name && who(call) == Some(kind.who) && call.arguments.contains(kind.word)
        };
        let Some(kind) = KINDS.iter().find(is_it) else { continue };
        *times.entry(kind.call).or_default() += 1;
        if order.iter().all(|(known, _)| known.call != kind.call) {
            order.push((kind, call));
        }
    }
    let step = |(kind, call): (&Kind, &Call)| {
        json!({
            "call": kind.call,
            "who": kind.who.word(),
            "arguments": cleaned(&call.arguments),
            "times": times.get(kind.call),
        })
    };
    order.into_iter().map(step).collect()
}

/// What the page and the test hold on to: who makes which call, in which order, and with which namespaces.
fn essence(steps: &Value) -> Vec<String> {
    let of = |step: &Value| {
        let text = |field: &str| step[field].as_str().unwrap_or_default().to_owned();
        let mut namespaces: Vec<String> = text("arguments")
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("CLONE_NEW"))
            .map(str::to_owned)
            .collect();
        namespaces.sort();
        format!("{} {} {}", text("who"), text("call"), namespaces.join(" "))
    };
    steps.as_array().map(|steps| steps.iter().map(of).collect()).unwrap_or_default()
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/trace/container.json")
}

/// A bundle whose program is this machine's `true`, with the libraries that it needs.
fn bundle(folder: &Path) {
    let root = folder.join("rootfs");
    for made in ["proc", "sys", "dev"] {
        fs::create_dir_all(root.join(made)).unwrap();
    }
    let program = PathBuf::from("/bin/true");
    let listed = Command::new("ldd").arg(&program).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from);
    for file in libraries.chain([program]) {
        let copy = root.join(file.strip_prefix("/").unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(&file, copy).unwrap();
    }
    fs::write(folder.join("config.json"), config().to_string()).unwrap();
}

/// What engines ask for by default, in short: six namespaces, `/proc`, `/dev` and `/sys`, few capabilities, a filter, a limit.
fn config() -> Value {
    let kept = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    let namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"].map(|kind| json!({ "type": kind }));
    json!({
        "ociVersion": "1.2.0",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": ["/bin/true"],
            "cwd": "/",
            "capabilities": { "bounding": kept, "effective": kept, "permitted": kept },
            "noNewPrivileges": true
        },
        "root": { "path": "rootfs" },
        "hostname": "container",
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] }
        ],
        "linux": {
            "resources": { "pids": { "limit": 32 } },
            "namespaces": namespaces,
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
            "readonlyPaths": ["/proc/sys"],
            "seccomp": {
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{ "names": ["reboot", "kexec_load", "init_module"], "action": "SCMP_ACT_ERRNO" }]
            }
        }
    })
}

/// Has our runtime make a container under strace: what it did.
fn record(folder: &Path) -> Vec<Value> {
    let (bundle_folder, log) = (folder.join("bundle"), folder.join("strace.log"));
    bundle(&bundle_folder);
    let id = format!("{CONTAINER}{}", std::process::id());
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.call).collect();
    let outcome = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-s",
            "128",
            "-e",
            "signal=none",
            "-e",
            &format!("trace={}", names.join(",")),
            "-o",
        ])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_catamaran"))
        .args(["oci", "--root"])
        .arg(folder.join("state"))
        .args(["run", "--bundle"])
        .arg(&bundle_folder)
        .arg(&id)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stderr));
    let place = bundle_folder.display().to_string();
    let cleaned =
        move |arguments: &str| without_addresses(&arguments.replace(&place, "BUNDLE").replace(&id, "ID"));
    steps(&fs::read_to_string(log).unwrap(), &cleaned)
}

#[test]
fn the_recorded_trace_is_of_this_runtime() {
    if let Some(why) = missing() {
        println!("skipped: the trace of a container: {why}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let steps = Value::Array(record(folder.path()));
    if std::env::var_os("UPDATE_TRACE").is_some() {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let v1 = Path::new("/sys/fs/cgroup/pids/tasks").exists();
        let recorded = json!({
            "command": "catamaran oci run --bundle BUNDLE ID",
            "kernel": release.trim(),
            "cgroup_version": if v1 { 1 } else { 2 },
            "steps": steps,
        });
        fs::create_dir_all(file().parent().unwrap()).unwrap();
        return fs::write(file(), format!("{recorded:#}\n")).unwrap();
    }
    let recorded: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    let (was, is) = (essence(&recorded["steps"]), essence(&steps));
    assert_eq!(was, is, "the runtime goes another way; record it anew with `cargo xtask trace-container`");
}

#[test]
fn a_log_of_strace_is_read_by_process_and_by_kind() {
    let log = "10 execve(\"/usr/bin/catamaran\", [\"catamaran\"], 0x7f /* 9 vars */) = 0\n\
               10 mkdirat(5, \"somebody\", 0755) = 0\n\
               10 mkdirat(5, \"catamaran-trace-1\", 0755) = 0\n\
               10 mkdirat(5, \"catamaran-trace-1\", 0755) = -1 EEXIST (File exists)\n\
               10 mkdirat(5, \"catamaran-trace-1\", 0755) = 0\n\
               11 execve(\"/proc/self/fd/7\", [\"init\"], 0x7f /* 9 vars */) = 0\n\
               11 clone3({flags=CLONE_NEWPID|CLONE_NEWNS|CLONE_PARENT, exit_signal=0}, 88 <unfinished ...>\n\
               10 mkdirat(6, \"catamaran-trace-1\", 0755 <unfinished ...>\n\
               11 <... clone3 resumed>) = 12\n\
               10 <... mkdirat resumed>) = 0\n\
               12 unshare(CLONE_NEWCGROUP) = 0\n\
               11 capset({}, {}) = 0\n\
               12 pivot_root(\".\", \".\") = 0\n\
               12 execve(\"/bin/true\", [\"/bin/true\"], 0x7f /* 1 var */) = 0\n\
               12 exit_group(0) = ?\n";
    let steps = Value::Array(steps(log, &|arguments| arguments.replace("-trace-1", "-x")));
    assert_eq!(
        essence(&steps),
        [
            "runtime mkdirat ",
            "first-stage clone3 CLONE_NEWNS CLONE_NEWPID",
            "container unshare CLONE_NEWCGROUP",
            "container pivot_root ",
            "container execve "
        ]
    );
    assert_eq!(
        without_addresses("0x7f19e99f4740 /* 1 var */, makedev(0x1, 0x3)"),
        "0x… /* 1 var */, makedev(0x1, 0x3)"
    );
    assert_eq!(steps[0]["times"], 3, "what failed does not count, what was interrupted does");
    assert_eq!(steps[0]["arguments"], "5, \"catamaran-x\", 0755");
    assert_eq!(steps[4]["arguments"], "\"/bin/true\", [\"/bin/true\"], 0x7f /* 1 var */");
}

#[test]
fn all_twelve_are_recorded_each_once() {
    let recorded: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    let steps = recorded["steps"].as_array().unwrap();
    let mut found: Vec<&str> = steps.iter().filter_map(|step| step["call"].as_str()).collect();
    found.sort_unstable();
    let mut wanted: Vec<&str> = KINDS.iter().map(|kind| kind.call).collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}
