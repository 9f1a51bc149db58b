//! Modules of the guest's kernel, from its own package, each after those that it depends on.
//!
//! **Source.** A module names what it depends on in its section `.modinfo` as `depends=A,B` (Linux `scripts/mod/modpost.c`); what
//! is linked into the kernel stands in `modules.builtin`. A package has no `modules.dep`: `depmod` writes that where it is
//! installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why a module is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither linked into the kernel nor in its package.
    #[error("the kernel has no module {0}")]
    Missing(String),
    /// The same of one that another depends on.
    #[error("{0} depends on {1}: {2}")]
    Dependency(String, String, Box<Error>),
    /// Its file can't be read.
    #[error("{}: {}", .0.display(), .1)]
    Unreadable(PathBuf, String),
}

/// What a kernel's package has of modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules {
    /// Where the file of each lies, by the name that other modules know it by.
    files: BTreeMap<String, PathBuf>,
    /// Names of those that the kernel has without a file.
    builtin: BTreeSet<String>,
}

/// A module to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// As other modules know it.
    pub name: String,
    /// As the kernel takes it.
    pub bytes: Vec<u8>,
}

impl Modules {
    /// Those of the kernel whose image lies in `…/boot`; none where there is nothing beside the image.
    #[must_use]
    pub fn of(kernel: &Path) -> Self {
        let mut found = Self { files: BTreeMap::new(), builtin: BTreeSet::new() };
        let release = kernel.file_name().and_then(|name| name.to_str()?.strip_prefix("vmlinuz-"));
        let root = kernel.parent().and_then(Path::parent);
        let (Some(release), Some(root)) = (release, root) else { return found };
        let folder = root.join("lib/modules").join(release);
        let builtin = fs::read_to_string(folder.join("modules.builtin")).unwrap_or_default();
        found.builtin = builtin.lines().filter_map(|line| known_as(Path::new(line))).collect();
        let mut waiting = vec![folder];
        while let Some(folder) = waiting.pop() {
            for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    waiting.push(path);
                } else if let Some(name) = known_as(&path) {
                    found.files.insert(name, path);
                }
            }
        }
        found
    }

    /// Those modules and all that they depend on, in the order in which they can be loaded; those that are linked into the
    /// kernel need no loading.
    ///
    /// # Errors
    /// Where the kernel has not got one of them, or its file can't be read.
    pub fn in_order(&self, wanted: &[&str]) -> Result<Vec<Module>, Error> {
        let mut order = Vec::new();
        wanted.iter().try_for_each(|name| self.add(name, &mut order))?;
        Ok(order)
    }

    /// Adds a module after those that it depends on, if it is not there yet.
    fn add(&self, name: &str, order: &mut Vec<Module>) -> Result<(), Error> {
        if self.builtin.contains(name) || order.iter().any(|module| module.name == name) {
            return Ok(());
        }
        let file = self.files.get(name).ok_or_else(|| Error::Missing(name.to_owned()))?;
        let bytes = content(file).map_err(|why| Error::Unreadable(file.clone(), why))?;
        for dependency in depends(&bytes) {
            self.add(&dependency, order)
                .map_err(|why| Error::Dependency(name.to_owned(), dependency, Box::new(why)))?;
        }
        order.push(Module { name: name.to_owned(), bytes });
        Ok(())
    }
}

/// `virtio_blk` of `…/virtio_blk.ko`, `…/virtio-blk.ko.xz`; none where it is no module.
fn known_as(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let name = name.strip_suffix(".xz").unwrap_or(name).strip_suffix(".ko")?;
    Some(name.replace('-', "_"))
}

/// A module's bytes, as the kernel takes them.
fn content(file: &Path) -> Result<Vec<u8>, String> {
    if file.extension().is_none_or(|ending| ending != "xz") {
        return fs::read(file).map_err(|error| error.to_string());
    }
    let output = Command::new("xz").arg("-dc").arg(file).output();
    let output = output.map_err(|error| format!("`xz` (of xz-utils): {error}"))?;
    if !output.status.success() {
        return Err(format!("`xz` ended with {}", output.status));
    }
    Ok(output.stdout)
}

/// What a module names in `.modinfo`, whose strings end with zeros.
fn depends(module: &[u8]) -> Vec<String> {
    let found = module.split(|byte| *byte == 0).find_map(|text| text.strip_prefix(b"depends="));
    let list = String::from_utf8_lossy(found.unwrap_or_default()).into_owned();
    list.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package of a kernel with these modules, each with what it depends on.
    fn package(modules: &[(&str, &str)], builtin: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("lib/modules/6.1.0-1/kernel/net");
        fs::create_dir_all(&folder).unwrap();
        fs::write(root.path().join("lib/modules/6.1.0-1/modules.builtin"), builtin).unwrap();
        for (name, depends) in modules {
            let bytes = format!("\u{7f}ELF\0license=GPL\0depends={depends}\0name={name}\0");
            fs::write(folder.join(format!("{name}.ko")), bytes).unwrap();
        }
        root
    }

    fn order(root: &Path, wanted: &[&str]) -> Result<Vec<String>, Error> {
        let order = Modules::of(&root.join("boot/vmlinuz-6.1.0-1")).in_order(wanted)?;
        Ok(order.into_iter().map(|module| module.name).collect())
    }

    #[test]
    fn a_module_comes_after_those_that_it_depends_on() {
        let root = package(
            &[("bridge", "llc,stp"), ("stp", "llc"), ("llc", ""), ("sch-tbf", ""), ("veth", "")],
            "kernel/fs/ext4/ext4.ko\n",
        );
        let names = order(root.path(), &["bridge", "veth", "ext4", "stp", "sch_tbf"]).unwrap();
        assert_eq!(names, ["llc", "stp", "bridge", "veth", "sch_tbf"]);
    }

    #[test]
    fn what_a_kernel_has_not_got_is_named() {
        let root = package(&[("bridge", "llc")], "");
        let error = order(root.path(), &["bridge"]).expect_err("no llc").to_string();
        assert_eq!(error, "bridge depends on llc: the kernel has no module llc");
        let error = order(Path::new("/nowhere"), &["veth"]).expect_err("no modules at all");
        assert!(error.to_string().contains("no module veth"), "{error}");
    }
}
