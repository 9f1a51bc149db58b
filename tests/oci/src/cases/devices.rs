//! Device nodes, and which may be opened.

use std::fs;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "devices", cases: CASES };

/// EPERM: what the kernel's device controller says.
const REFUSED: i64 = 1;

/// Default devices with their numbers.
const DEFAULT: [(&str, [u32; 2]); 6] = [
    ("/dev/null", [1, 3]),
    ("/dev/zero", [1, 5]),
    ("/dev/full", [1, 7]),
    ("/dev/random", [1, 8]),
    ("/dev/urandom", [1, 9]),
    ("/dev/tty", [5, 0]),
];

fn device(bed: &mut Bed, device: &Value) {
    bed.set(json!({ "linux": { "devices": [device] } }));
}

fn rules(bed: &mut Bed, rules: &Value) {
    bed.set(json!({ "linux": { "resources": { "devices": rules } } }));
}

fn link_is(bed: &mut Bed, from: &str, to: &[&str]) -> Verdict {
    let answers = bed.ask(&[&format!("link {from}")])?;
    let found = answers[0].as_str().unwrap_or_default();
    holds(&format!("{from} leads to {}, expected one of {to:?}", answers[0]), to.contains(&found))
}

const CASES: &[Case] = &[
    case(
        "default_devices_have_their_numbers",
        "config-linux.md#default-devices: null, zero, full, random, urandom, tty",
        |bed| {
            let deeds = DEFAULT.map(|(file, _)| format!("stat {file}"));
            let answers = bed.ask(&deeds.each_ref().map(String::as_str))?;
            for (number, (file, numbers)) in DEFAULT.iter().enumerate() {
                equal(
                    file,
                    (&answers[number]["kind"], &answers[number]["device"]),
                    (&json!("char"), &json!(numbers)),
                )?;
            }
            Ok(())
        },
    ),
    case("default_devices_can_be_used", "config-linux.md#default-devices: must be supplied", |bed| {
        let answers = bed.ask(&[
            "open rw /dev/null",
            "open rw /dev/zero",
            "write /dev/full x",
            "open r /dev/random",
            "open r /dev/urandom",
        ])?;
        // ENOSPC is what a full device says.
        equal("opening them", answers, json!([null, null, 28, null, null]))
    }),
    case("everybody_may_use_default_devices", "config-linux.md#default-devices: must be supplied", |bed| {
        bed.set(json!({ "process": { "user": { "uid": 1000, "gid": 1000 }, "capabilities": {
            "bounding": [], "effective": [], "permitted": [] } } }));
        let answers = bed.ask(&["open rw /dev/null", "open r /dev/zero"])?;
        equal("opening them", answers, json!([null, null]))
    }),
    case(
        "ptmx",
        "config-linux.md#default-devices: /dev/ptmx is a link to or a bind mount of pts/ptmx",
        |bed| {
            let answers = bed.ask(&["link /dev/ptmx", "stat /dev/ptmx"])?;
            let link = answers[0].as_str().is_some_and(|to| to.trim_start_matches("/dev/") == "pts/ptmx");
            holds(&format!("{answers}"), link || answers[1]["device"] == json!([5, 2]))
        },
    ),
    case("dev_fd", "runtime-linux.md#dev-symbolic-links: /dev/fd leads to /proc/self/fd", |bed| {
        link_is(bed, "/dev/fd", &["/proc/self/fd"])
    }),
    case("dev_stdin", "runtime-linux.md#dev-symbolic-links: /dev/stdin leads to /proc/self/fd/0", |bed| {
        link_is(bed, "/dev/stdin", &["/proc/self/fd/0"])
    }),
    case("dev_stdout", "runtime-linux.md#dev-symbolic-links: /dev/stdout leads to /proc/self/fd/1", |bed| {
        link_is(bed, "/dev/stdout", &["/proc/self/fd/1"])
    }),
    case("dev_stderr", "runtime-linux.md#dev-symbolic-links: /dev/stderr leads to /proc/self/fd/2", |bed| {
        link_is(bed, "/dev/stderr", &["/proc/self/fd/2"])
    }),
    case("a_character_device", "config-linux.md#devices: type, path, numbers, mode, owner", |bed| {
        device(
            bed,
            &json!({ "type": "c", "path": "/dev/mine", "major": 1, "minor": 5, "fileMode": 0o604, "uid": 11, "gid": 12 }),
        );
        let stat = bed.ask(&["stat /dev/mine"])?[0].take();
        equal("kind, device", (&stat["kind"], &stat["device"]), (&json!("char"), &json!([1, 5])))?;
        equal("mode", &stat["mode"], "604")?;
        equal("owner", (&stat["uid"], &stat["gid"]), (&json!(11), &json!(12)))
    }),
    case("a_block_device", "config-linux.md#devices: type b is a block device", |bed| {
        device(bed, &json!({ "type": "b", "path": "/dev/disk", "major": 8, "minor": 1, "fileMode": 0o600 }));
        let stat = bed.ask(&["stat /dev/disk"])?[0].take();
        equal("kind, device", (&stat["kind"], &stat["device"]), (&json!("block"), &json!([8, 1])))
    }),
    case("a_fifo", "config-linux.md#devices: type p has no numbers", |bed| {
        device(bed, &json!({ "type": "p", "path": "/dev/pipe", "fileMode": 0o622 }));
        let stat = bed.ask(&["stat /dev/pipe"])?[0].take();
        equal("kind, mode", (&stat["kind"], &stat["mode"]), (&json!("fifo"), &json!("622")))
    }),
    case("outside_of_dev", "config-linux.md#devices: the path may be anywhere in the container", |bed| {
        device(
            bed,
            &json!({ "type": "c", "path": "/tmp/deep/null", "major": 1, "minor": 3, "fileMode": 0o666 }),
        );
        equal("device", &bed.ask(&["stat /tmp/deep/null"])?[0]["device"], &json!([1, 3]))
    }),
    case("a_mode_is_not_masked", "config-linux.md#devices: fileMode is the mode of the device", |bed| {
        bed.set(json!({ "process": { "user": { "umask": 0o077 } } }));
        device(bed, &json!({ "type": "c", "path": "/dev/mine", "major": 1, "minor": 3, "fileMode": 0o666 }));
        equal("mode", &bed.ask(&["stat /dev/mine"])?[0]["mode"], "666")
    }),
    case("a_file_in_the_way", "config-linux.md#devices: a file that does not match must be refused", |bed| {
        fs::write(bed.inside("tmp/mine"), "a file")?;
        device(bed, &json!({ "type": "c", "path": "/tmp/mine", "major": 1, "minor": 3, "fileMode": 0o666 }));
        bed.refused()
    }),
    case("no_such_type", "config-linux.md#devices: type is c, b, u or p", |bed| {
        device(bed, &json!({ "type": "z", "path": "/dev/mine", "major": 1, "minor": 3 }));
        bed.refused()
    }),
    case(
        "what_is_not_allowed_can_not_be_opened",
        "config-linux.md#allowed-device-list: entries are applied in their order",
        |bed| {
            // No default device, and none that runtimes allow by themselves: the kernel's messages.
            rules(bed, &json!([{ "allow": false, "access": "rwm" }]));
            device(
                bed,
                &json!({ "type": "c", "path": "/dev/mine", "major": 1, "minor": 11, "fileMode": 0o666 }),
            );
            equal("opening it", &bed.ask(&["open r /dev/mine"])?[0], REFUSED)
        },
    ),
    case(
        "what_is_allowed_can_be_opened",
        "config-linux.md#allowed-device-list: a later entry allows what an earlier one denied",
        |bed| {
            rules(
                bed,
                &json!([{ "allow": false, "access": "rwm" }, { "allow": true, "type": "c", "major": 1, "minor": 11, "access": "r" },
            { "allow": true, "type": "c", "access": "m" }]),
            );
            let answers = bed.ask(&["mknod /tmp/kmsg 1 11", "open w /tmp/kmsg", "open r /dev/null"])?;
            equal("mknod", &answers[0], &json!(null))?;
            equal("opening it for writing", &answers[1], REFUSED)?;
            equal("a default device stays allowed", &answers[2], &json!(null))
        },
    ),
    // Nodes may be made by all (`c *:* m`), as runc and crun have it; engines count on it (decision 1231).
    case(
        "a_node_that_no_entry_allows_can_not_be_opened",
        "config-linux.md#allowed-device-list: entries in their order",
        |bed| {
            rules(bed, &json!([{ "allow": false, "access": "rwm" }]));
            let answers = bed.ask(&["mknod /tmp/kmsg 1 11", "open r /tmp/kmsg", "open w /tmp/kmsg"])?;
            equal("mknod", &answers[0], &json!(null))?;
            equal("opening it for reading", &answers[1], REFUSED)?;
            equal("opening it for writing", &answers[2], REFUSED)
        },
    ),
    case(
        "where_nothing_is_said_of_resources",
        "config-linux.md#default-devices: must be supplied; runc: others are not allowed",
        |bed| {
            bed.set(json!({ "linux": { "resources": null } }));
            let answers = bed.ask(&[
                "mknod /tmp/kmsg 1 11",
                "open r /tmp/kmsg",
                "open w /tmp/kmsg",
                "open rw /dev/null",
            ])?;
            equal("opening them", answers, json!([null, REFUSED, REFUSED, null]))
        },
    ),
    case("who_joins_is_bound_too", "config-linux.md#allowed-device-list: of the whole container", |bed| {
        rules(bed, &json!([{ "allow": false, "access": "rwm" }]));
        bed.up()?;
        let answers = bed.exec(&[], &["mknod /tmp/kmsg 1 11", "open r /tmp/kmsg", "open rw /dev/null"])?;
        equal("opening them", answers, json!([null, REFUSED, null]))
    }),
    case("all_devices", "config-linux.md#allowed-device-list: what is unset is all", |bed| {
        rules(bed, &json!([{ "allow": true, "access": "rwm" }]));
        let answers = bed.ask(&["mknod /tmp/zero 1 5", "open rw /tmp/zero"])?;
        equal("making and opening it", answers, json!([null, null]))
    }),
];
