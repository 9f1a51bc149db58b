//! A kernel for guests: Debian's kernel for clouds, taken out of its package into `target/tools`. It is never installed:
//! a package of a kernel would make itself the one that the machine boots next.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::State;
use crate::shell::{Workspace, capture, run};

/// Depends on the package of the newest build.
const PACKAGE: &str = "linux-image-cloud-amd64";
/// Names a kernel image of one's own; `catamaran run --on vm` reads it too.
const OWN: &str = "CATAMARAN_VM_KERNEL";
/// Oldest release that was tried: the first Debian kernel whose cgroup v2 keeps `memory.peak`.
const LEAST: (u32, u32) = (6, 1);

/// The kernel's image, once [`super::Need::GuestKernel`] is met.
pub(crate) fn image(workspace: &Workspace) -> Option<PathBuf> {
    if let Some(own) = std::env::var_os(OWN) {
        return Some(own.into());
    }
    let entries = fs::read_dir(folder(workspace).join("boot")).ok()?;
    let images = entries.flatten().map(|entry| entry.path()).filter(|path| release(path).is_some());
    images.max_by_key(|path| release(path).map(numbers))
}

pub(super) fn state(workspace: &Workspace) -> Result<State> {
    let Some(image) = image(workspace) else {
        return Ok(State::Missing(format!(
            "taking Debian's kernel for clouds ({PACKAGE}) out of its package into target/tools"
        )));
    };
    if std::env::var_os(OWN).is_some() {
        if !image.is_file() {
            bail!("{OWN} names {}, which is no file", image.display());
        }
        return Ok(State::There(format!("{}, by {OWN}", image.display())));
    }
    let release = release(&image).unwrap_or_default();
    Ok(if numbers(release) < LEAST {
        State::Missing(format!("Linux {release} is too old, {}.{} is needed", LEAST.0, LEAST.1))
    } else {
        State::There(format!("Linux {release}"))
    })
}

pub(super) fn install(workspace: &Workspace) -> Result<()> {
    for program in ["apt-get", "dpkg-deb"] {
        if workspace.find(program).is_none() {
            bail!("this is not Debian: set {OWN} to a Linux {}.{} image", LEAST.0, LEAST.1);
        }
    }
    let user = capture(workspace.command("id").arg("-u")).unwrap_or_default();
    if user.trim() == "0" {
        run(workspace.command("apt-get").args(["-q", "-o", "DPkg::Lock::Timeout=300", "update"]))?;
    }
    let depends = capture(workspace.command("apt-cache").args(["depends", PACKAGE]))?;
    let package = newest(&depends).with_context(|| {
        format!("the archive has no {PACKAGE} (it is Debian's): set {OWN} to a kernel image instead")
    })?;
    let folder = folder(workspace);
    let parts = folder.with_extension("part");
    let _ = fs::remove_dir_all(&parts);
    fs::create_dir_all(&parts)?;
    run(workspace.command("apt-get").current_dir(&parts).args(["-q", "download", package]))
        .context("is the package archive to be had?")?;
    let archive = fs::read_dir(&parts)?.flatten().map(|entry| entry.path()).next();
    let archive = archive.context("apt-get downloaded nothing")?;
    let whole = parts.join("whole");
    run(workspace.command("dpkg-deb").arg("-x").arg(&archive).arg(&whole))?;
    let _ = fs::remove_dir_all(&folder);
    fs::rename(&whole, &folder).with_context(|| folder.display().to_string())?;
    fs::remove_dir_all(&parts).with_context(|| parts.display().to_string())
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root().join("target/tools/guest-kernel")
}

/// The package that `apt-cache depends` names for [`PACKAGE`].
fn newest(depends: &str) -> Option<&str> {
    let packages = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    packages.map(str::trim).find(|package| package.starts_with("linux-image-"))
}

/// `6.1.0-45-cloud-amd64` of `…/vmlinuz-6.1.0-45-cloud-amd64`.
fn release(image: &Path) -> Option<&str> {
    image.file_name()?.to_str()?.strip_prefix("vmlinuz-")
}

fn numbers(release: &str) -> (u32, u32) {
    let mut numbers = release.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_package_is_the_one_depended_on() {
        let said = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-45-cloud-amd64\n  Breaks: x\n";
        assert_eq!(newest(said), Some("linux-image-6.1.0-45-cloud-amd64"));
        assert_eq!(newest("linux-image-cloud-amd64\n"), None);
    }

    #[test]
    fn releases_of_kernels_are_compared_as_numbers() {
        assert_eq!(release(Path::new("/t/boot/vmlinuz-6.1.0-45-cloud-amd64")), Some("6.1.0-45-cloud-amd64"));
        assert_eq!(release(Path::new("/t/boot/config-6.1.0-45-cloud-amd64")), None);
        assert!(numbers("6.12.3-cloud-amd64") > numbers("6.1.0-45-cloud-amd64"));
        assert!(numbers("5.10.0-8") < LEAST);
    }
}
