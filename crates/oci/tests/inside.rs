//! What a container finds inside: its file system, devices, names, limits; and what it does not get at.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod ship;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use catamaran_oci::command;
use serde_json::json;
use ship::{Ship, is_root};

#[test]
fn masks_devices_names_and_settings_are_there() {
    if !is_root("masks, devices, names and settings are there") {
        return;
    }
    let script = "exec > /out/said 2>&1
        hostname; cat /proc/sys/kernel/domainname; echo pid $$; umask
        cat /proc/sys/kernel/shm_rmid_forced; cat /proc/self/oom_score_adj; ulimit -n; id -G
        stat -c '%n %F %t:%T %a' /dev/null /dev/full /dev/tty /dev/own; readlink /dev/ptmx /dev/fd /dev/stderr
        wc -c < /proc/timer_list; ls /proc/fs | wc -l
        echo x > /proc/sys/kernel/hostname; echo x > /file; ls /sys | wc -l; cat /sys/class/net/lo/operstate
        echo end";
    let mut ship = Ship::new("inside", script);
    ship.config["hostname"] = json!("ship");
    ship.config["domainname"] = json!("harbour");
    ship.config["root"]["readonly"] = json!(true);
    ship.config["process"]["user"] = json!({"uid": 0, "gid": 0, "umask": 0o27, "additionalGids": [5, 77]});
    ship.config["process"]["oomScoreAdj"] = json!(321);
    ship.config["process"]["rlimits"] = json!([{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 100}]);
    ship.config["mounts"].as_array_mut().expect("a list").push(json!(
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}));
    let linux = &mut ship.config["linux"];
    linux["sysctl"] = json!({"kernel.shm_rmid_forced": "1"});
    linux["devices"] = json!([{"path": "/dev/own", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600}]);
    linux["maskedPaths"] = json!(["/proc/timer_list", "/proc/acpi", "/proc/fs", "/nowhere"]);
    linux["readonlyPaths"] = json!(["/proc/sys", "/nowhere"]);
    assert_eq!(ship.run(), (0, Vec::new()));
    let said = fs::read_to_string(ship.out("said")).expect("written");
    let expected = [
        "ship",
        "harbour",
        "pid 1",
        "0027",
        "1",
        "321",
        "99",
        "0 5 77",
        "/dev/null character special file 1:3 666",
        "/dev/full character special file 1:7 666",
        "/dev/tty character special file 5:0 666",
        "/dev/own character special file 1:3 600",
        "pts/ptmx",
        "/proc/self/fd",
        "/proc/self/fd/2",
        "0",
        "0",
    ];
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.get(..expected.len()), Some(&expected[..]), "{said}");
    let rest = lines[expected.len()..].join("\n");
    assert_eq!(rest.matches("Read-only file system").count(), 2, "{rest}");
    assert!(rest.ends_with("unknown\nend"), "the loopback device is not up: {rest}");
}

#[test]
fn nothing_of_the_caller_gets_in() {
    if !is_root("nothing of the caller gets in") {
        return;
    }
    // Left open without close-on-exec, as a careless engine does.
    let leaked = fs::File::open("/etc/hostname").or_else(|_| fs::File::open("/etc/passwd")).expect("a file");
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).expect("set");
    let script = "exec > /out/said 2>&1; ls /proc/self/fd | wc -l; grep -c . /proc/self/mountinfo
        grep -E 'SigIgn|SigBlk|NoNewPrivs|CapEff' /proc/self/status; cat /proc/1/cgroup | grep -vc ':/$'; ls /proc | grep -c '^[0-9]'";
    let mut ship = Ship::new("leak", script);
    ship.config["process"]["noNewPrivileges"] = json!(true);
    assert_eq!(ship.run(), (0, Vec::new()));
    let said = fs::read_to_string(ship.out("said")).expect("written");
    let lines: Vec<&str> = said.lines().collect();
    // The three streams, and what ls itself opens.
    assert_eq!(lines[0], "4", "{said}");
    let mounts: usize = lines[1].parse().expect("a number");
    let own = ship.config["mounts"].as_array().expect("a list").len() + 1;
    assert!(mounts >= own && mounts < own + 8, "{mounts} mounts, {own} of its own");
    for word in [
        "SigBlk:\t0000000000000000",
        "SigIgn:\t0000000000000000",
        "NoNewPrivs:\t1",
        "CapEff:\t0000000000000000",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // In a control group namespace every group is the root.
    assert_eq!(lines[lines.len() - 2], "0", "{said}");
}

