//! Hooks of every kind.

use std::fs;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, lists, wrong};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "hooks", cases: CASES };

/// A hook of this machine's shell; `$B` is the case's folder, `$S` the state. It is read always: some runtimes are ended by
/// SIGPIPE where it is not.
fn shell(bed: &Bed, line: &str) -> Value {
    let folder = format!("B={}", bed.folder().display());
    json!({ "path": "/bin/sh", "args": ["sh", "-c", format!("S=$(cat); {line}")], "env": ["PATH=/usr/bin:/bin", folder] })
}

fn hook(bed: &mut Bed, kind: &str, line: &str) {
    let hook = shell(bed, line);
    bed.set(json!({ "hooks": { kind: [hook] } }));
}

/// What the hook wrote.
fn wrote(bed: &Bed, name: &str) -> Verdict<String> {
    match fs::read_to_string(bed.file(name)) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => wrong(format!("the hook's file {name}: {error}")),
    }
}

/// The state that a hook of this kind was given.
fn given(bed: &mut Bed, kind: &str) -> Verdict<Value> {
    hook(bed, kind, "echo \"$S\" > $B/state");
    bed.up()?;
    bed.stop()?;
    let id = bed.id.clone();
    bed.must(&["delete", &id])?;
    Ok(serde_json::from_str(&wrote(bed, "state")?)?)
}

fn status_in(bed: &mut Bed, kind: &str, expected: &[&str]) -> Verdict {
    let state = given(bed, kind)?;
    equal("id", state["id"].as_str(), Some(bed.id.as_str()))?;
    equal("bundle", state["bundle"].as_str(), bed.bundle().to_str())?;
    let status = state["status"].as_str().unwrap_or_default();
    holds(&format!("the status {status:?} is one of {expected:?}"), expected.contains(&status))
}

/// A failing hook of this kind must fail `create`, and leave no container.
fn fails_create(bed: &mut Bed, kind: &str) -> Verdict {
    hook(bed, kind, "exit 1");
    bed.refused()
}

/// A failing hook of this kind is warned of, and all goes on.
fn only_warns(bed: &mut Bed, kind: &str) -> Verdict {
    let first = shell(bed, "exit 1");
    let second = shell(bed, "echo yes > $B/second");
    bed.set(json!({ "hooks": { kind: [first, second] } }));
    bed.up()?;
    bed.stop()?;
    let id = bed.id.clone();
    bed.must(&["delete", &id])?;
    equal("the next hook", wrote(bed, "second")?, "yes")
}

