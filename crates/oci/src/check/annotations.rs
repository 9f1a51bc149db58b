//! Annotations (config.md, "Annotations").

use std::collections::HashMap;

use super::{Found, refuse};

pub(super) fn check(annotations: Option<&HashMap<String, String>>) -> Found {
    if annotations.is_some_and(|annotations| annotations.contains_key("")) {
        return refuse("annotations", "an empty key", "\"Keys MUST NOT be an empty string\"");
    }
    Ok(())
}
