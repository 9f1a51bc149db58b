//! Users and groups, and the mask of new files.

use serde_json::json;

use crate::check::{equal, holds};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "ids", cases: CASES };

const CASES: &[Case] = &[
    case("the_user_is_0_where_it_says_so", "config.md#user: uid and gid in the container namespace", |bed| {
        let seen = bed.seen()?;
        equal("uid, gid", (&seen["uid"], &seen["gid"]), (&json!(0), &json!(0)))
    }),
    case("another_user", "config.md#user: uid is the user of the process, real and effective", |bed| {
        bed.set(json!({ "process": { "user": { "uid": 1000, "gid": 1001 } } }));
        let seen = bed.seen()?;
        equal("Uid", &seen["status"]["Uid"], "1000\t1000\t1000\t1000")?;
        equal("Gid", &seen["status"]["Gid"], "1001\t1001\t1001\t1001")
    }),
    case("a_user_without_a_name", "config.md#user: names are left to upper levels", |bed| {
        bed.set(json!({ "process": { "user": { "uid": 4_000_000, "gid": 4_000_001 } } }));
        let seen = bed.seen()?;
        equal("uid, gid", (&seen["uid"], &seen["gid"]), (&json!(4_000_000), &json!(4_000_001)))
    }),
    case("additional_groups", "config.md#user: additionalGids are added to the process", |bed| {
        bed.set(
            json!({ "process": { "user": { "uid": 1000, "gid": 1001, "additionalGids": [5, 6, 70000] } } }),
        );
        let seen = bed.seen()?;
        let mut groups: Vec<u64> =
            seen["groups"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64).collect();
        groups.sort_unstable();
        groups.retain(|group| *group != 1001);
        equal("groups", groups, vec![5, 6, 70000])
    }),
    case("no_groups_of_the_runtime", "config.md#user: groups are those that it lists", |bed| {
        bed.set(json!({ "process": { "user": { "uid": 1000, "gid": 1001 } } }));
        let seen = bed.seen()?;
        let others = seen["groups"].as_array().into_iter().flatten().filter(|group| **group != 1001).count();
        equal("further groups", others, 0)
    }),
    case("a_mask_of_new_files", "config.md#user: umask is the mask of the process", |bed| {
        bed.set(json!({ "process": { "user": { "umask": 0o027 } } }));
        let answers = bed.ask(&["see", "touch /tmp/file", "stat /tmp/file"])?;
        equal("Umask", &answers[0]["status"]["Umask"], "0027")?;
        equal("mode of a file", &answers[2]["mode"], "640")
    }),
    case("a_mask_of_nothing", "config.md#user: umask may be 0", |bed| {
        bed.set(json!({ "process": { "user": { "umask": 0 } } }));
        equal("Umask", &bed.seen()?["status"]["Umask"], "0000")
    }),
    case(
        "who_is_not_root_has_no_capabilities_by_that",
        "config.md#user: another user; capabilities are what the sets say",
        |bed| {
            bed.set(json!({ "process": { "user": { "uid": 1000, "gid": 1000 }, "capabilities": {
            "bounding": ["CAP_KILL"], "effective": [], "permitted": [], "inheritable": [] } } }));
            let seen = bed.seen()?;
            equal("CapEff", &seen["status"]["CapEff"], "0000000000000000")
        },
    ),
    case(
        "the_program_leads_a_session",
        "runtime-linux.md: the process is not of the runtime's session",
        |bed| {
            bed.up()?;
            let pid = bed.pid()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let session =
                stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(3)).map(str::to_owned);
            holds(&format!("session {session:?} is {pid}"), session == Some(pid.to_string()))
        },
    ),
];
