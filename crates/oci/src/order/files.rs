//! Mounts, propagation and system settings of a container.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catamaran_oci_init::mount::{Kind, Options, Propagation, Reach};
use catamaran_oci_init::order::{Hierarchy, Mount, Owners, What};
use oci_spec::runtime::{self, Linux, Spec};

use super::namespaces::{self, CGROUP};
use super::{Circumstances, Namespaces, text};
use crate::cgroup::Manager;
use crate::{Problem, check, mounts};

pub(super) fn mounts(
    spec: &Spec,
    namespaces: &Namespaces,
    about: &Circumstances<'_>,
) -> Result<Vec<Mount>, Problem> {
    let all = spec.mounts().iter().flatten().enumerate();
    all.map(|(at, mount)| one(spec, mount, &format!("mounts[{at}]"), namespaces, about)).collect()
}

/// Label of SELinux for a new file system that can have one (`mountLabel`).
fn label(options: &mut Options, what: &What, spec: &Spec) {
    let label = spec.linux().as_ref().and_then(|linux| linux.mount_label().as_ref());
    let Some(label) = label.filter(|label| !label.is_empty()) else { return };
    // These have labels by the kernel's policy alone.
    if matches!(what, What::New { kind, .. } if !matches!(kind.as_str(), "proc" | "sysfs" | "cgroup2")) {
        options.data.push(format!("context={label}"));
    }
}

fn one(
    spec: &Spec,
    mount: &runtime::Mount,
    at: &str,
    namespaces: &Namespaces,
    about: &Circumstances<'_>,
) -> Result<Mount, Problem> {
    let mut options = mounts::of(mount, at)?;
    let destination = text(mount.destination(), &format!("{at}.destination"))?;
    let source = mount.source().as_deref().unwrap_or(Path::new(""));
    let kind = mount.typ().as_deref().unwrap_or("none");
    let what = if options.bind.is_some() {
        // "For bind mounts, source is relative to the bundle."
        What::Bind(text(&about.bundle.join(source), &format!("{at}.source"))?)
    } else if kind == "cgroup" {
        groups(&mut options, namespaces, about)
    } else if let Some(group) = (kind == "cgroup2").then(|| unseen(namespaces, about)).flatten() {
        options.bind = Some(Reach::Alone);
        What::Bind(group)
    } else {
        let source = text(source, &format!("{at}.source"))?;
        What::New { kind: kind.to_owned(), source: if source.is_empty() { kind.to_owned() } else { source } }
    };
    label(&mut options, &what, spec);
    let owners = options.idmap.is_some().then(|| owners(mount, namespaces)).flatten();
    Ok(Mount { destination, what, options, owners })
}

/// Maps of an idmapped mount: its own, or those of the container's user namespace.
fn owners(mount: &runtime::Mount, namespaces: &Namespaces) -> Option<Owners> {
    let own = |list: &Option<Vec<runtime::LinuxIdMapping>>| list.clone().unwrap_or_default();
    let (users, groups) = (own(mount.uid_mappings()), own(mount.gid_mappings()));
    if !users.is_empty() && !groups.is_empty() {
        return Some(Owners::By(namespaces::map(&users), namespaces::map(&groups)));
    }
    if namespaces.makes_user() {
        let (users, groups) = (&namespaces.users, &namespaces.groups);
        return Some(Owners::By(namespaces::map(users), namespaces::map(groups)));
    }
    let joined = namespaces.join.iter().find(|one| one.kind == namespaces::USER);
    joined.map(|one| Owners::As(one.path.clone()))
}

/// What a mount of type `cgroup` becomes: a hierarchy of version 2, or a folder for each of version 1.
fn groups(options: &mut Options, namespaces: &Namespaces, about: &Circumstances<'_>) -> What {
    let own = namespaces.make & CGROUP != 0;
    let paths = about.groups.map(Manager::paths).unwrap_or_default();
    if let Some(group) = paths.get("").filter(|_| paths.len() == 1) {
        if own {
            return What::New { kind: "cgroup2".to_owned(), source: "cgroup".to_owned() };
        }
        options.bind = Some(Reach::Alone);
        return What::Bind(group.display().to_string());
    }
    let hierarchies = hierarchies(&paths);
    // Where several controllers share a hierarchy, each is found by its own name, too.
    let links = hierarchies
        .iter()
        .filter(|one| one.words.len() > 1)
        .flat_map(|one| one.words.iter().map(|word| (word.clone(), one.name.clone())))
        .collect();
    What::Groups { hierarchies, links }
}

