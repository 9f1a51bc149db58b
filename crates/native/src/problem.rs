//! Why a run could not go on, before it is known on which platform it was: what and what to do.

use catamaran_report::RunError;
use catamaran_scenario::Platform;
use rustix::io::Errno;

/// What to do where this user, or whatever is in our way, does not let us.
const NOT_LET: &str = "run as root (sudo catamaran …); in a container or behind a filter of system calls, have it allowed (docker run --privileged)";

/// What to do about an error of the kernel.
const REMEDIES: [(Errno, &str); 11] = [
    (Errno::PERM, NOT_LET),
    (Errno::ACCESS, NOT_LET),
    (
        Errno::NOSYS,
        "have it on Linux 5.7 or later, outside of a filter of system calls (docker run --security-opt seccomp=unconfined)",
    ),
    (Errno::NOSPC, "make room there (`df -h` and `df -i` tell which file system is full)"),
    (Errno::DQUOT, "make room there (`quota` tells how much is yours)"),
    (Errno::ROFS, "mount it for writing (mount -o remount,rw …)"),
    (Errno::MFILE, "raise the limit of open files (ulimit -n 1024)"),
    (Errno::NFILE, "raise the limit of open files (sysctl fs.file-max)"),
    (Errno::AGAIN, "raise the limit of processes (ulimit -u, or pids.max of our own control group)"),
    (Errno::FBIG, "raise the limit of file sizes (ulimit -f unlimited)"),
    (Errno::NOMEM, "free some memory, or raise the limit of our own control group"),
];

/// What to do about a process that ended this way before its time, where that tells more than that it ended.
const ENDS: [(&str, &str); 3] = [
    (
        "signal 9",
        "if it was killed for want of memory (`dmesg` tells), raise the tenant's `memory.limit` or `host.memory`",
    ),
    ("signal 25", "raise the limit of file sizes (ulimit -f unlimited)"),
    ("signal 31", "have its system calls allowed (docker run --security-opt seccomp=unconfined)"),
];

/// The kernel's error in a text, as the standard library prints it: what another process tells has it only there.
pub(crate) fn errno(what: &str) -> Option<Errno> {
    let (_, after) = what.rsplit_once("(os error ")?;
    after.split(')').next()?.parse().ok().map(Errno::from_raw_os_error)
}

/// What to do about a tenant that ended as `how` says before it was there.
pub(crate) fn remedy_of_end(how: &str) -> &'static str {
    let known = ENDS.iter().find(|(end, _)| *end == how);
    known.map_or("see `dmesg` for what the kernel did to it", |(_, remedy)| remedy)
}

/// What stopped a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Something went wrong: what, naming the mechanism, and what to do.
    Failed(String, String),
    /// This machine does not offer what the platform needs: why, and how to get it.
    Unavailable(String, String),
    /// What the scenario names beside itself is not there, or not what it should be: the field, what was found, what to do.
    Input { field: String, what: String, advice: String },
    /// The user wants no more.
    Interrupted,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Failed(what.into(), advice.into())
    }

    /// A failure whose remedy follows from the kernel's error in `what`; `otherwise` where there is none that tells.
    pub(crate) fn by_errno(what: impl Into<String>, otherwise: &str) -> Self {
        let what = what.into();
        let remedy = REMEDIES.iter().find(|(known, _)| errno(&what) == Some(*known));
        Self::new(what, remedy.map_or(otherwise, |(_, remedy)| remedy))
    }

    /// Why a tenant could not be started, in the words of its launcher. What we are not let do, and what the kernel does not
    /// know, is not to be had on this machine.
    pub(crate) fn of_start(what: &str) -> Self {
        if what.starts_with("clone3") && errno(what) == Some(Errno::NOSPC) {
            return Self::unavailable(
                format!("{what}: there may be no more namespaces"),
                "raise the limits under /proc/sys/user (sysctl -a --pattern '^user.max_.*_namespaces')",
            );
        }
        let problem = Self::by_errno(what, "`catamaran doctor` tells what works here");
        match errno(what) {
            Some(Errno::PERM | Errno::ACCESS | Errno::NOSYS | Errno::ROFS) => problem.into_unavailable(),
            _ => problem,
        }
    }

    pub(crate) fn unavailable(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Unavailable(why.into(), remedy.into())
    }

    /// The same, where what failed is what the platform needs of the machine.
    pub(crate) fn into_unavailable(self) -> Self {
        match self {
            Self::Failed(what, advice) => Self::Unavailable(what, advice),
            other => other,
        }
    }

    /// The same, with more of what is known of a failure.
    pub(crate) fn with(self, more: &str) -> Self {
        match self {
            Self::Failed(what, advice) if !more.is_empty() => Self::Failed(format!("{what}: {more}"), advice),
            other => other,
        }
    }

    /// What happened, without what to do about it.
    pub(crate) fn what(self) -> String {
        match self {
            Self::Failed(what, _) | Self::Unavailable(what, _) => what,
            Self::Input { field, what, .. } => format!("{field}: {what}"),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }

    pub(crate) fn on(self, platform: Platform) -> RunError {
        match self {
            Self::Failed(what, advice) => RunError::Failed { what, advice },
            Self::Unavailable(why, remedy) => RunError::Unavailable { platform, why, remedy },
            Self::Input { field, what, advice } => RunError::BadInput { field, what, advice },
            Self::Interrupted => RunError::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_follows_from_the_kernels_error() {
        for (error, expected) in [
            (Errno::NOSPC, "make room"),
            (Errno::MFILE, "ulimit -n"),
            (Errno::PERM, "sudo"),
            (Errno::NOENT, "otherwise"),
        ] {
            let Problem::Failed(what, remedy) = Problem::by_errno(format!("x: {error}"), "otherwise") else {
                panic!("a failure")
            };
            assert!(remedy.contains(expected), "{what}: {remedy}");
        }
        assert_eq!(errno("QEMU ended (signal 9)"), None);
    }

    #[test]
    fn what_we_are_not_let_do_is_not_to_be_had_here() {
        for (error, unavailable) in [(Errno::PERM, true), (Errno::NOSYS, true), (Errno::NOMEM, false)] {
            let problem = Problem::of_start(&format!("pivot_root: {error}"));
            assert_eq!(matches!(problem, Problem::Unavailable(..)), unavailable, "{problem:?}");
        }
        let problem = Problem::of_start(&format!("clone3 with new namespaces (net): {}", Errno::NOSPC));
        assert!(matches!(problem, Problem::Unavailable(_, remedy) if remedy.contains("max_")));
    }
}
