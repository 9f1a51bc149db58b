//! What holds of every scenario, and of every text.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use std::collections::BTreeSet;

use catamaran_scenario::arbitrary::{computing_toml, scenario_toml};
use catamaran_scenario::edit::{get, set};
use catamaran_scenario::plan::{Phase, Workload};
use catamaran_scenario::{Bytes, Calibration, MilliCpu, Nanos, Plan, explain};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn plan(text: &str) -> Plan {
    Plan::from_toml(text, "any.toml").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The same scenario written another way: keys sorted, tables under headers, other quotes and spaces, comments.
fn reformatted(text: &str) -> String {
    let table: toml::Table = text.parse().expect("TOML");
    let other = toml::to_string_pretty(&table).expect("TOML");
    other.lines().map(|line| format!("{line} # a comment\n\n")).collect()
}

/// Pieces that scenarios are made of, put together in any way.
fn almost_scenario() -> impl Strategy<Value = String> {
    let pieces = vec![
        "[[tenant]]",
        "[host]",
        "\n",
        " = ",
        "{ ",
        " }",
        "[",
        "]",
        ", ",
        ".",
        "\"",
        "'''",
        "#",
        "name",
        "workload",
        "kind",
        "\"server\"",
        "phases",
        "cpu",
        "limit",
        "\"1\"",
        "\"20s\"",
        "20",
        "-1",
        "1e400",
        "nan",
        "0xffffffffffffffffff",
        "true",
        "2020-01-01",
        "잘",
        "\u{0}",
        "\r",
        "set",
        "\"0-4294967295\"",
        "platforms",
        "event",
        "at",
        "do",
        "host.cores",
        "99999999999999999999",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

/// A valid scenario with one stretch cut out, doubled, or replaced by something else.
fn spoiled_scenario() -> impl Strategy<Value = String> {
    (scenario_toml(), any::<prop::sample::Index>(), 0..40usize, "\\PC{0,6}").prop_map(
        |(text, at, length, other)| {
            let chars: Vec<char> = text.chars().collect();
            let start = at.index(chars.len());
            let end = (start + length).min(chars.len());
            chars[..start].iter().copied().chain(other.chars()).chain(chars[end..].iter().copied()).collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = Plan::from_toml(&text, "any").map_err(|error| error.to_string());
        let _ = Calibration::from_toml(&text, "any").map_err(|error| error.to_string());
        let _ = explain(&text).map(|explained| explained.to_string()).map_err(|error| error.to_string());
    }

    #[test]
    fn almost_scenarios_never_panic(text in almost_scenario()) {
        let _ = Plan::from_toml(&text, "any").map_err(|error| error.to_string());
        let _ = set(&text, "tenant[0].workload.phases[0].for", &text).map_err(|error| error.to_string());
    }

    #[test]
    fn a_refusal_is_located(text in spoiled_scenario()) {
        if let Err(error) = Plan::from_toml(&text, "any") {
            let location = error.location.as_ref().expect("a place");
            let lines = text.split('\n').count();
            prop_assert!(location.line <= lines, "{error}");
            let line = text.split('\n').nth(location.line - 1).unwrap_or_default();
            prop_assert!(location.column <= line.chars().count() + 1, "{error}");
            prop_assert!(error.to_string().lines().count() == 4, "{error}");
        }
    }

    #[test]
    fn arbitrary_paths_and_values_never_panic(text in computing_toml(), path in "[a-z0-9.\\[\\]]{0,30}|tenant\\.t0\\.[a-z.]{0,20}", value in "\\PC{0,20}") {
        let _ = get(&text, &path).map_err(|error| error.to_string());
        let _ = set(&text, &path, &value).map_err(|error| error.to_string());
    }

    #[test]
    fn digest_is_stable_under_reformatting(text in scenario_toml()) {
        let other = reformatted(&text);
        prop_assert_eq!(plan(&text).digest(), plan(&other).digest(), "{}\n{}", text, other);
    }

    #[test]
    fn set_then_get(
        text in scenario_toml(),
        seed in 0..1u64 << 53,
        milli in 10..4000u64,
        us in 1..1_000_000u64,
    ) {
        let (limit, start_at) = (MilliCpu(milli).to_string(), Nanos(us * 1000).to_string());
        for (path, value) in [
            ("seed", seed.to_string()),
            ("tenant.t0.cpu.limit", limit),
            ("tenant[0].start_at", start_at),
            ("host.memory", Bytes(seed >> 10 | 1 << 20).to_string()),
            ("platform.vm.autogroup", "true".into()),
            ("name", "another-name".into()),
        ] {
            let changed = set(&text, path, &value).unwrap_or_else(|error| panic!("{error}"));
            prop_assert_eq!(get(&changed, path).expect("there"), Some(value.clone()), "{}", changed);
            let back = set(&changed, path, &value).expect("again");
            prop_assert_eq!(back, changed, "set twice is set once");
        }
    }

    #[test]
    fn quantities_are_read_as_written(number in any::<u64>()) {
        prop_assert_eq!(Nanos(number).to_string().parse(), Ok(Nanos(number)));
        prop_assert_eq!(Bytes(number).to_string().parse(), Ok(Bytes(number)));
        prop_assert_eq!(MilliCpu(number / 1000).to_string().parse(), Ok(MilliCpu(number / 1000)));
    }

    #[test]
    fn computing_scenarios_are_small(text in computing_toml()) {
        let plan = plan(&text);
        let requests: usize = plan
            .instances()
            .flat_map(|(tenant, replica)| (0..3).map(move |phase| (tenant, replica, phase)))
            .filter_map(|(tenant, replica, phase)| catamaran_scenario::draw::Requests::new(&plan, tenant, replica, phase))
            .map(Iterator::count)
            .sum();
        prop_assert!(requests < 200_000, "{requests} in {text}");
    }
}

/// The generator meets every kind of workload, every action and every platform; else the properties above would prove little.
#[test]
fn the_generator_covers_the_format() {
    fn kinds(workload: &Workload, met: &mut BTreeSet<String>) {
        match workload {
            Workload::Phases(phases) => phases.iter().for_each(|Phase { workload, .. }| kinds(workload, met)),
            workload => drop(met.insert(
                format!("{workload:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned(),
            )),
        }
    }
    let (mut runner, strategy) = (TestRunner::deterministic(), scenario_toml());
    let (mut met, mut actions, mut platforms) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..400 {
        let plan = plan(&strategy.new_tree(&mut runner).expect("a scenario").current());
        plan.tenants().iter().for_each(|tenant| kinds(&tenant.workload, &mut met));
        actions.extend(
            plan.events().iter().map(|event| std::mem::discriminant(&event.action)).map(|d| format!("{d:?}")),
        );
        platforms.extend(plan.platforms().iter().copied());
    }
    assert_eq!(met.len(), 8, "{met:?}");
    assert_eq!(actions.len(), 8, "{actions:?}");
    assert_eq!(platforms.len(), catamaran_scenario::Platform::ALL.len());
}
