//! A configuration with every field, and what happens when one of them changes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{capabilities, mounts as mount_options, seccomp};

mod accepted;
mod refused;

/// A configuration with every field that Linux has; the fuzzer begins with it too.
fn everything() -> Value {
    serde_json::from_str(include_str!("tests/everything.json")).unwrap()
}

/// A machine that has everything.
fn facts() -> Facts {
    Facts {
        unified: true,
        rootless: false,
        apparmor: true,
        selinux: true,
        resctrl: true,
        hugepage_sizes: vec!["1GB".to_owned(), "2MB".to_owned()],
        joins_own_network: false,
        joins_own_mounts: false,
    }
}

/// `config` with what `pointer` (RFC 6901) names set to `value`; a pointer that ends in `-` appends.
fn with(mut config: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = config.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}"));
    match parent {
        Value::Object(fields) if value.is_null() => drop(fields.remove(name)),
        Value::Object(fields) => drop(fields.insert(name.replace("~1", "/"), value)),
        Value::Array(list) if name == "-" => list.push(value),
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} is in a leaf"),
    }
    config
}

/// What is said of a configuration, refused by the parser or by a check.
fn told(config: &Value, facts: &Facts) -> Result<Vec<Warning>, String> {
    let spec: Spec = match serde_json::from_value(config.clone()) {
        Ok(spec) => spec,
        Err(error) => return Err(format!("parser: {error}")),
    };
    check(&spec, facts).map_err(|problem| problem.to_string())
}

#[test]
fn a_configuration_with_every_field_is_accepted_without_a_warning() {
    assert_eq!(told(&everything(), &facts()), Ok(vec![]));
}

#[test]
fn a_nul_is_found_wherever_it_is() {
    let mut all = Vec::new();
    pointers(&everything(), "", &mut all);
    let mut planted = 0;
    for place in all {
        let mut config = everything();
        let Some(Value::String(text)) = config.pointer_mut(&place) else { continue };
        text.push('\0');
        // Words that the parser knows are refused by it; every other string is refused by its place.
        match told(&config, &facts()) {
            Ok(_) => panic!("a NUL passed at {place}"),
            Err(told) => assert!(told.contains("a NUL") || told.starts_with("parser"), "{place}: {told}"),
        }
        planted += 1;
    }
    assert!(planted > 90, "{planted} strings");
    let keyed = with(everything(), "/annotations/a\0b", json!("x"));
    assert!(told(&keyed, &facts()).unwrap_err().contains("annotations.a\\0b: a NUL"));
    let harmless = with(everything(), "/annotations/a", json!("\\u0000"));
    assert_eq!(told(&harmless, &facts()), Ok(vec![]));
}

#[test]
fn a_process_that_joins_is_checked_by_itself() {
    let spec: Spec = serde_json::from_value(everything()).unwrap();
    let mut joining = everything()["process"].clone();
    let read = |value: &Value| serde_json::from_value::<Process>(value.clone()).unwrap();
    assert_eq!(process(&read(&joining), &spec, &facts()), Ok(()));
    joining["cwd"] = json!("relative");
    assert!(process(&read(&joining), &spec, &facts()).unwrap_err().to_string().contains("process.cwd"));
    joining["cwd"] = json!("/\0");
    assert!(
        process(&read(&joining), &spec, &facts()).unwrap_err().to_string().contains("process.cwd: a NUL")
    );
}

#[test]
fn lists_of_processors_are_read_as_the_kernel_does() {
    let cases = [
        ("", Some(vec![])),
        ("0", Some(vec![0..=0])),
        ("0-3,7", Some(vec![0..=3, 7..=7])),
        (" 1 , 2-2\n", Some(vec![1..=1, 2..=2])),
        ("3-1", None),
        ("-1", None),
        ("1-", None),
        ("1,,2", None),
        ("+1", None),
        ("a", None),
        ("65536", None),
        ("99999999999999999999", None),
    ];
    for (text, ranges) in cases {
        assert_eq!(cpu_list(text), ranges, "{text:?}");
    }
}

