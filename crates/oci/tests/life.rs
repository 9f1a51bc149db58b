//! The life of a container: created, started, looked at, killed, deleted; refused without a trace.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod ship;

use std::fs;

use catamaran_oci::command;
use serde_json::json;
use ship::{Ship, groups, is_root};

#[test]
fn a_container_goes_through_its_life() {
    if !is_root("a container goes through its life") {
        return;
    }
    let mut ship = Ship::new("life", "echo here > /out/said; exec sleep 600");
    ship.config["annotations"] = json!({"org.example": "yes"});
    let new = command::New { pid_file: Some(ship.out("pid")), ..ship.new_container() };
    command::create(&new, &mut Vec::new()).expect("created");
    let state = ship.state();
    assert_eq!((&state["status"], &state["annotations"]["org.example"]), (&json!("created"), &json!("yes")));
    assert_eq!(state["bundle"], json!(ship.bundle().canonicalize().expect("there")));
    assert_eq!(fs::read_to_string(ship.out("pid")).expect("written"), state["pid"].to_string());
    assert!(!ship.out("said").exists(), "started before its start");
    let again = command::create(&new, &mut Vec::new()).unwrap_err().to_string();
    assert!(again.contains("there is one of this id already"), "{again}");
    ship.start();
    assert_eq!((ship.said("said").as_str(), ship.status().as_str()), ("here\n", "running"));
    let twice = command::start(&ship.root(), &ship.id).unwrap_err().to_string();
    assert!(twice.contains("is running; only a created container can be started"), "{twice}");
    assert!(ship.delete(false).unwrap_err().contains("only a stopped or created container can be deleted"));
    let rows = command::list(&ship.root()).expect("listed");
    assert_eq!(
        rows.iter().map(|row| (row.id.as_str(), row.status)).collect::<Vec<_>>(),
        [(ship.id.as_str(), "running")]
    );
    let pids = command::ps(&ship.root(), &ship.id).expect("processes");
    assert_eq!(json!(pids), json!([state["pid"]]));
    command::kill(&ship.root(), &ship.id, 9, false).expect("killed");
    ship.wait_until("stopped");
    assert_eq!(ship.state()["pid"], 0);
    let dead = command::kill(&ship.root(), &ship.id, 15, false).unwrap_err().to_string();
    assert!(dead.contains("container not running"), "{dead}");
    ship.delete(false).expect("deleted");
    assert!(ship.delete(false).unwrap_err().contains("does not exist"));
    assert_eq!(groups(&ship.id), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_created_container_is_deleted_like_a_stopped_one() {
    if !is_root("a created container is deleted like a stopped one") {
        return;
    }
    let ship = Ship::new("unstarted", "exit 0");
    ship.create();
    ship.delete(false).expect("deleted");
    assert!(ship.delete(false).unwrap_err().contains("does not exist"));
    assert_eq!(groups(&ship.id), Vec::<std::path::PathBuf>::new());
}

#[test]
fn run_gives_the_exit_code_of_the_program() {
    if !is_root("run gives the exit code of the program") {
        return;
    }
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        let mut ship = Ship::new("code", script);
        // The first process of a pid namespace does not die of its own signals.
        ship.config["linux"]["namespaces"].as_array_mut().expect("a list").retain(|one| one["type"] != "pid");
        assert_eq!(ship.run().0, code, "{script}");
        assert!(ship.delete(false).unwrap_err().contains("does not exist"));
    }
}

#[test]
fn what_cannot_be_started_is_refused_without_a_trace() {
    if !is_root("what cannot be started is refused without a trace") {
        return;
    }
    let table = [
        ("/process/args", json!(["no-such-program"]), "executable file not found in $PATH"),
        ("/process/args", json!(["/no/such"]), "no such file or directory"),
        ("/process/args", json!(["/etc"]), "permission denied"),
        ("/process/cwd", json!("/proc/self/status"), "process.cwd: go to /proc/self/status: Not a directory"),
        ("/root/path", json!("nowhere"), "root.path"),
        ("/mounts/0/type", json!("nofs"), "the kernel has no file system `nofs`"),
        ("/mounts/0/options", json!(["nosuchoption=1"]), "nosuchoption"),
        ("/linux/namespaces", json!([{"type": "user"}]), "without a mount namespace"),
        ("/linux/sysctl", json!({"kernel.shm_rmid_forced": "word"}), "linux.sysctl"),
    ];
    for (at, value, says) in table {
        let mut ship = Ship::new("refused", "exit 0");
        match at {
            "/mounts/0/options" => ship.config["mounts"][0]["options"] = value,
            "/linux/sysctl" => ship.config["linux"]["sysctl"] = value,
            at => *ship.config.pointer_mut(at).expect("a place") = value,
        }
        let why = ship.refused();
        assert!(why.contains(says), "{at}: {why}");
    }
}

#[test]
fn a_program_that_cannot_run_is_told_to_who_starts_it() {
    if !is_root("a program that cannot run is told to who starts it") {
        return;
    }
    let mut ship = Ship::new("no-exec", "");
    let program = ship.bundle().join("rootfs/etc/broken");
    fs::write(&program, "#!/no/such/interpreter\n").expect("written");
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    ship.config["process"]["args"] = json!(["/etc/broken"]);
    ship.create();
    let why = command::start(&ship.root(), &ship.id).unwrap_err().to_string();
    assert!(why.contains("the interpreter or dynamic linker that it names is not"), "{why}");
    ship.wait_until("stopped");
}

#[test]
fn deletes_and_creates_at_once_leave_nothing() {
    if !is_root("deletes and creates at once leave nothing") {
        return;
    }
    std::thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let ship = Ship::new(&format!("crowd-{number}"), "exec sleep 600");
                for _ in 0..3 {
                    ship.create();
                    ship.start();
                    ship.delete(true).expect("deleted");
                }
            });
        }
    });
}
