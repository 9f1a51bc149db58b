//! Configurations that are too large, too deep, no files at all, or name what is none: refused with one reason, in bounded time and
//! memory.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod ship;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use catamaran_oci::command;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use ship::{Ship, is_root};

/// What no refusal takes, on a machine with much else to do.
const AT_ONCE: Duration = Duration::from_secs(20);
/// What no refusal needs (KiB): the longest configuration, sixty times: a table of the shortest entries becomes one
/// of structures.
const MEMORY_KIB: u64 = 1 << 20;
/// Longest configuration that is read (bytes).
const LONGEST: usize = 16 << 20;

fn fifo(path: &std::path::Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).expect("made");
}

/// Why a bundle with this `config.json` is refused, in time.
fn refused(ship: &Ship, what: &str) -> String {
    let begun = Instant::now();
    let new = command::New {
        root: ship.root(),
        id: ship.id.clone(),
        bundle: ship.bundle().to_owned(),
        ..command::New::default()
    };
    let why = command::run(&new, false, false, &mut Vec::new()).expect_err(what).to_string();
    assert!(begun.elapsed() < AT_ONCE, "{what}: {:?}", begun.elapsed());
    assert!(why.len() < 4096 && !why.trim().is_empty(), "{what}: {} bytes of {why:.300}", why.len());
    assert!(!ship.root().join(&ship.id).exists(), "{what}: its state is left");
    why
}

#[test]
fn a_configuration_that_is_no_file_is_not_read() {
    let ship = Ship::new("no-file", "exit 0");
    let config = ship.bundle().join("config.json");
    let linked: [(&str, &str); 6] = [
        ("/dev/zero", "no regular file"),
        ("/dev/tty", "no regular file"),
        ("/proc/self/mem", "read "),
        ("/proc/self/pagemap", "read "),
        ("/", "no regular file"),
        ("config.json", "read "),
    ];
    for (target, says) in linked {
        symlink(target, &config).expect("linked");
        let why = refused(&ship, target);
        assert!(why.contains(says), "{target}: {why}");
        fs::remove_file(&config).expect("removed");
    }
    fifo(&config);
    assert!(refused(&ship, "a pipe").contains("no regular file"));
    fs::remove_file(&config).expect("removed");
    fs::File::create(&config).expect("made").set_len(100 << 20).expect("a hole");
    assert!(refused(&ship, "100 MiB").contains("longer than 16 MiB"));
}

#[test]
fn a_root_or_a_namespace_that_is_none_is_not_waited_for() {
    if !is_root("a root or a namespace that is none is not waited for") {
        return;
    }
    let mut ship = Ship::new("no-root", "exit 0");
    fifo(&ship.bundle().join("pipe"));
    symlink("loop", ship.bundle().join("loop")).expect("linked");
    for path in ["pipe", "/dev/zero", "/dev/null", "loop", "config.json", "rootfs/../nothing"] {
        ship.config["root"]["path"] = json!(path);
        let why = ship.refused();
        assert!(why.contains("root.path") && why.contains("must be a folder"), "{path}: {why}");
    }
    ship.config["root"]["path"] = json!("rootfs");
    for (path, says) in [
        ("pipe", "is it a namespace of this type?"),
        ("/dev/zero", "is it a namespace of this type?"),
        ("nothing", "No such file"),
    ] {
        let path = ship.bundle().join(path);
        ship.config["linux"]["namespaces"] = json!([{"type": "mount"}, {"type": "uts", "path": path}]);
        let begun = Instant::now();
        let why = ship.refused();
        assert!(why.contains("linux.namespaces") && why.contains(says), "{why}");
        assert!(begun.elapsed() < AT_ONCE, "{why}");
    }
}

