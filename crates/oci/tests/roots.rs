//! Roots that are entered by chroot(2), groups of processes that join, and what engines read of a container.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod ship;

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use catamaran_oci::command;
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountPropagationFlags, mount_change};
use serde_json::{Value, json};
use ship::{Ship, is_root};

/// Does it with mounts that nobody else sees, private ones and those that are shared with themselves elsewhere.
fn apart(deed: fn()) {
    for how in [MountPropagationFlags::PRIVATE, MountPropagationFlags::SHARED] {
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace");
            mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).expect("private");
            mount_change("/", how | MountPropagationFlags::REC).expect("changed");
            deed();
        });
        thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why));
    }
}

fn table() -> String {
    fs::read_to_string("/proc/thread-self/mountinfo").expect("read")
}

fn mounts_below(folder: &Path) -> usize {
    let folder = folder.canonicalize().expect("there");
    table()
        .lines()
        .filter(|line| line.split(' ').nth(4).is_some_and(|at| Path::new(at).starts_with(&folder)))
        .count()
}

fn without_mount_namespace(ship: &mut Ship) {
    let all = ship.config["linux"]["namespaces"].as_array_mut().expect("a list");
    all.retain(|one| one["type"] != "mount");
}

#[test]
fn a_container_without_a_mount_namespace_takes_its_mounts_along() {
    if !is_root("a container without a mount namespace takes its mounts along") {
        return;
    }
    apart(|| {
        let script = "{ ls /; wc -c < /etc/secret; } > /out/all; mv /out/all /out/said; exec sleep 600";
        let mut ship = Ship::new("shares-mounts", script);
        without_mount_namespace(&mut ship);
        fs::write(ship.bundle().join("rootfs/etc/secret"), "nobody reads it").expect("written");
        ship.config["linux"]["maskedPaths"] = json!(["/etc/secret", "/proc/acpi"]);
        ship.config["linux"]["readonlyPaths"] = json!(["/proc/sys"]);
        let before = table();
        ship.create();
        assert!(mounts_below(ship.bundle()) > 3, "its mounts are among the caller's");
        ship.start();
        let said = ship.said("said");
        assert!(said.contains("out\n") && said.ends_with("\n0\n"), "{said}");
        // Who joins it is in its root, not in the machine's.
        assert_eq!(command::exec(&ship.exec("test -d /out && test ! -e /root"), &mut Vec::new()), Ok(0));
        ship.delete(true).expect("deleted");
        assert_eq!(table(), before);
        // Somebody else may have taken them away.
        ship.create();
        let root = ship.bundle().join("rootfs");
        rustix::mount::unmount(&root, rustix::mount::UnmountFlags::DETACH).expect("unmounted");
        ship.delete(true).expect("deleted");
        assert_eq!(table(), before);
        // What can't be made leaves none.
        ship.config["process"]["args"] = json!(["/nowhere/program"]);
        ship.refused();
        assert_eq!(table(), before);
        ship.config["linux"]["rootfsPropagation"] = json!("private");
        assert!(ship.refused().contains("linux.rootfsPropagation"));
    });
}

#[test]
fn what_others_lay_over_its_root_stays() {
    if !is_root("what others lay over its root stays") {
        return;
    }
    apart(|| {
        let mut ship = Ship::new("covered", "exec sleep 600");
        without_mount_namespace(&mut ship);
        ship.create();
        let root = ship.bundle().join("rootfs");
        let size = Some(c"size=1m");
        rustix::mount::mount("none", &root, "tmpfs", rustix::mount::MountFlags::empty(), size)
            .expect("mounted");
        ship.delete(true).expect("deleted");
        fs::write(root.join("mine"), "").expect("the tmpfs is there");
        let detach = rustix::mount::UnmountFlags::DETACH;
        rustix::mount::unmount(&root, detach).expect("and goes");
        rustix::mount::unmount(&root, detach).expect("so does what it hid");
        assert_eq!(mounts_below(ship.bundle()), 0);
    });
}

