//! The root file system.

use std::fs;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, wrong};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "root", cases: CASES };

/// The kernel's number of "read-only file system" (EROFS).
const READ_ONLY: i64 = 30;

/// How the root is propagated: the words of `mountinfo`, numbers left out.
fn propagation(bed: &mut Bed, kind: &str) -> Verdict<Vec<String>> {
    bed.set(json!({ "linux": { "rootfsPropagation": kind } }));
    let seen = bed.seen()?;
    let mut mounts = seen["mounts"].as_array().into_iter().flatten();
    let Some(root) = mounts.rfind(|mount| mount["point"] == "/") else {
        return wrong("nothing is mounted at /");
    };
    let words = root["propagation"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(words.map(|word| word.split(':').next().unwrap_or_default().to_owned()).collect())
}

/// The bundle on a mount of its own that others share, as the root of a machine often is.
fn on_a_shared_mount(bed: &mut Bed) -> Verdict {
    let place = bed.bundle().join("rootfs");
    bed.share(&place)
}

const CASES: &[Case] = &[
    case(
        "a_path_relative_to_the_bundle",
        "config.md#root: path is absolute or relative to the bundle",
        |bed| {
            let answers = bed.ask(&["list /"])?;
            let list = &answers[0];
            ["dev", "probe", "proc", "tmp"]
                .iter()
                .try_for_each(|name| crate::check::lists("files of the root", list, name))
        },
    ),
    case("an_absolute_path", "config.md#root: path may be absolute", |bed| {
        let place = bed.bundle().join("rootfs");
        bed.set(json!({ "root": { "path": place } }));
        bed.ask(&["stat /probe"]).map(drop)
    }),
    case("it_may_be_written_by_default", "config.md#root: readonly is false by default", |bed| {
        equal("touch", &bed.ask(&["touch /file"])?[0], &json!(null))?;
        holds("the file is outside too", bed.inside("file").is_file())
    }),
    case("it_is_read_only_if_asked", "config.md#root: with readonly it must be read-only inside", |bed| {
        bed.set(json!({ "root": { "readonly": true } }));
        let answers = bed.ask(&["touch /file", "mkdir /folder", "touch /dev/file"])?;
        equal("touch", &answers[0], READ_ONLY)?;
        equal("mkdir", &answers[1], READ_ONLY)?;
        equal("another mount stays writable", &answers[2], &json!(null))
    }),
    case(
        "nothing_of_the_host_is_left",
        "config.md#root: the container's root is the root file system",
        |bed| {
            let seen = bed.seen()?;
            let points: Vec<&str> = seen["mounts"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|mount| mount["point"].as_str())
                .collect();
            let strange: Vec<&&str> = points
                .iter()
                .filter(|point| {
                    **point != "/" && !["/proc", "/dev", "/sys"].iter().any(|known| point.starts_with(known))
                })
                .collect();
            holds(&format!("mounts that nobody asked for: {strange:?}"), strange.is_empty())
        },
    ),
    case("the_way_out_is_shut", "config.md#root: the parent of the root is the root", |bed| {
        let answers = bed.ask(&["list /", "list /../../..", "list /proc/1/root"])?;
        equal("beyond the root", &answers[1], &answers[0])?;
        equal("the root of process 1", &answers[2], &answers[0])
    }),
    case(
        "propagation_slave",
        "config-linux.md#rootfs-mount-propagation: slave receives from the host only",
        |bed| {
            let words = propagation(bed, "slave")?;
            holds(&format!("it is a slave: {words:?}"), words.iter().any(|word| word == "master"))
        },
    ),
    case(
        "propagation_private",
        "config-linux.md#rootfs-mount-propagation: private receives nothing",
        |bed| equal("propagation", propagation(bed, "private")?, Vec::<String>::new()),
    ),
    case(
        "propagation_shared",
        "config-linux.md#rootfs-mount-propagation: shared is a new peer group",
        |bed| {
            let words = propagation(bed, "shared")?;
            holds(&format!("it is shared: {words:?}"), words.iter().any(|word| word == "shared"))
        },
    ),
    case(
        "propagation_unbindable",
        "config-linux.md#rootfs-mount-propagation: unbindable can't be bind-mounted",
        |bed| equal("propagation", propagation(bed, "unbindable")?, vec!["unbindable".to_owned()]),
    ),
    case(
        "nothing_reaches_the_host_by_default",
        "config-linux.md#rootfs-mount-propagation: mounts of a container are its own",
        |bed| {
            on_a_shared_mount(bed)?;
            bed.up()?;
            let mounts = fs::read_to_string("/proc/self/mountinfo")?;
            let inner = format!("{}/proc", bed.bundle().join("rootfs").display());
            holds("its /proc is not seen outside", !mounts.contains(&inner))
        },
    ),
    case("no_such_folder", "config.md#root: a directory must exist at path", |bed| {
        bed.set(json!({ "root": { "path": "nowhere" } }));
        bed.refused()
    }),
    case("a_file_is_no_root", "config.md#root: a directory must exist at path", |bed| {
        bed.set(json!({ "root": { "path": "rootfs/probe" } }));
        bed.refused()
    }),
];