#[test]
fn parameters_of_the_kernel_lie_below_proc_sys() {
    let cases = [
        ("net.ipv4.ip_forward", Some("net/ipv4/ip_forward")),
        ("net/ipv4/ip_forward", Some("net/ipv4/ip_forward")),
        ("net.ipv4.conf.eth0/100.mtu", Some("net/ipv4/conf/eth0.100/mtu")),
        ("net/ipv4/conf/eth0.100/mtu", Some("net/ipv4/conf/eth0.100/mtu")),
        ("kernel", Some("kernel")),
        ("", None),
        (".net", None),
        ("/net", None),
        ("net..x", None),
        ("net/../kernel/hostname", None),
        ("net./.x", None),
        ("net.", None),
    ];
    for (name, place) in cases {
        assert_eq!(sysctl_path(name), place.map(Into::into), "{name:?}");
    }
}

#[test]
fn what_the_parser_cannot_read_is_prepared() {
    let mut config = everything();
    config["process"]["scheduler"] = json!({"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 9000, "period": 9000,
        "flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
                  "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX"]});
    config["process"]["execCPUAffinity"] = json!({"initial": "", "final": "1"});
    config["process"]["capabilities"]["bounding"] = json!(["CAP_KILL", "CAP_OF_TOMORROW"]);
    config["linux"]["resources"]["hugepageLimits"][0]["limit"] = json!(u64::MAX);
    config["linux"]["devices"][0]["major"] = Value::Null;
    config["linux"]["uidMappings"][0]["containerID"] = Value::Null;
    config["process"].as_object_mut().unwrap().remove("user");
    assert!(told(&config, &facts()).unwrap_err().starts_with("parser"));
    let warnings = prepare(&mut config);
    assert!(warnings.len() == 1 && warnings[0].what.contains("CAP_OF_TOMORROW"), "{warnings:?}");
    assert_eq!(told(&config, &facts()), Ok(vec![]));
    // What needs nothing stays as it is.
    let (before, mut config) = (everything(), everything());
    assert_eq!((prepare(&mut config), config), (vec![], before));
}

/// Values that are odd in one way or another.
fn odd() -> impl Strategy<Value = Value> {
    let words = vec![
        "",
        "/",
        "..",
        "../../x",
        "a\0b",
        "rbind",
        "CAP_KILL",
        "SCMP_ACT_NOTIFY",
        "0-3,7",
        "-1",
        "1.2.0",
        "user",
        "u",
        "net.ipv4.ip_forward",
        "kernel/../x",
        "2MB",
        "MB:",
        "é/\u{202e}",
        "=",
        "a=b",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![i64::MIN, -1001, -1, 0, 1, 8, 4096, 1 << 31, 1 << 32, i64::MAX])
            .prop_map(Value::from),
        Just(json!(u64::MAX)),
        Just(json!(1e300)),
        prop::sample::select(words).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from("x".repeat(200_000))),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(prop_oneof!["[a-z]{1,8}", Just("type".to_owned())], inner, 0..4)
                .prop_map(|fields| json!(fields)),
        ]
    })
}

/// The pointers of all values below `value`.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut below = |name: &str, value: &Value| {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        all.push(at.clone());
        pointers(value, &at, all);
    };
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(place, one)| below(&place.to_string(), one)),
        Value::Object(fields) => fields.iter().for_each(|(name, one)| below(name, one)),
        _ => {}
    }
}

/// Everything that is decided before a process exists.
fn decide(mut config: Value) {
    prepare(&mut config);
    let Ok(spec) = serde_json::from_value::<Spec>(config) else { return };
    if let Err(problem) = check(&spec, &facts()) {
        assert!(!problem.to_string().trim().is_empty());
    }
    for mount in spec.mounts().iter().flatten() {
        drop(mount_options::of(mount, "mounts[]"));
    }
    if let Some(wanted) = spec.process().as_ref().and_then(|process| process.capabilities().as_ref()) {
        drop(capabilities::sets(wanted, capabilities::Grantable::new(40, u64::MAX)));
    }
    if let Some(profile) = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()) {
        drop(seccomp::compile(profile));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn nothing_that_the_parser_takes_makes_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd()), 1..4)
    ) {
        let mut config = everything();
        for (place, value) in changes {
            let mut all = Vec::new();
            pointers(&config, "", &mut all);
            if all.is_empty() {
                break;
            }
            if let Some(there) = config.pointer_mut(place.get::<String>(&all)) {
                *there = value;
            }
        }
        decide(config);
    }
}
