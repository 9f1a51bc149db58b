use catamaran_scenario::{Lang, Platform};

use super::compare::pair;
use crate::compare::{Group, Row, compare};
use crate::metric::Metric;
use crate::report::BackendKind;
use crate::words::{self, difference, figure, row, summary};

#[test]
fn figures() {
    let table = [
        (Metric::LatencyP99, 0.0413, "41.3 ms", "41.3 ms"),
        (Metric::LatencyP99, 0.000_002_5, "2.5 µs", "2.5 µs"),
        (Metric::LatencyP99, 3e-9, "3 ns", "3 ns"),
        (Metric::Cpu, 0.0, "0 s", "0초"),
        (Metric::Cpu, 12.345, "12.3 s", "12.3초"),
        (Metric::Cpu, 20.0, "20 s", "20초"),
        (Metric::Cpu, 1234.5, "1,234 s", "1,234초"),
        (Metric::Throughput, 49.8, "49.8/s", "초당 49.8건"),
        (Metric::Completed, 10_800.0, "10,800", "10,800건"),
        (Metric::ThrottledPeriods, 7.0, "7", "7개"),
        (Metric::Turns, 1.5e9, "1,500,000,000", "1,500,000,000회"),
        (Metric::MemoryPeak, 134_217_728.0, "128 MiB", "128 MiB"),
        (Metric::MemoryPeak, 1536.0, "1.5 KiB", "1.5 KiB"),
        (Metric::MemoryPeak, 12.0, "12 B", "12 B"),
    ];
    for (metric, value, english, korean) in table {
        assert_eq!(figure(Lang::En, metric, value), english);
        assert_eq!(figure(Lang::Ko, metric, value), korean);
    }
}

#[test]
fn differences() {
    let table = [
        (
            Metric::LatencyP99,
            (0.041, 0.043),
            "p99 of web: the model says 41 ms, the machine 43 ms (5 % more).",
            "web의 p99: 모델은 41 ms로 예측했고, 실제 머신에서는 43 ms였어요(5 % 더 길어요).",
        ),
        (
            Metric::LatencyP50,
            (0.004, 0.004),
            "p50 of web: the model and the machine both say 4 ms.",
            "web의 p50: 모델과 실제 머신이 모두 4 ms예요.",
        ),
        (
            Metric::Completed,
            (1000.0, 996.0),
            "completed requests of web: the model says 1,000, the machine 996 (0.4 % fewer).",
            "web의 완료된 요청: 모델은 1,000건으로 예측했고, 실제 머신에서는 996건이었어요(0.4 % 더 적어요).",
        ),
        (
            Metric::ThrottledPeriods,
            (0.0, 12.0),
            "throttled periods of web: the model says 0, the machine 12.",
            "web의 스로틀링된 주기: 모델은 0개로 예측했고, 실제 머신에서는 12개였어요.",
        ),
        (
            Metric::OomKills,
            (1.0, 3.0),
            "kills for memory of web: the model says 1, the machine 3 (3 times as many).",
            "web의 메모리 부족 종료: 모델은 1회로 예측했고, 실제 머신에서는 3회였어요(3배예요).",
        ),
        (
            Metric::Finished,
            (10.0, 9.0),
            "end of work of web: the model says 10 s, the machine 9 s (10 % earlier).",
            "web의 작업이 끝난 시각: 모델은 10초로 예측했고, 실제 머신에서는 9초였어요(10 % 더 빨라요).",
        ),
        (
            Metric::Throughput,
            (50.0, 20.0),
            "throughput of web: the model says 50/s, the machine 20/s (60 % less).",
            "web의 처리량: 모델은 초당 50건으로 예측했고, 실제 머신에서는 초당 20건이었어요(60 % 더 낮아요).",
        ),
    ];
    for (metric, (simulated, native), english, korean) in table {
        assert_eq!(difference(Lang::En, metric, "web", simulated, native), english);
        assert_eq!(difference(Lang::Ko, metric, "web", simulated, native), korean);
    }
}

