//! What is written where, in folders that stand for the kernel's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use oci_spec::runtime::LinuxResources;
use serde_json::{Value, json};

use super::*;

mod groups;
mod others;
mod time_and_memory;

/// A hierarchy in a folder, with the container's group `box` and files in it.
struct Kernel {
    root: tempfile::TempDir,
    hierarchies: Vec<Hierarchy>,
}

impl Kernel {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), hierarchies: Vec::new() }
    }

    /// With one more hierarchy; the names of its controllers are joined by commas.
    fn with(mut self, version: Version, controllers: &str, files: &[(&str, &str)]) -> Self {
        let mount = self.root.path().join(format!("{}{controllers}", self.hierarchies.len()));
        let group = mount.join("box");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("cgroup.procs"), "").unwrap();
        for (name, text) in files {
            fs::write(group.join(name), text).unwrap();
        }
        let controllers = match version {
            Version::V1 => controllers.split(',').map(str::to_owned).collect(),
            Version::V2 => {
                fs::write(group.join("cgroup.controllers"), controllers.replace(',', " ")).unwrap();
                Vec::new()
            }
        };
        self.hierarchies.push(Hierarchy { version, controllers, mount, own: PathBuf::new() });
        self
    }

    fn place(&self) -> Place {
        let hierarchies = self.hierarchies.clone();
        Place { path: None, id: "box".to_owned(), rootless: false, hierarchies }
    }

    fn manager(&self) -> Manager {
        let mut manager = Manager::new(&self.place()).unwrap();
        manager.create().unwrap();
        manager
    }

    /// Limits as `update` sets them; the files that are other than before, or the problem.
    fn limited(&self, resources: Value) -> Result<BTreeMap<String, String>, String> {
        let resources: LinuxResources = serde_json::from_value(resources).unwrap();
        let before = self.files();
        self.manager().update(&resources).map_err(|problem| problem.to_string())?;
        let after = self.files();
        Ok(after.into_iter().filter(|(name, text)| before.get(name) != Some(text)).collect())
    }

    fn files(&self) -> BTreeMap<String, String> {
        let groups = self.hierarchies.iter().map(|hierarchy| hierarchy.mount.join("box"));
        let entries =
            groups.flat_map(|group| fs::read_dir(group).unwrap()).map(|entry| entry.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        entries.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
    }
}

fn written(pairs: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
    Ok(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn v1(controllers: &str, files: &[(&str, &str)]) -> Kernel {
    Kernel::new().with(Version::V1, controllers, files)
}

fn v2(controllers: &str, files: &[(&str, &str)]) -> Kernel {
    Kernel::new().with(Version::V2, controllers, files)
}
