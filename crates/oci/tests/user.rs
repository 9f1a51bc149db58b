//! User namespaces, with and without privileges; time namespaces; namespaces that are there already.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod ship;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use serde_json::json;
use ship::{Ship, is_root};

#[test]
fn root_inside_is_somebody_else_outside() {
    if !is_root("root inside is somebody else outside") {
        return;
    }
    let script = "exec > /out/said 2>&1; id -u; cat /proc/self/uid_map; stat -c '%u %F' /usr /dev/null; : > /out/made; chown 5 /out/made
        echo x > /dev/null && echo end";
    let mut ship = Ship::new("user", script);
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 1000}]);
    ship.add_namespace(json!({"type": "user"}));
    ship.config["linux"]["uidMappings"] = map.clone();
    ship.config["linux"]["gidMappings"] = map;
    ship.config["process"]["capabilities"] =
        json!({"bounding": ["CAP_CHOWN"], "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN"]});
    let own = |path: &std::path::Path| {
        std::os::unix::fs::chown(path, Some(100_000), Some(100_000)).expect("given away");
    };
    own(&ship.bundle().join("out"));
    // Where nobody but root may look: it is opened for the container all the same.
    fs::set_permissions(ship.bundle(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("set");
    assert_eq!(ship.run(), (0, Vec::new()));
    let said = fs::read_to_string(ship.out("said")).expect("written");
    let words: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(words.get(..4), Some(&["0", "0", "100000", "1000"][..]), "{said}");
    assert!(said.contains("65534 directory") && said.contains("65534 character special file"), "{said}");
    assert!(said.ends_with("end\n"), "{said}");
    assert_eq!(fs::metadata(ship.out("made")).expect("made").uid(), 100_005);
}

#[test]
fn clocks_of_a_time_namespace_are_shifted() {
    if !is_root("clocks of a time namespace are shifted") {
        return;
    }
    if !std::path::Path::new("/proc/self/ns/time").exists() {
        println!("skipped: clocks of a time namespace are shifted: this kernel has none");
        return;
    }
    let mut ship = Ship::new("time", "cat /proc/uptime > /out/said");
    ship.add_namespace(json!({"type": "time"}));
    ship.config["linux"]["timeOffsets"] = json!({"boottime": {"secs": 100_000_000, "nanosecs": 5}});
    assert_eq!(ship.run(), (0, Vec::new()));
    let said = fs::read_to_string(ship.out("said")).expect("written");
    let uptime: f64 = said.split_whitespace().next().expect("a word").parse().expect("a number");
    assert!(uptime > 100_000_000.0, "{said}");
}

#[test]
fn a_container_joins_the_namespaces_of_another() {
    if !is_root("a container joins the namespaces of another") {
        return;
    }
    let mut first = Ship::new("first", "exec sleep 600");
    first.config["hostname"] = json!("first");
    first.create();
    first.start();
    let pid = first.state()["pid"].clone();
    let path = |name: &str| format!("/proc/{pid}/ns/{name}");
    let mut second = Ship::new(
        "second",
        "hostname > /out/said; ls -d /proc/[0-9]* | wc -l >> /out/said; readlink /proc/self/ns/net >> /out/said",
    );
    second.config["linux"]["namespaces"] = json!([
        {"type": "mount"}, {"type": "pid", "path": path("pid")}, {"type": "uts", "path": path("uts")},
        {"type": "network", "path": path("net")},
    ]);
    assert_eq!(second.run(), (0, Vec::new()));
    let said = fs::read_to_string(second.out("said")).expect("written");
    let network = fs::read_link(path("net")).expect("a link").display().to_string();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines[2]), ("first", network.as_str()), "{said}");
    assert!(lines[1].parse::<u32>().expect("a number") >= 2, "{said}");
    let mut wrong = Ship::new("wrong", "exit 0");
    wrong.config["linux"]["namespaces"] = json!([{"type": "mount"}, {"type": "uts", "path": path("net")}]);
    let why = wrong.refused();
    assert!(why.contains("is it a namespace of this type?"), "{why}");
}

/// Set for a test that this test has begun anew as an ordinary user.
const AS_USER: &str = "CATAMARAN_OCI_AS_USER";
/// A number that no package gives to anybody.
const USER: u32 = 54_321;