#[test]
fn rows_say_what_their_noise_means() {
    let base = Row {
        tenant: "web".into(),
        replica: 2,
        metric: "waited_s".into(),
        group: Group::Judged,
        simulated: 2.0,
        native: 2.1,
        error: 0.05,
        noise: Some(0.08),
        excess: Some(0.0),
        undecidable: false,
        within: None,
        alone_error: None,
        fluid_error: None,
        pairs: 7,
    };
    let table = [
        (base.clone(), "(5 % more). That is no more than the machine differs from itself."),
        (
            Row { noise: Some(0.3), undecidable: true, ..base.clone() },
            "(5 % more). The machine itself scatters too much to tell.",
        ),
        (Row { noise: Some(0.01), excess: Some(0.04), ..base.clone() }, "(5 % more)."),
        (Row { noise: None, excess: None, ..base.clone() }, "(5 % more)."),
    ];
    for (input, end) in table {
        assert_eq!(
            row(Lang::En, &input).unwrap(),
            format!("waiting time of web/2: the model says 2 s, the machine 2.1 s {end}")
        );
    }
    assert_eq!(
        row(Lang::Ko, &base).unwrap(),
        "web/2의 실행 대기 시간: 모델은 2초로 예측했고, 실제 머신에서는 2.1초였어요(5 % 더 길어요). 실제 머신이 스스로 \
         흔들리는 폭 안의 차이예요."
    );
    assert_eq!(row(Lang::En, &Row { metric: "mood".into(), ..base }), None);
}

#[test]
fn summaries() {
    let pairs = vec![pair(|side, tenant| tenant.waited_s = Some([2.0, 2.2, 0.0, 9.0][side])); 7];
    let comparison = compare(Platform::Cgroups, 20.0, &pairs);
    assert_eq!(
        summary(Lang::En, &comparison),
        "On cgroups, beyond the machine's own scatter the model is off by 9 % in the middle one of 1 judged figures, by \
         at most 9 % in nine of ten, by 9 % in the worst. Skill 0.94 against the guess that all share the processor \
         evenly."
    );
    assert_eq!(
        summary(Lang::Ko, &comparison),
        "cgroups에서 실제 머신이 스스로 흔들리는 폭을 빼면, 모델의 오차는 판단한 값 1개 가운데 중앙값이 9 %, 열에 아홉은 \
         9 % 이하, 가장 큰 것은 9 %예요. 모두가 CPU를 고르게 나눠 쓴다는 단순한 추측에 견준 예측력은 0.94예요."
    );
    let one = compare(Platform::Cgroups, 20.0, &pairs[..1]);
    assert_eq!(
        summary(Lang::En, &one),
        "On cgroups nothing could be judged: one trial does not show the machine's own scatter."
    );
    let mut stolen = pairs;
    stolen[0].native.host.steal = Some(0.2);
    assert!(
        summary(Lang::En, &compare(Platform::Cgroups, 20.0, &stolen))
            .ends_with("Left out: 0 undecidable figures, 1 disturbed trials.")
    );
}

#[test]
fn what_is_seen_is_laid_side_by_side() {
    use crate::report::{IsolationRow, Sees};
    let rows = |all: &[(&str, Sees)]| -> Vec<IsolationRow> {
        let row = |(resource, sees): &(&str, Sees)| IsolationRow {
            resource: (*resource).to_owned(),
            observer: "red".to_owned(),
            sees: *sees,
        };
        all.iter().map(row).collect()
    };
    let (mut model, mut machine) = (
        super::report(BackendKind::Simulated, &[("red", 0)]),
        super::report(BackendKind::Native, &[("red", 0)]),
    );
    model.isolation = rows(&[("pid", Sees::Own), ("network", Sees::Host), ("time", Sees::Host)]);
    machine.isolation = rows(&[("network", Sees::Own), ("pid", Sees::Own)]);
    let seen = words::seen(&model, &machine);
    assert!(!words::nothing_is_hidden(&seen) && words::nothing_is_hidden(&seen[2..]));
    assert_eq!(
        seen.iter().map(|row| row.native).collect::<Vec<_>>(),
        [Some(Sees::Own), Some(Sees::Own), None]
    );
    assert_eq!(
        words::seen_summary(Lang::En, &seen),
        "The model and the machine agree in 1 of 2 rows of what is seen. red, network interfaces: the model says the \
         machine's, the machine its own only."
    );
    assert!(words::seen_summary(Lang::Ko, &seen).starts_with("보이는 것에 대한 2줄 가운데 1줄"));
    assert_eq!(model.value("tenant.red.sees.pid.own"), Some(1.0));
    assert_eq!(model.value("tenant.red.sees.network.own"), Some(0.0));
    for path in [
        "tenant.red.sees.mount.own",
        "tenant.red.sees.pid.mine",
        "tenant.red.sees.pid",
        "tenant.blue.sees.pid.own",
    ] {
        assert_eq!(model.value(path), None, "{path}");
    }
}
