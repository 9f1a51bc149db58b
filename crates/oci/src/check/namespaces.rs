//! Namespaces (config-linux.md, "Namespaces").

use std::path::Path;

use oci_spec::runtime::{Linux, LinuxNamespace, LinuxNamespaceType as Kind};

use super::{refuse, text};
use crate::Problem;

/// The namespaces of a configuration, each at most once.
pub(super) struct Namespaces<'a>(&'a [LinuxNamespace]);

impl<'a> Namespaces<'a> {
    /// # Errors
    /// A kind that is there twice, or a path that is not absolute.
    pub(super) fn read(linux: Option<&'a Linux>) -> Result<Self, Problem> {
        let list = linux.and_then(|linux| linux.namespaces().as_deref()).unwrap_or_default();
        for (place, one) in list.iter().enumerate() {
            let at = format!("linux.namespaces[{place}]");
            if list.iter().take(place).any(|before| before.typ() == one.typ()) {
                let accepted =
                    "of \"duplicated namespaces with same `type`, the runtime MUST generate an error\"";
                refuse(format!("{at}.type"), format!("{} again", word(one.typ())), accepted)?;
            }
            if let Some(path) = path(one) {
                text::absolute_path(path, &format!("{at}.path"), "\"This value MUST be an absolute path\"")?;
            }
        }
        Ok(Self(list))
    }

    fn get(&self, kind: Kind) -> Option<&'a LinuxNamespace> {
        self.0.iter().find(|one| one.typ() == kind)
    }

    /// Whether the container has one that is not simply the runtime's.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.get(kind).is_some()
    }

    /// Whether a new one is made.
    pub(super) fn is_new(&self, kind: Kind) -> bool {
        self.get(kind).is_some_and(|one| path(one).is_none())
    }
}

/// An empty path is none: engines written in Go leave the field out or empty.
fn path(one: &LinuxNamespace) -> Option<&Path> {
    one.path().as_deref().filter(|path| !path.as_os_str().is_empty())
}

/// The specification's word.
pub(super) const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Mount => "mount",
        Kind::Cgroup => "cgroup",
        Kind::Uts => "uts",
        Kind::Ipc => "ipc",
        Kind::User => "user",
        Kind::Pid => "pid",
        Kind::Network => "network",
        Kind::Time => "time",
    }
}