#[test]
fn links_in_the_root_file_system_lead_nowhere_outside() {
    if !is_root("links in the root file system lead nowhere outside") {
        return;
    }
    let outside = tempfile::tempdir().expect("a folder");
    let path = outside.path().to_str().expect("text");
    let mut ship =
        Ship::new("links", "exec > /out/said 2>&1; ls -d /deep/there /etc/made; cat /etc/copy; ls /planted");
    let root = ship.bundle().join("rootfs");
    symlink(path, root.join("planted-link")).expect("linked");
    symlink("../../../../../../deep/there", root.join("up")).expect("linked");
    symlink("/etc/made", root.join("etc/copy")).expect("linked");
    fs::write(ship.bundle().join("text"), "text\n").expect("written");
    let mounts = ship.config["mounts"].as_array_mut().expect("a list");
    mounts.push(json!({"destination": "/planted-link/inside", "type": "tmpfs", "source": "tmpfs"}));
    mounts.push(json!({"destination": "/up", "type": "tmpfs", "source": "tmpfs"}));
    mounts.push(
        json!({"destination": "/etc/copy", "type": "bind", "source": "text", "options": ["bind", "ro"]}),
    );
    ship.config["process"]["args"][2] =
        json!(format!("exec > /out/said 2>&1; ls -d /deep/there /etc/made {path}/inside; cat /etc/copy"));
    assert_eq!(ship.run().0, 0);
    let said = fs::read_to_string(ship.out("said")).expect("written");
    assert_eq!(said, format!("/deep/there\n/etc/made\n{path}/inside\ntext\n"));
    assert_eq!(fs::read_dir(outside.path()).expect("there").count(), 0, "something was made outside");
}

#[test]
fn a_working_directory_by_a_descriptor_leads_nowhere() {
    if !is_root("a working directory by a descriptor leads nowhere") {
        return;
    }
    // CVE-2024-21626: one of these was the machine's /sys/fs/cgroup.
    for number in 3..12 {
        let mut ship = Ship::new("cwd", "pwd > /out/said");
        ship.config["process"]["cwd"] = json!(format!("/proc/self/fd/{number}"));
        let why = ship.refused();
        assert!(why.contains("process.cwd"), "{why}");
    }
}

#[test]
fn a_device_that_is_something_else_is_refused() {
    if !is_root("a device that is something else is refused") {
        return;
    }
    let mut ship = Ship::new("device", "exit 0");
    let root = ship.bundle().join("rootfs/dev");
    fs::write(root.join("null"), "").expect("written");
    // Without a tmpfs on /dev, that of the image shows.
    ship.config["mounts"].as_array_mut().expect("a list").retain(|one| one["destination"] == "/usr");
    let why = ship.refused();
    assert!(why.contains("/dev/null is there, and it is not the device 1:3"), "{why}");
}

#[test]
fn propagation_options_and_idmap_of_mounts_hold() {
    if !is_root("propagation, options and idmap of mounts hold") {
        return;
    }
    let script = "exec > /out/said; grep -E ' /(out|ro|own|dev) ' /proc/self/mountinfo; stat -c %u /own/file; echo x > /ro/x; echo end";
    let mut ship = Ship::new("mounts", script);
    for folder in ["ro", "own"] {
        fs::create_dir(ship.bundle().join(folder)).expect("made");
    }
    fs::write(ship.bundle().join("own/file"), "").expect("written");
    let map = json!([{"containerID": 0, "hostID": 4000, "size": 10}]);
    let mounts = ship.config["mounts"].as_array_mut().expect("a list");
    mounts.push(json!({"destination": "/ro", "type": "bind", "source": "ro", "options": ["rbind", "rro", "nosuid", "rprivate"]}));
    mounts.push(json!({"destination": "/own", "type": "bind", "source": "own", "options": ["bind", "idmap"],
                       "uidMappings": map, "gidMappings": map}));
    if let Err(why) = command::run(&ship.new_container(), false, false, &mut Vec::new()) {
        // The file system of the temporary folder may not know how to.
        assert!(why.to_string().contains("map its owners"), "{why}");
        println!("skipped: idmap: {why}");
        return;
    }
    let said = fs::read_to_string(ship.out("said")).expect("written");
    let of = |at: &str| said.lines().find(|line| line.contains(at)).map(str::to_owned).expect("a mount");
    assert!(of(" /ro ").contains(" ro,nosuid"), "{said}");
    assert!(!of(" /ro ").contains("shared") && !of(" /out ").contains("shared"), "{said}");
    assert!(said.ends_with("4000\nend\n"), "{said}");
}

