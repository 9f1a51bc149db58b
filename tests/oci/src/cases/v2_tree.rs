//! The tree of control groups version 2: what a container sees of it, groups that it makes below its own, and the rules of the
//! kernel about who may be where.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::user_namespace::mapped;
use crate::bed::{Bed, PATIENCE};
use crate::call::wait_for;
use crate::check::{Verdict, equal, holds, skip};
use crate::host::said_in;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "v2_tree", cases: CASES };

const TREE: &str = "/sys/fs/cgroup";

/// Mounts the container's groups in it.
fn mounted(bed: &mut Bed, kind: &str, options: &[&str]) -> Verdict {
    // Who is a stranger to the root file system can't make the place.
    fs::create_dir_all(bed.inside(TREE.trim_start_matches('/')))?;
    bed.mount(json!({ "destination": TREE, "type": kind, "source": kind, "options": options }));
    Ok(())
}

/// A control group namespace, and the tree for writing in it.
fn with_tree(bed: &mut Bed) -> Verdict {
    bed.namespace(json!({ "type": "cgroup" }));
    mounted(bed, "cgroup", &["nosuid", "noexec", "nodev", "rw"])
}

/// A container whose first process has gone into a group `inner` below its own, as an init does, and done more there.
pub(super) fn in_inner(bed: &mut Bed, more: &[&str]) -> Verdict<PathBuf> {
    with_tree(bed)?;
    bed.deeds(
        &[&["mkdir /sys/fs/cgroup/inner", "write /sys/fs/cgroup/inner/cgroup.procs 1"], more, &["wait"]]
            .concat(),
    );
    bed.create()?;
    bed.start()?;
    bed.says("ready")?;
    let inner = bed.host.group(bed.pid()?, "")?;
    holds(&format!("the process is in {}", inner.display()), inner.ends_with("inner"))?;
    Ok(inner)
}

/// Whether a group says so in `cgroup.events`.
fn event(group: &std::path::Path, line: &str) -> Verdict {
    let says = || said_in(&group.join("cgroup.events")).is_ok_and(|text| text.lines().any(|one| one == line));
    let found = wait_for(PATIENCE, || says().then_some(()));
    holds(&format!("{} says {line:?}", group.display()), found.is_some())
}

/// The machine's tree keeps its options when a container without a namespace of its own has it mounted as `kind`.
fn options_stay(bed: &mut Bed, kind: &str) -> Verdict {
    let Some(before) = bed.host.options_at_first() else {
        return skip("the machine's tree has neither nsdelegate nor memory_recursiveprot to be lost");
    };
    // What one of these cases gives back is not to be what another one has just lost.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Another container may have taken them away.
    bed.host.give_options_back()?;
    mounted(bed, kind, &["ro"])?;
    bed.create()?;
    let after = bed.host.options_now();
    bed.host.give_options_back()?;
    equal("options of the machine's tree", after, before)
}

/// A container whose user may write to the tree, and who that user is outside.
fn owned_by_its_user(bed: &mut Bed) -> Verdict<Value> {
    mapped(bed);
    with_tree(bed)?;
    bed.ask(&[
        "mkdir /sys/fs/cgroup/inner",
        "write /sys/fs/cgroup/inner/cgroup.procs 1",
        "write /sys/fs/cgroup/memory.max max",
        "stat /sys/fs/cgroup/memory.max",
    ])
}

/// Groups around the container's place that the case itself makes, outermost first; they go with the value.
pub(super) struct Around(Vec<PathBuf>);

impl Around {
    pub(super) fn make(bed: &Bed, names: &[&str]) -> Verdict<Self> {
        let own = bed.host.group(i64::from(std::process::id()), "")?;
        let path = said_in(std::path::Path::new("/proc/self/cgroup"))?;
        let path = path.trim_start_matches("0::/").to_owned();
        let depth = std::path::Path::new(&path).components().count();
        let root = own.ancestors().nth(depth).unwrap_or(&own).to_owned();
        let mut made = Self(Vec::new());
        for name in names {
            let group = root.join(format!("{}-around{name}", bed.id));
            fs::create_dir(&group)?;
            made.0.push(group);
        }
        Ok(made)
    }

    pub(super) fn outer(&self) -> PathBuf {
        self.0.first().cloned().unwrap_or_default()
    }
}

impl Drop for Around {
    fn drop(&mut self) {
        for group in self.0.iter().rev() {
            let gone =
                wait_for(PATIENCE, || (!group.exists() || fs::remove_dir(group).is_ok()).then_some(()));
            if gone.is_none() {
                println!("{} is left", group.display());
            }
        }
    }
}

