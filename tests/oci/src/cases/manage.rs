//! pause, resume, update, ps, list, events.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, wrong};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "manage", cases: CASES };

/// Whether the kernel says that the container's group is frozen.
fn frozen(bed: &mut Bed) -> Verdict<bool> {
    if bed.host.is_v2() {
        return Ok(bed.limit("freezer", "cgroup.freeze")? == "1");
    }
    Ok(bed.limit("freezer", "freezer.state")? == "FROZEN")
}

/// What `update` made of a file, which is of version 1 or of version 2.
fn updated(
    bed: &mut Bed,
    options: &[&str],
    controller: &str,
    files: [&str; 2],
    expected: &[&str],
) -> Verdict {
    bed.up()?;
    let [v1, v2] = files;
    let file = if bed.host.is_v2() { v2 } else { v1 };
    bed.limit(controller, file)?;
    let id = bed.id.clone();
    let mut all = vec!["update"];
    all.extend(options);
    all.push(&id);
    bed.must(&all)?;
    let said = bed.limit(controller, file)?;
    holds(&format!("{said:?} is one of {expected:?}"), expected.contains(&said.as_str()))
}

/// Whether a line is an event of that kind of the container.
fn is_event(line: &str, kind: &str, id: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|event| event["type"] == kind && event["id"] == id)
}

/// The container's entry in `list --format json`.
fn listed(bed: &mut Bed) -> Verdict<Option<Value>> {
    let said = bed.must(&["list", "--format", "json"])?;
    let list: Value = serde_json::from_str(&said.out)?;
    let mine = list.as_array().into_iter().flatten().find(|one| one["id"] == bed.id.as_str());
    Ok(mine.cloned())
}

