//! Wrong input gets one clear error on standard error, nothing on standard output, and exit code 1.

use crate::common::{SMALL, run, run_with};

/// What standard error must say, beside its first line beginning with `error:`.
fn refused(args: &[&str], input: &[u8], says: &[&str]) {
    let outcome = run_with(args, input);
    let context = format!("{args:?}: code {}\n{}", outcome.code, outcome.stderr);
    assert_eq!(outcome.code, 1, "{context}");
    assert_eq!(outcome.stdout, "", "{context}");
    assert!(outcome.stderr.starts_with("error: "), "{context}");
    assert_eq!(outcome.stderr.matches("error: ").count(), 1, "one error: {context}");
    for text in says {
        assert!(outcome.stderr.contains(text), "no {text:?} in {context}");
    }
}

#[test]
fn wrong_usage() {
    let table: &[(&[&str], &[&str])] = &[
        (&["simm", "x.toml"], &["unrecognized subcommand 'simm'", "'sim'"]),
        (&["sim"], &["<FILE>"]),
        (&["sim", "x.toml", "--seedd", "1"], &["'--seedd'", "'--seed'"]),
        (&["sim", "-", "--seed", "x"], &["'x'", "--seed"]),
        (&["sim", "-", "--seed", "99999999999999999999999999"], &["--seed"]),
        (&["sim", "-", "--seed", "9007199254740992"], &["9007199254740992", "9007199254740991"]),
        (&["sim", "-", "--seed", "-1"], &["-1"]),
        (&["sim", "-", "--seeds", "1"], &["2..=1000"]),
        (&["sim", "-", "--seeds", "1001"], &["2..=1000"]),
        (&["sim", "-", "--seed", "1", "--seeds", "3"], &["cannot be used with"]),
        (&["sim", "-", "--on", "bare-metl"], &["'bare-metl'", "'bare-metal'"]),
        (&["sim", "-", "--on", ""], &["--on"]),
        (&["compare", "-", "--trials", "6"], &["7..=21"]),
        (&["compare", "a.json", "b.json", "--trials", "7"], &["cannot be used with"]),
        (&["compare", "a.json", "b.json", "c.json"], &["'c.json'"]),
        (&["run", "-", "--dry-run", "--json"], &["cannot be used with"]),
        (&["lessons", "x", "--lang", "fr"], &["'fr'", "en, ko"]),
        (&["probe"], &["--on <PLATFORM>"]),
        (&["probe", "--on", "jail"], &["'jail'"]),
        (&["--color", "maybe", "doctor"], &["'maybe'", "auto, always, never"]),
        (&["bench"], &["requires a subcommand", "w1-vm"]),
        (&["bench", "w9"], &["'w9'"]),
        (&["bench", "w1", "--hosts", "0"], &["--hosts", "1..=1000000"]),
        (&["bench", "w1", "--tasks", "x"], &["--tasks", "'x'"]),
        (&["bench", "w1", "--weights", "1,0"], &["'0'", "a weight is a number from 0.001 to 10000"]),
        (&["bench", "w1", "--weights", "1,,2"], &["--weights"]),
        (&["bench", "w1-vm", "--weights", "nan"], &["'nan'", "--weights"]),
        (&["bench", "w1", "--cap", "-1"], &["-1"]),
        (&["bench", "w1", "--cap", "inf"], &["'inf'", "a cap is a number of cores from 0.001 to 1024"]),
        (&["bench", "w1", "--pending", "5"], &["'--pending'"]),
        (&["bench", "w2", "--pending", "0"], &["1..=10000000"]),
        (&["bench", "w2", "--events", "1.5"], &["'1.5'"]),
        (&["bench", "mm1", "--customers", "0"], &["--customers"]),
        // Commands of later issues are not offered.
        (&["bench", "w3"], &["unrecognized subcommand 'w3'"]),
    ];
    for (args, says) in table {
        refused(args, b"", says);
    }
}

#[test]
fn no_command_is_answered_with_the_help() {
    let outcome = run(&[]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
    assert!(outcome.stderr.contains("Usage: catamaran"), "{}", outcome.stderr);
}

#[test]
fn files_that_are_no_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let missing = format!("{folder}/missing.toml");
    for command in ["sim", "run", "compare"] {
        refused(&[command, &missing], b"", &[&missing, "no such file", "lesson:ID"]);
        refused(&[command, folder], b"", &[folder, "a directory"]);
        refused(&[command, "-"], b"", &["standard input", "schema"]);
        refused(&[command, "-"], b"\xff\xfe\0binary", &["standard input", "byte 0 is not UTF-8"]);
        refused(&[command, "-"], b"= 1", &["standard input:1:1", "not TOML"]);
        refused(&[command, "-"], b"[{}]", &["standard input", "a scenario is TOML", "name both files"]);
        refused(&[command, "-"], &vec![b'#'; 2 << 20], &["standard input", "larger than 1 MiB"]);
        refused(&[command, "lesson:cgrups"], b"", &["lesson:cgrups", "did you mean `lesson:cgroups`?"]);
        refused(&[command, "lesson:"], b"", &["no such lesson"]);
        refused(&[command, ""], b"", &["no such file"]);
    }
    refused(&["sim", "/dev/zero"], b"", &["/dev/zero", "larger than 1 MiB"]);
}

