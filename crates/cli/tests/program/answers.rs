//! Answers: JSON alone on standard output, tables for people, quiet pipes.

use std::io::Read;

use crate::common::{SMALL, catamaran, run, run_with};
use catamaran_report::Report;
use serde_json::Value;

#[test]
fn the_help_of_every_command_has_its_place() {
    let commands = [
        "sim",
        "sweep",
        "run",
        "compare",
        "advise",
        "density",
        "calibrate",
        "doctor",
        "probe",
        "lessons",
        "explain",
        "serve",
        "clean",
        "oci",
        "bench",
    ];
    let overview = run(&["--help"]);
    assert_eq!((overview.code, overview.stderr.as_str()), (0, ""));
    for command in commands {
        assert!(overview.stdout.contains(&format!("\n  {command} ")), "{command} in\n{}", overview.stdout);
        let help = run(&[command, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""), "{command}");
        assert!(help.stdout.contains(&format!("Usage: catamaran {command}")), "{}", help.stdout);
    }
    assert!(!overview.stdout.contains("\n  k8s-score"), "it is offered");
    let version = run(&["--version"]);
    assert_eq!(version.stdout, format!("catamaran {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn through_a_link_of_its_name_it_is_the_oci_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("catamaran-oci");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_catamaran"), &link).unwrap();
    let linked = std::process::Command::new(&link).arg("features").output().unwrap();
    assert!(linked.status.success());
    assert_eq!(String::from_utf8(linked.stdout).unwrap(), run(&["oci", "features"]).stdout);
}

#[test]
fn json_stands_alone_on_standard_output() {
    let outcome = run_with(&["sim", "-", "--json"], SMALL.as_bytes());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let reports = Report::many_from_json(&outcome.stdout).unwrap();
    let platforms = reports.iter().map(|report| report.platform.name()).collect::<Vec<_>>();
    assert_eq!(platforms, ["bare-metal", "cgroups"]);
    let doctor = run(&["doctor", "--json"]);
    assert_eq!(doctor.code, 0, "{}", doctor.stderr);
    assert!(serde_json::from_str::<Value>(&doctor.stdout).unwrap().is_array());
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let once = |args: &[&str]| run_with(args, SMALL.as_bytes()).stdout;
    let own = once(&["sim", "-", "--json"]);
    assert_eq!(own, once(&["sim", "-", "--json"]));
    assert_eq!(own, once(&["sim", "-", "--json", "--seed", "7"]));
    assert_ne!(own, once(&["sim", "-", "--json", "--seed", "8"]));
}

#[test]
fn seeds_begin_with_the_scenarios_own() {
    let json = run_with(&["sim", "-", "--json", "--seeds", "3", "--on", "cgroups"], SMALL.as_bytes()).stdout;
    let seeds = Report::many_from_json(&json).unwrap().iter().map(|report| report.seed).collect::<Vec<_>>();
    assert_eq!(seeds, [7, 8, 9]);
    let table = run_with(&["sim", "-", "--seeds", "3"], SMALL.as_bytes()).stdout;
    assert!(table.contains("means over 3 seeds from 7") && table.contains(" ±"), "{table}");
}

#[test]
fn platforms_asked_for_are_taken_once_in_their_order() {
    let json =
        run_with(&["sim", "-", "--json", "--on", "cgroups,bare-metal,cgroups"], SMALL.as_bytes()).stdout;
    let reports = Report::many_from_json(&json).unwrap();
    assert_eq!(
        reports.iter().map(|report| report.platform.name()).collect::<Vec<_>>(),
        ["cgroups", "bare-metal"]
    );
}

