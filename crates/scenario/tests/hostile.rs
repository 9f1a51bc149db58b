//! Files near the largest size that are made to take time or memory. Each is answered at once (all of them in some seconds,
//! where one that slips through takes minutes), with the first problem of the file.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests panic as tests do")]

use catamaran_scenario::Plan;
use catamaran_scenario::edit::{get, set};
use catamaran_scenario::explain;

const HEAD: &str =
    "schema = \"catamaran/scenario/v1\"\nname = \"hostile\"\nduration = \"1s\"\nplatforms = [\"vm\"]\n";
const TENANT: &str = "[[tenant]]\nname = \"a\"\nworkload = { kind = \"idle\" }\n";

fn many(range: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    range.map(line).collect()
}

/// Keys in falling order, so that each is found to stand before the last.
fn falling(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).rev().map(|index| line(1_000_000 + index)).collect()
}

fn tenants_and_events(first: usize) -> String {
    let tenants =
        many(0..1000, |i| format!("[[tenant]]\nname = \"{i:060}\"\nworkload = {{ kind = \"idle\" }}\n"));
    let events = many(first..first + 1000, |i| {
        format!("[[event]]\nat = \"0s\"\ndo = \"kill\"\ntarget = \"{i:060}\"\n")
    });
    format!("{HEAD}{tenants}{events}")
}

#[test]
fn refused_by_the_first_problem() {
    let spoiled = "cpu = { request = 1, limit = \"x\", set = 1, weight = \"v9\" }\nmemory = 1\nrestart = \"allways\"\nworkload = 1\n";
    for (path, text) in [
        ("k1069999", falling(70_000, |i| format!("k{i} = 1\n"))),
        (
            "tenant.a.needs.k1059999",
            format!("{HEAD}{TENANT}needs = {{ {} }}", falling(60_000, |i| format!("k{i} = 1, "))),
        ),
        ("platforms[0]", format!("{}\n{TENANT}", HEAD.replace("\"vm\"", &"\"x\", ".repeat(150_000)))),
        ("host.cores", format!("{HEAD}[host]\ncores = 0\n{TENANT}cpu = {{ set = \"0-4294967294\" }}\n")),
        ("event[0].target", tenants_and_events(5000)),
        (
            "tenant.a0.cpu.limit",
            format!("{HEAD}{}", many(0..1000, |i| format!("[[tenant]]\nname = \"a{i}\"\n{spoiled}"))),
        ),
        (
            "tenant[1000]",
            format!("{HEAD}{}", many(0..9000, |i| TENANT.replace("\"a\"", &format!("\"a{i}\"")))),
        ),
        (
            "image[0].layers[0].id",
            format!(
                "{HEAD}{TENANT}[[image]]\nname = \"i\"\nlayers = [{}]",
                "{ id = 1, size = 2 }, ".repeat(40_000)
            ),
        ),
        ("seed", format!("{HEAD}seed = \"{}\"\n{TENANT}", "x".repeat(1 << 19))),
        ("seed", format!("{HEAD}seed = {}\n{TENANT}", "1".repeat(1 << 19))),
        ("a0", many(0..60_000, |i| format!("[a{i}.b]\n"))),
        ("", "a.".repeat(1 << 19)),
        ("", format!("a = [{}", "[], ".repeat(200_000))),
        ("schema", "\n".repeat(1 << 20)),
    ] {
        let error = Plan::from_toml(&text, "hostile.toml").expect_err(path);
        assert_eq!(error.path, path, "{}", error.message());
        assert!(error.to_string().len() < 4000, "{error}");
    }
}

#[test]
fn long_names_are_shortened() {
    let text = format!("{HEAD}{} = 1\n{TENANT}", "k".repeat(1 << 19));
    let error = Plan::from_toml(&text, "hostile.toml").expect_err("an unknown field");
    assert!(error.to_string().len() < 1000, "{error}");
}

#[test]
fn taken() {
    let ports = many(1..65_536, |port| format!("{port}, "));
    for text in [format!("{HEAD}{TENANT}ports = [{ports}]\n"), tenants_and_events(0)] {
        Plan::from_toml(&text, "hostile.toml").unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn long_paths_and_values() {
    let text = format!("{HEAD}{TENANT}");
    let long = "tenant.".repeat(50_000);
    for path in [long.as_str(), &"[".repeat(100_000), &"9".repeat(100_000)] {
        let errors = [explain(path).expect_err("no field"), get(&text, path).expect_err("no field")];
        assert!(errors.iter().all(|error| error.to_string().len() < 4000), "{path:.20}");
    }
    let error = set(&text, "name", &"x".repeat(1 << 20)).expect_err("no name");
    assert!(error.to_string().len() < 1000, "{error}");
}