#[test]
fn scenarios_that_are_not_valid() {
    let table = [
        ("duration = \"1s\"", "duration = \"1x\"", ["standard input:6:", "duration"]),
        ("cores = 1", "coers = 1", ["coers", "did you mean \"cores\"?"]),
        ("seed = 7", "seed = 9007199254740992", ["seed", "9007199254740991"]),
        ("\"bare-metal\"", "\"bare-metl\"", ["bare-metl", "did you mean \"bare-metal\"?"]),
        ("\"poisson\"", "\"poison\"", ["poison", "did you mean \"poisson\"?"]),
    ];
    for (before, after, says) in table {
        assert!(SMALL.contains(before), "{before}");
        refused(&["sim", "-"], SMALL.replace(before, after).as_bytes(), &says);
    }
}

#[test]
fn machines_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("empty.toml"), "").unwrap();
    for (host, says) in
        [(path("missing.toml"), "no such file"), (path(""), "a directory"), (path("empty.toml"), "schema")]
    {
        refused(&["sim", "-", "--host", &host], SMALL.as_bytes(), &[&host, says]);
    }
}

#[test]
fn charts_that_cannot_be_written_are_refused_before_the_work() {
    refused(
        &["sim", "-", "--on", "cgroups", "--plot", "/nowhere/chart.svg"],
        SMALL.as_bytes(),
        &["/nowhere/chart.svg"],
    );
    refused(&["sim", "-", "--plot", "/proc"], SMALL.as_bytes(), &["cannot write /proc", "directory"]);
    refused(&["calibrate", "-o", "/nowhere/host.toml"], b"", &["/nowhere/host.toml"]);
}

#[test]
fn saved_runs_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let json = run_with(&["sim", "-", "--json"], SMALL.as_bytes()).stdout;
    let other = run_with(&["sim", "-", "--json", "--seed", "8"], SMALL.as_bytes()).stdout;
    for (name, text) in [
        ("a.json", json.as_str()),
        ("other.json", &other),
        ("none.json", "[]"),
        ("text.json", "hello"),
        ("wrong.json", "[{\"schema\": \"catamaran/report/v0\"}]"),
        ("small.toml", SMALL),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    let table = [
        ("missing.json", "no such file"),
        ("none.json", "no report"),
        ("text.json", "report"),
        ("wrong.json", "catamaran/report/v0"),
        ("other.json", "different scenarios"),
        ("small.toml", "small.toml"),
    ];
    for (name, says) in table {
        refused(&["compare", &path("a.json"), &path(name)], b"", &[says]);
    }
    let scenario = path("small.toml");
    refused(&["compare", &scenario, "--native", &path("a.json")], b"", &["a simulated report"]);
    refused(&["compare", &scenario, "--native", &path("missing")], b"", &["no such file"]);
    let empty = tempfile::tempdir().unwrap();
    refused(
        &["compare", &scenario, "--native", empty.path().to_str().unwrap()],
        b"",
        &["no report (*.json)"],
    );
}

#[test]
fn fields_that_are_none() {
    refused(&["explain", "tenant.cpu.limt"], b"", &["did you mean \"limit\"?"]);
    refused(&["explain", "nonsense"], b"", &["nonsense"]);
}

#[test]
fn lessons_that_are_none() {
    refused(&["lessons", "cgrups"], b"", &["cgrups", "did you mean `cgroups`?"]);
    refused(&["lessons", "new", "Not An Id"], b"", &["Not An Id"]);
    refused(&["lessons", "new", "cgroups"], b"", &["cgroups"]);
}

#[test]
fn addresses_that_are_not_served() {
    for (address, says) in [
        ("0.0.0.0:8080", "loopback address"),
        ("[::]:8080", "loopback address"),
        ("8080", "not an address and port"),
        ("127.0.0.1:99999", "not an address and port"),
    ] {
        refused(&["serve", "--addr", address], b"", &[address, says]);
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().to_str().unwrap();
    refused(&["serve", "--dist", dist], b"", &["the page is not built", "cargo xtask demo", dist]);
    std::fs::write(folder.path().join("index.html"), "").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&["serve", "--addr", &address, "--dist", dist], b"", &[&address, "another port"]);
}

/// Its path begins where the scenario's file is; nothing is run.
#[test]
fn an_archive_that_is_no_image_is_named_by_its_field() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("shop.tar"), "no image").expect("a file");
    let scenario = folder.path().join("scenario.toml");
    let file = scenario.to_str().expect("UTF-8");
    for (archive, says) in [
        ("shop.tar", "image.shop.archive: shop.tar: no tar file"),
        ("other.tar", "image.shop.archive: other.tar: no such file"),
        ("http://10.0.0.1:5000/shop:1", "10.0.0.1:5000 is not on this machine"),
    ] {
        let more = format!(
            "[[image]]\nname = \"shop\"\narchive = \"{archive}\"\n[platform.container]\nrootless = true\n\
             [[tenant]]\nname = \"own\"\nimage = \"shop\"\nworkload = {{ kind = \"idle\" }}\n"
        );
        std::fs::write(&scenario, format!("{SMALL}{more}")).expect("a file");
        for command in [&["run", file][..], &["run", file, "--dry-run"], &["compare", file]] {
            refused(&[command, &["--on", "container"]].concat(), b"", &[says]);
        }
    }
}