#[test]
fn tables_fit_the_width_and_say_what_is_unknown() {
    for columns in ["60", "80", "200"] {
        let output = catamaran(&["sim", "lesson:cgroups"]).env("COLUMNS", columns).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let width: usize = columns.parse().unwrap();
        let table = text.lines().filter(|line| line.starts_with("tenant") || line.starts_with("web"));
        for line in table {
            assert!(line.chars().count() <= width, "{columns}: {line}");
        }
        assert!(text.contains("–¹") && text.contains("\n¹ "), "{text}");
    }
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let colored = |args: &[&str]| run_with(args, SMALL.as_bytes()).stdout.contains('\x1b');
    assert!(!colored(&["sim", "-"]));
    assert!(colored(&["sim", "-", "--color", "always"]));
    assert!(!colored(&["sim", "-", "--color", "never"]));
    assert!(!colored(&["sim", "-", "--json", "--color", "always"]), "JSON is never coloured");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for args in [&["sim", "lesson:cgroups", "--json"][..], &["explain"], &["--help"], &["lessons"]] {
        let mut child = catamaran(args).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = catamaran(&["sim", "lesson:cgroups"]).stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("cannot write to standard output"), "{stderr}");
}

#[test]
fn two_saved_runs_lie_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json").to_str().unwrap().to_owned();
    std::fs::write(&path, run_with(&["sim", "-", "--json"], SMALL.as_bytes()).stdout).unwrap();
    let table = run(&["compare", &path, &path]);
    assert_eq!((table.code, table.stderr.as_str()), (0, ""));
    assert!(table.stdout.contains("first: simulated on bare-metal"), "{}", table.stdout);
    let json = run(&["compare", &path, &path, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap().as_array().unwrap().len(), 2);
}

#[test]
fn charts_are_written_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let table: [(&[&str], &[&str]); 2] =
        [(&["--on", "cgroups"], &["chart.svg"]), (&[], &["chart-bare-metal.svg", "chart-cgroups.svg"])];
    for (on, files) in table {
        let chart = path("chart.svg");
        let args = [&["sim", "-", "--plot", &chart], on].concat();
        let outcome = run_with(&args, SMALL.as_bytes());
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        for file in files {
            let svg = std::fs::read_to_string(path(file)).unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg:.200}");
        }
    }
}

#[test]
fn the_format_explains_itself() {
    let overview = run(&["explain"]);
    assert_eq!((overview.code, overview.stderr.as_str()), (0, ""));
    let field = run(&["explain", "tenant.cpu.limit"]);
    assert_eq!(field.code, 0, "{}", field.stderr);
    assert!(field.stdout.contains("tenant.cpu.limit"), "{}", field.stdout);
}

#[test]
fn lessons_speak_the_language_asked_for() {
    let read = |args: &[&str], locale: &[(&str, &str)]| {
        let output = catamaran(args).envs(locale.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let is_korean = |text: &str| text.contains("컨트롤 그룹") || text.contains("스톱워치");
    assert!(!is_korean(&read(&["lessons"], &[])));
    assert!(is_korean(&read(&["lessons"], &[("LANG", "ko_KR.UTF-8")])));
    assert!(is_korean(&read(&["lessons"], &[("LANG", "en_US.UTF-8"), ("LC_ALL", "ko_KR.UTF-8")])));
    assert!(!is_korean(&read(&["lessons"], &[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "C")])));
    assert!(!is_korean(&read(&["lessons", "--lang", "en"], &[("LANG", "ko_KR.UTF-8")])));
    let lesson = read(&["lessons", "cgroups", "--lang", "ko"], &[]);
    assert!(is_korean(&lesson), "{lesson}");
    assert!(lesson.contains("\u{a0}ms") && !lesson.contains("{{"), "its figures are filled in: {lesson}");
}

#[test]
fn why_is_answered_in_words_and_ends_in_a_setting() {
    let table = [
        ("en", "Request ", "To change it, set tenant.shop.workload.service.cpu lower."),
        ("ko", "번 요청은", "바꾸려면 tenant.shop.workload.service.cpu를 낮춰 보세요."),
    ];
    for (lang, story, advice) in table {
        let args = ["sim", "-", "--on", "cgroups", "--why", "--lang", lang];
        let outcome = run_with(&args, SMALL.as_bytes());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
        let text = outcome.stdout.replace('\n', " ");
        assert!(text.contains(story) && text.contains(advice), "{}", outcome.stdout);
    }
    let refused = run(&["sim", "lesson:cgroups", "--why", "--json"]);
    assert_eq!(refused.code, 1, "JSON stands alone");
}

#[test]
fn every_lesson_keeps_its_promises() {
    let outcome = run(&["lessons", "check"]);
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("✓ cgroups: the start fails the goal"), "{}", outcome.stdout);
}

