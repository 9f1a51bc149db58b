//! How one file system is mounted: the option words of `config.json`, told apart by the system call that carries them out.
//!
//! **Source.** Runtime specification 1.2, config.md "Linux mount options"; mount_setattr(2), fsconfig(2), mount(2).

use serde::{Deserialize, Serialize};

/// Attributes of a mount for `mount_setattr`: `MOUNT_ATTR_…` bits (`include/uapi/linux/mount.h`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Bits to set. Of a new file system all that `fsmount` takes.
    pub set: u64,
    /// Bits to clear; together with the whole of `MOUNT_ATTR__ATIME` wherever `set` chooses an access time, as the kernel asks.
    pub clear: u64,
}

impl Attributes {
    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.set == 0 && self.clear == 0
    }
}

/// Whether a call reaches the mount alone or all mounts below it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// The mount alone.
    Alone,
    /// With all below it: `AT_RECURSIVE`, `MS_REC`.
    Recursive,
}

/// What mounts and unmounts of others do to a mount (mount_namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `MS_PRIVATE`: nothing passes.
    Private,
    /// `MS_SHARED`: passes in both directions.
    Shared,
    /// `MS_SLAVE`: comes in, does not go out.
    Slave,
    /// `MS_UNBINDABLE`: private, and can't be bind-mounted.
    Unbindable,
}

/// A propagation word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Propagation {
    /// Which.
    pub kind: Kind,
    /// Of this mount, or of all below it too.
    pub reach: Reach,
}

/// Everything that the option words of one mount ask for. Words that contradict each other are settled: the later holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// `bind` or `rbind`: a mount of what is there already.
    pub bind: Option<Reach>,
    /// `remount`: the mount that is at the destination gets other options.
    pub remount: bool,
    /// Attributes of this mount.
    pub attributes: Attributes,
    /// Attributes of this mount and all below it (`rro`, `rnosuid`, …), applied after [`Self::attributes`].
    pub recursive: Attributes,
    /// Of the file system, not of the mount: words for `FSCONFIG_SET_FLAG` (`ro`, `sync`, `dirsync`, `lazytime`, `mand` and what
    /// takes them back). Empty for a bind mount, which makes no file system.
    pub superblock: Vec<String>,
    /// Words for the file system itself, in order: `key` (`FSCONFIG_SET_FLAG`) or `key=value` (`FSCONFIG_SET_STRING`).
    pub data: Vec<String>,
    /// To be set after everything else, in order (`shared` and `unbindable` can't both hold, `slave` and `shared` can).
    pub propagation: Vec<Propagation>,
    /// `idmap` or `ridmap`: the mount's owners are mapped (`MOUNT_ATTR_IDMAP`).
    pub idmap: Option<Reach>,
    /// `tmpcopyup`: what is at the destination is copied into the new tmpfs.
    pub copy_up: bool,
}

impl Options {
    /// Whether the mount itself, without those below it, ends read-only.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        /// `MOUNT_ATTR_RDONLY`.
        const READ_ONLY: u64 = 1;
        (self.attributes.set | self.recursive.set) & READ_ONLY != 0 && self.recursive.clear & READ_ONLY == 0
    }
}
