//! The five sets of capabilities.

use serde_json::json;

use crate::bed::Bed;
use crate::check::{Verdict, equal};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "capabilities", cases: CASES };

const NONE: &str = "0000000000000000";
/// CAP_CHOWN (0) and CAP_KILL (5).
const TWO: &str = "0000000000000021";

fn sets(bed: &mut Bed, sets: &serde_json::Value) {
    bed.set(json!({ "process": { "capabilities": null } }));
    bed.set(json!({ "process": { "capabilities": sets } }));
}

fn set_is(bed: &mut Bed, name: &str, expected: &str) -> Verdict {
    equal(name, &bed.seen()?["status"][name], expected)
}

const CASES: &[Case] = &[
    case("bounding", "config.md#linux-process: capabilities.bounding is kept for the process", |bed| {
        sets(bed, &json!({ "bounding": ["CAP_CHOWN", "CAP_KILL"] }));
        set_is(bed, "CapBnd", TWO)
    }),
    case(
        "effective_and_permitted",
        "config.md#linux-process: capabilities.effective, permitted are kept for the process",
        |bed| {
            let two = ["CAP_CHOWN", "CAP_KILL"];
            sets(bed, &json!({ "bounding": two, "effective": two, "permitted": two }));
            let seen = bed.seen()?;
            equal("CapEff", &seen["status"]["CapEff"], TWO)?;
            equal("CapPrm", &seen["status"]["CapPrm"], TWO)
        },
    ),
    case("inheritable", "config.md#linux-process: capabilities.inheritable is kept for the process", |bed| {
        let two = ["CAP_CHOWN", "CAP_KILL"];
        sets(bed, &json!({ "bounding": two, "effective": two, "permitted": two, "inheritable": two }));
        set_is(bed, "CapInh", TWO)
    }),
    case(
        "ambient_for_another_user",
        "config.md#linux-process: capabilities.ambient is kept over execve",
        |bed| {
            let two = ["CAP_CHOWN", "CAP_KILL"];
            bed.set(json!({ "process": { "user": { "uid": 1000, "gid": 1000 } } }));
            sets(
                bed,
                &json!({ "bounding": two, "effective": two, "permitted": two, "inheritable": two, "ambient": two }),
            );
            let seen = bed.seen()?;
            equal("CapAmb", &seen["status"]["CapAmb"], TWO)?;
            equal("CapEff", &seen["status"]["CapEff"], TWO)
        },
    ),
    case("ambient_is_empty_by_default", "config.md#linux-process: capabilities.ambient is optional", |bed| {
        set_is(bed, "CapAmb", NONE)
    }),
    case("empty_sets", "config.md#linux-process: a set may be empty", |bed| {
        sets(
            bed,
            &json!({ "bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": [] }),
        );
        let seen = bed.seen()?;
        for name in ["CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"] {
            equal(name, &seen["status"][name], NONE)?;
        }
        Ok(())
    }),
    case(
        "what_is_not_there_can_not_be_done",
        "config.md#linux-process: capabilities are what the process may do",
        |bed| {
            sets(
                bed,
                &json!({ "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"] }),
            );
            let answers = bed.ask(&["touch /tmp/file", "chown /tmp/file 7"])?;
            equal("touch", &answers[0], &json!(null))?;
            equal("chown (EPERM is 1)", &answers[1], 1)
        },
    ),
    case(
        "what_is_there_can_be_done",
        "config.md#linux-process: capabilities are what the process may do",
        |bed| {
            let answers = bed.ask(&["touch /tmp/file", "chown /tmp/file 7", "stat /tmp/file"])?;
            equal("chown", &answers[1], &json!(null))?;
            equal("owner", &answers[2]["uid"], 7)
        },
    ),
    case(
        "the_newest_names_are_known",
        "config.md#linux-process: names are those of capabilities(7)",
        |bed| {
            let two = ["CAP_PERFMON", "CAP_CHECKPOINT_RESTORE"];
            sets(bed, &json!({ "bounding": two, "effective": two, "permitted": two }));
            // Bits 38 and 40.
            set_is(bed, "CapEff", "0000014000000000")
        },
    ),
    case(
        "an_unknown_name_is_warned_of",
        "config.md#linux-process: what the kernel has not got is warned of, and should not fail",
        |bed| {
            let sets_of = ["CAP_CHOWN", "CAP_KILL", "CAP_TELEPATHY"];
            sets(bed, &json!({ "bounding": sets_of, "effective": sets_of, "permitted": sets_of }));
            set_is(bed, "CapEff", TWO)
        },
    ),
];
