//! What others may have left in the way: folders of states, images with links where the runtime works, descriptors of the caller,
//! containers that wait for whoever joins them.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod neighbour;
mod ship;

use std::fs;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown, symlink};
use std::process::Command;
use std::time::{Duration, Instant};

use catamaran_oci::command;
use neighbour::seen;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;
use ship::{Ship, is_root};

#[test]
fn a_state_that_others_may_have_written_is_not_believed() {
    if !is_root("a state that others may have written is not believed") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (root, elsewhere) = (folder.path().join("root"), folder.path().join("elsewhere"));
    let mut innocent = Command::new("sleep").arg("600").spawn().expect("sleep");
    let stat = fs::read_to_string(format!("/proc/{}/stat", innocent.id())).expect("there");
    let ticks: u64 = stat.split_whitespace().nth(21).expect("a field").parse().expect("a number");
    // As real as can be: only who wrote it is not.
    let state = json!({
        "ociVersion": "1.2.0", "id": "victim", "bundle": "/", "rootfs": "/", "created": "2026-01-01T00:00:00Z", "owner": 0,
        "annotations": {}, "process": {"pid": innocent.id(), "startedTicks": ticks, "started_ticks": ticks}, "groups": null,
        "waits": false, "ownPids": true, "chrooted": false, "poststart": false, "poststop": false,
    });
    for path in [&root, &elsewhere] {
        fs::DirBuilder::new().mode(0o700).create(path).expect("made");
    }
    fs::write(elsewhere.join("state.json"), state.to_string()).expect("written");
    let container = root.join("victim");
    let tricks: [(&str, &dyn Fn()); 3] = [
        ("a link", &|| symlink(&elsewhere, &container).expect("linked")),
        ("another's", &|| {
            fs::create_dir(&container).expect("made");
            chown(&container, Some(54_321), None).expect("given away");
        }),
        ("everybody's", &|| {
            fs::create_dir(&container).expect("made");
            fs::set_permissions(&container, fs::Permissions::from_mode(0o777)).expect("set");
        }),
    ];
    for (trick, play) in tricks {
        play();
        if trick != "a link" {
            fs::write(container.join("state.json"), state.to_string()).expect("written");
        }
        let mut warnings = Vec::new();
        let refusals = [
            command::kill(&root, "victim", 9, false).expect_err("killed"),
            command::delete(&root, "victim", true, &mut warnings).expect_err("deleted"),
            command::state(&root, "victim").expect_err("believed"),
            command::start(&root, "victim").expect_err("started"),
            command::pause(&root, "victim").expect_err("paused"),
        ];
        for why in refusals.map(|why| why.to_string()) {
            assert!(why.contains("victim") && !why.contains("does not exist"), "{trick}: {why}");
        }
        assert!(command::list(&root).expect("listed").is_empty(), "{trick}");
        assert!(elsewhere.join("state.json").exists(), "{trick}: something was removed elsewhere");
        assert_eq!(innocent.try_wait().expect("our child"), None, "{trick}: somebody was killed");
        let _ = fs::remove_file(&container).or_else(|_| fs::remove_dir_all(&container));
    }
    // The same state in a folder of one's own is believed: it was not refused for its contents.
    fs::DirBuilder::new().mode(0o700).create(&container).expect("made");
    fs::write(container.join("state.json"), state.to_string()).expect("written");
    command::kill(&root, "victim", 9, false).expect("killed");
    innocent.wait().expect("our child");
}