#[test]
fn a_new_lesson_is_started_inside_the_repository_only() {
    let folder = tempfile::tempdir().unwrap();
    let outside = catamaran(&["lessons", "new", "scheduling"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(outside.status.code(), Some(1));
    std::fs::create_dir_all(folder.path().join("crates/lessons/src")).unwrap();
    std::fs::write(folder.path().join("crates/lessons/Cargo.toml"), "").unwrap();
    let start = || {
        let below = folder.path().join("crates/lessons/src");
        catamaran(&["lessons", "new", "scheduling"]).current_dir(below).output().unwrap()
    };
    assert_eq!(start().status.code(), Some(0));
    let manifest = folder.path().join("crates/lessons/scheduling/lesson.toml");
    assert!(manifest.is_file());
    std::fs::write(&manifest, "mine").unwrap();
    assert_eq!(start().status.code(), Some(1), "what is there is left alone");
    assert_eq!(std::fs::read_to_string(manifest).unwrap(), "mine");
}

#[test]
fn bench_answers_with_full_precision_and_what_it_took() {
    let fields = [
        (&["bench", "w1", "--hosts", "1", "--tasks", "10"][..], "makespan_s", 23.496_407_272),
        (&["bench", "w1-vm", "--hosts", "1", "--tasks", "10"], "mean_response_s", 1.675_635_922),
        (
            &["bench", "w1", "--hosts", "1", "--tasks", "10", "--weights", "3", "--cap", "1"],
            "rms_response_s",
            2.375_418_361,
        ),
        (&["bench", "w2", "--pending", "1000", "--events", "1000000"], "clock_s", 999.699_894_375),
        (&["bench", "mm1", "--customers", "100000"], "mean_sojourn_s", 9.587_902_367),
    ];
    for (args, field, expected) in fields {
        let outcome = run(&[args, &["--json"]].concat());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{args:?}");
        let answer: Value = serde_json::from_str(&outcome.stdout).expect("one JSON document");
        let value = answer[field].as_f64().expect(field);
        assert!((value - expected).abs() < 6e-10, "{args:?}: {value}");
        assert_ne!(value, expected, "full precision");
        assert_eq!(answer["workload"], args[1]);
        let times = ["makespan_s", "mean_response_s", "rms_response_s", "clock_s", "mean_sojourn_s"];
        let there = times.iter().filter(|time| answer.get(**time).is_some()).count();
        assert_eq!(
            there,
            if args[1].starts_with("w1") { 3 } else { 1 },
            "nothing without a meaning: {answer}"
        );
        assert!(answer["work_items"].as_u64() > Some(0), "{answer}");
        assert!(
            answer["cpu_s"].as_f64() > Some(0.0) && answer["peak_rss_bytes"].as_u64() > Some(1 << 20),
            "{answer}"
        );
        let people = run(args);
        assert_eq!((people.code, people.stderr.as_str()), (0, ""));
        assert!(people.stdout.contains(&format!("{expected:.9} s")), "{}", people.stdout);
    }
}

#[test]
fn stages_and_blast_radius_are_told_for_each_platform() {
    let outcome = run_with(&["sim", "-", "--on", "docker,vm", "--stages", "--blast"], SMALL.as_bytes());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let line = |start: &str| {
        let found = outcome.stdout.lines().find(|line| line.trim_start().starts_with(start));
        found.unwrap_or_else(|| panic!("{start}: {}", outcome.stdout)).to_owned()
    };
    assert!(line("shim").contains("containerd"), "{}", outcome.stdout);
    assert!(line("boot").contains("FC-BS-07"), "{}", outcome.stdout);
    assert!(line("docker ").contains("the machine"), "{}", outcome.stdout);
}
