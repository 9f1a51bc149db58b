use catamaran_scenario::{Lang, Plan};

use super::report;
use crate::Timeline;
use crate::report::{BackendKind, EventRow, Report, Samples, Series, StageRow, TenantState};
use crate::timeline::{GuestSlice, Period, Request, Slice, Throttle};
use crate::why::{Advice, Answer, Change, Facts, Question, answer, measure, questions};
use crate::words;

const MS: u64 = 1_000_000;

fn plan() -> Plan {
    let text = "schema = \"catamaran/scenario/v1\"\nname = \"w\"\nseed = 1\nduration = \"20s\"\nplatforms = [\"cgroups\"]\n\
                host = { cores = 1, memory = \"256MiB\" }\n\
                [[tenant]]\nname = \"web\"\ncpu = { limit = \"400m\" }\n\
                workload = { kind = \"server\", arrivals = { process = \"poisson\", rate = \"9/s\" }, service = { cpu = \"9ms\", distribution = \"constant\" } }\n\
                [[tenant]]\nname = \"batch\"\nworkload = { kind = \"compute\", threads = 2, work = \"1h\" }\n";
    Plan::from_toml(text, "why.rs").unwrap()
}

fn slice(tenant: u32, from_ms: u64, to_ms: u64) -> Slice {
    Slice { core: 0, tenant, thread: 0, start_ns: from_ms * MS, end_ns: to_ms * MS }
}

fn request(index: u32, arrival_ms: u64, started_ms: u64, completed_ms: u64) -> Request {
    Request {
        tenant: 0,
        index,
        arrival_ns: arrival_ms * MS,
        started_ns: Some(started_ms * MS),
        completed_ns: Some(completed_ms * MS),
        failed_ns: None,
        thread: Some(0),
    }
}

/// A request behind another one, stopped twice, and once without a core.
fn timeline() -> Timeline {
    let stop = |from_ms: u64, to_ms: u64| Throttle { tenant: 0, start_ns: from_ms * MS, end_ns: to_ms * MS };
    Timeline {
        cores: 1,
        slices: vec![slice(0, 90, 110), slice(1, 160, 180), slice(0, 180, 200), slice(0, 280, 300)],
        throttles: vec![stop(110, 160), stop(200, 280)],
        periods: vec![
            Period { tenant: 0, start_ns: 60 * MS, quota_ns: 40 * MS, used_ns: 40 * MS, throttled: true },
            Period { tenant: 0, start_ns: 160 * MS, quota_ns: 40 * MS, used_ns: 20 * MS, throttled: true },
        ],
        requests: vec![request(2, 90, 90, 110), request(3, 100, 180, 300)],
        ..Timeline::default()
    }
}

fn two() -> Report {
    let mut report = report(BackendKind::Simulated, &[("web", 0), ("batch", 0)]);
    for row in &mut report.tenants {
        row.state = TenantState::Running;
    }
    report
}

fn asked(report: &Report, timeline: &Timeline, question: Question) -> Answer {
    answer(&plan(), report, timeline, question).expect("an answer")
}

fn advice(path: &str, change: Change) -> Option<Advice> {
    Some(Advice { path: path.into(), change })
}

#[test]
fn a_latency_is_taken_apart() {
    let late = Question::Late { tenant: 0, request: 3 };
    let (report, timeline) = (two(), timeline());
    assert_eq!(questions(&report, &timeline), [late]);
    let answer = asked(&report, &timeline, late);
    assert_eq!(
        words::why(Lang::En, &answer).join(" "),
        "Request 3 of web arrived at 0.1 s and was answered after 200 ms. One request was before it, so that a thread took it up \
         only after 80 ms. Its time: 130 ms stopped by the quota (2 times), 40 ms running, 20 ms waiting for a core, 10 ms behind \
         others that were served. While it waited for a core, batch ran most, 20 ms in all. To \
         change it, raise tenant.web.cpu.limit."
    );
    assert_eq!(
        words::why(Lang::Ko, &answer).join(" "),
        "web의 3번 요청은 0.1초에 도착해서 200 ms 뒤에 응답을 받았어요. 앞선 요청이 1건 있어서 80 ms 뒤에야 스레드가 처리를 \
         시작했어요. 걸린 시간을 나누면 할당량 때문에 멈춘 시간(2번) 130 ms, 실행한 시간 40 ms, 코어를 기다린 시간 20 ms, 앞선 \
         요청을 처리한 시간 10 ms예요. 코어를 기다리는 동안 batch가 코어를 가장 많이 썼어요(모두 20 ms). 바꾸려면 \
         tenant.web.cpu.limit을 올려 보세요."
    );
}

