//! Names of capabilities become sets.
//!
//! **Source.** Runtime specification 1.2, config.md "Linux Process": what the kernel does not know or can't be granted "MUST be
//! logged as a warning", and a runtime "SHOULD NOT fail" for it; runc does so too. capabilities(7), capset(2): what the kernel
//! asks of the sets, for each of which a thread would get EPERM.

use std::collections::BTreeSet;

use catamaran_oci_init::capability::Sets;
use oci_spec::runtime::{Capabilities, LinuxCapabilities};
use rustix::thread::CapabilitySet;
use serde_json::Value;

use crate::Warning;

/// What can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grantable {
    /// Capabilities that the kernel knows: bits 0 to `/proc/sys/kernel/cap_last_cap`.
    pub kernel: u64,
    /// What the process that will have them may keep: the runtime's own bounding and permitted set, or everything where the
    /// container has a user namespace of its own, whose first process the kernel gives all (user_namespaces(7)).
    pub held: u64,
}

impl Grantable {
    /// What can be granted by a runtime that has `held`, under a kernel whose last capability is `last`.
    #[must_use]
    pub const fn new(last: u32, held: u64) -> Self {
        let kernel = if last >= 63 { u64::MAX } else { (1 << (last + 1)) - 1 };
        Self { kernel, held }
    }
}

const FIELDS: [&str; 5] = ["bounding", "effective", "permitted", "inheritable", "ambient"];
const PREFIX: &str = "CAP_";

/// The names that this runtime knows, for `features`.
pub fn known() -> impl Iterator<Item = String> {
    CapabilitySet::all().iter_names().map(|(name, _)| format!("{PREFIX}{name}"))
}

fn bit(name: &str) -> Option<u64> {
    CapabilitySet::from_name(name).map(|set| set.bits())
}

/// Takes out of a `process` the capabilities that nobody knows, because the crate `oci-spec` would refuse the file for them.
pub(crate) fn sieve(process: &mut Value) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let Some(sets) = process.get_mut("capabilities") else { return warnings };
    for field in FIELDS {
        let Some(names) = sets.get_mut(field).and_then(Value::as_array_mut) else { continue };
        let mut unknown = BTreeSet::new();
        names.retain(|name| {
            // What is no string is left for the parser to refuse.
            let Some(name) = name.as_str() else { return true };
            let is_known = name.strip_prefix(PREFIX).is_some_and(|name| bit(name).is_some());
            if !is_known {
                unknown.insert(name.to_owned());
            }
            is_known
        });
        if !unknown.is_empty() {
            let what = format!("left out, there is no variant for {}", list(unknown));
            warnings.push(Warning::new(format!("process.capabilities.{field}"), what));
        }
    }
    warnings
}

