//! The table of option words (config.md, "Linux mount options").

use catamaran_oci_init::mount::{Kind, Propagation, Reach};
use libc::{
    MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW,
    MOUNT_ATTR_RDONLY,
};

/// What a word asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// What holds anyway, or has no effect: `defaults`; `silent` and `loud` (what the kernel logs) and `iversion`, for which
    /// fsconfig(2) has no words.
    Nothing,
    /// A bit of mount_setattr(2).
    Attribute { reach: Reach, bit: u64, on: bool },
    /// The field of access times.
    Access { reach: Reach, time: Time },
    /// A flag of the file system, called so by fsconfig(2) too.
    Superblock,
    /// A bind mount.
    Bind(Reach),
    /// Other options for what is mounted.
    Remount,
    /// Who sees mounts.
    Propagation(Propagation),
    /// Mapped owners.
    Idmap(Reach),
    /// A tmpfs that begins with what was there.
    CopyUp,
}

/// Words of access times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// `relatime`.
    Relative,
    /// `noatime`.
    None,
    /// `strictatime`.
    Strict,
    /// `norelatime`.
    NotRelative,
    /// `atime`.
    NotNone,
    /// `nostrictatime`.
    NotStrict,
}

const fn set(reach: Reach, bit: u64) -> Word {
    Word::Attribute { reach, bit, on: true }
}

const fn clear(reach: Reach, bit: u64) -> Word {
    Word::Attribute { reach, bit, on: false }
}

const fn access(reach: Reach, time: Time) -> Word {
    Word::Access { reach, time }
}

const fn spread(reach: Reach, kind: Kind) -> Word {
    Word::Propagation(Propagation { kind, reach })
}

use Reach::{Alone, Recursive};

/// All words, in the order of the alphabet.
pub(super) const TABLE: [(&str, Word); 62] = [
    ("async", Word::Superblock),
    ("atime", access(Alone, Time::NotNone)),
    ("bind", Word::Bind(Alone)),
    ("defaults", Word::Nothing),
    ("dev", clear(Alone, MOUNT_ATTR_NODEV)),
    ("diratime", clear(Alone, MOUNT_ATTR_NODIRATIME)),
    ("dirsync", Word::Superblock),
    ("exec", clear(Alone, MOUNT_ATTR_NOEXEC)),
    ("idmap", Word::Idmap(Alone)),
    ("iversion", Word::Nothing),
    ("lazytime", Word::Superblock),
    ("loud", Word::Nothing),
    ("mand", Word::Superblock),
    ("noatime", access(Alone, Time::None)),
    ("nodev", set(Alone, MOUNT_ATTR_NODEV)),
    ("nodiratime", set(Alone, MOUNT_ATTR_NODIRATIME)),
    ("noexec", set(Alone, MOUNT_ATTR_NOEXEC)),
    ("noiversion", Word::Nothing),
    ("nolazytime", Word::Superblock),
    ("nomand", Word::Superblock),
    ("norelatime", access(Alone, Time::NotRelative)),
    ("nostrictatime", access(Alone, Time::NotStrict)),
    ("nosuid", set(Alone, MOUNT_ATTR_NOSUID)),
    ("nosymfollow", set(Alone, MOUNT_ATTR_NOSYMFOLLOW)),
    ("private", spread(Alone, Kind::Private)),
    ("ratime", access(Recursive, Time::NotNone)),
    ("rbind", Word::Bind(Recursive)),
    ("rdev", clear(Recursive, MOUNT_ATTR_NODEV)),
    ("rdiratime", clear(Recursive, MOUNT_ATTR_NODIRATIME)),
    ("relatime", access(Alone, Time::Relative)),
    ("remount", Word::Remount),
    ("rexec", clear(Recursive, MOUNT_ATTR_NOEXEC)),
    ("ridmap", Word::Idmap(Recursive)),
    ("rnoatime", access(Recursive, Time::None)),
    ("rnodev", set(Recursive, MOUNT_ATTR_NODEV)),
    ("rnodiratime", set(Recursive, MOUNT_ATTR_NODIRATIME)),
    ("rnoexec", set(Recursive, MOUNT_ATTR_NOEXEC)),
    ("rnorelatime", access(Recursive, Time::NotRelative)),
    ("rnostrictatime", access(Recursive, Time::NotStrict)),
    ("rnosuid", set(Recursive, MOUNT_ATTR_NOSUID)),
    ("rnosymfollow", set(Recursive, MOUNT_ATTR_NOSYMFOLLOW)),
    ("ro", set(Alone, MOUNT_ATTR_RDONLY)),
    ("rprivate", spread(Recursive, Kind::Private)),
    ("rrelatime", access(Recursive, Time::Relative)),
    ("rro", set(Recursive, MOUNT_ATTR_RDONLY)),
    ("rrw", clear(Recursive, MOUNT_ATTR_RDONLY)),
    ("rshared", spread(Recursive, Kind::Shared)),
    ("rslave", spread(Recursive, Kind::Slave)),
    ("rstrictatime", access(Recursive, Time::Strict)),
    ("rsuid", clear(Recursive, MOUNT_ATTR_NOSUID)),
    ("rsymfollow", clear(Recursive, MOUNT_ATTR_NOSYMFOLLOW)),
    ("runbindable", spread(Recursive, Kind::Unbindable)),
    ("rw", clear(Alone, MOUNT_ATTR_RDONLY)),
    ("shared", spread(Alone, Kind::Shared)),
    ("silent", Word::Nothing),
    ("slave", spread(Alone, Kind::Slave)),
    ("strictatime", access(Alone, Time::Strict)),
    ("suid", clear(Alone, MOUNT_ATTR_NOSUID)),
    ("symfollow", clear(Alone, MOUNT_ATTR_NOSYMFOLLOW)),
    ("sync", Word::Superblock),
    ("tmpcopyup", Word::CopyUp),
    ("unbindable", spread(Alone, Kind::Unbindable)),
];

pub(super) fn find(word: &str) -> Option<Word> {
    let place = TABLE.binary_search_by_key(&word, |(name, _)| name).ok()?;
    TABLE.get(place).map(|(_, word)| *word)
}

/// The word that takes a file system's flag back (`fs/fs_context.c`, `common_set_sb_flag` and `common_clear_sb_flag`).
/// `dirsync` has none.
pub(super) fn opposite(word: &str) -> Option<&'static str> {
    const PAIRS: [(&str, &str); 4] =
        [("ro", "rw"), ("sync", "async"), ("lazytime", "nolazytime"), ("mand", "nomand")];
    PAIRS.iter().find_map(|(on, off)| match word {
        _ if word == *on => Some(*off),
        _ if word == *off => Some(*on),
        _ => None,
    })
}

/// What mount(8) reads and does not hand on: who may mount and when, and comments.
pub(super) fn is_mounts_own(word: &str) -> bool {
    const OWN: [&str; 10] =
        ["_netdev", "auto", "group", "noauto", "nofail", "nogroup", "noowner", "nouser", "owner", "user"];
    word.is_empty() || OWN.contains(&word) || word.starts_with("x-") || word.starts_with("X-")
}
