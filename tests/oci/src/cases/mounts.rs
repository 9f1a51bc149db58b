//! Mounts: kinds, order, and where they come to lie.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, lists, skip, wrong};
use crate::host::linux;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "mounts", cases: CASES };

/// The mount at that point, the last one if there are several.
pub(super) fn at(seen: &Value, point: &str) -> Verdict<Value> {
    let mut mounts = seen["mounts"].as_array().into_iter().flatten();
    match mounts.rfind(|mount| mount["point"] == point) {
        Some(mount) => Ok(mount.clone()),
        None => wrong(format!("nothing is mounted at {point}")),
    }
}

fn tmpfs(bed: &mut Bed, to: &str, options: &[&str]) {
    bed.mount(json!({ "destination": to, "type": "tmpfs", "source": "tmpfs", "options": options }));
}

/// A folder beside the bundle with one file in it.
fn folder(bed: &Bed, name: &str) -> Verdict {
    fs::create_dir(bed.file(name))?;
    Ok(fs::write(bed.file(name).join("file"), name)?)
}

/// An overlay of so many layers, a file of its own in each, and something above to be written.
fn layers(bed: &mut Bed, count: u32) -> Verdict {
    let mut lower = Vec::new();
    for number in 0..count {
        let folder = bed.file(&format!("layers/layer-with-a-longer-name-{number}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("f{number}")), number.to_string())?;
        lower.push(folder.to_string_lossy().into_owned());
    }
    for name in ["upper", "work"] {
        fs::create_dir_all(bed.file(name))?;
    }
    let long = format!("lowerdir={}", lower.join(":"));
    let options = json!([
        long,
        format!("upperdir={}", bed.place("upper")),
        format!("workdir={}", bed.place("work")),
        "nodev"
    ]);
    bed.mount(json!({ "destination": "/data", "type": "overlay", "source": "overlay", "options": options }));
    let last = format!("read /data/f{}", count - 1);
    let answers = bed.ask(&["read /data/f0", &last, "write /data/new x", "see"])?;
    equal("the first layer", &answers[0], "0")?;
    equal("the last layer", answers[1].as_str(), Some((count - 1).to_string().as_str()))?;
    holds("what is written goes above", answers[2].is_null() && bed.file("upper/new").exists())?;
    let mount = at(&answers[3], "/data")?;
    lists("options", &mount["options"], "nodev")
}

const CASES: &[Case] = &[
    case("a_tmpfs", "config.md#mounts: type and source are those of mount(2)", |bed| {
        tmpfs(bed, "/tmp", &["size=65536k", "mode=1770"]);
        let answers = bed.ask(&["see", "stat /tmp", "touch /tmp/file"])?;
        equal("type", &at(&answers[0], "/tmp")?["type"], "tmpfs")?;
        equal("mode", &answers[1]["mode"], "1770")?;
        lists("data", &at(&answers[0], "/tmp")?["data"], "size=65536k")?;
        holds("the file is not outside", !bed.inside("tmp/file").exists())
    }),
    case("a_folder_from_outside", "config.md#mounts: bind mounts by the option bind", |bed| {
        folder(bed, "data")?;
        bed.bind("data", "/tmp", &["bind"]);
        let answers = bed.ask(&["read /tmp/file", "write /tmp/new from-inside"])?;
        equal("content", &answers[0], "data")?;
        equal("what was written", fs::read_to_string(bed.file("data/new"))?, "from-inside")
    }),
    case("a_file_from_outside", "config.md#mounts: a file may be bind-mounted on a file", |bed| {
        fs::write(bed.file("one"), "outside")?;
        fs::write(bed.inside("tmp/one"), "inside")?;
        bed.bind("one", "/tmp/one", &["bind"]);
        equal("content", &bed.ask(&["read /tmp/one"])?[0], "outside")?;
        equal("the file below", fs::read_to_string(bed.inside("tmp/one"))?, "inside")
    }),
    case(
        "a_missing_folder_is_made",
        "config.md#mounts: runtimes make a destination that is not there (runc, crun)",
        |bed| {
            folder(bed, "data")?;
            bed.bind("data", "/a/b/c", &["bind"]);
            equal("content", &bed.ask(&["read /a/b/c/file"])?[0], "data")
        },
    ),
    case(
        "a_missing_file_is_made",
        "config.md#mounts: runtimes make a destination that is not there (runc, crun)",
        |bed| {
            fs::write(bed.file("one"), "outside")?;
            bed.bind("one", "/a/b/one", &["bind"]);
            let answers = bed.ask(&["read /a/b/one", "stat /a/b/one"])?;
            equal("content", &answers[0], "outside")?;
            equal("kind", &answers[1]["kind"], "file")
        },
    ),
    case(
        "bind_by_its_option_alone",
        "config.md#mounts: bind and rbind are options; the type is then ignored",
        |bed| {
            folder(bed, "data")?;
            let source = bed.place("data");
            bed.mount(json!({ "destination": "/tmp", "type": "none", "source": source, "options": ["rbind", "rw"] }));
            equal("content", &bed.ask(&["read /tmp/file"])?[0], "data")
        },
    ),
    case("in_the_listed_order", "config.md#mounts: must be mounted in the listed order", |bed| {
        folder(bed, "first")?;
        folder(bed, "second")?;
        bed.bind("first", "/tmp", &["bind"]);
        bed.bind("second", "/tmp", &["bind"]);
        equal("the later is above", &bed.ask(&["read /tmp/file"])?[0], "second")
    }),
    case("one_within_another", "config.md#mounts: must be mounted in the listed order", |bed| {
        folder(bed, "inner")?;
        tmpfs(bed, "/tmp", &[]);
        bed.bind("inner", "/tmp/inner", &["bind"]);
        equal("content", &bed.ask(&["read /tmp/inner/file"])?[0], "inner")?;
        holds("the folder is not made outside", !bed.inside("tmp/inner").exists())
    }),
    case(
        "what_is_mounted_below_comes_too",
        "config.md#mounts: rbind takes what is mounted below along",
        |bed| {
            let inner = bed.tmpfs_at("outer/inner")?;
            fs::write(inner.join("file"), "deep")?;
            bed.bind("outer", "/tmp", &["rbind"]);
            equal("content", &bed.ask(&["read /tmp/inner/file"])?[0], "deep")
        },
    ),
    case("what_is_mounted_below_stays", "config.md#mounts: bind takes one mount only", |bed| {
        let inner = bed.tmpfs_at("outer/inner")?;
        fs::write(inner.join("file"), "deep")?;
        bed.bind("outer", "/tmp", &["bind"]);
        equal("content (ENOENT is 2)", &bed.ask(&["read /tmp/inner/file"])?[0], 2)
    }),
    case(
        "a_link_to_an_absolute_place_stays_inside",
        "config.md#mounts: destination is a path inside of the container",
        |bed| {
            folder(bed, "data")?;
            let outside = bed.file("outside");
            fs::create_dir(&outside)?;
            symlink(&outside, bed.inside("link"))?;
            bed.bind("data", "/link", &["bind"]);
            // The place that the link names is made inside, or it is refused; outside nothing happens.
            let said = {
                bed.deeds(&["read /link/file"]);
                bed.run()?
            };
            if said.code == 0 {
                equal("content", &crate::bed::answers(&said.out)?[0], "data")?;
            }
            equal("files outside", fs::read_dir(&outside)?.count(), 0)
        },
    ),
    case(
        "a_link_upwards_stays_inside",
        "config.md#mounts: destination is a path inside of the container",
        |bed| {
            folder(bed, "data")?;
            symlink("../../../../../../tmp", bed.inside("link"))?;
            bed.bind("data", "/link/made", &["bind"]);
            let mark = bed.id.clone();
            let answers = bed.ask(&["read /tmp/made/file"])?;
            equal("content", &answers[0], "data")?;
            holds(
                &format!("/tmp/made of this machine is not ours ({mark})"),
                !std::path::Path::new("/tmp/made/file").exists(),
            )
        },
    ),
    case(
        "a_link_that_is_a_folder_on_the_way",
        "config.md#mounts: destination is a path inside of the container",
        |bed| {
            folder(bed, "data")?;
            symlink("/tmp", bed.inside("way"))?;
            bed.bind("data", "/way/deep/er", &["bind"]);
            equal("content", &bed.ask(&["read /tmp/deep/er/file"])?[0], "data")
        },
    ),
    case("proc_is_of_the_container", "config-linux.md#default-filesystems: /proc is a proc", |bed| {
        let answers = bed.ask(&["see", "read /proc/1/cmdline"])?;
        equal("type", &at(&answers[0], "/proc")?["type"], "proc")?;
        holds("process 1 is the probe", answers[1].as_str().is_some_and(|line| line.starts_with("/probe")))
    }),
    case("sysfs", "config-linux.md#default-filesystems: /sys is a sysfs", |bed| {
        bed.namespace(json!({ "type": "network" }));
        bed.mount(json!({ "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] }));
        let answers = bed.ask(&["see", "list /sys/class/net"])?;
        equal("type", &at(&answers[0], "/sys")?["type"], "sysfs")?;
        // Some kernels put more than the loopback into each namespace.
        lists("networks", &answers[1], "lo")
    }),
    case("devpts", "config-linux.md#default-filesystems: /dev/pts is a devpts", |bed| {
        let answers = bed.ask(&["see", "stat /dev/pts/ptmx"])?;
        equal("type", &at(&answers[0], "/dev/pts")?["type"], "devpts")?;
        equal("mode of ptmx", &answers[1]["mode"], "666")
    }),
    case("mqueue", "config.md#mounts: type is a file system of the kernel", |bed| {
        bed.mount(json!({ "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] }));
        equal("type", &at(&bed.seen()?, "/dev/mqueue")?["type"], "mqueue")
    }),
    case("shared_memory", "config-linux.md#default-filesystems: /dev/shm is a tmpfs", |bed| {
        bed.mount(json!({ "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] }));
        let answers = bed.ask(&["see", "stat /dev/shm"])?;
        equal("source", &at(&answers[0], "/dev/shm")?["source"], "shm")?;
        equal("mode", &answers[1]["mode"], "1777")
    }),
    case(
        "a_view_of_the_control_groups",
        "config.md#mounts: type cgroup shows the container's groups",
        |bed| {
            bed.namespace(json!({ "type": "cgroup" }));
            bed.mount(json!({ "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"] }));
            let file = if bed.host.is_v2() {
                "/sys/fs/cgroup/cgroup.procs"
            } else {
                "/sys/fs/cgroup/pids/cgroup.procs"
            };
            let answers = bed.ask(&[&format!("read {file}"), &format!("open w {file}")])?;
            let list = answers[0].as_str().unwrap_or_default();
            holds(
                &format!("its own process is listed: {}", answers[0]),
                list.lines().any(|line| line == "1"),
            )?;
            // EROFS, or EACCES where the runtime has bound single files.
            holds(&format!("it is read-only: {}", answers[1]), answers[1] == 30 || answers[1] == 13)
        },
    ),
    case(
        "an_overlay_of_many_layers",
        "config.md#mounts: options are the file system's, however long",
        |bed| layers(bed, 24),
    ),
    case(
        "an_overlay_of_very_many_layers",
        "config.md#mounts: options are the file system's, however long",
        |bed| match linux()? {
            // A page of options is all that it takes.
            version if version < (6, 7) => {
                holds("they are refused, not cut", layers(bed, 120).is_err())?;
                let id = bed.id.clone();
                bed.must_not(&["state", &id])?;
                skip("before Linux 6.7 it takes no more options than a page holds: they are refused")
            }
            _ => layers(bed, 120),
        },
    ),
    case("no_such_file_system", "runtime.md#create: what can't be made is an error", |bed| {
        bed.mount(json!({ "destination": "/tmp", "type": "nosuchfs", "source": "none" }));
        bed.refused()
    }),
    case("no_such_source", "runtime.md#create: what can't be made is an error", |bed| {
        bed.bind("nowhere", "/tmp", &["bind"]);
        bed.refused()
    }),
    case("a_folder_is_no_file", "runtime.md#create: what can't be made is an error", |bed| {
        fs::write(bed.file("one"), "x")?;
        bed.bind("one", "/tmp", &["bind"]);
        bed.refused()
    }),
];