/// The container's group of version 2, for a container without a new control group namespace: where it is mounted in place of the
/// tree, the container sees no group but its own, and the machine's tree keeps its options. A mount of the tree in the first
/// namespace would set them anew (Linux `apply_cgroup_root_flags`), so that `nsdelegate` and `memory_recursiveprot` were
/// lost for all.
fn unseen(namespaces: &Namespaces, about: &Circumstances<'_>) -> Option<String> {
    let group = about.groups?.paths().remove("")?;
    (namespaces.make & CGROUP == 0).then(|| group.display().to_string())
}

/// Hierarchies of version 1, from the group of each controller: those that share a group share the hierarchy.
fn hierarchies(paths: &BTreeMap<String, PathBuf>) -> Vec<Hierarchy> {
    let mut all: Vec<Hierarchy> = Vec::new();
    for (controller, path) in paths.iter().filter(|(controller, _)| !controller.is_empty()) {
        let group = path.display().to_string();
        let name = controller.strip_prefix("name=").unwrap_or(controller);
        match all.iter_mut().find(|one| one.group == group) {
            Some(one) => {
                one.name = format!("{},{name}", one.name);
                one.words.push(controller.clone());
            }
            None => {
                all.push(Hierarchy { name: name.to_owned(), group, words: vec![controller.clone()] });
            }
        }
    }
    all
}

/// Whether `/dev` is filled: not where the caller's own is mounted there.
pub(super) fn makes_dev(spec: &Spec) -> bool {
    let mut on_dev = spec.mounts().iter().flatten().filter(|mount| mount.destination() == Path::new("/dev"));
    !on_dev.any(|mount| {
        let words = mount.options().iter().flatten();
        mount.typ().as_deref() == Some("bind")
            || words.into_iter().any(|word| word == "bind" || word == "rbind")
    })
}

/// `rootfsPropagation`; with all that is mounted below it, as runc has it.
pub(super) fn propagation(spec: &Spec) -> Result<Option<Propagation>, Problem> {
    let word = spec.linux().as_ref().and_then(|linux| linux.rootfs_propagation().as_deref());
    let kind = match word {
        None | Some("") => return Ok(None),
        Some("shared" | "rshared") => Kind::Shared,
        Some("slave" | "rslave") => Kind::Slave,
        Some("private" | "rprivate") => Kind::Private,
        Some("unbindable" | "runbindable") => Kind::Unbindable,
        Some(other) => {
            let accepted = "use shared, slave, private or unbindable";
            return Err(Problem::config("linux.rootfsPropagation", other, accepted));
        }
    };
    Ok(Some(Propagation { kind, reach: Reach::Recursive }))
}

/// Paths below `/proc/sys`, in the order of their names.
pub(super) fn sysctl(linux: &Linux) -> Vec<(String, String)> {
    let mut all: Vec<_> =
        linux.sysctl().iter().flatten().filter_map(|(name, value)| setting(name, value)).collect();
    all.sort();
    all
}

/// One that has no path was refused by the checks.
fn setting(name: &str, value: &str) -> Option<(String, String)> {
    let path = check::sysctl_path(name)?;
    let path = path.to_string_lossy();
    Some((path.strip_prefix("/proc/sys/").unwrap_or(&path).to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_of_one_group_share_a_folder() {
        let path = |at: &str| PathBuf::from(at);
        let paths = BTreeMap::from([
            (String::new(), path("/g/unified/x")),
            ("cpu".to_owned(), path("/g/cpu,cpuacct/x")),
            ("cpuacct".to_owned(), path("/g/cpu,cpuacct/x")),
            ("name=systemd".to_owned(), path("/g/systemd/x")),
        ]);
        let found: Vec<_> = hierarchies(&paths).into_iter().map(|one| (one.name, one.words)).collect();
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                ("cpu,cpuacct".to_owned(), words(&["cpu", "cpuacct"])),
                ("systemd".to_owned(), words(&["name=systemd"]))
            ]
        );
    }
}