#[test]
fn a_state_that_is_no_file_keeps_nobody_waiting() {
    if !is_root("a state that is no file keeps nobody waiting") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let container = folder.path().join("odd");
    fs::DirBuilder::new().mode(0o700).create(&container).expect("made");
    let state = container.join("state.json");
    let begun = Instant::now();
    mknodat(CWD, &state, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("made");
    assert!(
        command::state(folder.path(), "odd").expect_err("a pipe").to_string().contains("no regular file")
    );
    fs::remove_file(&state).expect("removed");
    symlink("/dev/zero", &state).expect("linked");
    assert!(
        command::kill(folder.path(), "odd", 9, false)
            .expect_err("zeros")
            .to_string()
            .contains("no regular file")
    );
    fs::remove_file(&state).expect("removed");
    for text in ["", "{", "[]", "null", "{\"process\": {\"pid\": -1}}"] {
        fs::write(&state, text).expect("written");
        let why = command::state(folder.path(), "odd").expect_err(text).to_string();
        assert!(why.contains("state.json"), "{text}: {why}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    for id in ["../odd", "odd/..", "/odd", "..", "", "odd\0", "odd\n"] {
        let why = command::delete(folder.path(), id, true, &mut Vec::new()).expect_err(id).to_string();
        assert!(why.contains("container id"), "{id}: {why}");
    }
    command::delete(folder.path(), "odd", true, &mut Vec::new()).expect("deleted");
    // Everybody may rename what is in such a root.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("set");
    let ship = Ship::new("everybody", "exit 0");
    let new = command::New { root: folder.path().to_owned(), ..ship.new_container() };
    let why = command::create(&new, &mut Vec::new()).expect_err("everybody's").to_string();
    assert!(why.contains("everybody may rename"), "{why}");
}

#[test]
fn a_working_directory_is_not_made_by_way_of_a_descriptor() {
    if !is_root("a working directory is not made by way of a descriptor") {
        return;
    }
    // CVE-2024-21626 once more: refused in the end, but made by then, where a descriptor of the machine's /proc is open.
    let outside = tempfile::tempdir().expect("a folder");
    let path = outside.path().to_str().expect("text");
    for number in 3..16 {
        for way in [format!("{number}/1/root{path}"), format!("{number}{path}"), format!("{number}/..{path}")]
        {
            let mut ship = Ship::new("cwd-made", "pwd > /out/said");
            ship.config["process"]["cwd"] = json!(format!("/proc/self/fd/{way}/made"));
            let why = ship.refused();
            assert!(why.contains("process.cwd"), "{why}");
        }
    }
    assert_eq!(fs::read_dir(outside.path()).expect("there").count(), 0, "something was made outside");
    // Nor is a program found so.
    for number in 3..16 {
        let mut ship = Ship::new("program-fd", "exit 0");
        ship.config["process"]["args"][0] = json!(format!("/proc/self/fd/{number}/1/root/bin/sh"));
        ship.config["process"]["capabilities"] = json!({"bounding": ["CAP_SYS_PTRACE"], "effective": ["CAP_SYS_PTRACE"], "permitted": ["CAP_SYS_PTRACE"]});
        let why = ship.refused();
        assert!(why.contains("exec"), "{why}");
    }
}

#[test]
fn an_image_with_links_where_the_runtime_works_is_no_way_out() {
    if !is_root("an image with links where the runtime works is no way out") {
        return;
    }
    // CVE-2026-41579: /dev of the image is a link; /dev/ptmx, made anew, was the machine's.
    let mut ship = Ship::new("dev-link", "stat -c %F /dev/null > /out/said");
    let outside = ship.bundle().join("outside");
    fs::create_dir(&outside).expect("made");
    for name in ["ptmx", "fd", "null", "console"] {
        fs::write(outside.join(name), "").expect("written");
    }
    let before = seen(&outside);
    ship.config["mounts"]
        .as_array_mut()
        .expect("a list")
        .retain(|one| !one["destination"].as_str().expect("text").starts_with("/dev"));
    let rootfs = ship.bundle().join("rootfs");
    for target in [outside.clone(), "../outside".into(), "../../../../../../..".into()] {
        fs::remove_dir_all(rootfs.join("dev"))
            .or_else(|_| fs::remove_file(rootfs.join("dev")))
            .expect("removed");
        symlink(target, rootfs.join("dev")).expect("linked");
        assert_eq!(ship.run().0, 0);
        assert_eq!(fs::read_to_string(ship.out("said")).expect("written"), "character special file\n");
        assert_eq!(seen(&outside), before, "something outside was touched");
    }
    // CVE-2019-19921, CVE-2023-27561, CVE-2025-54867: views of the kernel where masks do not look for them.
    for (name, kind) in [("proc", "proc"), ("sys", "sysfs")] {
        let mut ship = Ship::new("view-link", "exit 0");
        let rootfs = ship.bundle().join("rootfs");
        fs::remove_dir(rootfs.join(name)).expect("removed");
        symlink("elsewhere", rootfs.join(name)).expect("linked");
        fs::create_dir(rootfs.join("elsewhere")).expect("made");
        ship.config["mounts"].as_array_mut().expect("a list").retain(|one| one["destination"] != "/proc");
        ship.config["mounts"]
            .as_array_mut()
            .expect("a list")
            .push(json!({"destination": format!("/{name}"), "type": kind, "source": kind}));
        let why = ship.refused();
        assert!(why.contains(&format!("mount /{name}")) && why.contains("to which no link leads"), "{why}");
    }
}

#[test]
fn a_caller_full_of_descriptors_leaks_none() {
    const NAME: &str = "a_caller_full_of_descriptors_leaks_none";
    if !is_root(NAME) {
        return;
    }
    if !ship::is_alone(NAME) {
        return;
    }
    let file = fs::File::open("/").expect("the machine's root");
    // Without close-on-exec, low and high.
    let open: Vec<OwnedFd> = (0..300).map(|_| rustix::io::dup(&file).expect("a descriptor")).collect();
    assert!(open.iter().any(|one| one.as_raw_fd() > 250));
    let count = |name: &str, folder: &str| format!("exec 2>&1; ls /proc/self/fd > {folder}/{name}");
    let mut ship = Ship::new("fds", &format!("{}; exec sleep 600", count("program", "/out")));
    let outside = ship.out("");
    let outside = outside.to_str().expect("text").trim_end_matches('/').to_owned();
    let hook = |kind: &str| {
        let folder = if kind == "startContainer" { "/out" } else { &outside };
        json!([{"path": "/bin/sh", "args": ["sh", "-c", count(kind, folder)]}])
    };
    let kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
    ship.config["hooks"] = kinds.iter().map(|kind| ((*kind).to_owned(), hook(kind))).collect();
    ship.create();
    ship.start();
    ship.said("program");
    assert_eq!(command::exec(&ship.exec(&count("exec", "/out")), &mut Vec::new()), Ok(0));
    ship.delete(true).expect("deleted");
    for name in kinds.iter().chain(&["program", "exec"]) {
        let said = fs::read_to_string(ship.out(name)).expect("written");
        // The three streams, and what ls itself opens.
        assert_eq!(said, "0\n1\n2\n3\n", "{name}");
    }
}

#[test]
fn a_container_cannot_keep_whoever_joins_it_waiting() {
    if !is_root("a container cannot keep whoever joins it waiting") {
        return;
    }
    let mut ship = Ship::new("joined", "exec sleep 600");
    let etc = ship.bundle().join("rootfs/etc");
    mknodat(CWD, etc.join("passwd"), FileType::Fifo, Mode::from_raw_mode(0o666), 0).expect("made");
    mknodat(CWD, etc.join("tool"), FileType::Fifo, Mode::from_raw_mode(0o777), 0).expect("made");
    ship.config["process"]["env"] = json!(["PATH=/etc:/proc/self/fd:/dev:/usr/bin:/bin"]);
    ship.create();
    ship.start();
    let begun = Instant::now();
    let how = ship.exec("echo $HOME > /out/said");
    assert_eq!(command::exec(&how, &mut Vec::new()), Ok(0));
    assert_eq!(ship.said("said"), "/\n");
    for program in ["tool", "zero", "0", "/etc/tool"] {
        let how = command::Exec { args: vec![program.to_owned()], ..ship.exec("") };
        let why = command::exec(&how, &mut Vec::new()).expect_err(program).to_string();
        assert!(why.contains("exec"), "{program}: {why}");
    }
    for number in 3..12 {
        let how =
            command::Exec { cwd: Some(format!("/proc/self/fd/{number}").into()), ..ship.exec("exit 0") };
        let why = command::exec(&how, &mut Vec::new()).expect_err("a descriptor").to_string();
        assert!(why.contains("process.cwd"), "{why}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
