//! Hooks of every kind: when they run, where, with which state.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod ship;

use std::fs;

use catamaran_oci::command;
use serde_json::{Value, json};
use ship::{Ship, is_root};

/// A hook that writes its kind, the state that it gets and its namespace into a file of its own.
fn hook(kind: &str, folder: &str) -> Value {
    let script = format!(
        "{{ cat; echo; readlink /proc/self/ns/mnt; pwd; }} > {folder}/{kind}; echo {kind} >> {folder}/order"
    );
    json!({"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"], "timeout": 20})
}

#[test]
fn hooks_of_every_kind_run_in_their_place() {
    if !is_root("hooks of every kind run in their place") {
        return;
    }
    let mut ship = Ship::new("hooks", "echo program >> /out/order");
    let out = ship.out("").to_str().expect("text").trim_end_matches('/').to_owned();
    ship.config["hooks"] = json!({
        "prestart": [hook("prestart", &out)],
        "createRuntime": [hook("createRuntime", &out)],
        "createContainer": [hook("createContainer", &out)],
        "startContainer": [hook("startContainer", "/out")],
        "poststart": [hook("poststart", &out)],
        "poststop": [hook("poststop", &out)],
    });
    ship.create();
    let pid = ship.state()["pid"].clone();
    assert_eq!(
        fs::read_to_string(ship.out("order")).expect("written"),
        "prestart\ncreateRuntime\ncreateContainer\n"
    );
    ship.start();
    ship.wait_until("stopped");
    ship.delete(false).expect("deleted");
    let order = fs::read_to_string(ship.out("order")).expect("written");
    let words: Vec<&str> = order.lines().collect();
    assert_eq!(words.iter().filter(|word| **word == "program").count(), 1, "{order}");
    let without: Vec<&str> = words.iter().copied().filter(|word| *word != "program").collect();
    assert_eq!(
        without,
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    );
    let own = fs::read_link("/proc/self/ns/mnt").expect("a link").display().to_string();
    for (kind, status, inside) in [
        ("prestart", "creating", false),
        ("createRuntime", "creating", false),
        ("createContainer", "creating", true),
        ("startContainer", "created", true),
        ("poststart", "running", false),
        ("poststop", "stopped", false),
    ] {
        let text = fs::read_to_string(ship.out(kind)).expect("written");
        let mut lines = text.lines();
        let state: Value = serde_json::from_str(lines.next().expect("a state")).expect("JSON");
        assert_eq!((&state["id"], &state["status"]), (&json!(ship.id), &json!(status)), "{kind}");
        assert_eq!(state["pid"], if kind == "poststop" { json!(0) } else { pid.clone() }, "{kind}");
        assert_eq!(lines.next() != Some(own.as_str()), inside, "{kind}");
    }
}

#[test]
fn a_hook_that_fails_ends_the_creation_and_leaves_nothing() {
    if !is_root("a hook that fails ends the creation and leaves nothing") {
        return;
    }
    for (kind, says) in [
        ("prestart", "exit code 5"),
        ("createRuntime", "exit code 5"),
        ("createContainer", "exit code 5"),
        ("startContainer", "exit code 5"),
    ] {
        let mut ship = Ship::new("hook-fails", "exit 0");
        ship.config["hooks"] = json!({ kind: [{"path": "/bin/sh", "args": ["sh", "-c", "exit 5"]}] });
        let why = ship.refused();
        assert!(why.contains(&format!("hooks.{kind}[0]")) && why.contains(says), "{kind}: {why}");
    }
    let mut ship = Ship::new("hook-late", "exit 0");
    ship.config["hooks"] =
        json!({ "createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "600"], "timeout": 1}] });
    assert!(ship.refused().contains("not over after 1 s"));
}

#[test]
fn hooks_after_the_end_only_warn() {
    if !is_root("hooks after the end only warn") {
        return;
    }
    let mut ship = Ship::new("hook-warns", "exit 3");
    ship.config["hooks"] = json!({ "poststop": [{"path": "/nowhere"}, leaves_a_mark(&ship, "second")] });
    let mut warnings = Vec::new();
    assert_eq!(command::run(&ship.new_container(), false, false, &mut warnings), Ok(3));
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("hooks.poststop[0]"), "{said:?}");
    assert_eq!(fs::read_to_string(ship.out("second")).expect("the second hook ran"), "ran\n");
}

fn leaves_a_mark(ship: &Ship, name: &str) -> Value {
    let script = format!("echo ran > {}", ship.out(name).display());
    json!({"path": "/bin/sh", "args": ["sh", "-c", script]})
}

#[test]
fn a_failing_hook_after_the_start_stops_the_container() {
    if !is_root("a failing hook after the start stops the container") {
        return;
    }
    let mut ship = Ship::new("hook-stops", "exec sleep 600");
    let fails = json!({"path": "/bin/false"});
    ship.config["hooks"] =
        json!({ "poststart": [leaves_a_mark(&ship, "first"), fails, leaves_a_mark(&ship, "third")] });
    assert!(ship.refused().contains("hooks.poststart[1]"));
    ship.create();
    let why = command::start(&ship.root(), &ship.id).unwrap_err().to_string();
    assert!(why.contains("hooks.poststart[1]"), "{why}");
    assert_eq!(ship.state()["status"], "stopped");
    assert!(ship.out("first").exists() && !ship.out("third").exists());
}

#[test]
fn hooks_after_the_start_run_though_one_inside_has_failed() {
    if !is_root("hooks after the start run though one inside has failed") {
        return;
    }
    let mut ship = Ship::new("hook-inside", "exit 0");
    ship.config["hooks"] =
        json!({ "startContainer": [{"path": "/bin/false"}], "poststart": [leaves_a_mark(&ship, "after")] });
    ship.create();
    let why = command::start(&ship.root(), &ship.id).unwrap_err().to_string();
    assert!(why.contains("hooks.startContainer[0]") && ship.out("after").exists(), "{why}");
}

#[test]
fn a_hook_inside_has_the_environment_of_the_program_or_its_own() {
    if !is_root("a hook inside has the environment of the program or its own") {
        return;
    }
    let mut ship = Ship::new("hook-env", "exit 7");
    ship.config["process"]["env"] = json!(["PATH=/usr/bin:/bin", "ONE=two"]);
    let hook = |test: &str| json!({"path": "/bin/sh", "args": ["sh", "-c", test]});
    let mut own = hook("test -z \"$ONE\" && test \"$THREE\" = four");
    own["env"] = json!(["THREE=four"]);
    ship.config["hooks"] = json!({ "startContainer": [hook("test \"$ONE\" = two"), own] });
    assert_eq!(ship.run().0, 7);
}
