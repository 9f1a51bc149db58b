//! The daemon that shows a guest what of the machine its program's root shows, and where its files are.

use std::path::{Path, PathBuf};

/// Which daemon, for which guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The daemon: `virtiofsd` as QEMU 7.2 has it.
    pub daemon: PathBuf,
    /// The socket on which the monitor finds it. What belongs to it lies beside.
    pub socket: PathBuf,
}

impl Share {
    /// What it does as a user who is no one's administrator would (`capabilities(7)`): root it is only of what root owns.
    pub const CAPABILITIES: &'static str =
        "modcaps=-chown:-dac_override:-fowner:-fsetid:-mknod:-setfcap:-setgid:-setuid";

    /// The empty folder at which, in a mount namespace of the daemon's own, is all that it shows.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.socket.with_extension("shown")
    }

    /// What it says.
    #[must_use]
    pub fn errors(&self) -> PathBuf {
        self.socket.with_extension("share-errors")
    }

    /// Its options: what it shows, and how. The guest may keep what it has read, since nothing is written, until that is looked for
    /// again, as on any disk.
    #[must_use]
    pub fn options(folder: &Path) -> [String; 8] {
        let source = format!("source={}", folder.display());
        ["-o", &source, "-o", "cache=auto", "-o", "log_level=err", "-o", Self::CAPABILITIES]
            .map(str::to_owned)
    }

    /// As text: two paths, with a tab between them.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\t{}", self.daemon.display(), self.socket.display())
    }

    /// Of such a text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (daemon, socket) = text.split_once('\t')?;
        Some(Self { daemon: daemon.into(), socket: socket.into() })
    }
}
