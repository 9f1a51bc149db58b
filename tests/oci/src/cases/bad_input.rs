//! What must be refused, and what must not.

use std::fs;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "bad_input", cases: CASES };

/// With this patch `create` is refused, and no container is left.
fn refused(bed: &mut Bed, patch: Value) -> Verdict {
    bed.set(patch);
    bed.refused()
}

/// With these bytes as `config.json` it is refused.
fn bytes_refused(bed: &mut Bed, bytes: &[u8]) -> Verdict {
    fs::write(bed.bundle().join("config.json"), bytes)?;
    let (id, bundle) = (bed.id.clone(), bed.bundle().to_string_lossy().into_owned());
    bed.must_not(&["create", "--bundle", &bundle, &id])?;
    bed.must_not(&["state", &id]).map(drop)
}

/// With this id it is refused, and nothing is made outside of the root folder.
fn id_refused(bed: &mut Bed, id: &str) -> Verdict {
    bed.write()?;
    let bundle = bed.bundle().to_string_lossy().into_owned();
    let before = names(bed)?;
    bed.must_not(&["create", "--bundle", &bundle, id])?;
    let after: Vec<String> = names(bed)?
        .into_iter()
        .filter(|name| !name.starts_with("out.") && !name.starts_with("err."))
        .collect();
    let kept: Vec<String> =
        before.into_iter().filter(|name| !name.starts_with("out.") && !name.starts_with("err.")).collect();
    crate::check::equal("files beside the root folder", after, kept)
}

fn names(bed: &Bed) -> Verdict<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(bed.folder())?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

