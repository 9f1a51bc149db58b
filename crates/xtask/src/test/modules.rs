//! Modules of the guest's kernel, from its own package, each after those that it depends on.
//!
//! **Source.** A module names what it depends on in its section `.modinfo` as `depends=A,B` (Linux `scripts/mod/modpost.c`); what
//! is linked into the kernel stands in `modules.builtin`. A package has no `modules.dep`: `depmod` writes that where it is
//! installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::Workspace;

/// What a kernel's package has of modules.
pub(super) struct Modules {
    /// Where the file of each lies, by the name that other modules know it by.
    files: BTreeMap<String, PathBuf>,
    /// Names of those that the kernel has without a file.
    builtin: BTreeSet<String>,
}

/// A module to be loaded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Modules {
    /// Those of the kernel whose image lies in `…/boot`; none where there is nothing beside the image.
    pub(super) fn of(kernel: &Path) -> Self {
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
    pub(super) fn in_order(&self, workspace: &Workspace, wanted: &[&str]) -> Result<Vec<Module>> {
        let mut order = Vec::new();
        wanted.iter().try_for_each(|name| self.add(workspace, name, &mut order))?;
        Ok(order)
    }

    /// Adds a module after those that it depends on, if it is not there yet.
    fn add(&self, workspace: &Workspace, name: &str, order: &mut Vec<Module>) -> Result<()> {
        if self.builtin.contains(name) || order.iter().any(|module| module.name == name) {
            return Ok(());
        }
        let file = self.files.get(name).with_context(|| format!("the kernel has no module {name}"))?;
        let bytes = content(workspace, file).with_context(|| file.display().to_string())?;
        for dependency in depends(&bytes) {
            self.add(workspace, &dependency, order)
                .with_context(|| format!("{name} depends on {dependency}"))?;
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
fn content(workspace: &Workspace, file: &Path) -> Result<Vec<u8>> {
    if file.extension().is_none_or(|ending| ending != "xz") {
        return Ok(fs::read(file)?);
    }
    let output = workspace.command("xz").arg("-dc").arg(file).output().context("`xz` (of xz-utils)")?;
    if !output.status.success() {
        bail!("`xz` ended with {}", output.status);
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
    fn package(modules: &[(&str, &str)], builtin: &str) -> PathBuf {
        let name = format!("xtask-modules-{}-{}", std::process::id(), modules.len());
        let root = std::env::temp_dir().join(name);
        let folder = root.join("lib/modules/6.1.0-1/kernel/net");
        fs::create_dir_all(&folder).unwrap();
        fs::write(root.join("lib/modules/6.1.0-1/modules.builtin"), builtin).unwrap();
        for (name, depends) in modules {
            let bytes = format!("\u{7f}ELF\0license=GPL\0depends={depends}\0name={name}\0");
            fs::write(folder.join(format!("{name}.ko")), bytes).unwrap();
        }
        root
    }

    fn order(root: &Path, wanted: &[&str]) -> Result<Vec<String>> {
        let workspace = Workspace::here().unwrap();
        let order = Modules::of(&root.join("boot/vmlinuz-6.1.0-1")).in_order(&workspace, wanted)?;
        Ok(order.into_iter().map(|module| module.name).collect())
    }

    #[test]
    fn a_module_comes_after_those_that_it_depends_on() {
        let root = package(
            &[("bridge", "llc,stp"), ("stp", "llc"), ("llc", ""), ("sch-tbf", ""), ("veth", "")],
            "kernel/fs/ext4/ext4.ko\n",
        );
        let names = order(&root, &["bridge", "veth", "ext4", "stp", "sch_tbf"]).unwrap();
        assert_eq!(names, ["llc", "stp", "bridge", "veth", "sch_tbf"]);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_a_kernel_has_not_got_is_named() {
        let root = package(&[("bridge", "llc")], "");
        let error = format!("{:#}", order(&root, &["bridge"]).expect_err("no llc"));
        assert_eq!(error, "bridge depends on llc: the kernel has no module llc");
        fs::remove_dir_all(root).unwrap();
        let error = order(Path::new("/nowhere"), &["veth"]).expect_err("no modules at all");
        assert!(error.to_string().contains("no module veth"), "{error}");
    }
}
