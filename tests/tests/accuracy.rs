//! The corpus of `cargo xtask accuracy`: every scenario is valid and answered, and the naive predictions are wrong enough there
//! for skill to mean something. What the machine says is that command's to find out.

#![expect(clippy::expect_used, clippy::panic, reason = "tests say what they expect by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use catamaran_report::compare::{Group, Naive, Pair, compare};
use catamaran_report::report::BackendKind;
use catamaran_report::{Metric, Report};
use catamaran_scenario::calibration::{Accel, StartupStage, VmCosts};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, naive, simulate};
use sha2::{Digest, Sha256};

/// Platforms on which the model is held to account.
const HELD: [Platform; 4] =
    [Platform::BareMetal, Platform::Cgroups, Platform::Namespaces, Platform::Container];
/// Median error (ln) that the better naive prediction has to make, over the latencies that are judged.
const NAIVE_ERROR_LEAST: f64 = 0.1;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("accuracy")
}

/// The scenarios of `fit` or `judge`, by name.
fn part(part: &str) -> Vec<Plan> {
    let entries = std::fs::read_dir(folder().join(part)).expect("a part of the corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let parse = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let plan = Plan::from_toml(&text, &name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{}.toml", plan.name()), name, "a scenario is called as its file");
        assert!(text.starts_with("# Stresses: "), "{name} says at its top what it stresses");
        assert!(plan.title().ko.is_some(), "{name} has a title in both languages");
        plan
    };
    paths.into_iter().map(parse).collect()
}

/// The reference machine, with guests that are emulated at half its speed: the recorded one booted none.
fn machine() -> Calibration {
    let mut machine = Calibration::reference();
    let boot = StartupStage { name: "kernel".into(), actor: "guest".into(), median_ns: 2_000_000_000 };
    machine.startup.insert(Platform::Vm, vec![boot]);
    machine.vm = Some(VmCosts::of_speed(Accel::Tcg, 0.5));
    machine
}

fn answer(plan: &Plan, platform: Platform, machine: &Calibration) -> Report {
    match simulate(plan, platform, machine, &Options::default()) {
        Ok(outcome) => outcome.report,
        Err(refusal) => panic!("{} on {platform}: {refusal}", plan.name()),
    }
}

/// One line for each scenario and platform: `judge/name platform SHA-256 of the report`.
#[test]
fn the_corpus_is_valid_and_answered_as_before() {
    let machine = machine();
    let mut found = String::new();
    for name in ["fit", "judge"] {
        let plans = part(name);
        assert!(plans.len() >= 12, "{name} has {} scenarios", plans.len());
        for plan in plans {
            for &platform in plan.platforms() {
                let json = answer(&plan, platform, &machine).to_json();
                let digest = Sha256::digest(json.as_bytes());
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(found, "{name}/{} {platform} {hex}", plan.name()).expect("a String");
            }
        }
    }
    let file = folder().join("golden.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &found).expect("golden digests");
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    let changed: Vec<&str> =
        found.lines().filter(|line| !golden.lines().any(|golden| golden == *line)).collect();
    assert!(
        golden == found,
        "answers differ from {}; where that is meant, run `cargo xtask golden`:\n{}",
        file.display(),
        changed.join("\n")
    );
}

/// What the naive predictions would get wrong if the machine did exactly what the model says.
#[test]
fn the_naive_predictions_are_wrong_where_the_model_is_judged() {
    let machine = machine();
    // By platform: errors of "alone" and "fluid" in latencies.
    let mut errors: BTreeMap<Platform, Vec<(f64, f64)>> = BTreeMap::new();
    for plan in part("judge") {
        for &platform in plan.platforms().iter().filter(|platform| HELD.contains(platform)) {
            let simulated = answer(&plan, platform, &machine);
            let options = Options::default();
            let pair = Pair {
                native: Report { backend: BackendKind::Native, ..simulated.clone() },
                redrawn: Vec::new(),
                naive: Some(Naive {
                    alone: naive::alone(&plan, platform, &machine, &options).expect("as the model"),
                    fluid: naive::fluid(&plan, platform, &machine, &options).expect("as the model"),
                }),
                simulated,
            };
            for row in compare(platform, plan.duration().seconds(), &[pair]).rows {
                let naive = row.alone_error.zip(row.fluid_error);
                if let Some((alone, fluid)) = naive.filter(|_| row.group == Group::Judged) {
                    let name = plan.name();
                    println!(
                        "{platform} {name} {}.{}: alone {alone:.2}, fluid {fluid:.2}",
                        row.tenant, row.metric
                    );
                    if [Metric::LatencyP50, Metric::LatencyP95, Metric::LatencyP99]
                        .map(Metric::name)
                        .contains(&&*row.metric)
                    {
                        errors.entry(platform).or_default().push((alone, fluid));
                    }
                }
            }
        }
    }
    for platform in HELD {
        let errors = errors.get(&platform).map(Vec::as_slice).unwrap_or_default();
        let median = |side: fn(&(f64, f64)) -> f64| {
            catamaran_report::statistics::median(&errors.iter().map(side).collect::<Vec<_>>()).unwrap_or(0.0)
        };
        let (alone, fluid) = (median(|error| error.0), median(|error| error.1));
        println!("{platform}: {} latencies, median error alone {alone:.2}, fluid {fluid:.2}", errors.len());
        assert!(errors.len() >= 6, "{platform}: {} latencies are judged", errors.len());
        assert!(alone.min(fluid) >= NAIVE_ERROR_LEAST, "{platform}: alone {alone:.2}, fluid {fluid:.2}");
    }
}
