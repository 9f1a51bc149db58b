//! Signals.

use crate::check::{equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "kill", cases: CASES };

const CASES: &[Case] = &[
    case("a_signal_by_its_name", "runtime.md#kill: must send the signal to the container process", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["kill", &id, "SIGUSR1"])?;
        bed.says("signal 10")
    }),
    case("a_signal_without_its_prefix", "runc#kill: SIG may be left out", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["kill", &id, "USR1"])?;
        bed.says("signal 10")
    }),
    case("a_signal_by_its_number", "runc#kill: a signal may be a number", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["kill", &id, "10"])?;
        bed.says("signal 10")
    }),
    case("term_where_no_signal_is_named", "runc#kill: without a signal it is SIGTERM", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["kill", &id])?;
        bed.says("signal 15")?;
        bed.becomes("stopped")
    }),
    case("kill_ends_the_program", "runtime.md#kill: SIGKILL is sent as any other", |bed| {
        bed.up()?;
        bed.stop()
    }),
    case("a_created_container_may_be_killed", "runtime.md#kill: created or running", |bed| {
        bed.create()?;
        let id = bed.id.clone();
        bed.must(&["kill", &id, "KILL"])?;
        bed.becomes("stopped")
    }),
    case(
        "a_stopped_container_is_not_killed",
        "runtime.md#kill: neither created nor running is an error",
        |bed| {
            bed.up()?;
            bed.stop()?;
            let id = bed.id.clone();
            bed.must_not(&["kill", &id, "KILL"])?;
            equal("status", bed.state()?["status"].take(), "stopped")
        },
    ),
    case(
        "who_is_not_there_is_not_killed",
        "runtime.md#kill: without an id of a container it is an error",
        |bed| bed.must_not(&["kill", "nobody", "KILL"]).map(drop),
    ),
    case("no_such_signal", "runtime.md#kill: an error has no effect", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        for signal in ["SIGNOTHING", "999", "-1"] {
            bed.must_not(&["kill", &id, signal])?;
        }
        equal("status", bed.state()?["status"].take(), "running")
    }),
    case(
        "all_processes_where_none_ends_with_the_first",
        "runc#kill: --all reaches every process of the container",
        |bed| {
            bed.without_namespace("pid");
            bed.deeds(&["leave 2", "wait"]);
            bed.create()?;
            bed.start()?;
            bed.says("ready")?;
            let pid = bed.pid()?;
            let file = bed.host.group(pid, "pids")?.join("cgroup.procs");
            let count = || std::fs::read_to_string(&file).unwrap_or_default().lines().count();
            equal("processes", count(), 3)?;
            let id = bed.id.clone();
            bed.must(&["kill", "--all", &id, "KILL"])?;
            bed.becomes("stopped")?;
            let gone = crate::call::wait_for(crate::bed::PATIENCE, || (count() == 0).then_some(()));
            holds("all are gone", gone.is_some())
        },
    ),
];