const CASES: &[Case] = &[
    case(
        "prestart_is_given_the_state",
        "config.md#prestart: during create, after the namespaces; state on stdin",
        |bed| status_in(bed, "prestart", &["creating", "created"]),
    ),
    case(
        "create_runtime_is_given_the_state",
        "config.md#createruntime-hooks: during create, after the namespaces",
        |bed| status_in(bed, "createRuntime", &["creating", "created"]),
    ),
    case(
        "poststart_is_given_the_state",
        "config.md#poststart: after the program was started, before start returns",
        |bed| status_in(bed, "poststart", &["running"]),
    ),
    case(
        "poststop_is_given_the_state",
        "config.md#poststop: after the container was deleted, before delete returns",
        |bed| status_in(bed, "poststop", &["stopped"]),
    ),
    case(
        "create_container_is_given_the_state",
        "config.md#createcontainer-hooks: during create, before pivot_root",
        |bed| status_in(bed, "createContainer", &["creating", "created"]),
    ),
    case(
        "create_container_sees_the_container_s_mounts",
        "config.md#createcontainer-hooks: in the container's namespaces",
        |bed| {
            hook(bed, "createContainer", "readlink /proc/self/ns/mnt > $B/namespace");
            bed.up()?;
            let pid = bed.pid()?;
            let own = fs::read_link(format!("/proc/{pid}/ns/mnt"))?;
            equal("mount namespace of the hook", wrote(bed, "namespace")?, own.to_string_lossy())
        },
    ),
    case(
        "create_runtime_sees_the_runtime_s_mounts",
        "config.md#createruntime-hooks: in the runtime's namespaces",
        |bed| {
            hook(bed, "createRuntime", "readlink /proc/self/ns/mnt > $B/namespace");
            bed.up()?;
            let own = fs::read_link("/proc/self/ns/mnt")?;
            equal("mount namespace of the hook", wrote(bed, "namespace")?, own.to_string_lossy())
        },
    ),
    case(
        "it_is_in_its_groups_by_then",
        "config.md#createruntime-hooks: after the environment was made",
        |bed| {
            let number = r#"P=${S##*'"pid":'}; P=${P# }; P=${P%%[!0-9]*}"#;
            hook(bed, "createRuntime", &format!("{number}; cat /proc/$P/cgroup > $B/groups"));
            bed.create()?;
            let said = wrote(bed, "groups")?;
            let own = said.lines().filter(|line| line.ends_with(&format!("/{}", bed.id))).count();
            holds(&format!("the container's groups are in {said:?}"), own > 0)
        },
    ),
    case(
        "start_container_runs_inside",
        "config.md#startcontainer-hooks: during start, path and all in the container",
        |bed| {
            let hook =
                json!({ "path": "/probe", "args": ["probe", "stdin", "--", "write", "/tmp/hook", "inside"] });
            bed.set(json!({ "hooks": { "startContainer": [hook] } }));
            bed.deeds(&["read /tmp/hook"]);
            bed.create()?;
            holds("not before start", !bed.inside("tmp/hook").exists())?;
            bed.start()?;
            bed.becomes("stopped")?;
            equal("what the program finds", crate::bed::answers(&bed.output())?, json!(["inside"]))
        },
    ),
    case(
        "hooks_of_create_run_in_order",
        "config.md#posix-platform-hooks: prestart, createRuntime, createContainer; in listed order",
        |bed| {
            let mut hooks = json!({});
            for kind in ["prestart", "createRuntime", "createContainer"] {
                let two = ["1", "2"].map(|number| shell(bed, &format!("echo {kind}{number} >> $B/order")));
                hooks[kind] = json!(two);
            }
            bed.set(json!({ "hooks": hooks }));
            bed.create()?;
            let order = wrote(bed, "order")?.replace('\n', " ");
            equal(
                "order",
                order,
                "prestart1 prestart2 createRuntime1 createRuntime2 createContainer1 createContainer2",
            )
        },
    ),
    case("poststart_waits_for_start", "config.md#poststart: not before start", |bed| {
        hook(bed, "poststart", "echo yes > $B/poststart");
        bed.deeds(&["wait"]);
        bed.create()?;
        holds("not before start", !bed.file("poststart").exists())?;
        bed.start()?;
        equal("after start", wrote(bed, "poststart")?, "yes")
    }),
    case("poststop_waits_for_delete", "config.md#poststop: not before delete", |bed| {
        hook(bed, "poststop", "echo yes > $B/poststop");
        bed.up()?;
        bed.stop()?;
        holds("not before delete", !bed.file("poststop").exists())?;
        let id = bed.id.clone();
        bed.must(&["delete", &id])?;
        equal("after delete", wrote(bed, "poststop")?, "yes")
    }),
    case(
        "a_hook_has_its_arguments",
        "config.md#posix-platform-hooks: args as of execv, the first is the name",
        |bed| {
            let file = bed.place("args");
            let line = format!("read -r state; printf '%s|' \"$0\" \"$@\" > {file}");
            bed.set(json!({ "hooks": { "createRuntime": [{ "path": "/bin/sh", "args": ["sh", "-c", line, "zero", "a b", ""] }] } }));
            bed.create()?;
            equal("arguments", wrote(bed, "args")?, "zero|a b||")
        },
    ),
    case("a_hook_has_its_environment_only", "config.md#posix-platform-hooks: env as of environ(7)", |bed| {
        let (probe, file) = (bed.inside("probe"), bed.place("env"));
        let args = ["probe", "stdin", "--", "environment", file.as_str()];
        let hook = json!({ "path": probe, "args": args, "env": ["ONE=1", "TWO=a b"] });
        bed.set(json!({ "hooks": { "createRuntime": [hook] } }));
        bed.create()?;
        let wrote = wrote(bed, "env")?;
        let lines = json!(wrote.lines().collect::<Vec<_>>());
        lists("variables", &lines, "ONE=1")?;
        lists("variables", &lines, "TWO=a b")?;
        let mark = format!("{}={}", crate::bed::MARK, bed.id);
        crate::check::lists_not("variables", &lines, &mark)
    }),
    case(
        "a_hook_inside_without_an_environment_has_the_program_s",
        "config.md#startcontainer-hooks: it runs where the program will; env is optional",
        |bed| {
            let args = ["probe", "stdin", "--", "environment", "/tmp/env"];
            bed.set(json!({ "process": { "env": ["PATH=/", "OF=container"] },
                "hooks": { "startContainer": [{ "path": "/probe", "args": args }] } }));
            bed.up()?;
            let wrote = fs::read_to_string(bed.inside("tmp/env"))?;
            lists("variables", &json!(wrote.lines().collect::<Vec<_>>()), "OF=container")
        },
    ),
    case(
        "a_failing_prestart_fails_create",
        "runtime.md#lifecycle: then the container is stopped and destroyed",
        |bed| fails_create(bed, "prestart"),
    ),
    case(
        "a_failing_create_runtime_fails_create",
        "runtime.md#lifecycle: then the container is stopped and destroyed",
        |bed| fails_create(bed, "createRuntime"),
    ),
    case(
        "a_failing_create_container_fails_create",
        "runtime.md#lifecycle: then the container is stopped and destroyed",
        |bed| fails_create(bed, "createContainer"),
    ),
    case(
        "a_failing_start_container_runs_nothing",
        "runtime.md#lifecycle: then the program must not run",
        |bed| {
            let hook = json!({ "path": "/probe", "args": ["probe", "stdin", "--", "exit", "1"] });
            bed.set(json!({ "hooks": { "startContainer": [hook] } }));
            bed.deeds(&["touch /tmp/ran"]);
            bed.create()?;
            let id = bed.id.clone();
            // Whether `start` hears of it in time is not said.
            bed.call(&["start", &id])?;
            bed.becomes("stopped")?;
            holds("the program did not run", !bed.inside("tmp/ran").exists())
        },
    ),
    case(
        "a_failing_poststart_stops_the_container",
        "runtime.md#lifecycle: an error, and the container is stopped",
        |bed| {
            hook(bed, "poststart", "exit 1");
            bed.deeds(&["wait"]);
            bed.create()?;
            let id = bed.id.clone();
            bed.must_not(&["start", &id])?;
            let runs = bed.call(&["state", &id])?;
            if runs.code == 0 { bed.becomes("stopped") } else { Ok(()) }
        },
    )
    .since("1.3.0"),
    case(
        "a_failing_poststop_is_only_warned_of",
        "runtime.md#lifecycle: a warning, and the rest goes on",
        |bed| only_warns(bed, "poststop"),
    ),
    case(
        "a_hook_that_takes_too_long_fails",
        "config.md#posix-platform-hooks: timeout is the seconds before it is aborted",
        |bed| {
            let mut slow = shell(bed, "exec sleep 12");
            slow["timeout"] = json!(1);
            bed.set(json!({ "hooks": { "createRuntime": [slow] } }));
            bed.refused()
        },
    ),
    case("a_hook_must_be_there", "config.md#posix-platform-hooks: path must be of a program", |bed| {
        bed.set(json!({ "hooks": { "createRuntime": [{ "path": "/nowhere/hook" }] } }));
        bed.refused()
    }),
    case("a_hook_s_path_is_absolute", "config.md#posix-platform-hooks: path must be absolute", |bed| {
        bed.set(json!({ "hooks": { "createRuntime": [{ "path": "bin/true" }] } }));
        bed.refused()
    }),
    case(
        "a_time_out_is_above_zero",
        "config.md#posix-platform-hooks: timeout must be greater than zero",
        |bed| {
            let mut hook = shell(bed, "true");
            hook["timeout"] = json!(0);
            bed.set(json!({ "hooks": { "createRuntime": [hook] } }));
            bed.refused()
        },
    ),
];