#[test]
fn oversized_fields_are_refused_in_bounded_time_and_memory() {
    const NAME: &str = "oversized_fields_are_refused_in_bounded_time_and_memory";
    if !is_root(NAME) {
        return;
    }
    if !ship::is_alone(NAME) {
        return;
    }
    let mut ship = Ship::new("oversized", "exit 0");
    let (sound, mut wrong) = (ship.config.clone(), Vec::new());
    for (what, text, says) in documents(&sound) {
        assert!(text.len() <= LONGEST, "{what}: {} bytes", text.len());
        fs::write(ship.bundle().join("config.json"), text).expect("written");
        let begun = Instant::now();
        let why = refused(&ship, what);
        println!("{what}: {:?}: {why:.160}", begun.elapsed());
        if !why.contains(says) {
            wrong.push(format!("{what}: {why:.300}"));
        }
    }
    for (pointer, value, says) in fields() {
        let Some((above, name)) = pointer.rsplit_once('/') else { panic!("{pointer}") };
        ship.config = sound.clone();
        ship.config.pointer_mut(above).expect("there")[name] = value;
        fs::write(ship.bundle().join("config.json"), ship.config.to_string()).expect("written");
        let why = refused(&ship, pointer);
        println!("{pointer}: {why:.160}");
        if !why.contains(says) {
            wrong.push(format!("{pointer}: {why:.300}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let status = fs::read_to_string("/proc/self/status").expect("procfs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    println!("peak:{peak}");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < MEMORY_KIB, "{peak} KiB");
}

/// Documents of up to the longest length.
fn documents(sound: &Value) -> Vec<(&'static str, String, &'static str)> {
    // The sound one, with a field of its table `process` or `linux` filled up with the same entry.
    let full = |above: &str, name: &str, entry: &str| {
        let mut config = sound.clone();
        config.pointer_mut(above).expect("there")[name] = json!([]);
        let text = config.to_string();
        let empty = format!("\"{name}\":[]");
        // Some bytes are left for who puts more around it.
        let many = (LONGEST - 256 - text.len()) / (entry.len() + 1);
        let list = format!("\"{name}\":[{}]", vec![entry; many].join(","));
        text.replacen(&empty, &list, 1)
    };
    let deep = |open: &str, close: &str| {
        let many = LONGEST / (open.len() + close.len()) - 1;
        format!("{}0{}", open.repeat(many), close.repeat(many))
    };
    vec![
        ("an empty document", String::new(), "config.json: line 1, column 0: EOF"),
        ("a cut one", sound.to_string()[..100].to_owned(), "config.json: line 1, column 100: EOF"),
        ("no text", "\u{0}".repeat(LONGEST), "line 1, column 1: expected value"),
        ("blanks", " ".repeat(LONGEST), "EOF while parsing"),
        ("depth of lists", deep("[", "]"), "config.json"),
        ("depth of tables", deep("{\"linux\":", "}"), "config.json"),
        ("depth where nobody looks", deep("{\"unknown\":", "}"), "config.json"),
        ("a list of numbers", format!("[{}0]", "0,".repeat(LONGEST / 2 - 2)), "config.json"),
        ("a string of megabytes", format!("\"{}\"", "x".repeat(LONGEST - 2)), "config.json"),
        ("arguments", full("/process", "args", "\"sh\""), "rgument list too long"),
        ("variables", full("/process", "env", "\"x=\""), "rgument list too long"),
        (
            "limits",
            full("/process", "rlimits", r#"{"type":"RLIMIT_CPU","soft":1,"hard":1}"#),
            "process.rlimits[1]",
        ),
        ("capabilities", full("/process", "capabilities", r#""CAP_KILL""#), "process.capabilities"),
        ("namespaces", full("/linux", "namespaces", r#"{"type":"pid"}"#), "linux.namespaces"),
        ("devices", full("/linux", "devices", r#"{"path":"/d","type":"x"}"#), "linux.devices[0]"),
        (
            "mappings",
            full("/linux", "uidMappings", r#"{"containerID":0,"hostID":0,"size":1}"#),
            "linux.uidMappings",
        ),
        (
            "system calls",
            full("/linux", "seccomp", "0").replacen(
                "\"seccomp\":[",
                r#""seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":["#,
                1,
            ),
            "config.json",
        ),
    ]
}

/// Fields that are too long, or lead out.
fn fields() -> Vec<(&'static str, Value, &'static str)> {
    let long = "x".repeat(1 << 20);
    let path = format!("/{long}");
    let rule = json!({"names": vec!["read"; 200_000], "action": "SCMP_ACT_NOTIFY"});
    let rules: Vec<Value> = (0..20_000)
        .map(|value| {
            json!({"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": value % 100,
                            "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]})
        })
        .collect();
    vec![
        ("/hostname", json!("x".repeat(65)), "64"),
        ("/hostname", json!(long), "64"),
        ("/hostname", json!("a\u{0}b"), "a NUL"),
        ("/root/path", json!(path), "4095"),
        ("/process/cwd", json!(path), "4095"),
        ("/process/args", json!([long]), "131071"),
        ("/process/env", json!([format!("x={long}")]), "131071"),
        ("/process/env", json!(["a=\n", "\u{0}=a"]), "a NUL"),
        ("/linux/cgroupsPath", json!(path), "4095"),
        ("/linux/cgroupsPath", json!("/../../etc"), ".."),
        ("/linux/maskedPaths", json!([path]), "4095"),
        ("/linux/maskedPaths", json!(["proc"]), "absolute"),
        ("/linux/readonlyPaths", json!([path]), "4095"),
        ("/linux/sysctl", json!({"kernel.core_pattern": "|/bin/sh"}), "whole machine"),
        ("/linux/sysctl", json!({"net/../kernel/core_pattern": "x"}), "below /proc/sys"),
        ("/linux/sysctl", json!({ (long.clone()): "x" }), "linux.sysctl"),
        ("/linux/rootfsPropagation", json!(long), "linux.rootfsPropagation"),
        ("/linux/devices", json!([{"path": path, "type": "c", "major": 1, "minor": 3}]), "4095"),
        ("/linux/seccomp", json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}), "linux.seccomp"),
        (
            "/linux/seccomp",
            json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "syscalls": [rule]}),
            "linux.seccomp",
        ),
        ("/hooks", json!({"createRuntime": [{"path": "bin/sh"}]}), "MUST be absolute"),
        ("/hooks", json!({"createRuntime": [{"path": path}]}), "4095"),
        ("/hooks", json!({"createRuntime": [{"path": "/proc/self/fd/3"}]}), "hooks.createRuntime[0]"),
        ("/hooks", json!({"createRuntime": [{"path": "/dev/zero"}]}), "hooks.createRuntime[0]"),
        ("/mounts", json!([{"destination": path, "type": "tmpfs"}]), "4095"),
        (
            "/mounts",
            json!([{"destination": "/tmp", "type": "tmpfs", "options": [format!("size={long}")]}]),
            "255",
        ),
        ("/mounts", json!([{"destination": "/tmp", "type": long, "source": "x"}]), "mount /tmp"),
        ("/annotations", json!({"": "x"}), "annotations"),
    ]
}

#[test]
fn paths_of_options_that_are_too_long_or_lead_elsewhere_are_refused() {
    if !is_root("paths of options that are too long or lead elsewhere are refused") {
        return;
    }
    let mut ship = Ship::new("options", "exit 0");
    let long = ship.bundle().join("x".repeat(1 << 16));
    let new = command::New { pid_file: Some(long.clone()), ..ship.new_container() };
    let why = command::create(&new, &mut Vec::new()).expect_err("too long").to_string();
    assert!(why.contains("File name too long"), "{why:.300}");
    assert!(!ship.root().join(&ship.id).exists(), "its state is left");
    // The name that the number is first written to is a link to a file of the machine.
    let precious = ship.bundle().join("precious");
    fs::write(&precious, "words").expect("written");
    symlink(&precious, ship.bundle().join(".pid")).expect("linked");
    symlink(&precious, ship.bundle().join("pid")).expect("linked");
    let new = command::New { pid_file: Some(ship.bundle().join("pid")), ..ship.new_container() };
    command::create(&new, &mut Vec::new()).expect("created");
    assert_eq!(fs::read_to_string(&precious).expect("there"), "words");
    let pid = fs::read_to_string(ship.bundle().join("pid")).expect("written");
    assert_eq!(json!(pid.parse::<u32>().expect("a number")), ship.state()["pid"]);
    ship.delete(true).expect("deleted");
    ship.config["process"]["terminal"] = json!(true);
    for (socket, says) in
        [(long, "--console-socket"), (precious, "--console-socket"), ("/dev/zero".into(), "--console-socket")]
    {
        let new = command::New { console_socket: Some(socket), ..ship.new_container() };
        let why = command::create(&new, &mut Vec::new()).expect_err("no socket").to_string();
        assert!(why.contains(says), "{why:.300}");
    }
}