#[test]
fn a_tmpfs_begins_with_what_was_there() {
    if !is_root("a tmpfs begins with what was there") {
        return;
    }
    let mut ship = Ship::new(
        "copyup",
        "cd /etc; stat -c '%n %F %a %u' . sub sub/file link > /out/said; cat sub/file link >> /out/said; echo x > sub/file",
    );
    let etc = ship.bundle().join("rootfs/etc");
    fs::create_dir(etc.join("sub")).expect("made");
    fs::write(etc.join("sub/file"), "text\n").expect("written");
    fs::set_permissions(etc.join("sub/file"), fs::Permissions::from_mode(0o660)).expect("set");
    std::os::unix::fs::chown(etc.join("sub/file"), Some(7), None).expect("given away");
    symlink("sub/file", etc.join("link")).expect("linked");
    fs::set_permissions(&etc, fs::Permissions::from_mode(0o711)).expect("set");
    ship.config["mounts"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"destination": "/etc", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}));
    assert_eq!(ship.run().0, 0);
    let said = fs::read_to_string(ship.out("said")).expect("written");
    let expected = ". directory 711 0\nsub directory 755 0\nsub/file regular file 660 7\nlink symbolic link 777 0\ntext\ntext\n";
    assert_eq!(said, expected);
    assert_eq!(
        fs::read_to_string(etc.join("sub/file")).expect("there"),
        "text\n",
        "the image was written to"
    );
}

#[test]
fn an_image_that_hides_its_init_is_no_way_to_the_runtime() {
    if !is_root("an image that hides its init is no way to the runtime") {
        return;
    }
    // CVE-2019-5736: the program is the runtime's own once more; what it finds can't be written.
    let ship = Ship::new(
        "self-exe",
        "for exe in /proc/[0-9]*/exe; do echo x 2>/dev/null >> $exe; done; echo end > /out/said",
    );
    let program = ship.bundle().join("rootfs/etc/again");
    fs::write(&program, "#!/proc/self/exe\n").expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
    ship.create();
    ship.start();
    assert_eq!(ship.said("said"), "end\n");
    ship.wait_until("stopped");
}

#[test]
fn system_calls_are_filtered_with_and_without_new_privileges() {
    if !is_root("system calls are filtered with and without new privileges") {
        return;
    }
    for no_new_privileges in [false, true] {
        let mut ship =
            Ship::new("filter", "mkdir /tmp/x 2> /out/said; grep Seccomp: /proc/self/status >> /out/said");
        ship.config["process"]["noNewPrivileges"] = json!(no_new_privileges);
        ship.config["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]});
        assert_eq!(ship.run().0, 0);
        let said = fs::read_to_string(ship.out("said")).expect("written");
        assert!(said.contains("Operation not supported") && said.contains("Seccomp:\t2"), "{said}");
    }
}

#[test]
fn an_agent_gets_the_listener_of_a_filter() {
    if !is_root("an agent gets the listener of a filter") {
        return;
    }
    let mut ship = Ship::new("agent", "echo end > /out/said");
    let path = ship.bundle().join("agent.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("bound");
    ship.config["process"]["noNewPrivileges"] = json!(true);
    ship.config["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "listenerMetadata": "words",
        "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_NOTIFY"}]});
    ship.create();
    let pid = ship.state()["pid"].clone();
    ship.start();
    assert_eq!(ship.said("said"), "end\n");
    let (agent, _) = listener.accept().expect("somebody comes");
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = rustix::net::RecvAncillaryBuffer::new(&mut space);
    let mut words = [0; 4096];
    let mut into = [std::io::IoSliceMut::new(&mut words)];
    let got = rustix::net::recvmsg(&agent, &mut into, &mut control, rustix::net::RecvFlags::empty())
        .expect("received");
    assert_eq!(control.drain().count(), 1, "no descriptor came");
    let state: serde_json::Value = serde_json::from_slice(&words[..got.bytes]).expect("JSON");
    assert_eq!(
        (&state["fds"], &state["pid"], &state["metadata"]),
        (&json!(["seccompFd"]), &pid, &json!("words"))
    );
    assert_eq!(state["state"]["id"], json!(ship.id));
}
