//! More processes in a container, terminals, the freezer, other limits.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod ship;

use std::fs;
use std::io::{IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::unix::net::{UnixListener, UnixStream};

use catamaran_oci::command;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::{Value, json};
use ship::{Ship, eventually, is_root};

fn exec(how: &command::Exec) -> u8 {
    command::exec(how, &mut Vec::new()).unwrap_or_else(|why| panic!("{:?}: {why}", how.args))
}

/// Ends a detached process and waits for it. It is this test's child, while a command line's would be adopted; and the first process
/// of a pid namespace ends after all others.
fn reap(ship: &Ship) {
    let pid = fs::read_to_string(ship.out("pid"))
        .expect("written")
        .parse()
        .ok()
        .and_then(Pid::from_raw)
        .expect("a number");
    let _ = kill_process(pid, Signal::KILL);
    waitpid(Some(pid), WaitOptions::empty()).expect("it ended");
}

#[test]
fn a_process_joins_the_container_with_what_it_is_given() {
    if !is_root("a process joins the container with what it is given") {
        return;
    }
    let mut ship = Ship::new("exec", "exec sleep 600");
    ship.config["hostname"] = json!("ship");
    ship.create();
    ship.start();
    let script = "exec > /out/said 2>&1; hostname; pwd; echo $WORD; id -u; id -g; id -G; echo $HOME
        readlink /proc/self/ns/pid /proc/1/ns/pid | uniq | wc -l; cat /proc/self/cgroup | grep -vc ':/$'
        grep CapEff /proc/self/status; exit 9";
    let how = command::Exec {
        cwd: Some("/tmp".into()),
        env: vec!["WORD=here".to_owned()],
        user: Some("0:7".to_owned()),
        additional_gids: vec![8],
        capabilities: vec!["CAP_NET_RAW".to_owned()],
        pid_file: Some(ship.out("pid")),
        ..ship.exec(script)
    };
    assert_eq!(exec(&how), 9);
    let said = fs::read_to_string(ship.out("said")).expect("written");
    assert_eq!(said, "ship\n/tmp\nhere\n0\n7\n7 8\n/\n1\n0\nCapEff:\t0000000000002000\n");
    assert!(fs::read_to_string(ship.out("pid")).expect("written").parse::<u32>().is_ok());
    let file = ship.bundle().join("process.json");
    let process = json!({"user": {"uid": 33, "gid": 33}, "args": ["sh", "-c", "id -u > /tmp/said; cp /tmp/said /out/by-file"], "cwd": "/",
                         "env": ["PATH=/usr/bin:/bin"]});
    fs::write(&file, process.to_string()).expect("written");
    fs::set_permissions(ship.out(""), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("set");
    fs::set_permissions(
        ship.bundle().join("rootfs/tmp"),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .expect("set");
    let how =
        command::Exec { process: Some(file), detach: true, pid_file: Some(ship.out("pid")), ..ship.exec("") };
    assert_eq!(exec(&how), 0);
    assert_eq!(ship.said("by-file"), "33\n");
    reap(&ship);
    let missing = command::Exec { args: vec!["no-such".to_owned()], ..ship.exec("") };
    let why = command::exec(&missing, &mut Vec::new()).unwrap_err().to_string();
    assert!(why.contains("executable file not found in $PATH"), "{why}");
    ship.delete(true).expect("deleted");
    assert!(
        command::exec(&ship.exec("exit 0"), &mut Vec::new())
            .unwrap_err()
            .to_string()
            .contains("does not exist")
    );
}

#[test]
fn a_container_can_be_frozen_thawed_limited_and_measured() {
    if !is_root("a container can be frozen, thawed, limited and measured") {
        return;
    }
    let ship = Ship::new("freeze", "exec sleep 600");
    ship.create();
    ship.start();
    let (root, id) = (ship.root(), ship.id.as_str());
    command::pause(&root, id).expect("paused");
    assert_eq!(ship.status(), "paused");
    assert!(
        command::exec(&ship.exec("exit 0"), &mut Vec::new()).unwrap_err().to_string().contains("is paused")
    );
    assert!(
        command::pause(&root, id)
            .unwrap_err()
            .to_string()
            .contains("is paused; it must be created or running")
    );
    command::resume(&root, id).expect("resumed");
    assert_eq!(ship.status(), "running");
    command::update(&root, id, br#"{"pids": {"limit": 1}}"#).expect("limited");
    let why = command::exec(&ship.exec("/usr/bin/env true; exit 0"), &mut Vec::new());
    assert!(why.is_err() || why == Ok(2), "more processes than its limit: {why:?}");
    command::update(&root, id, br#"{"pids": {"limit": 50}}"#).expect("limited");
    let line = command::statistics(&root, id).expect("measured");
    let event: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (&event["type"], &event["id"], &event["data"]["pids"]["limit"]),
        (&json!("stats"), &json!(id), &json!(50))
    );
    command::pause(&root, id).expect("paused");
    command::kill(&root, id, 9, false).expect("killed");
    ship.wait_until("stopped");
}

/// A listening socket, and what comes over it.
fn terminal(listener: &UnixListener) -> fs::File {
    let (stream, _): (UnixStream, _) = listener.accept().expect("somebody comes");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut words = [0; 64];
    recvmsg(&stream, &mut [IoSliceMut::new(&mut words)], &mut control, RecvFlags::CMSG_CLOEXEC)
        .expect("received");
    let came = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut all) => all.next(),
        _ => None,
    });
    fs::File::from(came.unwrap_or_else(|| panic!("no terminal came")))
}

#[test]
fn a_terminal_goes_to_the_console_socket() {
    if !is_root("a terminal goes to the console socket") {
        return;
    }
    let mut ship = Ship::new(
        "console",
        "tty; stty size; read line; echo got $line; ls -l /dev/console > /out/said; exec sleep 600",
    );
    ship.config["process"]["terminal"] = json!(true);
    ship.config["process"]["consoleSize"] = json!({"height": 25, "width": 83});
    let why = command::create(&ship.new_container(), &mut Vec::new()).unwrap_err().to_string();
    assert!(why.contains("--console-socket"), "{why}");
    let path = ship.bundle().join("console.sock");
    let listener = UnixListener::bind(&path).expect("bound");
    let new = command::New { console_socket: Some(path.clone()), ..ship.new_container() };
    command::create(&new, &mut Vec::new()).expect("created");
    let mut master = terminal(&listener);
    ship.start();
    master.write_all(b"words\n").expect("typed");
    let shown = until(&mut master, "got words");
    assert!(shown.contains("/dev/pts/0") && shown.contains("25 83"), "{shown}");
    assert!(ship.said("said").starts_with('c'), "no /dev/console");
    let how = command::Exec {
        tty: true,
        detach: true,
        console_socket: Some(path),
        pid_file: Some(ship.out("pid")),
        ..ship.exec("tty; exec sleep 600")
    };
    assert_eq!(exec(&how), 0);
    let shown = until(&mut terminal(&listener), "pts");
    assert!(shown.contains("/dev/pts/1"), "{shown}");
    reap(&ship);
}

fn until(master: &mut fs::File, word: &str) -> String {
    let mut shown = String::new();
    eventually(word, || {
        let mut bytes = [0; 1024];
        let length = master.read(&mut bytes).expect("something is shown");
        shown.push_str(&String::from_utf8_lossy(&bytes[..length]));
        shown.contains(word)
    });
    shown
}

/// Set for a test that this test has begun anew, with descriptors that only it has.
const WITH_FILE: &str = "CATAMARAN_OCI_WITH_FILE";

#[test]
fn descriptors_are_kept_where_they_are_asked_for() {
    const NAME: &str = "descriptors_are_kept_where_they_are_asked_for";
    if !is_root(NAME) {
        return;
    }
    if std::env::var_os(WITH_FILE).is_some() {
        let ship = Ship::new(
            "preserve",
            "read line <&3; echo $line $LISTEN_FDS > /out/said; ls /proc/self/fd | wc -l >> /out/said",
        );
        let new = command::New { listen_fds: 1, preserve_fds: 1, ..ship.new_container() };
        assert_eq!(command::run(&new, false, false, &mut Vec::new()), Ok(0));
        // The three streams, two that are kept, and what ls itself opens.
        assert_eq!(fs::read_to_string(ship.out("said")).expect("written"), "words 1\n6\n");
        return;
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), "words\n").expect("written");
    let output = std::process::Command::new("sh")
        .args(["-c", "exec 3<\"$1\" 4</dev/null 9</dev/zero; exec \"$0\" --exact \"$2\" --nocapture"])
        .args([std::env::current_exe().expect("a path").as_os_str(), file.path().as_os_str(), NAME.as_ref()])
        .env(WITH_FILE, "1")
        .output()
        .expect("begun anew");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
