//! What a case says in the end, and the small comparisons that it is made of.

use std::fmt::Debug;

use serde_json::{Map, Value};

/// Why a case did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The runtime did something else than the clause says.
    Wrong(String),
    /// The case could not do its work here: the machine, its kernel or this version of the runtime lacks something.
    Skip(String),
}

/// Outcome of a case or of a part of one.
pub(crate) type Verdict<T = ()> = Result<T, Fault>;

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Wrong(format!("not JSON: {error}"))
    }
}

/// A verdict that something is wrong.
pub(crate) fn wrong<T>(what: impl Into<String>) -> Verdict<T> {
    Err(Fault::Wrong(what.into()))
}

/// A verdict that nothing can be said here.
pub(crate) fn skip<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Fault::Skip(why.into()))
}

/// Fails with `what` unless it holds.
pub(crate) fn holds(what: &str, it: bool) -> Verdict {
    if it { Ok(()) } else { wrong(what) }
}

/// Fails unless both are equal, saying both.
#[expect(clippy::needless_pass_by_value, reason = "what is compared is mostly made in the call")]
pub(crate) fn equal<A: Debug + PartialEq<B>, B: Debug>(what: &str, found: A, expected: B) -> Verdict {
    if found == expected { Ok(()) } else { wrong(format!("{what}: found {found:?}, expected {expected:?}")) }
}

/// Fails unless the list holds that string.
pub(crate) fn lists(what: &str, list: &Value, expected: &str) -> Verdict {
    let found = list.as_array().is_some_and(|list| list.iter().any(|one| one == expected));
    if found { Ok(()) } else { wrong(format!("{what}: {expected:?} is not in {list}")) }
}

/// Fails if the list holds that string.
pub(crate) fn lists_not(what: &str, list: &Value, unwanted: &str) -> Verdict {
    let found = list.as_array().is_none_or(|list| list.iter().any(|one| one == unwanted));
    if found { wrong(format!("{what}: {unwanted:?} is in {list}")) } else { Ok(()) }
}

/// The members of `patch` put into `into`, objects into objects; whatever else replaces what was there, null removes it.
pub(crate) fn merge(into: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(into) = into else { return };
    for (name, value) in patch {
        if value.is_null() {
            into.remove(&name);
        } else {
            merge(into.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_replace_add_and_remove() {
        let mut value = json!({ "a": { "b": 1, "c": [1, 2] }, "d": 2 });
        merge(&mut value, json!({ "a": { "c": [3], "e": { "f": null } }, "d": null }));
        assert_eq!(value, json!({ "a": { "b": 1, "c": [3], "e": {} } }));
    }

    #[test]
    fn comparisons_say_both_sides() {
        assert_eq!(equal("n", 1, 2), wrong("n: found 1, expected 2"));
        assert_eq!(lists("l", &json!(["a"]), "b"), wrong("l: \"b\" is not in [\"a\"]"));
        assert!(lists("l", &json!(["a"]), "a").is_ok() && lists_not("l", &json!(["a"]), "b").is_ok());
        assert!(lists_not("l", &Value::Null, "b").is_err(), "what is no list says nothing");
    }
}
