//! Cache and memory bandwidth (config-linux.md, "IntelRdt").

use oci_spec::runtime::Linux;

use super::{Facts, Found, refuse};
use crate::Warning;

pub(super) fn check(linux: &Linux, facts: &Facts, warnings: &mut Vec<Warning>) -> Found {
    let Some(rdt) = linux.intel_rdt() else { return Ok(()) };
    const AT: &str = "linux.intelRdt";
    // "As a special case, value `/` means" the root of the file system.
    let is_folder = |class: &str| {
        class == "/" || !class.is_empty() && !class.contains('/') && !matches!(class, "." | "..")
    };
    if let Some(class) = rdt.clos_id().as_deref().filter(|class| !is_folder(class)) {
        refuse(
            format!("{AT}.closID"),
            format!("{class:?}"),
            "the name of a directory, or `/` for the default class",
        )?;
    }
    let is_line = |schema: &str, first: &str| schema.starts_with(first) && !schema.contains('\n');
    if let Some(schema) = rdt.mem_bw_schema().as_deref().filter(|schema| !is_line(schema, "MB:")) {
        let accepted = "\"The value MUST start with `MB:` and MUST NOT contain newlines\"";
        refuse(format!("{AT}.memBwSchema"), format!("{schema:?}"), accepted)?;
    }
    if rdt.l3_cache_schema().as_deref().is_some_and(|schema| !is_line(schema, "L3:")) {
        let what = "\"SHOULD start with `L3:` and SHOULD NOT contain newlines\"";
        warnings.push(Warning::new(format!("{AT}.l3CacheSchema"), what));
    }
    for (place, line) in rdt.schemata().iter().flatten().enumerate() {
        if line.contains('\n') {
            refuse(format!("{AT}.schemata[{place}]"), format!("{line:?}"), "one line")?;
        }
    }
    if !facts.resctrl {
        let accepted = "without a mounted resctrl \"the runtime MUST generate an error\"";
        refuse(AT, "set", accepted)?;
    }
    Ok(())
}