fn list(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The sets that `wanted` becomes, and what was left out.
#[must_use]
pub fn sets(wanted: &LinuxCapabilities, grantable: Grantable) -> (Sets, Vec<Warning>) {
    let mut warnings = Vec::new();
    let mut read = |field: &str, names: &Option<Capabilities>| {
        let asked =
            names.iter().flatten().filter_map(|name| bit(&name.to_string())).fold(0, |all, one| all | one);
        let known = keep(asked, grantable.kernel, field, "this kernel does not know them", &mut warnings);
        keep(known, grantable.held, field, "the runtime itself has not got them", &mut warnings)
    };
    let mut sets = Sets {
        bounding: read("bounding", wanted.bounding()),
        effective: read("effective", wanted.effective()),
        permitted: read("permitted", wanted.permitted()),
        inheritable: read("inheritable", wanted.inheritable()),
        ambient: read("ambient", wanted.ambient()),
    };
    // capset(2): effective within permitted; inheritable within bounding, for the old inheritable set is empty.
    sets.effective =
        keep(sets.effective, sets.permitted, "effective", "they are not permitted", &mut warnings);
    sets.inheritable = keep(
        sets.inheritable,
        sets.bounding,
        "inheritable",
        "they are not in the bounding set (capset: operation not permitted)",
        &mut warnings,
    );
    // prctl(2), PR_CAP_AMBIENT_RAISE: within permitted and inheritable.
    let base = sets.permitted & sets.inheritable;
    sets.ambient =
        keep(sets.ambient, base, "ambient", "they are not both permitted and inheritable", &mut warnings);
    (sets, warnings)
}

/// The part of `set` that is within `allowed`; the rest is told.
fn keep(set: u64, allowed: u64, field: &str, why: &str, warnings: &mut Vec<Warning>) -> u64 {
    let lost = CapabilitySet::from_bits_retain(set & !allowed);
    if !lost.is_empty() {
        let names = list(lost.iter_names().map(|(name, _)| format!("{PREFIX}{name}")));
        let what = format!("left out, for {why}: {names}");
        warnings.push(Warning::new(format!("process.capabilities.{field}"), what));
    }
    set & allowed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const CHOWN: u64 = 1;
    const KILL: u64 = 1 << 5;
    const NET_RAW: u64 = 1 << 13;
    const SYS_RESOURCE: u64 = 1 << 24;
    const BPF: u64 = 1 << 39;
    const ALL: Grantable = Grantable::new(40, u64::MAX);

    /// Sets and warnings of what the fields of `capabilities` say.
    fn of(json: Value, grantable: Grantable) -> (Sets, Vec<String>) {
        let (sets, warnings) = sets(&serde_json::from_value(json).unwrap(), grantable);
        (sets, warnings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_name_is_one_bit_of_each_set() {
        let asked = json!({
            "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_BPF"],
            "effective": ["CAP_CHOWN"],
            "permitted": ["CAP_CHOWN", "CAP_KILL"],
            "inheritable": ["CAP_KILL"],
            "ambient": ["CAP_KILL"],
        });
        let expected = Sets {
            bounding: CHOWN | KILL | BPF,
            effective: CHOWN,
            permitted: CHOWN | KILL,
            inheritable: KILL,
            ambient: KILL,
        };
        assert_eq!(of(asked, ALL), (expected, vec![]));
        assert_eq!(of(json!({}), ALL), (Sets::default(), vec![]));
        assert_eq!(known().count(), 41);
    }

    #[test]
    fn what_cannot_be_granted_is_left_out_and_told() {
        // Asked, what can be granted, what is left of bounding, words of the warning.
        let two = json!({"bounding": ["CAP_CHOWN", "CAP_BPF"]});
        let cases = [
            (two.clone(), Grantable::new(38, u64::MAX), CHOWN, "this kernel does not know them: CAP_BPF"),
            (two, Grantable::new(40, !BPF), CHOWN, "the runtime itself has not got them: CAP_BPF"),
            (
                json!({"bounding": ["CAP_SYS_RESOURCE", "CAP_KILL"]}),
                Grantable::new(40, !SYS_RESOURCE),
                KILL,
                "has not got them: CAP_SYS_RESOURCE",
            ),
        ];
        for (asked, grantable, left, words) in cases {
            let (sets, warnings) = of(asked, grantable);
            assert_eq!(sets.bounding, left);
            assert!(warnings.len() == 1 && warnings[0].contains(words), "{warnings:?}");
        }
    }

    #[test]
    fn ambient_needs_permitted_and_inheritable() {
        let one = ["CAP_NET_RAW"];
        // Bounding, permitted, inheritable, whether ambient holds.
        for (bounding, permitted, inheritable, holds) in [
            (true, true, true, true),
            (true, false, true, false),
            (true, true, false, false),
            (false, true, true, false),
        ] {
            let field = |there: bool| if there { json!(one) } else { json!([]) };
            let (sets, warnings) = of(
                json!({"bounding": field(bounding), "permitted": field(permitted),
                       "inheritable": field(inheritable), "ambient": one}),
                ALL,
            );
            assert_eq!(sets.ambient == NET_RAW, holds, "{sets:?}");
            assert_eq!(warnings.is_empty(), holds, "{warnings:?}");
        }
    }

    #[test]
    fn names_that_nobody_knows_are_sieved_out_before_the_file_is_read() {
        let mut process = json!({"capabilities": {
            "bounding": ["CAP_CHOWN", "CAP_NEXT", "KILL", "cap_chown"], "ambient": ["CAP_KILL"], "effective": [7]
        }});
        let warnings = sieve(&mut process);
        let left = &process["capabilities"];
        assert_eq!(left["bounding"], json!(["CAP_CHOWN"]));
        assert_eq!((&left["ambient"], &left["effective"]), (&json!(["CAP_KILL"]), &json!([7])));
        assert_eq!(warnings.len(), 1);
        let told = warnings[0].to_string();
        assert!(
            told.contains(
                "process.capabilities.bounding: left out, there is no variant for CAP_NEXT, KILL, cap_chown"
            ),
            "{told}"
        );
        assert_eq!(sieve(&mut json!({"capabilities": []})), []);
        assert_eq!(sieve(&mut json!([])), []);
    }

    proptest! {
        #[test]
        fn the_kernel_takes_whatever_comes_out(
            fields in prop::collection::vec(prop::sample::subsequence(known().collect::<Vec<_>>(), 0..=41), 5),
            last in 0_u32..70,
            held: u64,
        ) {
            let asked = json!({"bounding": fields[0], "effective": fields[1], "permitted": fields[2],
                               "inheritable": fields[3], "ambient": fields[4]});
            let grantable = Grantable::new(last, held);
            let (sets, _) = of(asked, grantable);
            let all = sets.bounding | sets.effective | sets.permitted | sets.inheritable | sets.ambient;
            prop_assert_eq!(all & !(grantable.kernel & held), 0);
            prop_assert_eq!(sets.effective & !sets.permitted, 0);
            prop_assert_eq!(sets.inheritable & !sets.bounding, 0);
            prop_assert_eq!(sets.ambient & !(sets.permitted & sets.inheritable), 0);
        }
    }
}
