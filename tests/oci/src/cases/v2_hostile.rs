//! Configurations and neighbours that would have a runtime wait for ever on control groups version 2, or write elsewhere than to
//! the container's group.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use serde_json::{Value, json};

use super::v2_tree::{Around, in_inner};
use crate::bed::Bed;
use crate::check::{Verdict, equal, holds};
use crate::host::said_in;
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "v2_hostile", cases: CASES };

const UNIFIED: &str = "config-linux.md#unified: keys are files of the container's group";

/// A process of nobody's container; it ends with the value.
struct Other(Child);

impl Other {
    fn start() -> Verdict<Self> {
        Ok(Self(Command::new("sleep").arg("60").spawn()?))
    }

    fn group(&self) -> Verdict<String> {
        said_in(Path::new(&format!("/proc/{}/cgroup", self.0.id())))
    }

    fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Whoever has ended it already was told of.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn files(bed: &mut Bed, files: &Value) {
    bed.set(json!({ "linux": { "resources": { "unified": files } } }));
}

/// With this in its group nobody can be born or go on: an error, and soon.
fn is_no_limit(bed: &mut Bed, file: &str, value: &str) -> Verdict {
    files(bed, &json!({ file: value }));
    bed.refused()
}

/// The name of a group that the case has made.
fn name(group: &Path) -> String {
    group.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

const CASES: &[Case] = &[
    case("only_names_of_files_are_keys", UNIFIED, |bed| {
        let around = Around::make(bed, &[""])?;
        let high = around.outer().join("memory.high");
        let before = said_in(&high)?;
        let there = format!("../{}/memory.high", name(&around.outer()));
        let elsewhere = format!("{}/../memory.high", name(&around.outer()));
        let keys = [
            "memory.high/../pids.max",
            "./memory.high",
            "/memory.high",
            "..",
            "",
            "memory.high\n",
            &there,
            &elsewhere,
        ];
        for key in keys {
            files(bed, &json!({ key: "33554432" }));
            let said = bed.try_create()?;
            holds(&format!("{key:?} is refused"), said.code != 0)?;
        }
        equal("memory.high of a neighbour", said_in(&high)?, before)
    })
    .of_v2(),
    case("nobody_is_moved_by_a_limit", UNIFIED, |bed| {
        let mut other = Other::start()?;
        let group = other.group()?;
        for file in ["cgroup.procs", "cgroup.threads"] {
            files(bed, &json!({ file: other.0.id().to_string() }));
            let said = bed.try_create()?;
            equal("the group of a process of the machine's", other.group()?, group.as_str())?;
            holds(&format!("{file} is refused"), said.code != 0)?;
        }
        holds("it runs", other.runs())
    })
    .of_v2(),
    case("standing_still_is_no_limit", UNIFIED, |bed| is_no_limit(bed, "cgroup.freeze", "1")).of_v2(),
    case("being_killed_is_no_limit", UNIFIED, |bed| is_no_limit(bed, "cgroup.kill", "1")).of_v2(),
    case("holding_threads_only_is_no_limit", UNIFIED, |bed| is_no_limit(bed, "cgroup.type", "threaded"))
        .of_v2(),
    case("a_limit_that_nobody_can_live_with", "runtime.md#create: what can't be made is an error", |bed| {
        files(bed, &json!({ "memory.max": "4096", "memory.swap.max": "0" }));
        bed.refused_or_not_started()
    })
    .of_v2(),
    case(
        "a_path_that_is_a_file",
        "config-linux.md#cgroups-path: a place that can't be used is an error",
        |bed| {
            for path in ["/cgroup.procs", "/cgroup.subtree_control/inner"] {
                bed.set(json!({ "linux": { "cgroupsPath": path } }));
                bed.refused()?;
            }
            Ok(())
        },
    )
    .of_v2(),
    case(
        "a_frozen_group_above",
        "config-linux.md#cgroups-path: a place that can't be used is an error",
        |bed| {
            let around = Around::make(bed, &[""])?;
            let freeze = around.outer().join("cgroup.freeze");
            fs::write(&freeze, "1")?;
            bed.set(json!({ "linux": { "cgroupsPath": format!("/{}/inner", name(&around.outer())) } }));
            let refused = bed.refused();
            fs::write(&freeze, "0")?;
            let id = bed.id.clone();
            bed.call(&["delete", "--force", &id])?;
            // What a runtime leaves that was cut short is in the way of nobody else.
            let _ = fs::remove_dir(around.outer().join("inner"));
            refused
        },
    )
    .of_v2(),
    case("a_frozen_group_below_keeps_nobody_waiting", "runc#exec: who can't go on is not started", |bed| {
        let inner = in_inner(bed, &["write /sys/fs/cgroup/cgroup.subtree_control +memory"])?;
        fs::write(inner.join("cgroup.freeze"), "1")?;
        let id = bed.id.clone();
        let refused = bed.must_not(&["exec", &id, "/probe", "see"]).map(drop);
        fs::write(inner.join("cgroup.freeze"), "0")?;
        refused
    })
    .of_v2(),
    case("groups_above_stay_as_they_are", "runtime.md#create: what is not the container's stays", |bed| {
        let around = Around::make(bed, &[""])?;
        let outer = around.outer();
        let other = Other::start()?;
        fs::write(outer.join("cgroup.procs"), other.0.id().to_string())?;
        bed.set(json!({ "linux": { "cgroupsPath": format!("/{}/inner", name(&outer)) } }));
        let said = bed.try_create();
        let kind = said_in(&outer.join("cgroup.type"));
        let id = bed.id.clone();
        let deleted = bed.call(&["delete", "--force", &id]);
        let _ = fs::remove_dir(outer.join("inner"));
        drop(other);
        said?;
        deleted?;
        equal("the kind of a group with other processes", kind?, "domain")
    })
    .of_v2(),
];