#[test]
fn the_longest_part_names_the_setting() {
    let late = Question::Late { tenant: 0, request: 0 };
    let whole = |slices: Vec<Slice>, guests: Vec<GuestSlice>| Timeline {
        cores: 1,
        slices,
        guests,
        requests: vec![request(0, 0, 10, 100)],
        ..Timeline::default()
    };
    let guest = |thread: Option<u32>, from_ms: u64, to_ms: u64| GuestSlice {
        tenant: 0,
        vcpu: 0,
        thread,
        start_ns: from_ms * MS,
        end_ns: to_ms * MS,
    };
    let lower = |path: &str| advice(path, Change::Lower);
    let table = [
        (whole(vec![slice(0, 10, 100)], vec![]), lower("tenant.web.workload.service.cpu")),
        (whole(vec![slice(1, 10, 90), slice(0, 90, 100)], vec![]), lower("tenant.batch.cpu.limit")),
        // Nobody else ran: only another core would help.
        (whole(vec![slice(0, 90, 100)], vec![]), advice("host.cores", Change::Raise)),
        (
            whole(
                vec![slice(0, 80, 100), slice(1, 10, 80)],
                vec![guest(None, 10, 80), guest(Some(0), 80, 100)],
            ),
            lower("tenant.batch.cpu.limit"),
        ),
    ];
    for (timeline, expected) in table {
        let answer = asked(&two(), &timeline, late);
        assert_eq!(answer.advice, expected);
        let Facts::Late(found) = &answer.facts else { panic!("{answer:?}") };
        let parts = found.parts;
        let sum = parts.behind_ns + parts.throttled_ns + parts.stolen_ns + parts.waited_ns + parts.ran_ns;
        assert_eq!(sum, 100 * MS);
    }
    // Without limits there are only the neighbour's threads to take away.
    let mut without = two();
    without.platform = catamaran_scenario::Platform::BareMetal;
    let beside = whole(vec![slice(1, 10, 90), slice(0, 90, 100)], vec![]);
    assert_eq!(asked(&without, &beside, late).advice, lower("tenant.batch.workload.threads"));
}

fn event(at_s: f64, actor: &str, what: &str, target: &str, because: Option<u32>) -> EventRow {
    EventRow { at_s, actor: actor.into(), what: what.into(), target: target.into(), because }
}

