//! Offsets of clocks (config-linux.md, "Offset for Time Namespace"; time_namespaces(7)).

use oci_spec::runtime::{Linux, LinuxNamespaceType as Kind};

use super::namespaces::Namespaces;
use super::{Found, refuse, sorted};

const NANOSECONDS: u32 = 1_000_000_000;

pub(super) fn check(linux: &Linux, namespaces: &Namespaces<'_>) -> Found {
    let Some(offsets) = linux.time_offsets().as_ref().filter(|offsets| !offsets.is_empty()) else {
        return Ok(());
    };
    const AT: &str = "linux.timeOffsets";
    if !namespaces.is_new(Kind::Time) {
        refuse(
            AT,
            "offsets",
            "only a new time namespace has clocks to set; add the namespace `time` without a path",
        )?;
    }
    for (clock, offset) in sorted(offsets) {
        if !matches!(clock, "monotonic" | "boottime") {
            refuse(AT, format!("clock {clock:?}"), "the kernel has offsets of `monotonic` and `boottime`")?;
        }
        if let Some(wrong) = offset.nanosecs().filter(|nanoseconds| *nanoseconds >= NANOSECONDS) {
            refuse(format!("{AT}.{clock}.nanosecs"), wrong.to_string(), format!("less than {NANOSECONDS}"))?;
        }
    }
    Ok(())
}
