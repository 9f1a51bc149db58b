//! From `create` to the end of the program.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::bed::PATIENCE;
use crate::call::wait_for;
use crate::check::{equal, holds, skip};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "lifecycle", cases: CASES };

const CASES: &[Case] = &[
    case(
        "create_does_not_run_the_program",
        "runtime.md#create: the program must not run before start",
        |bed| {
            bed.deeds(&["see"]);
            bed.create()?;
            equal("status", bed.state()?["status"].take(), "created")?;
            equal("output", bed.output(), "")
        },
    ),
    case("start_runs_the_program", "runtime.md#start: must run the program of process", |bed| {
        bed.deeds(&["write /tmp/was-here yes"]);
        bed.create()?;
        bed.start()?;
        bed.becomes("stopped")?;
        equal("the program's file", fs::read_to_string(bed.inside("tmp/was-here"))?, "yes")
    }),
    case("a_started_container_is_running", "runtime.md#state: running once the program runs", |bed| {
        bed.up()?;
        equal("status", bed.state()?["status"].take(), "running")
    }),
    case("an_ended_container_is_stopped", "runtime.md#state: stopped once the process has exited", |bed| {
        bed.deeds(&["exit 0"]);
        bed.create()?;
        bed.start()?;
        bed.becomes("stopped")
    }),
    case(
        "the_state_has_all_that_is_required",
        "runtime.md#state: ociVersion, id, status, pid, bundle are required",
        |bed| {
            bed.create()?;
            let state = bed.state()?;
            holds("ociVersion is a string", state["ociVersion"].is_string())?;
            equal("id", state["id"].as_str(), Some(bed.id.as_str()))?;
            equal("bundle", state["bundle"].as_str(), bed.bundle().to_str())?;
            holds("pid is a number", state["pid"].as_i64().is_some_and(|pid| pid > 0))
        },
    ),
    case(
        "the_state_s_pid_is_the_program",
        "runtime.md#state: pid is of the container process, as the host sees it",
        |bed| {
            bed.up()?;
            let pid = bed.pid()?;
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline"))?;
            equal("its arguments", line.as_str(), "/probe\0wait\0")
        },
    ),
    case("a_relative_bundle_becomes_absolute", "runtime.md#state: bundle is an absolute path", |bed| {
        bed.write()?;
        let id = bed.id.clone();
        bed.must(&["create", "--bundle", "bundle", &id])?;
        equal("bundle", bed.state()?["bundle"].as_str(), bed.bundle().to_str())
    }),
    case("annotations_are_in_the_state", "runtime.md#state: annotations are those of the container", |bed| {
        bed.set(json!({ "annotations": { "org.example.key": "value", "empty": "" } }));
        bed.create()?;
        let state = bed.state()?;
        equal("annotation", &state["annotations"]["org.example.key"], "value")?;
        equal("an empty annotation", &state["annotations"]["empty"], "")
    }),
    case(
        "an_id_is_given_once",
        "runtime.md#create: an id in use must be refused, and nothing changes",
        |bed| {
            bed.up()?;
            let pid = bed.pid()?;
            holds("a second create is refused", bed.try_create()?.code != 0)?;
            equal("pid", bed.pid()?, pid)?;
            equal("status", bed.state()?["status"].take(), "running")
        },
    ),
    case(
        "an_id_may_be_given_again",
        "runtime.md#delete: once deleted, the id may be used by another container",
        |bed| {
            let id = bed.id.clone();
            for _ in 0..2 {
                bed.up()?;
                bed.stop()?;
                bed.must(&["delete", &id])?;
            }
            Ok(())
        },
    ),
    case(
        "later_changes_of_the_configuration_do_not_matter",
        "runtime.md#create: changes to config.json after create have no effect",
        |bed| {
            bed.deeds(&["write /tmp/was-here first"]);
            bed.create()?;
            bed.deeds(&["write /tmp/was-here second"]);
            bed.write()?;
            bed.start()?;
            bed.becomes("stopped")?;
            equal("the program's file", fs::read_to_string(bed.inside("tmp/was-here"))?, "first")
        },
    ),
    case(
        "a_running_container_is_not_started_again",
        "runtime.md#start: not created is an error and has no effect",
        |bed| {
            bed.up()?;
            let id = bed.id.clone();
            bed.must_not(&["start", &id])?;
            equal("status", bed.state()?["status"].take(), "running")
        },
    ),
    case(
        "a_stopped_container_is_not_started_again",
        "runtime.md#start: not created is an error and has no effect",
        |bed| {
            bed.deeds(&["exit 0"]);
            bed.create()?;
            bed.start()?;
            bed.becomes("stopped")?;
            let id = bed.id.clone();
            bed.must_not(&["start", &id])?;
            equal("status", bed.state()?["status"].take(), "stopped")
        },
    ),
    case(
        "who_is_not_there_is_not_started",
        "runtime.md#start: without an id of a container it is an error",
        |bed| bed.must_not(&["start", "nobody"]).map(drop),
    ),
    case(
        "who_is_not_there_has_no_state",
        "runtime.md#query-state: without an id of a container it is an error",
        |bed| {
            let said = bed.must_not(&["state", "nobody"])?;
            equal("standard output", said.out, "")
        },
    ),
    case(
        "two_containers_of_one_bundle",
        "runtime.md#create: an id is unique among all containers, bundles need not be",
        |bed| {
            let other = format!("{}-b", bed.id);
            bed.up()?;
            bed.set(json!({ "linux": { "cgroupsPath": format!("/{other}") } }));
            bed.create_as(&other)?;
            let said = bed.must(&["state", &other])?;
            holds("the second is created", said.out.contains("created"))?;
            bed.must(&["delete", "--force", &other]).map(drop)
        },
    ),
    case(
        "run_ends_with_the_program_s_status",
        "runc#run: in the foreground it ends with the program's exit status",
        |bed| {
            bed.deeds(&["exit 42"]);
            equal("exit status", bed.run()?.code, 42)
        },
    ),
    case("run_leaves_nothing", "runc#run: a container in the foreground is deleted at its end", |bed| {
        bed.deeds(&["exit 0"]);
        equal("exit status", bed.run()?.code, 0)?;
        let id = bed.id.clone();
        bed.must_not(&["state", &id]).map(drop)
    }),
    case("run_detached_returns", "runc#run: with --detach it returns once the program runs", |bed| {
        bed.options.push("--detach".into());
        bed.deeds(&["wait"]);
        equal("exit status", bed.run()?.code, 0)?;
        bed.says("ready")?;
        equal("status", bed.state()?["status"].take(), "running")
    }),
    case(
        "run_keeps_what_it_is_told_to_keep",
        "runc#run: with --keep the container stays until it is deleted",
        |bed| {
            if !bed.must(&["run", "--help"])?.out.contains("--keep") {
                return skip(format!("{} {} has no `run --keep`", bed.runtime.name, bed.runtime.version));
            }
            bed.options.push("--keep".into());
            bed.deeds(&["exit 0"]);
            equal("exit status", bed.run()?.code, 0)?;
            equal("status", bed.state()?["status"].take(), "stopped")
        },
    ),
    case(
        "a_signal_is_an_exit_status_of_128_and_more",
        "runc#run: a program that a signal ends gives 128 and its number",
        |bed| {
            bed.options.push("--pid-file".into());
            bed.options.push(bed.place("pid"));
            bed.deeds(&["wait"]);
            let file = bed.file("pid");
            let killer = std::thread::spawn(move || {
                let pid =
                    wait_for(PATIENCE, || fs::read_to_string(&file).ok().filter(|text| !text.is_empty()));
                let pid = pid.and_then(|text| text.trim().parse().ok()).and_then(Pid::from_raw);
                pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
            });
            let said = bed.run()?;
            holds("the program was killed", killer.join().unwrap_or_default())?;
            equal("exit status", said.code, 128 + 9)
        },
    ),
    case(
        "processes_left_behind_end_with_the_first",
        "runtime-linux.md: what a PID namespace holds ends with its first process",
        |bed| {
            bed.deeds(&["leave 3"]);
            bed.create()?;
            bed.start()?;
            bed.becomes("stopped")?;
            let id = bed.id.clone();
            bed.must(&["delete", &id]).map(drop)
        },
    ),
];
