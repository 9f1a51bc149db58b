//! The end of a container.

use std::fs;

use crate::check::{equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "delete", cases: CASES };

const CASES: &[Case] = &[
    case("a_stopped_container_is_deleted", "runtime.md#delete: must delete what create made", |bed| {
        bed.up()?;
        bed.stop()?;
        let id = bed.id.clone();
        bed.must(&["delete", &id])?;
        bed.must_not(&["state", &id]).map(drop)
    }),
    case(
        "a_running_container_is_not_deleted",
        "runtime.md#delete: not stopped is an error and has no effect",
        |bed| {
            bed.up()?;
            let (id, pid) = (bed.id.clone(), bed.pid()?);
            bed.must_not(&["delete", &id])?;
            equal("status", bed.state()?["status"].take(), "running")?;
            equal("pid", bed.pid()?, pid)
        },
    ),
    case(
        "a_created_container_is_not_deleted",
        "runtime.md#delete: not stopped is an error and has no effect",
        |bed| {
            bed.create()?;
            let id = bed.id.clone();
            bed.must_not(&["delete", &id])?;
            equal("status", bed.state()?["status"].take(), "created")
        },
    ),
    case("force_deletes_what_runs", "runc#delete: --force kills first", |bed| {
        bed.up()?;
        let id = bed.id.clone();
        bed.must(&["delete", "--force", &id])?;
        bed.must_not(&["state", &id]).map(drop)
    }),
    case(
        "force_ends_all_where_none_ends_with_the_first",
        "runc#delete: --force kills every process of the container",
        |bed| {
            bed.without_namespace("pid");
            bed.deeds(&["leave 8", "wait"]);
            bed.create()?;
            bed.start()?;
            bed.says("ready")?;
            // That none is left is looked for after every case.
            let id = bed.id.clone();
            bed.must(&["delete", "--force", &id])?;
            bed.must_not(&["state", &id]).map(drop)
        },
    ),
    case("force_deletes_what_is_created", "runc#delete: --force kills first", |bed| {
        bed.create()?;
        let id = bed.id.clone();
        bed.must(&["delete", "--force", &id])?;
        bed.must_not(&["state", &id]).map(drop)
    }),
    case(
        "who_is_not_there_is_not_deleted",
        "runtime.md#delete: without an id of a container it is an error",
        |bed| bed.must_not(&["delete", "nobody"]).map(drop),
    ),
    case(
        "force_does_not_mind_who_is_not_there",
        "runc#delete: --force of a container that is not there succeeds",
        |bed| bed.must(&["delete", "--force", "nobody"]).map(drop),
    ),
    case("the_control_group_goes", "runtime.md#delete: what create made must be deleted", |bed| {
        bed.up()?;
        let pid = bed.pid()?;
        let group = bed.host.group(pid, "pids")?;
        holds("the group is there", group.is_dir())?;
        bed.stop()?;
        let id = bed.id.clone();
        bed.must(&["delete", &id])?;
        holds("the group is gone", !group.exists())
    }),
    case(
        "a_group_that_was_there_stays",
        "runtime.md#delete: what create did not make must not be deleted",
        |bed| {
            // Where the container's group of pids is going to be is found out by one that is deleted again.
            bed.create()?;
            let group = bed.host.group(bed.pid()?, "pids")?;
            let id = bed.id.clone();
            bed.must(&["delete", "--force", &id])?;
            fs::create_dir(&group)?;
            let made = bed.up();
            let there = bed.host.group(bed.pid().unwrap_or_default(), "pids");
            let deleted = bed.call(&["delete", "--force", &id]);
            let stays = group.is_dir();
            if stays {
                fs::remove_dir(&group)?;
            }
            made?;
            deleted?;
            equal("the group that was used", there?, group)?;
            holds("the group is there", stays)
        },
    ),
    case(
        "what_it_did_not_make_stays",
        "runtime.md#delete: what create did not make must not be deleted",
        |bed| {
            fs::write(bed.file("kept"), "mine")?;
            bed.bind("kept", "/tmp/kept", &["bind"]);
            bed.up()?;
            bed.stop()?;
            let id = bed.id.clone();
            bed.must(&["delete", &id])?;
            equal("a mounted file", fs::read_to_string(bed.file("kept"))?, "mine")?;
            holds("the bundle", bed.inside("probe").is_file() && bed.bundle().join("config.json").is_file())
        },
    ),
];
