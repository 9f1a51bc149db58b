//! The file system of a guest as one archive: programs of this machine with the libraries that they load, and whatever else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cpio::newc::{Builder, ModeFileType, trailer};

use crate::shell::{Workspace, capture};

/// What lies at which path of the guest.
#[derive(Default)]
pub(super) struct Initramfs {
    files: BTreeMap<PathBuf, Content>,
    /// Programs for a disk of their own, by the name that each has there.
    on_disk: BTreeMap<String, PathBuf>,
}

enum Content {
    /// A file of this machine.
    Copy(PathBuf),
    Bytes(Vec<u8>),
}

impl Initramfs {
    /// A program of this machine at `place` of the guest, and each library that it loads where it is here.
    pub(super) fn program(&mut self, workspace: &Workspace, program: &Path, place: &str) -> Result<()> {
        self.libraries(workspace, program);
        self.files.insert(place.into(), Content::Copy(program.to_owned()));
        Ok(())
    }

    /// A program of this machine that is too large for the guest's memory: it lies on a disk, in the folder `bin`.
    pub(super) fn program_on_disk(&mut self, workspace: &Workspace, program: &Path, name: &str) {
        self.libraries(workspace, program);
        self.on_disk.insert(name.to_owned(), program.to_owned());
    }

    /// What lies on that disk.
    pub(super) fn on_disk(&self) -> &BTreeMap<String, PathBuf> {
        &self.on_disk
    }

    fn libraries(&mut self, workspace: &Workspace, program: &Path) {
        // A static program has no libraries, and `ldd` fails on it.
        let libraries = capture(workspace.command("ldd").arg(program)).unwrap_or_default();
        for library in loaded(&libraries) {
            self.files.insert(library.into(), Content::Copy(library.into()));
        }
    }

    /// A file with that in it.
    pub(super) fn file(&mut self, place: &str, bytes: Vec<u8>) {
        self.files.insert(place.into(), Content::Bytes(bytes));
    }

    /// Writes the archive.
    pub(super) fn write(&self, archive: &Path) -> Result<()> {
        let mut out = std::io::BufWriter::new(fs::File::create(archive)?);
        for folder in self.folders() {
            out = entry(out, &folder, ModeFileType::Directory, &[])?;
        }
        for (place, content) in &self.files {
            let copied;
            let bytes = match content {
                Content::Copy(file) => {
                    copied = fs::read(file).with_context(|| file.display().to_string())?;
                    &copied
                }
                Content::Bytes(bytes) => bytes,
            };
            out = entry(out, place, ModeFileType::Regular, bytes)?;
        }
        trailer(out)?.flush()?;
        Ok(())
    }

    /// Every folder that a file lies in, outermost first.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let parents = self.files.keys().flat_map(|place| place.ancestors().skip(1));
        parents.filter(|folder| folder.parent().is_some()).map(Path::to_owned).collect()
    }
}

/// One entry; all can be read and executed.
fn entry<W: std::io::Write>(out: W, place: &Path, kind: ModeFileType, bytes: &[u8]) -> Result<W> {
    let name = place.to_string_lossy();
    let builder = Builder::new(name.trim_start_matches('/')).mode(0o755).set_mode_file_type(kind);
    let mut writer = builder.write(out, u32::try_from(bytes.len()).context("a file of over 4 GiB")?);
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// The libraries in what `ldd` says.
fn loaded(said: &str) -> impl Iterator<Item = &str> {
    said.lines().filter_map(|line| {
        let path = line.split_once("=> ").map_or(line, |(_, path)| path).trim();
        path.starts_with('/').then(|| path.split_once(" (").map_or(path, |(path, _)| path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_ldd() {
        let said = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n\tlibgone.so => not found\n";
        let found: Vec<_> = loaded(said).collect();
        assert_eq!(found, ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
        assert_eq!(loaded("\tstatically linked\n").count(), 0);
    }

    #[test]
    fn an_archive_has_folders_before_what_lies_in_them() {
        let mut image = Initramfs::default();
        image.file("/etc/deep/groups", "one\n".into());
        let folder = std::env::temp_dir().join(format!("xtask-initramfs-{}", std::process::id()));
        image.write(&folder).unwrap();
        let bytes = fs::read(&folder).unwrap();
        fs::remove_file(&folder).unwrap();
        let (mut rest, mut names) = (bytes.as_slice(), Vec::new());
        loop {
            let reader = cpio::newc::Reader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                break;
            }
            names.push((reader.entry().name().to_owned(), reader.entry().file_size()));
            rest = reader.finish().unwrap();
        }
        let expected = [("etc", 0), ("etc/deep", 0), ("etc/deep/groups", 4)];
        assert_eq!(names, expected.map(|(name, size)| (name.to_owned(), size)));
    }
}