const CASES: &[Case] = &[
    case("no_configuration", "config.md: a bundle must have a config.json", |bed| {
        let (id, bundle) = (bed.id.clone(), bed.bundle().to_string_lossy().into_owned());
        bed.must_not(&["create", "--bundle", &bundle, &id]).map(drop)
    }),
    case("no_bundle", "runtime.md#create: a bundle must be given", |bed| {
        let id = bed.id.clone();
        bed.must_not(&["create", "--bundle", "/nowhere", &id]).map(drop)
    }),
    case("no_id", "runtime.md#create: an id must be given", |bed| {
        bed.write()?;
        let bundle = bed.bundle().to_string_lossy().into_owned();
        bed.must_not(&["create", "--bundle", &bundle]).map(drop)
    }),
    case("an_empty_file", "config.md: config.json is JSON", |bed| bytes_refused(bed, b"")),
    case("half_a_file", "config.md: config.json is JSON", |bed| {
        bytes_refused(bed, b"{\"ociVersion\": \"1.0.2\", \"process\": {")
    }),
    case("no_object", "config.md: config.json is an object", |bed| bytes_refused(bed, b"[1, 2, 3]")),
    case("no_text", "config.md: config.json is JSON", |bed| bytes_refused(bed, &[0xff, 0xfe, 0, 1, 2, 3])),
    case("nested_without_end", "config.md: config.json is JSON, and a parser has bounds", |bed| {
        let deep = format!(
            "{{\"ociVersion\": \"1.0.2\", \"annotations\": {}1{}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        bytes_refused(bed, deep.as_bytes())
    }),
    case("no_version", "config.md#specification-version: ociVersion is required", |bed| {
        refused(bed, json!({ "ociVersion": null }))
    }),
    case(
        "a_version_that_is_none",
        "config.md#specification-version: ociVersion is a semantic version",
        |bed| refused(bed, json!({ "ociVersion": "one" })),
    ),
    case(
        "a_version_of_the_future",
        "config.md#specification-version: an unsupported version must be refused",
        |bed| refused(bed, json!({ "ociVersion": "2.0.0" })),
    ),
    case("no_root", "config.md#root: root is required", |bed| refused(bed, json!({ "root": null }))),
    case("no_path_of_the_root", "config.md#root: path is required", |bed| {
        refused(bed, json!({ "root": { "path": null } }))
    }),
    case("no_arguments", "config.md#process: args must have at least one entry", |bed| {
        refused_or_not_started(bed, json!({ "process": { "args": [] } }))
    }),
    case("no_list_of_arguments", "config.md#process: args is required", |bed| {
        refused_or_not_started(bed, json!({ "process": { "args": null } }))
    }),
    case("no_process", "config.md#process: required when start is called", |bed| {
        refused_or_not_started(bed, json!({ "process": null }))
    }),
    case("no_working_folder", "config.md#process: cwd is required", |bed| {
        refused_or_not_started(bed, json!({ "process": { "cwd": null } }))
    }),
    case("a_relative_working_folder", "config.md#process: cwd must be absolute", |bed| {
        refused_or_not_started(bed, json!({ "process": { "cwd": "tmp" } }))
    }),
    case("a_working_folder_that_is_a_file", "runtime.md#create: what can't be made is an error", |bed| {
        refused_or_not_started(bed, json!({ "process": { "cwd": "/probe" } }))
    }),
    case("a_working_folder_outside", "config.md#process: cwd is a path of the container", |bed| {
        // The way of CVE-2024-21626: a descriptor of the runtime that is still open.
        for number in 3..12 {
            bed.set(json!({ "process": { "cwd": format!("/proc/self/fd/{number}"), "args": ["/probe", "list", "."] } }));
            let said = bed.run()?;
            if said.code == 0 {
                let answers = crate::bed::answers(&said.out)?;
                let inside = answers[0]
                    .as_array()
                    .is_none_or(|list| list.iter().all(|name| name != "etc" && name != "config.json"));
                holds(&format!("descriptor {number} leads outside: {answers}"), inside)?;
            }
        }
        Ok(())
    }),
    case("no_such_program", "config.md#process: args as of execvp: what is not there can't be run", |bed| {
        refused_or_not_started(bed, json!({ "process": { "args": ["/nowhere"] } }))
    }),
    case(
        "a_program_that_is_none",
        "config.md#process: args as of execvp: what is not executable can't be run",
        |bed| {
            fs::write(bed.inside("tmp/text"), "text")?;
            refused_or_not_started(bed, json!({ "process": { "args": ["/tmp/text"] } }))
        },
    ),
    case(
        "a_program_that_is_a_folder",
        "config.md#process: args as of execvp: a folder can't be run",
        |bed| refused_or_not_started(bed, json!({ "process": { "args": ["/tmp"] } })),
    ),
    case("a_user_that_is_no_number", "config.md#user: uid is a number", |bed| {
        refused(bed, json!({ "process": { "user": { "uid": "root" } } }))
    }),
    case("a_user_below_zero", "config.md#user: uid is a number of the kernel", |bed| {
        refused(bed, json!({ "process": { "user": { "uid": -5 } } }))
    }),
    case("a_mount_without_a_destination", "config.md#mounts: destination is required", |bed| {
        bed.mount(json!({ "type": "tmpfs", "source": "tmpfs" }));
        bed.refused()
    }),
    case("an_unknown_propagation", "config-linux.md#rootfs-mount-propagation: one of four words", |bed| {
        refused(bed, json!({ "linux": { "rootfsPropagation": "telepathic" } }))
    }),
    case("an_unknown_personality", "config-linux.md#personality: LINUX or LINUX32", |bed| {
        refused_or_not_started(bed, json!({ "linux": { "personality": { "domain": "MULTICS" } } }))
    })
    .since("1.1.0"),
    case("an_unknown_policy", "config.md#linux-process: scheduler.policy is one of a list", |bed| {
        refused_or_not_started(bed, json!({ "process": { "scheduler": { "policy": "SCHED_LUCK" } } }))
    })
    .since("1.1.0"),
    case("an_unknown_class", "config.md#linux-process: ioPriority.class is one of a list", |bed| {
        refused_or_not_started(
            bed,
            json!({ "process": { "ioPriority": { "class": "IOPRIO_CLASS_FIRST", "priority": 0 } } }),
        )
    })
    .since("1.1.0"),
    case(
        "a_group_of_processors_that_is_not_there",
        "config-linux.md#intelrdt: without resctrl it must be refused",
        |bed| {
            if std::path::Path::new("/sys/fs/resctrl/schemata").exists() {
                return crate::check::skip("this machine has resctrl");
            }
            refused(
                bed,
                json!({ "linux": { "intelRdt": { "closID": "group", "l3CacheSchema": "L3:0=ff" } } }),
            )
        },
    ),
    case("an_id_with_a_way_out", "runtime.md#create: an id that is not valid must be refused", |bed| {
        id_refused(bed, "../escaped")
    }),
    case("an_id_with_a_slash", "runtime.md#create: an id that is not valid must be refused", |bed| {
        id_refused(bed, "a/b")
    }),
    case("an_id_that_is_a_folder", "runtime.md#create: an id that is not valid must be refused", |bed| {
        id_refused(bed, "..")?;
        id_refused(bed, ".")
    }),
    case("an_empty_id", "runtime.md#create: an id that is not valid must be refused", |bed| {
        id_refused(bed, "")
    }),
    case("an_id_with_a_blank", "runc#create: an id is made of letters, digits, _ + - and .", |bed| {
        id_refused(bed, "a b")
    }),
    case(
        "unknown_properties_are_ignored",
        "config.md#extensibility: unknown properties must not be an error",
        |bed| {
            bed.set(json!({ "com.example.new": { "a": [1] }, "process": { "novel": true }, "linux": { "novel": {} } }));
            bed.seen().map(drop)
        },
    ),
    case("an_annotation_without_a_name", "config.md#annotations: keys must not be empty", |bed| {
        refused(bed, json!({ "annotations": { "": "value" } }))
    }),
    case(
        "what_is_refused_can_be_repeated",
        "runtime.md#errors: an error leaves everything as it was",
        |bed| {
            bed.set(json!({ "root": { "path": "nowhere" } }));
            bed.refused()?;
            bed.set(json!({ "root": { "path": "rootfs" } }));
            bed.seen().map(drop)
        },
    ),
];

fn refused_or_not_started(bed: &mut Bed, patch: Value) -> Verdict {
    bed.set(patch);
    bed.refused_or_not_started()
}
