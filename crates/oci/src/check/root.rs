//! The root file system (config.md, "Root").

use oci_spec::runtime::Root;

use super::{Found, refuse, text};

pub(super) fn check(root: Option<&Root>) -> Found {
    match root {
        None => refuse("root", "absent", "outside of Windows \"this field is REQUIRED\"; add it"),
        Some(root) => text::path(root.path(), "root.path"),
    }
}
