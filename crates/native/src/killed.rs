//! Who was killed for memory, by what the kernel counted: the worker's end by signal 9 and its own group's counter. The
//! counter alone would not do, for a child may be killed and its parent live; nor would the signal, which anybody may send.

use crate::happened::{Cause, Log};
use crate::launcher::GONE;

/// How a process that was killed ended, as the launcher says it.
pub(crate) const KILLED: &str = "signal 9";
/// Below its bound by less than this (bytes), a group's peak was at it: the kernel charges a core's stock of 64 pages at
/// once where there is room (`MEMCG_CHARGE_BATCH`).
const NEAR_BYTES: u64 = 64 * 4096;

/// The end of a tenant that was killed for memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OomKill {
    pub(crate) full: Full,
}

/// What was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Its own limit.
    Limit,
    /// The guard.
    Host,
    /// Its guest, whose own kernel killed it.
    Guest,
}

impl OomKill {
    /// Whether and how a process that ended as `how` says was killed for memory, when its group had counted so many `kills` and
    /// had had that `peak` (bytes); `limit` is its own, where it has one that applies.
    pub(crate) fn find(how: &str, kills: u64, peak: Option<u64>, limit: Option<u64>) -> Option<Self> {
        if ![KILLED, GONE].contains(&how) || kills == 0 {
            return None;
        }
        let by_own_limit = limit.zip(peak).is_some_and(|(limit, peak)| peak + NEAR_BYTES >= limit);
        Some(Self { full: if by_own_limit { Full::Limit } else { Full::Host } })
    }

    /// The same of a process in a guest, whose kernel has counted so many `kills`.
    pub(crate) fn in_guest(how: &str, kills: u64) -> Option<Self> {
        (how == KILLED && kills > 0).then_some(Self { full: Full::Guest })
    }

    /// What is said of the tenant.
    pub(crate) fn error(&self) -> String {
        let why = match self.full {
            Full::Limit => "its memory.limit was reached",
            Full::Host => {
                "host.memory was full, and of all tenants it had the greatest badness (an OOM inside of the guard's control \
                 group, which looks for its victim as that of a whole machine does)"
            }
            Full::Guest => "its guest's (platform.vm.memory) was full, and the guest's kernel killed it",
        };
        format!("killed for memory: {why}; its figures are its last sample")
    }

    /// Notes what happened to a tenant of that label on that machine, and what set its own bound below what it held; where the kill
    /// is to be found.
    pub(crate) fn note(
        &self,
        log: &mut Log,
        at_ns: u64,
        (label, machine): (&str, &str),
        squeezed: Option<Cause>,
    ) -> Cause {
        let (kernel, bound) = match self.full {
            Full::Limit => ("kernel", label),
            Full::Host => ("kernel", machine),
            Full::Guest => ("guest", label),
        };
        let because = squeezed.filter(|_| self.full == Full::Limit);
        let out = log.note(at_ns, (kernel, "out-of-memory", bound), because);
        log.note(at_ns, (kernel, "oom-kill", label), Some(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_for_memory_is_told_from_other_ends() {
        let limit = 64 << 20;
        for (what, kills, peak, limited, how, expected) in [
            ("its own limit", 1, limit, true, "signal 9", Some(true)),
            ("less a stock of pages", 1, limit - 4096, true, "signal 9", Some(true)),
            ("the guard's", 1, limit / 2, true, "signal 9", Some(false)),
            ("no limit applies", 1, limit, false, "signal 9", Some(false)),
            ("an engine's, which was not asked yet", 1, limit, true, GONE, Some(true)),
            ("somebody's signal", 0, limit, true, "signal 9", None),
            ("a child was killed", 1, limit, true, "0", None),
        ] {
            let found = OomKill::find(how, kills, Some(peak), limited.then_some(limit));
            assert_eq!(found.as_ref().map(|kill| kill.full == Full::Limit), expected, "{what}");
            let Some(kill) = found else { continue };
            let mut log = Log::default();
            let cause = kill.note(&mut log, 5, ("x", "node-1"), None);
            let rows = log.rows();
            let host = if kill.full == Full::Limit { "x" } else { "node-1" };
            assert_eq!((rows[0].target.as_str(), rows[0].at_s), (host, 5e-9));
            assert_eq!((cause, rows[1].target.as_str(), rows[1].because), (1, "x", Some(0)));
        }
        for (how, kills, expected) in [(KILLED, 1, Some(Full::Guest)), (KILLED, 0, None), ("0", 1, None)] {
            assert_eq!(OomKill::in_guest(how, kills).map(|kill| kill.full), expected, "{how}, {kills}");
        }
    }
}
