//! Personality (config-linux.md, "Personality"). The domain is one of two by its type.

use oci_spec::runtime::Linux;

use super::{Found, refuse};

pub(super) fn check(linux: &Linux) -> Found {
    let flags = linux.personality().as_ref().and_then(|personality| personality.flags().as_ref());
    match flags.and_then(|flags| flags.first()) {
        None => Ok(()),
        Some(flag) => refuse(
            "linux.personality.flags",
            format!("{flag:?}"),
            "none: \"Currently no flag values are supported\"",
        ),
    }
}
