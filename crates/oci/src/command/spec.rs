//! `spec`: a configuration to begin with.

use std::io::Write as _;
use std::path::Path;

use oci_spec::runtime::{LinuxDeviceCgroup, LinuxResources, Spec};
use rustix::process::{getegid, geteuid};

use crate::Problem;
use crate::bundle::CONFIG;

/// Writes `config.json` into a folder. `rootless`: for a runtime without privileges.
///
/// # Errors
/// Where there is one already, and where it can't be written.
pub fn spec(folder: &Path, rootless: bool) -> Result<(), Problem> {
    let path = folder.join(CONFIG);
    let text = serde_json::to_vec_pretty(&configuration(rootless))
        .map_err(|error| Problem::system("write the configuration", error))?;
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::options().write(true).create_new(true).open(&path)?;
        file.write_all(&text)?;
        file.write_all(b"\n")
    };
    write().map_err(|error| Problem::system(format!("write {}", path.display()), error))
}

fn configuration(rootless: bool) -> Spec {
    let mut spec =
        if rootless { Spec::rootless(geteuid().as_raw(), getegid().as_raw()) } else { Spec::default() };
    spec.set_version("1.2.0".to_owned());
    spec.set_hostname(Some("catamaran-oci".to_owned()));
    if let Some(process) = spec.process_mut() {
        process.set_terminal(Some(true));
    }
    if let Some(linux) = spec.linux_mut()
        && !rootless
    {
        let mut no_device = LinuxDeviceCgroup::default();
        no_device.set_access(Some("rwm".to_owned()));
        let mut resources = LinuxResources::default();
        resources.set_devices(Some(vec![no_device]));
        linux.set_resources(Some(resources));
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_is_not_overwritten() {
        for rootless in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            spec(folder.path(), rootless).unwrap();
            let text = std::fs::read(folder.path().join(CONFIG)).unwrap();
            let read = crate::bundle::parse(&text, &mut Vec::new()).unwrap();
            let has_user = crate::order::Namespaces::of(&read).unwrap().has_user();
            assert_eq!(has_user, rootless);
            assert!(spec(folder.path(), rootless).unwrap_err().to_string().contains("exists"));
        }
    }
}
