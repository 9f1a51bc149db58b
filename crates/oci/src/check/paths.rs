//! Paths and words of the container's file systems and cgroup (config-linux.md, "Cgroups Path", "Rootfs Mount Propagation",
//! "Masked Paths", "Readonly Paths").

use std::path::{Component, Path};

use oci_spec::runtime::Linux;

use super::{Found, refuse, text};

pub(super) fn check(linux: &Linux) -> Found {
    let (masked, read_only) = (linux.masked_paths().as_deref(), linux.readonly_paths().as_deref());
    for (place, path) in masked.unwrap_or_default().iter().enumerate() {
        let at = format!("linux.maskedPaths[{place}]");
        text::absolute_path(Path::new(path), &at, "\"The values MUST be absolute paths\"")?;
    }
    // As with runc, crun and youki relative ones are taken from the root on: no harm comes of protecting what was meant.
    for (place, path) in read_only.unwrap_or_default().iter().enumerate() {
        text::path(Path::new(path), &format!("linux.readonlyPaths[{place}]"))?;
    }
    if let Some(path) = linux.cgroups_path() {
        cgroups_path(path)?;
    }
    propagation(linux.rootfs_propagation().as_deref().unwrap_or_default())
}

/// "Runtimes MAY consider certain `cgroupsPath` values to be invalid": those that climb out of where they begin.
fn cgroups_path(path: &Path) -> Found {
    const AT: &str = "linux.cgroupsPath";
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    text::path(path, AT)?;
    if path.components().any(|part| part == Component::ParentDir) {
        return refuse(AT, path.display().to_string(), "a path without `..`");
    }
    Ok(())
}

fn propagation(word: &str) -> Found {
    let kind = word.strip_prefix('r').unwrap_or(word);
    if word.is_empty() || matches!(kind, "shared" | "slave" | "private" | "unbindable") {
        return Ok(());
    }
    refuse(
        "linux.rootfsPropagation",
        format!("{word:?}"),
        "`shared`, `slave`, `private` or `unbindable`, also with `r` before",
    )
}
