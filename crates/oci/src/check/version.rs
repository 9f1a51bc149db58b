//! `ociVersion` (config.md, "Specification version").

use semver::Version;

use super::{Found, refuse};
use crate::Warning;

/// The newest version whose fields are understood.
const NEWEST: (u64, u64) = (1, 3);

pub(super) fn check(version: &str, warnings: &mut Vec<Warning>) -> Found {
    const AT: &str = "ociVersion";
    let Ok(read) = Version::parse(version) else {
        return refuse(AT, format!("{version:?}"), "it \"MUST be in SemVer v2.0.0 format\", such as 1.2.0");
    };
    if read.major != NEWEST.0 {
        let accepted = "this runtime is for 1.x: versions are compatible \"within major versions\"";
        return refuse(AT, version, accepted);
    }
    if (read.major, read.minor) > NEWEST {
        let what = format!(
            "{version} is newer than {}.{}: fields that came since are not looked at",
            NEWEST.0, NEWEST.1
        );
        warnings.push(Warning::new(AT, what));
    }
    Ok(())
}