#[test]
fn a_kill_says_whose_bound_was_full_and_who_held_how_much() {
    let killed = Question::Killed { tenant: 0 };
    let mut report = two();
    report.tenants[0].state = TenantState::OomKilled;
    report.tenants[0].finished_s = Some(0.25);
    let series = |tenant: &str, values: [f64; 3]| Series {
        tenant: tenant.into(),
        metric: "memory".into(),
        values: values.map(|mib| mib * 1_048_576.0).to_vec(),
    };
    report.samples = Some(Samples {
        interval_s: 0.1,
        series: vec![series("batch", [90.0, 100.0, 250.0]), series("web", [130.0, 140.0, 0.0])],
    });
    let table = [
        (
            event(0.24, "batch", "out-of-memory", "host", None),
            advice("tenant.batch.memory.limit", Change::Lower),
            "web was killed at 0.25 s: the memory of host was full when batch asked for more. Held just before: web 140 MiB, batch \
             100 MiB. The kernel kills whoever holds most, oom_score_adj added. To change it, set tenant.batch.memory.limit lower.",
        ),
        (
            event(0.24, "web", "out-of-memory", "host", None),
            advice("host.memory", Change::Raise),
            "web was killed at 0.25 s: the memory of host was full when web asked for more. Held just before: web 140 MiB, batch \
             100 MiB. The kernel kills whoever holds most, oom_score_adj added. To change it, raise host.memory.",
        ),
        (
            event(0.24, "web", "out-of-memory", "web", None),
            advice("tenant.web.memory.limit", Change::Raise),
            "web was killed at 0.25 s: it had reached its own memory limit and asked for more. To change it, raise \
             tenant.web.memory.limit.",
        ),
    ];
    for (cause, expected, english) in table {
        report.events = vec![cause, event(0.25, "kernel", "oom-kill", "web", Some(0))];
        let answer = asked(&report, &Timeline::default(), killed);
        assert_eq!(answer.advice, expected);
        assert_eq!(words::why(Lang::En, &answer).join(" "), english);
        assert!(words::why(Lang::Ko, &answer).iter().all(|sentence| sentence.ends_with("요.")));
    }
    report.tenants[0].state = TenantState::Failed;
    report.events =
        vec![event(0.25, "scenario", "kill", "web", None), event(0.25, "kernel", "killed", "web", Some(0))];
    let answer = asked(&report, &Timeline::default(), killed);
    assert_eq!(answer.advice, advice("tenant.web.restart", Change::Set("on-failure".into())));
    assert_eq!(measure(&plan(), &report, killed), Some(19.75));
}

#[test]
fn starts_stops_and_waiting_have_their_figures() {
    let mut report = two();
    let web = &mut report.tenants[0];
    web.startup_s = Some(0.011);
    let stage = |name: &str, start_s: f64, end_s: f64| StageRow::measured(name, "runtime", start_s, end_s);
    web.startup_stages = vec![stage("clone", 0.0, 0.001), stage("join", 0.001, 0.011)];
    (web.throttled_s, web.throttled_periods) = (Some(0.13), Some(2));
    (web.waited_s, web.cpu_s) = (Some(0.5), Some(0.06));
    report.tenants[1].cpu_s = Some(0.9);
    let table = [
        (
            Question::Slow { tenant: 0 },
            "web took 11 ms to start, in 2 stages; the longest: join (runtime) 10 ms, clone (runtime) 1 ms. To change it, set \
             platforms to bare-metal.",
            "web이 시작하는 데 11 ms 걸렸어요.",
        ),
        (
            Question::Throttled { tenant: 0 },
            "web used up its quota in 2 of 2 periods and was stopped for 130 ms, summed over cores. Its quota is 40 ms of CPU time \
             in each period; the longest stop lasted 80 ms. To change it, raise tenant.web.cpu.limit.",
            "web은 주기 2개 가운데 2개에서",
        ),
        (
            Question::Waited { tenant: 0 },
            "The threads of web waited 500 ms for a core, in sum, and had one for 60 ms. Beside it batch had most CPU time, 900 ms. \
             Its quota stopped it for 130 ms meanwhile. To change it, set tenant.batch.cpu.limit lower.",
            "web의 스레드는 모두 더해 500 ms 동안",
        ),
    ];
    for (question, english, korean) in table {
        assert!(questions(&report, &timeline()).contains(&question), "{question:?}");
        let answer = asked(&report, &timeline(), question);
        assert_eq!(words::why(Lang::En, &answer).join(" "), english);
        let told = words::why(Lang::Ko, &answer).join(" ");
        assert!(told.starts_with(korean), "{told}");
    }
}

