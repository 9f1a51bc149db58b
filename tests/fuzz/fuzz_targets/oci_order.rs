//! From a bundle to the order for the process inside, and that order on its way: configurations with every field, whose values are
//! replaced by hostile ones, are refused with words or become an order that arrives as it was sent. Bytes that claim to be a message
//! are refused, or are one; never a panic.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use catamaran_oci::check::Facts;
use catamaran_oci_init::order::Order;
use catamaran_oci_init::wire::{Event, States, Word, receive, send};
use libfuzzer_sys::fuzz_target;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use serde_json::{Value, json};

/// A configuration with every field.
static EVERYTHING: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../crates/oci/src/check/tests/everything.json")).expect("JSON")
});
/// Where each of its values is.
static PLACES: LazyLock<Vec<String>> = LazyLock::new(|| places(&EVERYTHING, ""));
/// Longest message that fits a socket nobody reads meanwhile (bytes).
const ROOM: usize = 64 << 10;

fuzz_target!(|bytes: &[u8]| {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    match first % 4 {
        0 => order(rest),
        1 => message::<Order>(rest),
        2 => message::<Event>(rest),
        _ => {
            message::<Word>(rest);
            message::<States>(rest);
        }
    }
});

/// Two bytes choose the place, one what is put there; what follows is text, if text is put there.
fn order(mut bytes: &[u8]) {
    let mut config = EVERYTHING.clone();
    // This runtime does not carry them out, which would be the only answer.
    if let Some(linux) = config["linux"].as_object_mut() {
        linux.retain(|name, _| name != "netDevices" && name != "intelRdt");
    }
    for _ in 0..4 {
        let Some(([low, high, what], rest)) =
            bytes.split_first_chunk::<3>().map(|(head, rest)| (*head, rest))
        else {
            break;
        };
        let place = &PLACES[usize::from(u16::from_le_bytes([low, high])) % PLACES.len()];
        let (text, after) = rest.split_at(rest.len().min(usize::from(what >> 4)));
        bytes = after;
        if let Some(value) = config.pointer_mut(place) {
            let old = value.take();
            *value = hostile(what & 15, text, old);
        }
    }
    let facts = Facts {
        unified: true,
        apparmor: true,
        selinux: true,
        hugepage_sizes: vec!["2MB".to_owned()],
        ..Facts::default()
    };
    match catamaran_oci::rehearse(config.to_string().as_bytes(), Path::new("/b"), &facts) {
        Ok((order, _)) => arrives(&order),
        Err(problem) => assert!(!problem.to_string().trim().is_empty(), "a refusal without words"),
    }
}

fn hostile(what: u8, text: &[u8], old: Value) -> Value {
    match what {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!(u64::MAX),
        4 => json!(i64::MIN),
        5 => json!(-1),
        6 => json!(1e300),
        7 => json!(""),
        8 => json!("/proc/self/fd/3"),
        9 => json!("../../.."),
        10 => json!("x".repeat(5000)),
        11 => json!([old.clone(), old]),
        12 => json!(text.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))),
        13 => json!(!old.as_bool().unwrap_or_default()),
        _ => json!(String::from_utf8_lossy(text)),
    }
}

fn places(value: &Value, at: &str) -> Vec<String> {
    let below: Vec<String> = match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| {
                places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")))
            })
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .flat_map(|(place, value)| places(value, &format!("{at}/{place}")))
            .collect(),
        _ => Vec::new(),
    };
    below.into_iter().chain([at.to_owned()]).collect()
}

/// It goes through a socket unchanged.
fn arrives<T>(sent: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + Sync,
{
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("sockets");
    let came = std::thread::scope(|scope| {
        scope.spawn(|| send(&ours, sent, &[]).expect("sent"));
        receive::<T>(&theirs).expect("received").expect("a message").0
    });
    assert_eq!(&came, sent);
}

/// Bytes as they come: with their length before them, and as if the first four were it.
fn message<T>(bytes: &[u8])
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + Sync,
{
    let bytes = &bytes[..bytes.len().min(ROOM)];
    let with_length = [&(bytes.len() as u32).to_le_bytes(), bytes].concat();
    for bytes in [bytes, &with_length] {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("sockets");
        rustix::net::send(&ours, bytes, rustix::net::SendFlags::empty()).expect("room");
        drop(ours);
        if let Ok(Some((message, _))) = receive::<T>(&theirs) {
            arrives(&message);
        }
    }
}
