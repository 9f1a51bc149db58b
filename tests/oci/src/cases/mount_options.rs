//! Options of mounts, family by family, as the kernel then lists them (proc(5), `mountinfo`).

use std::fs;

use serde_json::{Value, json};

use super::mounts::at;
use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, lists, lists_not};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "mount_options", cases: CASES };

/// The mount at `/tmp` of a container that has a tmpfs there with these options.
fn tmpfs(bed: &mut Bed, options: &[&str]) -> Verdict<Value> {
    bed.mount(json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": options }));
    at(&bed.seen()?, "/tmp")
}

/// The same of a folder that is bind-mounted.
fn bound(bed: &mut Bed, options: &[&str]) -> Verdict<Value> {
    fs::create_dir(bed.file("data"))?;
    bed.bind("data", "/tmp", options);
    at(&bed.seen()?, "/tmp")
}

/// A folder with a tmpfs at `inner`; what a container finds that has it at `/tmp`.
fn nested(bed: &mut Bed, options: &[&str]) -> Verdict<Value> {
    bed.tmpfs_at("outer/inner")?;
    bed.bind("outer", "/tmp", options);
    bed.ask(&["see", "touch /tmp/file", "touch /tmp/inner/file"])
}

/// How a bind mount of a shared mount is propagated.
fn propagation(bed: &mut Bed, options: &[&str]) -> Verdict<Vec<String>> {
    let place = bed.tmpfs_at("shared")?;
    bed.share(&place)?;
    bed.bind("shared", "/tmp", options);
    let mount = at(&bed.seen()?, "/tmp")?;
    let words = mount["propagation"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(words.map(|word| word.split(':').next().unwrap_or_default().to_owned()).collect())
}

const CASES: &[Case] = &[
    case("ro", "config.md#linux-mount-options: ro and rw", |bed| {
        lists("options", &tmpfs(bed, &["ro"])?["options"], "ro")
    }),
    case("rw", "config.md#linux-mount-options: the later of two that exclude each other holds", |bed| {
        lists("options", &tmpfs(bed, &["ro", "rw"])?["options"], "rw")
    }),
    case("nosuid_nodev_noexec", "config.md#linux-mount-options: nosuid, nodev, noexec", |bed| {
        let mount = tmpfs(bed, &["nosuid", "nodev", "noexec"])?;
        ["nosuid", "nodev", "noexec"]
            .iter()
            .try_for_each(|option| lists("options", &mount["options"], option))
    }),
    case("suid_dev_exec", "config.md#linux-mount-options: suid, dev, exec undo them", |bed| {
        let mount = tmpfs(bed, &["nosuid", "nodev", "noexec", "suid", "dev", "exec"])?;
        ["nosuid", "nodev", "noexec"]
            .iter()
            .try_for_each(|option| lists_not("options", &mount["options"], option))
    }),
    case("noexec_is_enforced", "config.md#linux-mount-options: noexec: no program of it can be run", |bed| {
        fs::create_dir(bed.file("data"))?;
        fs::copy(bed.inside("probe"), bed.file("data/tool"))?;
        bed.bind("data", "/tmp", &["bind", "noexec"]);
        equal("EACCES", &bed.ask(&["exec /tmp/tool exit 0"])?[0], 13)
    }),
    case("nodev_is_enforced", "config.md#linux-mount-options: nodev: no device of it can be opened", |bed| {
        bed.mount(json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nodev"] }));
        let answers = bed.ask(&["mknod /tmp/null 1 3", "open r /tmp/null"])?;
        equal("mknod", &answers[0], &json!(null))?;
        equal("EACCES", &answers[1], 13)
    }),
    case("noatime", "config.md#linux-mount-options: noatime: times of access are not written", |bed| {
        lists("options", &tmpfs(bed, &["noatime"])?["options"], "noatime")
    }),
    case("nodiratime", "config.md#linux-mount-options: nodiratime: nor those of folders", |bed| {
        lists("options", &tmpfs(bed, &["nodiratime"])?["options"], "nodiratime")
    }),
    case(
        "relatime",
        "config.md#linux-mount-options: relatime: times of access are written sometimes",
        |bed| lists("options", &tmpfs(bed, &["relatime"])?["options"], "relatime"),
    ),
    case(
        "strictatime",
        "config.md#linux-mount-options: strictatime, which the kernel lists as none of the others",
        |bed| {
            let mount = tmpfs(bed, &["strictatime"])?;
            ["noatime", "relatime"]
                .iter()
                .try_for_each(|option| lists_not("options", &mount["options"], option))
        },
    ),
    case("sync_and_dirsync", "config.md#linux-mount-options: sync and dirsync", |bed| {
        let mount = tmpfs(bed, &["sync", "dirsync"])?;
        lists("data", &mount["data"], "sync")?;
        lists("data", &mount["data"], "dirsync")
    }),
    case("defaults", "config.md#linux-mount-options: defaults changes nothing", |bed| {
        let mount = tmpfs(bed, &["defaults"])?;
        lists("options", &mount["options"], "rw")
    }),
    case("nosymfollow", "config.md#linux-mount-options: nosymfollow: links of it are not followed", |bed| {
        lists("options", &tmpfs(bed, &["nosymfollow"])?["options"], "nosymfollow")
    })
    .since("1.2.0"),
    case(
        "data_of_the_file_system",
        "config.md#linux-mount-options: what is no flag goes to the file system",
        |bed| {
            let mount = tmpfs(bed, &["size=1024k", "nr_inodes=77", "mode=700"])?;
            ["size=1024k", "nr_inodes=77", "mode=700"]
                .iter()
                .try_for_each(|option| lists("data", &mount["data"], option))
        },
    ),
    case("data_that_the_file_system_refuses", "runtime.md#create: what can't be made is an error", |bed| {
        bed.mount(json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuchoption=1"] }));
        bed.refused()
    }),
    case("bind_ro", "config.md#linux-mount-options: ro of a bind mount is of that mount only", |bed| {
        fs::create_dir(bed.file("data"))?;
        bed.bind("data", "/tmp", &["bind", "ro"]);
        equal("EROFS", &bed.ask(&["touch /tmp/file"])?[0], 30)?;
        Ok(fs::write(bed.file("data/file"), "still writable outside")?)
    }),
    case(
        "bind_nosuid_nodev_noexec",
        "config.md#linux-mount-options: flags hold for bind mounts too",
        |bed| {
            let mount = bound(bed, &["bind", "nosuid", "nodev", "noexec"])?;
            ["nosuid", "nodev", "noexec"]
                .iter()
                .try_for_each(|option| lists("options", &mount["options"], option))
        },
    ),
    case("bind_noatime", "config.md#linux-mount-options: flags hold for bind mounts too", |bed| {
        lists("options", &bound(bed, &["bind", "noatime"])?["options"], "noatime")
    }),
    case(
        "bind_ro_leaves_what_is_below",
        "config.md#linux-mount-options: ro holds for the mount itself",
        |bed| {
            let answers = nested(bed, &["rbind", "ro"])?;
            equal("EROFS", &answers[1], 30)?;
            equal("the mount below", &answers[2], &json!(null))
        },
    ),
    case("rro", "config.md#linux-mount-options: rro holds for all that is mounted below", |bed| {
        let answers = nested(bed, &["rbind", "rro"])?;
        equal("EROFS", &answers[1], 30)?;
        equal("the mount below", &answers[2], 30)
    })
    .since("1.1.0"),
    case(
        "rnosuid_rnodev_rnoexec",
        "config.md#linux-mount-options: those with r hold for all that is mounted below",
        |bed| {
            let answers = nested(bed, &["rbind", "rnosuid", "rnodev", "rnoexec"])?;
            for point in ["/tmp", "/tmp/inner"] {
                let mount = at(&answers[0], point)?;
                ["nosuid", "nodev", "noexec"]
                    .iter()
                    .try_for_each(|option| lists(point, &mount["options"], option))?;
            }
            Ok(())
        },
    )
    .since("1.1.0"),
    case("rnoatime", "config.md#linux-mount-options: rnoatime holds for all that is mounted below", |bed| {
        let answers = nested(bed, &["rbind", "rnoatime"])?;
        ["/tmp", "/tmp/inner"]
            .iter()
            .try_for_each(|point| lists(point, &at(&answers[0], point)?["options"], "noatime"))
    })
    .since("1.1.0"),
    case("private", "config.md#linux-mount-options: private: nothing is propagated", |bed| {
        equal("propagation", propagation(bed, &["bind", "private"])?, Vec::<String>::new())
    }),
    case(
        "rprivate_is_the_default",
        "config.md#linux-mount-options: mounts of a container are its own",
        |bed| {
            let words = propagation(bed, &["bind"])?;
            holds(&format!("nothing goes to the host: {words:?}"), words.iter().all(|word| word != "shared"))
        },
    ),
    case("slave", "config.md#linux-mount-options: slave: receives from the host only", |bed| {
        equal("propagation", propagation(bed, &["rbind", "rslave"])?, vec!["master".to_owned()])
    }),
    case("shared", "config.md#linux-mount-options: shared: with a peer group", |bed| {
        let words = propagation(bed, &["rbind", "rshared"])?;
        holds(&format!("it is shared: {words:?}"), words.iter().any(|word| word == "shared"))
    }),
    case("unbindable", "config.md#linux-mount-options: unbindable: can't be bind-mounted", |bed| {
        equal("propagation", propagation(bed, &["bind", "unbindable"])?, vec!["unbindable".to_owned()])
    }),
    case(
        "ids_of_a_mount",
        "config.md#posix-platform-mounts: uidMappings, gidMappings: owners as the mount maps them",
        |bed| {
            fs::create_dir(bed.file("data"))?;
            fs::write(bed.file("data/file"), "x")?;
            std::os::unix::fs::chown(bed.file("data/file"), Some(1000), Some(1000))?;
            // An id-mapped mount goes with a user namespace, in older runtimes always.
            super::user_namespace::mapped(bed);
            let source = bed.place("data");
            bed.mount(json!({ "destination": "/tmp", "type": "bind", "source": source, "options": ["bind"],
            "uidMappings": [{ "containerID": 1000, "hostID": 100_000, "size": 1 }],
            "gidMappings": [{ "containerID": 1000, "hostID": 100_000, "size": 1 }] }));
            let answers = bed.ask(&["stat /tmp/file"])?;
            equal("owner", &answers[0]["uid"], 0)?;
            equal("group", &answers[0]["gid"], 0)
        },
    )
    .since("1.1.0"),
];