const CASES: &[Case] = &[
    case("pause_freezes", "runc#pause: all processes of the container stand still", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        equal("status", bed.state()?["status"].take(), "paused")?;
        holds("the group is frozen", frozen(bed)?)?;
        bed.must(&["resume", &id])?;
        equal("status", bed.state()?["status"].take(), "running")?;
        holds("the group is not frozen", !frozen(bed)?)
    }),
    case("what_is_resumed_goes_on", "runc#resume: the processes go on", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        bed.must(&["resume", &id])?;
        bed.must(&["kill", &id, "USR1"])?;
        bed.says("signal 10")
    }),
    case("only_what_is_paused_is_resumed", "runc#resume: what is not paused is an error", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must_not(&["resume", &id]).map(drop)
    }),
    case("what_is_stopped_is_not_paused", "runc#pause: what does not run is an error", |bed| {
        bed.up()?;
        bed.stop()?;
        let id = bed.id.clone();
        bed.must_not(&["pause", &id]).map(drop)
    }),
    case("what_is_paused_can_be_deleted_by_force", "runc#delete: --force of what is paused", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        bed.must(&["delete", "--force", &id])?;
        bed.must_not(&["state", &id]).map(drop)
    }),
    case("what_is_paused_can_be_killed", "runtime.md#kill: a signal that ends it ends it now", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        bed.must(&["kill", &id, "KILL"])?;
        bed.becomes("stopped")
    }),
    case(
        "what_somebody_else_has_frozen_is_paused",
        "runc#state: paused is what the kernel says of the group",
        |bed| {
            bed.up()?;
            let (file, words) = if bed.host.is_v2() {
                ("cgroup.freeze", ["1", "0"])
            } else {
                ("freezer.state", ["FROZEN", "THAWED"])
            };
            let file = bed.host.group(bed.pid()?, "freezer")?.join(file);
            std::fs::write(&file, words[0])?;
            let status = bed.becomes("paused");
            let id = bed.id.clone();
            let resumed = bed.must(&["resume", &id]);
            std::fs::write(&file, words[1])?;
            status?;
            resumed?;
            bed.becomes("running")
        },
    ),
    case("nothing_enters_what_is_paused", "runc#exec: a paused container can't be entered", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        let said = bed.must_not(&["exec", &id, "/probe", "exit", "0"]);
        bed.must(&["resume", &id])?;
        said.map(drop)
    }),
    case("update_of_memory", "runc#update: --memory (bytes)", |bed| {
        updated(
            bed,
            &["--memory", "67108864"],
            "memory",
            ["memory.limit_in_bytes", "memory.max"],
            &["67108864"],
        )
    }),
    case("update_of_pids", "runc#update: --pids-limit", |bed| {
        updated(bed, &["--pids-limit", "55"], "pids", ["pids.max", "pids.max"], &["55"])
    }),
    case("update_of_shares", "runc#update: --cpu-share", |bed| {
        updated(bed, &["--cpu-share", "512"], "cpu", ["cpu.shares", "cpu.weight"], &["512", "20", "59"])
    }),
    case("update_of_a_quota", "runc#update: --cpu-quota and --cpu-period", |bed| {
        let options = ["--cpu-quota", "20000", "--cpu-period", "100000"];
        updated(bed, &options, "cpu", ["cpu.cfs_quota_us", "cpu.max"], &["20000", "20000 100000"])
    }),
    case("update_of_processors", "runc#update: --cpuset-cpus", |bed| {
        updated(bed, &["--cpuset-cpus", "0"], "cpuset", ["cpuset.cpus", "cpuset.cpus"], &["0"])
    }),
    case("update_from_a_file", "runc#update: --resources is linux.resources of config.json", |bed| {
        let resources = json!({ "memory": { "limit": 50_331_648 }, "pids": { "limit": 44 } });
        std::fs::write(bed.file("resources.json"), resources.to_string())?;
        let file = bed.place("resources.json");
        updated(
            bed,
            &["--resources", &file],
            "memory",
            ["memory.limit_in_bytes", "memory.max"],
            &["50331648"],
        )?;
        equal("pids.max", bed.limit("pids", "pids.max")?, "44")
    }),
    case("update_keeps_what_it_is_not_told", "runc#update: other limits stay", |bed| {
        bed.set(json!({ "linux": { "resources": { "memory": { "limit": 67_108_864 } } } }));
        updated(bed, &["--pids-limit", "55"], "pids", ["pids.max", "pids.max"], &["55"])?;
        let file = if bed.host.is_v2() { "memory.max" } else { "memory.limit_in_bytes" };
        equal("memory", bed.limit("memory", file)?, "67108864")
    }),
    case("update_of_nobody", "runc#update: without an id of a container it is an error", |bed| {
        bed.must_not(&["update", "--pids-limit", "5", "nobody"]).map(drop)
    }),
    case("ps_lists_the_processes", "runc#ps: --format json: numbers of all processes", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["exec", "--detach", &id, "/probe", "wait"])?;
        let said = bed.must(&["ps", "--format", "json", &id])?;
        let list: Value = serde_json::from_str(&said.out)?;
        let pid = bed.pid()?;
        let pids: Vec<i64> = list.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
        holds(&format!("{pid} and one more are listed: {pids:?}"), pids.contains(&pid) && pids.len() == 2)
    }),
    case("list_of_nothing", "runc#list: no container", |bed| {
        let said = bed.must(&["list", "--quiet"])?;
        equal("ids", said.out.trim(), "")
    }),
    case("list_of_ids", "runc#list: --quiet lists ids", |bed| {
        bed.create()?;
        let said = bed.must(&["list", "--quiet"])?;
        equal("ids", said.out.trim(), bed.id.as_str())
    }),
    case("list_as_json", "runc#list: --format json: id, pid, status, bundle", |bed| {
        bed.up()?;
        let pid = bed.pid()?;
        let Some(mine) = listed(bed)? else { return wrong("the container is not listed") };
        equal("pid", &mine["pid"], pid)?;
        equal("status", &mine["status"], "running")?;
        equal("bundle", mine["bundle"].as_str(), bed.bundle().to_str())
    }),
    case(
        "list_of_what_has_stopped",
        "runc#list: stopped containers are listed until they are deleted",
        |bed| {
            bed.up()?;
            bed.stop()?;
            let status = listed(bed)?.map(|mine| mine["status"].clone());
            equal("status", status, Some(json!("stopped")))?;
            let id = bed.id.clone();
            bed.must(&["delete", &id])?;
            let said = bed.must(&["list", "--quiet"])?;
            equal("ids", said.out.trim(), "")
        },
    ),
    case(
        "an_event_where_memory_runs_out",
        "runc#events: oom when a process is killed for want of memory",
        |bed| {
            bed.set(json!({ "linux": { "resources": { "memory": { "limit": 50_331_648 } } } }));
            bed.up()?;
            let (id, file) = (bed.id.clone(), bed.file("events"));
            let mut command = bed.runtime.command();
            command.arg("--root").arg(bed.root()).args(["events", "--interval", "200ms", &id]);
            let mut events =
                command.stdout(std::fs::File::create(&file)?).stderr(std::process::Stdio::null()).spawn()?;
            let happens = |kind: &str| {
                let has = |text: String| text.lines().any(|line| is_event(line, kind, &id)).then_some(());
                crate::call::wait_for(crate::bed::PATIENCE, || {
                    std::fs::read_to_string(&file).ok().and_then(has)
                })
            };
            let stats = happens("stats");
            let out_of_memory = bed.exec(&[], &["child touch-memory 209715200"]);
            let oom = happens("oom");
            let stopped = bed.stop().and_then(|()| bed.must(&["delete", &id]).map(drop));
            let ended = crate::call::wait_for(crate::bed::PATIENCE, || events.try_wait().ok().flatten());
            // It may have ended meanwhile.
            let _ = events.kill();
            events.wait()?;
            equal("the program that wanted too much was killed", &out_of_memory?[0]["signal"], 9)?;
            stopped?;
            holds("statistics are told", stats.is_some())?;
            holds("an event oom is told", oom.is_some())?;
            holds("the end of the container is the end of its events", ended.is_some())
        },
    ),
    case("statistics", "runc#events: --stats prints one event with the group's figures", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        let said = bed.must(&["events", "--stats", &id])?;
        let event: Value = serde_json::from_str(said.out.trim())?;
        equal("type", &event["type"], "stats")?;
        equal("id", event["id"].as_str(), Some(id.as_str()))?;
        equal("processes", &event["data"]["pids"]["current"], 1)?;
        let usage = event["data"]["memory"]["usage"]["usage"].as_u64().unwrap_or_default();
        holds("memory is used", usage > 0)?;
        holds(
            "CPU time is told",
            event["data"]["cpu"]["usage"]["total"].as_u64().is_some_and(|total| total > 0),
        )
    }),
];
