//! events --stats: what a container has used, in runc's fields, from either version of control groups.

use serde_json::{Value, json};

use crate::bed::{Bed, PATIENCE};
use crate::call::wait_for;
use crate::check::{Verdict, equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "events", cases: CASES };

const MEBIBYTE: u64 = 1 << 20;

/// The figures of one event.
fn figures(bed: &mut Bed) -> Verdict<Value> {
    let id = bed.id.clone();
    let said = bed.must(&["events", "--stats", &id])?;
    let mut event: Value = serde_json::from_str(said.out.trim())?;
    Ok(event["data"].take())
}

/// Starts a container in which a process is killed for memory, and takes its figures. At times the kernel kills the one that waits as
/// well, before the first one's pages are given back (`exit_mmap` in mm/mmap.c): then once more, twice at the most.
fn figures_beside_a_kill(bed: &mut Bed) -> Verdict<Value> {
    let begin = |bed: &mut Bed| {
        bed.create()?;
        bed.start()?;
        bed.says("ready")?;
        figures(bed)
    };
    let mut once = || {
        let data = begin(bed);
        let id = bed.id.clone();
        bed.call(&["delete", "--force", &id])?;
        data
    };
    once().or_else(|_| once()).or_else(|_| once())
}

fn limited(bed: &mut Bed, resources: &Value) -> Verdict {
    bed.set(json!({ "linux": { "resources": resources } }));
    bed.up()
}

/// A pressure is told by its shares and its total.
fn is_pressure(what: &str, psi: &Value) -> Verdict {
    let told = ["some", "full"].iter().all(|line| {
        psi[line]["total"].is_u64()
            && ["avg10", "avg60", "avg300"].iter().all(|key| psi[line][key].is_number())
    });
    holds(&format!("{what} has a pressure: {psi}"), told)
}

const CASES: &[Case] = &[
    case("limits_are_told", "runc#events: memory.usage.limit and pids.limit", |bed| {
        limited(bed, &json!({ "memory": { "limit": 64 * MEBIBYTE }, "pids": { "limit": 77 } }))?;
        let data = figures(bed)?;
        equal("memory", &data["memory"]["usage"]["limit"], 64 * MEBIBYTE)?;
        equal("processes", &data["pids"]["limit"], 77)
    }),
    case(
        "no_limit_of_processes_is_told_as_none",
        "runc#events: pids.limit is left out where it is 0",
        |bed| {
            limited(bed, &json!({ "pids": { "limit": -1 } }))?;
            let limit = figures(bed)?["pids"]["limit"].take();
            holds(&format!("{limit}"), limit.is_null() || limit == 0)
        },
    ),
    case("memory_by_its_kinds", "runc#events: memory.raw is memory.stat", |bed| {
        bed.up()?;
        let raw = figures(bed)?["memory"]["raw"].take();
        let kind = if bed.host.is_v2() { "anon" } else { "rss" };
        holds(&format!("{kind} is a figure of {raw}"), raw[kind].is_u64())
    }),
    case("a_limit_that_was_met_is_counted", "runc#events: memory.usage.failcnt", |bed| {
        bed.set(json!({ "linux": { "resources": { "memory": { "limit": 32 * MEBIBYTE, "swap": 64 * MEBIBYTE } } } }));
        bed.deeds(&["child touch-memory 209715200", "wait"]);
        let count = figures_beside_a_kill(bed)?["memory"]["usage"]["failcnt"].take();
        holds(&format!("it is counted: {count}"), count.as_u64().is_some_and(|count| count > 0))
    }),
    case("periods_without_quota_left_are_counted", "runc#events: cpu.throttling (ns)", |bed| {
        bed.set(json!({ "linux": { "resources": { "cpu": { "quota": 2000, "period": 10_000 } } } }));
        bed.deeds(&["child touch-memory 8388608", "wait"]);
        bed.create()?;
        bed.start()?;
        bed.says("ready")?;
        let mut throttling = Value::Null;
        let some = |name: &str, throttling: &Value| throttling[name].as_u64().is_some_and(|count| count > 0);
        wait_for(PATIENCE, || {
            throttling = figures(bed).ok()?["cpu"]["throttling"].take();
            some("throttledTime", &throttling).then_some(())
        });
        for name in ["periods", "throttledPeriods", "throttledTime"] {
            holds(&format!("{name} in {throttling}"), some(name, &throttling))?;
        }
        Ok(())
    }),
    case("huge_pages_by_their_size", "runc#events: hugetlb, by the size of the page", |bed| {
        bed.up()?;
        bed.limit(
            "hugetlb",
            if bed.host.is_v2() { "hugetlb.2MB.max" } else { "hugetlb.2MB.limit_in_bytes" },
        )?;
        equal("2MB", &figures(bed)?["hugetlb"]["2MB"]["failcnt"], 0)
    }),
    case("pressure", "runc#events: cpu.psi, memory.psi and blkio.psi where the kernel tells", |bed| {
        bed.up()?;
        bed.limit("", "memory.pressure")?;
        let data = figures(bed)?;
        ["cpu", "memory", "blkio"].iter().try_for_each(|what| is_pressure(what, &data[what]["psi"]))
    })
    .since("1.2.0")
    .of_v2(),
    case("of_what_is_paused", "runc#events: of a paused container, too", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        let count = figures(bed)?["pids"]["current"].take();
        bed.must(&["resume", &id])?;
        equal("processes", count, 1)
    }),
    case("of_what_has_stopped", "runc#events: what does not run is an error", |bed| {
        bed.up()?;
        bed.stop()?;
        let id = bed.id.clone();
        bed.must_not(&["events", "--stats", &id]).map(drop)
    }),
];