#[test]
fn an_ordinary_user_runs_a_container_and_joins_it() {
    if std::env::var_os(AS_USER).is_some() {
        return rootless();
    }
    if !is_root("an ordinary user runs a container and joins it") {
        return;
    }
    let output = Command::new("/proc/self/exe")
        .args(["--exact", "an_ordinary_user_runs_a_container_and_joins_it", "--nocapture"])
        .env(AS_USER, "1")
        .env("TMPDIR", "/tmp")
        .current_dir("/")
        .gid(USER)
        .uid(USER)
        .output()
        .expect("begun anew");
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(reason) = said.lines().find(|line| line.starts_with("skipped")) {
        println!("{reason}");
    }
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn rootless() {
    if fs::read_to_string("/proc/sys/kernel/unprivileged_userns_clone").is_ok_and(|text| text.trim() == "0") {
        println!(
            "skipped: an ordinary user runs a container and joins it: kernel.unprivileged_userns_clone is 0"
        );
        return;
    }
    let mut ship = Ship::new(
        "rootless",
        "{ id -u; cat /proc/self/uid_map; } > /out/all; mv /out/all /out/said; exec sleep 600",
    );
    let map = json!([{"containerID": 0, "hostID": USER, "size": 1}]);
    ship.add_namespace(json!({"type": "user"}));
    ship.config["linux"]["uidMappings"] = map.clone();
    ship.config["linux"]["gidMappings"] = map;
    ship.create();
    ship.start();
    let said = ship.said("said");
    let words: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(words, ["0", "0", &USER.to_string(), "1"], "{said}");
    assert_eq!(fs::metadata(ship.out("said")).expect("made").uid(), USER);
    let how = ship.exec("id -u; test -d /proc/1 && exit 6");
    assert_eq!(catamaran_oci::command::exec(&how, &mut Vec::new()), Ok(6));
}

/// Set for a test that this test has begun anew as an ordinary user.
const WITH_RANGES: &str = "CATAMARAN_OCI_WITH_RANGES";
/// newuidmap(1) wants a user that has a name; this one is on every machine.
const NOBODY: u32 = 65534;

#[test]
fn an_ordinary_user_maps_the_ranges_that_were_granted() {
    if std::env::var_os(WITH_RANGES).is_some() {
        return ranges();
    }
    if !is_root("an ordinary user maps the ranges that were granted") {
        return;
    }
    let tools = ["newuidmap", "newgidmap", "setpriv", "unshare"];
    let is_missing = |tool: &&str| {
        !["/usr/bin", "/bin"].iter().any(|folder| std::path::Path::new(folder).join(tool).is_file())
    };
    let files = ["/etc/subuid", "/etc/subgid"];
    if let Some(missing) = tools.iter().find(|tool| is_missing(tool)) {
        println!("skipped: an ordinary user maps the ranges that were granted: there is no {missing}");
        return;
    }
    if files.iter().any(|file| !std::path::Path::new(file).exists()) {
        println!(
            "skipped: an ordinary user maps the ranges that were granted: there is no /etc/subuid or no /etc/subgid"
        );
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let (granted, program) = (folder.path().join("granted"), folder.path().join("test"));
    fs::write(&granted, format!("{NOBODY}:200000:1000\n{NOBODY}:300000:500\n")).expect("written");
    fs::copy("/proc/self/exe", &program).expect("copied");
    let before = files.map(|file| fs::read(file).expect("read"));
    // The machine's own files stay as they are: these are seen in a mount namespace that goes with the test.
    let script = "mount --bind \"$1\" /etc/subuid && mount --bind \"$1\" /etc/subgid && shift && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(&granted)
        .args(["setpriv", "--clear-groups"])
        .args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")])
        .arg(&program)
        .args(["--exact", "an_ordinary_user_maps_the_ranges_that_were_granted", "--nocapture"])
        .env(WITH_RANGES, "1")
        .env("TMPDIR", "/tmp")
        .current_dir("/")
        .output()
        .expect("begun anew");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(files.map(|file| fs::read(file).expect("read")), before, "the machine's own files");
}

fn ranges() {
    let script = "cat /proc/self/uid_map /proc/self/gid_map > /out/said; id -G >> /out/said; : > /out/made; chown 1001:5 /out/made";
    let mut ship = Ship::new("ranges", script);
    let map = |third: u32| {
        json!([
            {"containerID": 0, "hostID": NOBODY, "size": 1}, {"containerID": 1, "hostID": 200_000, "size": 1000},
            {"containerID": 1001, "hostID": third, "size": 500},
        ])
    };
    ship.add_namespace(json!({"type": "user"}));
    ship.config["linux"]["uidMappings"] = map(300_000);
    ship.config["linux"]["gidMappings"] = map(300_000);
    ship.config["process"]["user"]["additionalGids"] = json!([7, 1001]);
    ship.config["process"]["capabilities"] =
        json!({"bounding": ["CAP_CHOWN"], "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN"]});
    assert_eq!(ship.run(), (0, Vec::new()));
    let said = fs::read_to_string(ship.out("said")).expect("written");
    let words: Vec<&str> = said.split_whitespace().collect();
    let one = ["0", "65534", "1", "1", "200000", "1000", "1001", "300000", "500"];
    assert_eq!(words, [&one[..], &one, &["0", "7", "1001"]].concat(), "{said}");
    let made = fs::metadata(ship.out("made")).expect("made");
    assert_eq!((made.uid(), made.gid()), (300_000, 200_004));
    // What nobody has granted is refused, by whom and how to get it.
    let mut greedy = Ship::new("greedy", "exit 0");
    greedy.add_namespace(json!({"type": "user"}));
    greedy.config["linux"]["uidMappings"] = map(400_000);
    greedy.config["linux"]["gidMappings"] = map(400_000);
    let why = greedy.refused();
    assert!(why.contains("newuidmap") && why.contains("/etc/subuid"), "{why}");
}
