//! "Why?" of operations on files: what waits for the disk, and what for a copy.

use catamaran_scenario::{Lang, Plan};

use super::report;
use crate::report::BackendKind;
use crate::timeline::{Request, Slice, Timeline, Wait, WaitFor};
use crate::why::{Advice, Change, Facts, Question, answer};
use crate::words;

const MS: u64 = 1_000_000;

fn plan(workload: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"w\"\nduration = \"9s\"\nplatforms = [\"container\"]\n\
         [[image]]\nname = \"shop\"\nlayers = [{{ id = \"a\", size = \"1MiB\" }}, {{ id = \"b\", size = \"9MiB\" }}]\n\
         [[tenant]]\nname = \"web\"\nimage = \"shop\"\nworkload = {{ {workload} }}\n"
    );
    Plan::from_toml(&text, "why.toml").unwrap()
}

/// An operation of 100 ms: from 10 to 80 ms its thread waits, and it runs in the middle of that and after it.
fn timeline(what: WaitFor) -> Timeline {
    let slice = |from_ms: u64, to_ms: u64| Slice {
        core: 0,
        tenant: 0,
        thread: 0,
        start_ns: from_ms * MS,
        end_ns: to_ms * MS,
    };
    let request = Request {
        tenant: 0,
        index: 0,
        arrival_ns: 0,
        started_ns: Some(0),
        completed_ns: Some(100 * MS),
        failed_ns: None,
        thread: Some(0),
    };
    let wait = |thread| Wait { tenant: 0, thread, what, start_ns: 10 * MS, end_ns: 80 * MS };
    Timeline {
        cores: 1,
        slices: vec![slice(0, 10), slice(30, 40), slice(80, 95)],
        // What other threads wait for is none of it.
        waits: vec![wait(0), Wait { end_ns: 100 * MS, ..wait(1) }],
        requests: vec![request],
        ..Timeline::default()
    }
}

#[test]
fn an_operation_waits_for_the_disk_or_for_a_copy() {
    let disk = "kind = \"disk\", op = \"write\", size = \"64KiB\"";
    let own = format!("{disk}, layer = \"b\"");
    let phases = format!("phases = [{{ {disk}, block = \"64KiB\", layer = \"b\" }}]");
    let lower = |path: &str| Some(Advice { path: path.into(), change: Change::Lower });
    let flush =
        Some(Advice { path: "tenant.web.workload.fsync".into(), change: Change::Set("false".into()) });
    let [device, not_cached, copy] = [WaitFor::Device, WaitFor::NotCached, WaitFor::CopyUp];
    let table = [
        (&*own, copy, lower("image[0].layers[1].size"), "70 ms for the whole file to be copied up", "70 ms"),
        (&*own, device, None, "60 ms waiting for the disk, 35 ms running", "디스크를 기다린 시간 60 ms"),
        (
            &format!("{own}, depth = 4"),
            device,
            lower("tenant.web.workload.depth"),
            "60 ms waiting for the disk",
            "60 ms",
        ),
        (&format!("{disk}, fsync = true"), device, flush, "5 ms waiting for a core", "5 ms"),
        (
            &phases,
            not_cached,
            lower("tenant.web.workload.phases[0].block"),
            "60 ms waiting for the disk to read what nobody had in the page cache",
            "페이지 캐시에 없는 것을 디스크에서 읽을 때까지 기다린 시간 60 ms",
        ),
    ];
    for (workload, what, advice, english, korean) in table {
        let plan = plan(workload);
        let report = report(BackendKind::Simulated, &[("web", 0)]);
        let late = Question::Late { tenant: 0, request: 0 };
        let answer = answer(&plan, &report, &timeline(what), late).unwrap();
        assert_eq!(answer.advice, advice, "{workload}");
        let told = |lang| words::why(lang, &answer).join(" ");
        assert!(told(Lang::En).contains(english), "{}", told(Lang::En));
        assert!(told(Lang::Ko).contains(korean), "{}", told(Lang::Ko));
        let Facts::Late(found) = &answer.facts else { panic!("{answer:?}") };
        let parts = found.parts;
        let sum = parts.disk_ns + parts.not_cached_ns + parts.copied_ns + parts.ran_ns + parts.waited_ns;
        assert_eq!(sum, 100 * MS, "{parts:?}");
    }
}
