//! Every scenario that is shipped, found by the build script.

/// A shipped scenario.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// `limited-server`, `lesson-cgroups.scenario`, `web.home`: also the name of its folder of golden files.
    pub key: &'static str,
    /// The file.
    pub text: &'static str,
    /// Platform and golden text.
    pub goldens: &'static [(&'static str, &'static str)],
}

/// All of them, by key.
pub static ALL: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The one with that key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Shipped> {
    ALL.iter().find(|shipped| shipped.key == key)
}
