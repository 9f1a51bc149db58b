//! Resource limits of the process (config.md, "POSIX process"). A type that Linux does not have is refused when the file is read.

use oci_spec::runtime::PosixRlimit;

use super::{Found, refuse};

pub(super) fn check(rlimits: &[PosixRlimit]) -> Found {
    for (place, one) in rlimits.iter().enumerate() {
        let at = format!("process.rlimits[{place}]");
        if rlimits.iter().take(place).any(|before| before.typ() == one.typ()) {
            let accepted = "of \"duplicated entries with same `type`, the runtime MUST generate an error\"";
            refuse(format!("{at}.type"), format!("{} again", one.typ()), accepted)?;
        }
        if one.soft() > one.hard() {
            // setrlimit(2): EINVAL.
            let found = format!("{} above the hard limit {}", one.soft(), one.hard());
            refuse(format!("{at}.soft"), found, "at most the hard limit")?;
        }
    }
    Ok(())
}
