//! Which kernel the guests boot.
//!
//! Source of the header's fields: `Documentation/arch/x86/boot.rst` (`kernel_version` at 0x20e, its text 0x200 beyond).

use std::fs;
use std::path::{Path, PathBuf};

use catamaran_modules::{Module, Modules};

use crate::problem::Problem;

/// Names a kernel image of one's own.
const OWN: &str = "CATAMARAN_VM_KERNEL";

/// How to come by one.
const REMEDY: &str =
    "cargo xtask setup; or apt-get install linux-image-cloud-amd64; or CATAMARAN_VM_KERNEL=IMAGE";

/// How to come by its modules.
const REMEDY_FOR_MODULES: &str = "take a kernel whose modules lie beside it, as lib/modules/RELEASE beside boot/vmlinuz-RELEASE: cargo \
     xtask setup; or apt-get install linux-image-cloud-amd64; or choose another platform";

/// What a guest's kernel takes for a disk on the bus of the microvm.
pub(super) const FOR_A_DISK: [&str; 2] = ["virtio_mmio", "virtio_blk"];

/// The same for the machine's programs.
pub(super) const FOR_A_SHARE: [&str; 2] = ["virtio_mmio", "virtiofs"];

/// The same for a network card.
pub(super) const FOR_A_NETWORK: [&str; 2] = ["virtio_mmio", "virtio_net"];

/// A kernel image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kernel {
    pub(crate) image: PathBuf,
    /// As `uname -r` will say; `unknown` where the image does not tell.
    pub(crate) release: String,
}

impl Kernel {
    /// The one that [`OWN`] names, else the newest of those that `cargo xtask setup` took out of Debian's package, else
    /// the newest for clouds in `/boot`.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] where there is none.
    pub(crate) fn find() -> Result<Self, Problem> {
        if let Some(own) = std::env::var_os(OWN) {
            let image = PathBuf::from(own);
            if !image.is_file() {
                let why = format!("{OWN} names {}, which is no file", image.display());
                return Err(Problem::unavailable(why, format!("set {OWN} to a kernel image, or unset it")));
            }
            return Ok(Self::at(image));
        }
        let program = std::env::current_exe().unwrap_or_default();
        let set_up = program.ancestors().map(|folder| folder.join("tools/guest-kernel/boot"));
        let mut places = set_up.chain([PathBuf::from("/boot")]);
        let found = places.find_map(|folder| newest(&folder)).map(Self::at);
        found.ok_or_else(|| Problem::unavailable("no kernel image for guests was found", REMEDY))
    }

    /// Those of its modules, and what they depend on, that make a guest's device.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] where it has not got one of them.
    pub(crate) fn modules(&self, device: &str, wanted: &[&str]) -> Result<Vec<Module>, Problem> {
        Modules::of(&self.image).in_order(wanted).map_err(|error| {
            let why = format!("guests can have no {device}: {error} ({})", self.image.display());
            Problem::unavailable(why, REMEDY_FOR_MODULES)
        })
    }

    fn at(image: PathBuf) -> Self {
        // The header lies in the first sectors; its text may lie as far as 64 KiB behind.
        let mut head = vec![0; 0x1_0400];
        let read = fs::File::open(&image).and_then(|mut file| std::io::Read::read(&mut file, &mut head));
        head.truncate(read.unwrap_or(0));
        let release = release(&head).unwrap_or_else(|| "unknown".to_owned());
        Self { image, release }
    }
}

/// The newest kernel for clouds in a folder.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let images = entries.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("vmlinuz-") && name.contains("cloud")
    });
    images.max_by_key(|path| numbers(&path.to_string_lossy()))
}

/// Every number in a name, so that 6.1.0-9 comes before 6.1.0-45.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// The release in a boot header: the first word of its version.
fn release(head: &[u8]) -> Option<String> {
    if head.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let offset = u16::from_le_bytes(head.get(0x20e..0x210)?.try_into().ok()?);
    let text = head.get(usize::from(offset) + 0x200..)?;
    let end = text.iter().position(|byte| *byte == 0 || *byte == b' ')?;
    let release = std::str::from_utf8(text.get(..end)?).ok()?;
    (!release.is_empty()).then(|| release.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_stands_in_the_boot_header() {
        let mut head = vec![0_u8; 0x1000];
        head[0x202..0x206].copy_from_slice(b"HdrS");
        head[0x20e..0x210].copy_from_slice(&0x300_u16.to_le_bytes());
        head[0x500..0x520].copy_from_slice(b"6.1.0-45-cloud-amd64 (debian) #1");
        assert_eq!(release(&head).as_deref(), Some("6.1.0-45-cloud-amd64"));
        head[0x202] = 0;
        assert_eq!(release(&head), None, "no boot header");
        assert_eq!(release(b"\x7fELF"), None);
    }

    #[test]
    fn a_kernel_without_modules_beside_it_makes_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = Kernel { image: folder.path().join("boot/vmlinuz-1"), release: String::new() };
        let refused = kernel.modules("disk", &FOR_A_DISK);
        assert!(
            matches!(&refused, Err(Problem::Unavailable(why, remedy)) if why.contains("no module virtio_mmio") && remedy.contains("lib/modules")),
            "{refused:?}"
        );
    }

    #[test]
    fn the_newest_kernel_for_clouds_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["vmlinuz-6.1.0-9-cloud-amd64", "vmlinuz-6.1.0-45-cloud-amd64", "vmlinuz-6.9.0-amd64"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let newest = newest(folder.path()).unwrap();
        assert_eq!(newest.file_name().unwrap(), "vmlinuz-6.1.0-45-cloud-amd64");
    }
}