/// A till that asks a shop over a link, each on a core that a batch job has too.
fn talk() -> (Plan, Report, Timeline) {
    let text = "schema = \"catamaran/scenario/v1\"\nname = \"w\"\nseed = 1\nduration = \"20s\"\nplatforms = [\"cgroups\"]\n\
                host = { cores = 1, memory = \"256MiB\", network = { latency = \"10ms\" } }\n\
                [[tenant]]\nname = \"till\"\nworkload = { kind = \"network\", to = \"shop\", requests = 9, size = \"1KiB\" }\n\
                [[tenant]]\nname = \"batch\"\nworkload = { kind = \"compute\", work = \"1h\" }\n\
                [[tenant]]\nname = \"shop\"\ncpu = { limit = \"400m\" }\nworkload = { kind = \"idle\" }\n";
    let mut report = report(BackendKind::Simulated, &[("till", 0), ("batch", 0), ("shop", 0)]);
    for row in &mut report.tenants {
        row.state = TenantState::Running;
    }
    let answering = |from_ms, to_ms| Slice { thread: 1, ..slice(2, from_ms, to_ms) };
    let timeline = Timeline {
        cores: 1,
        slices: vec![
            slice(0, 100, 105),
            slice(1, 105, 135),
            answering(135, 140),
            answering(190, 195),
            slice(0, 209, 210),
        ],
        throttles: vec![Throttle { tenant: 2, start_ns: 140 * MS, end_ns: 190 * MS }],
        requests: vec![request(7, 100, 100, 210)],
        ..Timeline::default()
    };
    (Plan::from_toml(text, "why.rs").unwrap(), report, timeline)
}

#[test]
fn a_request_over_the_network_is_taken_apart() {
    let (plan, report, timeline) = talk();
    let late = Question::Late { tenant: 0, request: 7 };
    assert_eq!(questions(&report, &timeline), [late]);
    let found = answer(&plan, &report, &timeline, late).expect("an answer");
    assert_eq!(found.advice, advice("tenant.shop.cpu.limit", Change::Raise));
    assert_eq!(
        words::why(Lang::En, &found).join(" "),
        "Request 7 of till was sent at 0.1 s; shop answered it. The answer was there after 110 ms. Its time: 50 ms with shop \
         stopped by its quota, 24 ms on the way, 20 ms with shop waiting for a core, 10 ms with shop running for its clients, \
         6 ms running. While it waited for a core, batch ran most, 20 ms in all. To change it, raise tenant.shop.cpu.limit."
    );
    assert_eq!(
        words::why(Lang::Ko, &found).join(" "),
        "till의 7번 요청은 0.1초에 나갔고 shop이 응답했어요. 응답은 110 ms 뒤에 돌아왔어요. 걸린 시간을 나누면 shop이 할당량 \
         때문에 멈춘 시간 50 ms, 오가는 길에 있던 시간 24 ms, shop이 코어를 기다린 시간 20 ms, shop이 클라이언트를 위해 실행한 \
         시간 10 ms, 실행한 시간 6 ms예요. 코어를 기다리는 동안 batch가 코어를 가장 많이 썼어요(모두 20 ms). 바꾸려면 \
         tenant.shop.cpu.limit을 올려 보세요."
    );
}

#[test]
fn who_loses_its_peer_is_told_so() {
    let (plan, mut report, timeline) = talk();
    let event = |at_s: f64, what: &str, target: &str, because: Option<u32>| EventRow {
        at_s,
        actor: "kernel".into(),
        what: what.into(),
        target: target.into(),
        because,
    };
    report.tenants[0].state = TenantState::Failed;
    report.events = vec![
        event(4.0, "kill", "shop", None),
        event(4.0, "killed", "shop", Some(0)),
        event(4.0, "reset", "till", Some(1)),
    ];
    let found = answer(&plan, &report, &timeline, Question::Killed { tenant: 0 }).expect("an answer");
    assert_eq!(
        words::why(Lang::En, &found).join(" "),
        "till failed at 4 s: shop, which it talked to, was gone (killed). To change it, set tenant.till.restart to on-failure."
    );
    report.events = vec![event(1.0, "refused", "till", None)];
    let found = answer(&plan, &report, &timeline, Question::Killed { tenant: 0 }).expect("an answer");
    assert_eq!(
        words::why(Lang::Ko, &found)[0],
        "till은 1초에 실패했어요. 연결하려던 곳에서 기다리는 쪽이 없었어요."
    );
}
