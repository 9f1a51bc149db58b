//! The exit codes beyond 0 and 1.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::common::{SMALL, catamaran, run, run_with};

/// Compute for an hour, on a platform that every Linux has.
fn endless() -> String {
    let long = SMALL.replace("\"1s\"", "\"1h\"").replace("\"200ms\"", "\"1h\"");
    long.replace("\"bare-metal\", \"cgroups\"", "\"bare-metal\"")
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Exit code and standard error.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

#[test]
fn a_platform_that_is_not_to_be_had_is_2_before_anything_runs() {
    for args in [&["run", "-"][..], &["run", "-", "--json"], &["compare", "-"]] {
        // The first could be run; it is not, because the second can't.
        let args = [args, &["--on", "bare-metal,kata"]].concat();
        let outcome = run_with(&args, SMALL.as_bytes());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("not available here"), "{}", outcome.stderr);
    }
}

/// A tenant whose own program ends with an error is a result; one that never was there is none.
#[test]
fn a_program_that_fails_is_0_and_one_that_never_was_there_is_3() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    for (interpreter, code) in [("/bin/false", 0), ("/no/such/interpreter", 3)] {
        fs::write(&script, format!("#!{interpreter}\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let head = SMALL.split("[[tenant]]").next().unwrap();
        let tenant = format!(
            "[[tenant]]\nname = \"own\"\nworkload = {{ kind = \"command\", argv = [{script:?}], like = {{ kind = \"idle\" }} }}\n"
        );
        let outcome =
            run_with(&["--quiet", "run", "-", "--on", "bare-metal"], (head.to_owned() + &tenant).as_bytes());
        if outcome.code == 2 {
            println!("skipped: a program: {}", outcome.stderr.trim());
            return;
        }
        assert_eq!(outcome.code, code, "{interpreter}: {}{}", outcome.stdout, outcome.stderr);
        let told = outcome.stdout.contains("its program ended with exit code 1");
        assert_eq!(told, code == 0, "{}", outcome.stdout);
        let error = outcome.stderr.lines().filter(|line| line.contains("own was never there: cannot start"));
        assert_eq!(error.count(), usize::from(code == 3), "{}", outcome.stderr);
    }
}

#[test]
fn a_probe_is_0_or_2_and_its_json_stands_alone() {
    let outcome = run(&["probe", "--on", "kata", "--json"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{}", outcome.stderr);
    let outcome = run(&["probe", "--on", "chroot", "--json"]);
    if outcome.code == 2 {
        println!("skipped: probe: {}", outcome.stderr.trim());
        return;
    }
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let matrix: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(matrix["platform"], "chroot");
    for list in ["views", "attacks"] {
        let rows = matrix[list].as_array().unwrap();
        assert!(rows.iter().all(|row| row["holds"] == true), "{rows:?}");
    }
}

#[test]
fn interrupted_while_it_holds_nothing_is_130() {
    for which in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut child = catamaran(&["sim", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        // More than a pipe holds: when all is written, the program is reading, and its signals are set up.
        child.stdin.as_mut().unwrap().write_all(&vec![b'#'; 512 * 1024]).unwrap();
        signal(&child, which);
        assert_eq!(end(child).0, Some(130), "{which:?}");
    }
}

/// Needs a machine where `bare-metal` can be run for real; elsewhere it says so and checks that the refusal is 2.
#[test]
fn interrupted_while_it_runs_is_130_and_cleaned_up() {
    for (which, times) in [(Signal::INT, 1), (Signal::INT, 3), (Signal::TERM, 1)] {
        let mut child = catamaran(&["run", "-", "--json"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(endless().as_bytes()).unwrap();
        while !has_children(&child) {
            if let Some(status) = child.try_wait().unwrap() {
                eprintln!("bare-metal cannot be run here: {}", end(child).1);
                assert_eq!(status.code(), Some(2));
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        for _ in 0..times {
            signal(&child, which);
        }
        let (code, stderr) = end(child);
        assert_eq!(code, Some(130), "{stderr}");
        assert_eq!(stderr, "error: interrupted; everything was cleaned up\n");
        let left = run(&["clean"]);
        assert!(left.stdout.starts_with("nothing was left behind\n"), "{}", left.stdout);
    }
}

/// Its signals are set up long before it starts a worker.
fn has_children(child: &Child) -> bool {
    let tasks = fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    children.into_iter().any(|list| !list.trim().is_empty())
}