/// With a process in the group above the container's.
fn below_others(bed: &mut Bed, resources: &Value) -> Verdict<crate::call::Said> {
    let around = Around::make(bed, &[""])?;
    let outer = around.outer();
    let mut other = std::process::Command::new("sleep").arg("60").spawn()?;
    let entered = fs::write(outer.join("cgroup.procs"), other.id().to_string());
    let name = outer.file_name().unwrap_or_default().to_string_lossy().into_owned();
    bed.set(json!({ "linux": { "cgroupsPath": format!("/{name}/inner"), "resources": resources } }));
    let said = bed.try_create();
    let id = bed.id.clone();
    let deleted = bed.call(&["delete", "--force", &id]);
    other.kill()?;
    other.wait()?;
    let _ = fs::remove_dir(outer.join("inner"));
    drop(around);
    entered?;
    deleted?;
    said
}

const CASES: &[Case] = &[
    case("a_tree_of_its_own", "config-linux.md#namespaces: cgroup: an isolated view of the tree", |bed| {
        bed.namespace(json!({ "type": "cgroup" }));
        equal("/proc/self/cgroup", &bed.seen()?["cgroup"], "0::/")
    })
    .of_v2(),
    case("no_tree_of_its_own", "config-linux.md#namespaces: a kind that is not listed is inherited", |bed| {
        let group = format!("0::/{}", bed.id);
        equal("/proc/self/cgroup", bed.seen()?["cgroup"].as_str(), Some(group.as_str()))
    })
    .of_v2(),
    case(
        "who_joins_sees_the_same_tree",
        "config-linux.md#namespaces: cgroup; runc: exec joins them",
        |bed| {
            bed.namespace(json!({ "type": "cgroup" }));
            bed.up()?;
            equal("/proc/self/cgroup", &bed.exec(&[], &["see"])?[0]["cgroup"], "0::/")
        },
    )
    .of_v2(),
    case(
        "the_top_is_the_container_s_group",
        "config.md#mounts: type cgroup shows the container's groups",
        |bed| {
            with_tree(bed)?;
            let answers =
                bed.ask(&["read /sys/fs/cgroup/cgroup.procs", "read /sys/fs/cgroup/cgroup.type"])?;
            // The root of the machine's tree has no type.
            equal("processes and type", answers, json!(["1\n", "domain\n"]))
        },
    )
    .of_v2(),
    case(
        "the_top_where_it_is_called_by_its_kernel_s_name",
        "config.md#mounts: type is the file system's",
        |bed| {
            bed.namespace(json!({ "type": "cgroup" }));
            mounted(bed, "cgroup2", &["ro"])?;
            let answers = bed.ask(&["read /sys/fs/cgroup/cgroup.procs", "mkdir /sys/fs/cgroup/x"])?;
            equal("processes, and making a group", answers, json!(["1\n", 30]))
        },
    )
    .of_v2(),
    case("a_tree_for_reading_only", "config.md#linux-mount-options: ro is of the mount", |bed| {
        bed.namespace(json!({ "type": "cgroup" }));
        mounted(bed, "cgroup", &["ro"])?;
        equal("EROFS", &bed.ask(&["mkdir /sys/fs/cgroup/x"])?[0], 30)
    })
    .of_v2(),
    case("a_tree_for_writing", "config.md#linux-mount-options: rw is of the mount", |bed| {
        with_tree(bed)?;
        let answers = bed.ask(&["mkdir /sys/fs/cgroup/x", "rmdir /sys/fs/cgroup/x"])?;
        equal("making and removing a group", answers, json!([null, null]))
    })
    .of_v2(),
    case(
        "the_machine_s_tree_keeps_its_options",
        "runtime.md#create: what is not the container's stays",
        |bed| options_stay(bed, "cgroup"),
    )
    .of_v2(),
    case(
        "it_keeps_them_by_the_other_name_too",
        "runtime.md#create: what is not the container's stays",
        |bed| options_stay(bed, "cgroup2"),
    )
    .of_v2(),
    case("groups_below_are_listed", "runc#ps: all processes of the container", |bed| {
        in_inner(bed, &[])?;
        let (id, pid) = (bed.id.clone(), bed.pid()?);
        let said = bed.must(&["ps", "--format", "json", &id])?;
        let list: Value = serde_json::from_str(&said.out)?;
        equal("processes", list, json!([pid]))
    })
    .of_v2(),
    case("groups_below_are_counted", "runc#events: figures of the whole container", |bed| {
        in_inner(bed, &[])?;
        let id = bed.id.clone();
        let said = bed.must(&["events", "--stats", &id])?;
        let event: Value = serde_json::from_str(said.out.trim())?;
        equal("processes", &event["data"]["pids"]["current"], 1)
    })
    .of_v2(),
    case("groups_below_are_frozen", "runc#pause: all processes of the container stand still", |bed| {
        let inner = in_inner(bed, &[])?;
        let id = bed.id.clone();
        bed.must(&["pause", &id])?;
        equal("status", bed.state()?["status"].take(), "paused")?;
        event(&inner, "frozen 1")?;
        bed.must(&["resume", &id])?;
        event(&inner, "frozen 0")?;
        bed.must(&["kill", &id, "USR1"])?;
        bed.says("signal 10")
    })
    .of_v2(),
    case("groups_below_end_with_it", "runtime.md#delete: what create made must be deleted", |bed| {
        let inner = in_inner(bed, &["mkdir /sys/fs/cgroup/a", "mkdir /sys/fs/cgroup/a/b"])?;
        let id = bed.id.clone();
        bed.must(&["delete", "--force", &id])?;
        holds("the group is gone", inner.parent().is_some_and(|own| !own.exists()))
    })
    .of_v2(),
    case(
        "who_joins_where_controllers_are_handed_down",
        "runc#exec: beside the first process, which is below",
        |bed| {
            in_inner(bed, &["write /sys/fs/cgroup/cgroup.subtree_control +memory"])?;
            equal("/proc/self/cgroup", &bed.exec(&[], &["see"])?[0]["cgroup"], "0::/inner")
        },
    )
    .of_v2(),
    case("limits_where_controllers_are_handed_down", "runc#update: limits of the whole container", |bed| {
        let inner = in_inner(bed, &["write /sys/fs/cgroup/cgroup.subtree_control +pids"])?;
        let id = bed.id.clone();
        bed.must(&["update", "--pids-limit", "22", &id])?;
        let own = inner.parent().unwrap_or(&inner);
        equal("pids.max", said_in(&own.join("pids.max"))?, "22")?;
        equal("pids.max below", said_in(&inner.join("pids.max"))?, "max")
    })
    .of_v2(),
    case("devices_are_guarded_below", "config-linux.md#allowed-device-list: of the whole container", |bed| {
        with_tree(bed)?;
        bed.set(json!({ "linux": { "resources": { "devices": [{ "allow": false, "access": "rwm" }] } } }));
        let answers = bed.ask(&[
            "mkdir /sys/fs/cgroup/inner",
            "write /sys/fs/cgroup/inner/cgroup.procs 1",
            "mknod /tmp/kmsg 1 11",
            "open r /tmp/kmsg",
            "open r /dev/null",
        ])?;
        equal("opening them", answers, json!([null, null, null, 1, null]))
    })
    .of_v2(),
    case(
        "a_group_is_its_user_s",
        "config-linux.md#cgroup-ownership: a new namespace, mounted for writing",
        |bed| {
            let answers = owned_by_its_user(bed)?;
            equal("making a group and going there", (&answers[0], &answers[1]), (&json!(null), &json!(null)))
        },
    )
    .of_v2(),
    case("its_limits_are_not", "config-linux.md#cgroup-ownership: only files that the kernel lists", |bed| {
        let answers = owned_by_its_user(bed)?;
        equal("writing to memory.max", &answers[2], 13)?;
        equal("owner of memory.max", &answers[3]["uid"], 65534)
    })
    .of_v2(),
    case(
        "a_group_stays_root_s",
        "config-linux.md#cgroup-ownership: not where it is mounted read-only",
        |bed| {
            mapped(bed);
            bed.namespace(json!({ "type": "cgroup" }));
            mounted(bed, "cgroup", &["ro"])?;
            equal("owner", &bed.ask(&["stat /sys/fs/cgroup"])?[0]["uid"], 65534)
        },
    )
    .of_v2(),
    case(
        "others_above_and_a_limit",
        "config-linux.md#unified: a controller that can't be enabled is an error",
        |bed| {
            let said = below_others(bed, &json!({ "memory": { "limit": 67_108_864 } }))?;
            holds("`create` is refused", said.code != 0)
        },
    )
    .of_v2(),
    case("others_above_and_no_limit", "config-linux.md#cgroups-path: absolute, from the mount on", |bed| {
        let said = below_others(bed, &json!({}))?;
        equal(said.err.trim(), said.code, 0)
    })
    .of_v2(),
    case(
        "a_group_for_threads_only",
        "config-linux.md#cgroups-path: a place that can't be used is an error",
        |bed| {
            let around = Around::make(bed, &["", "/threads"])?;
            let outer = around.outer();
            let name = outer.file_name().unwrap_or_default().to_string_lossy().into_owned();
            bed.set(json!({ "linux": { "cgroupsPath": format!("/{name}/threads/inner"), "resources": {
            "memory": { "limit": 67_108_864 } } } }));
            fs::write(outer.join("threads/cgroup.type"), "threaded")?;
            let refused = bed.refused();
            let _ = fs::remove_dir(outer.join("threads/inner"));
            refused
        },
    )
    .of_v2(),
];
