//! The program `catamaran-oci` as engines call it: its words, streams and exit codes are runc's.

// clippy takes only functions marked #[test] for tests; the helper here fails tests, too.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn call(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_catamaran-oci")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn it_says_which_specification_it_follows() {
    for flag in ["-v", "--version"] {
        let output = call(&[flag]);
        assert!(output.status.success() && output.stderr.is_empty());
        let said = text(&output.stdout);
        assert!(said.starts_with("catamaran-oci version ") && said.contains("\nspec: 1.3.0"), "{said}");
    }
}

#[test]
fn every_mistake_ends_with_1_and_a_reason() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().to_str().unwrap();
    let table: [(&[&str], &str); 4] = [
        (&["--root", root, "state", "nobody"], "container nobody does not exist"),
        (&["--root", root, "--systemd-cgroup", "list"], "have the engine use cgroupfs"),
        (&["--root", root, "sail"], "unrecognized subcommand"),
        (&[], "Usage"),
    ];
    for (arguments, says) in table {
        let output = call(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(says), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn errors_go_to_the_engines_log_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (format, begins) in [("json", "{\"level\":\"error\""), ("text", "time=")] {
        let log = path(format);
        let output =
            call(&["--root", &path("root"), "--log", &log, "--log-format", format, "delete", "nobody"]);
        assert_eq!(output.status.code(), Some(1));
        let said = std::fs::read_to_string(Path::new(&log)).unwrap();
        assert!(said.starts_with(begins) && said.contains("nobody"), "{said}");
    }
}

#[test]
fn every_command_says_what_it_does() {
    let overview = text(&call(&["--help"]).stdout);
    let commands = overview.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<(&str, &str)> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.trim().split_once(' '))
        .filter(|(name, _)| *name != "help")
        .collect();
    assert_eq!(commands.len(), 15, "{overview}");
    for (name, does) in commands {
        let help = text(&call(&[name, "--help"]).stdout);
        assert!(help.starts_with(does.trim()), "{name}: {help}");
        assert!(help.contains(&format!("Usage: catamaran-oci {name}")), "{help}");
    }
}