#[test]
fn a_mount_has_the_owners_of_a_joined_user_namespace() {
    if !is_root("a mount has the owners of a joined user namespace") {
        return;
    }
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 1000}]);
    let mut first = Ship::new("first", "exec sleep 600");
    first.add_namespace(json!({"type": "user"}));
    first.config["linux"]["uidMappings"] = map.clone();
    first.config["linux"]["gidMappings"] = map;
    first.create();
    let mut second = Ship::new("second", "test \"$(stat -c %u /own/file)\" = 7 && exit 9");
    for folder in ["own", "rootfs/own"] {
        fs::create_dir(second.bundle().join(folder)).expect("made");
    }
    fs::write(second.bundle().join("own/file"), "").expect("written");
    std::os::unix::fs::chown(second.bundle().join("own/file"), Some(7), Some(7)).expect("given away");
    second.add_namespace(json!({"type": "user", "path": format!("/proc/{}/ns/user", first.state()["pid"])}));
    let mounts = second.config["mounts"].as_array_mut().expect("a list");
    mounts
        .push(json!({"destination": "/own", "type": "bind", "source": "own", "options": ["bind", "idmap"]}));
    match command::run(&second.new_container(), false, false, &mut Vec::new()) {
        Ok(code) => assert_eq!(code, 9),
        // The file system of the temporary folder may not know how to.
        Err(why) if why.to_string().contains("map its owners") => {
            println!("skipped: a mount has the owners of a joined user namespace: {why}");
        }
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn who_joins_a_root_that_was_entered_by_chroot_is_inside() {
    if !is_root("who joins a root that was entered by chroot is inside") {
        return;
    }
    let ship = Ship::new("chroot", "exec sleep 600");
    let new = command::New { no_pivot: true, ..ship.new_container() };
    command::create(&new, &mut Vec::new()).expect("created");
    ship.start();
    assert_eq!(command::exec(&ship.exec("test -d /out && test ! -e /root"), &mut Vec::new()), Ok(0));
}

#[test]
fn a_process_joins_groups_below_the_container_s_and_no_others() {
    if !is_root("a process joins groups below the container's and no others") {
        return;
    }
    let ship = Ship::new("groups-below", "exec sleep 600");
    ship.create();
    ship.start();
    let all = ship::groups(&ship.id);
    let group = all.iter().find(|group| group.to_string_lossy().contains("pids")).or(all.first());
    let group = group.expect("a group").join("below");
    fs::create_dir(&group).expect("made");
    let how = |text: &str, script: &str| command::Exec { groups: vec![text.to_owned()], ..ship.exec(script) };
    let inside = how("below", "grep -q '/below$' /proc/self/cgroup");
    assert_eq!(command::exec(&inside, &mut Vec::new()), Ok(0));
    assert_eq!(command::exec(&how("/", "true"), &mut Vec::new()), Ok(0));
    for (text, says) in [
        ("..", "without `..`"),
        ("below/../..", "without `..`"),
        ("nowhere", "no such group"),
        ("pids:nowhere", ""),
        ("dreams:/", "no group of the controller \"dreams\""),
    ] {
        let why = command::exec(&how(text, "true"), &mut Vec::new()).unwrap_err().to_string();
        assert!(why.contains("--cgroup") && why.contains(says), "{text}: {why}");
    }
    fs::remove_dir(&group).expect("empty");
}

#[test]
fn an_agent_is_told_when_the_container_is_created() {
    if !is_root("an agent is told when the container is created") {
        return;
    }
    let mut ship = Ship::new("agent", "exec sleep 600");
    let socket = ship.out("agent");
    let agent = UnixListener::bind(&socket).expect("bound");
    ship.config["process"]["noNewPrivileges"] = json!(true);
    ship.config["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": socket,
        "syscalls": [{"names": ["getcwd"], "action": "SCMP_ACT_NOTIFY"}] });
    ship.create();
    agent.set_nonblocking(true).expect("set");
    let (mut told, _) = agent.accept().expect("it has called");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut told, &mut text).expect("and said");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&told["state"]["id"], &told["pid"]), (&json!(ship.id), &ship.state()["pid"]));
    assert_eq!(ship.status(), "created");
    ship.start();
    ship.wait_until("running");
}

#[test]
fn a_state_is_read_by_people_too() {
    if !is_root("a state is read by people, too") {
        return;
    }
    let ship = Ship::new("lines", "exit 0");
    ship.create();
    let text = command::state(&ship.root(), &ship.id).expect("there");
    assert!(
        text.contains("\n  \"status\": \"created\"") && text.contains(&format!("\"id\": \"{}\"", ship.id))
    );
}

#[test]
fn file_systems_of_the_kernel_lie_on_ordinary_folders() {
    if !is_root("file systems of the kernel lie on ordinary folders") {
        return;
    }
    for (name, kind) in [("proc", "proc"), ("sys", "sysfs")] {
        let mut ship = Ship::new("linked", "exit 0");
        let mounts = ship.config["mounts"].as_array_mut().expect("a list");
        mounts.insert(0, json!({"destination": format!("/{name}"), "type": kind, "source": kind}));
        let folder = ship.bundle().join("rootfs").join(name);
        fs::remove_dir(&folder).expect("empty");
        std::os::unix::fs::symlink("tmp", &folder).expect("linked");
        let why = ship.refused();
        assert!(why.contains("must be mounted on ordinary directory"), "{why}");
    }
}

#[test]
fn relative_paths_are_taken_from_the_root_on() {
    if !is_root("relative paths are taken from the root on") {
        return;
    }
    let mut ship = Ship::new("relative", "test -d /tmp/deep && ! touch /tmp/kept/a 2> /dev/null && exit 7");
    fs::create_dir(ship.bundle().join("rootfs/tmp/kept")).expect("made");
    ship.config["linux"]["readonlyPaths"] = json!(["tmp/kept", "nowhere"]);
    let mounts = ship.config["mounts"].as_array_mut().expect("a list");
    mounts.push(json!({"destination": "tmp/deep", "type": "tmpfs", "source": "tmpfs"}));
    assert_eq!(ship.run(), (7, Vec::new()));
}
