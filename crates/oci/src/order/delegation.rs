//! Whose a container's control group becomes.
//!
//! **Source.** Runtime specification 1.2, config-linux.md "Cgroup ownership": on version 2, where the container has a new control
//! group namespace and `/sys/fs/cgroup` is mounted for writing in it, the group should belong to whoever runs the program, as
//! this machine numbers that user.

use std::path::{Component, Path};

use oci_spec::runtime::{LinuxIdMapping, Spec};

use super::Namespaces;
use super::namespaces::CGROUP;
use crate::{Problem, mounts};

const TREE: &str = "/sys/fs/cgroup";

/// The number on this machine of the user whose the container's group of version 2 becomes; `None` where it stays the runtime's.
/// So it does in a user namespace that is joined, whose maps the configuration does not tell.
pub(crate) fn owner_of_group(spec: &Spec, namespaces: &Namespaces) -> Result<Option<u32>, Problem> {
    if namespaces.make & CGROUP == 0 || !may_write_to_tree(spec)? {
        return Ok(None);
    }
    let Some(user) = spec.process().as_ref().map(|process| process.user().uid()) else { return Ok(None) };
    if namespaces.makes_user() {
        return Ok(on_this_machine(user, &namespaces.users));
    }
    Ok(Some(user).filter(|user| *user != 0 && !namespaces.has_user()))
}

/// Whether the last mount at the place of the tree is one of control groups, and for writing.
fn may_write_to_tree(spec: &Spec) -> Result<bool, Problem> {
    let at_the_place = |destination: &Path| {
        let parts = destination.components().filter(|part| !matches!(part, Component::CurDir));
        parts.eq(Path::new(TREE).components())
    };
    let all = spec.mounts().iter().flatten().enumerate();
    let Some((at, last)) = all.filter(|(_, mount)| at_the_place(mount.destination())).last() else {
        return Ok(false);
    };
    let of_groups = matches!(last.typ().as_deref(), Some("cgroup" | "cgroup2"));
    Ok(of_groups && !mounts::of(last, &format!("mounts[{at}]"))?.is_read_only())
}

fn on_this_machine(inside: u32, maps: &[LinuxIdMapping]) -> Option<u32> {
    maps.iter().find_map(|map| {
        let distance = inside.checked_sub(map.container_id()).filter(|distance| *distance < map.size())?;
        map.host_id().checked_add(distance)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn owner(user: u32, namespaces: &[&str], mounts: &Value) -> Option<u32> {
        let namespaces: Vec<Value> = namespaces.iter().map(|kind| json!({ "type": kind })).collect();
        let maps = json!([{ "containerID": 0, "hostID": 100_000, "size": 10 }, { "containerID": 10, "hostID": 7, "size": 1 }]);
        let spec = json!({
            "ociVersion": "1.2.0",
            "process": { "user": { "uid": user, "gid": 0 }, "args": ["x"], "cwd": "/" },
            "mounts": mounts,
            "linux": { "namespaces": namespaces, "uidMappings": maps, "gidMappings": maps },
        });
        let spec: Spec = serde_json::from_value(spec).unwrap();
        owner_of_group(&spec, &Namespaces::of(&spec).unwrap()).unwrap()
    }

    fn tree(options: &[&str]) -> Value {
        json!({ "destination": "/sys/./fs/cgroup/", "type": "cgroup", "source": "cgroup", "options": options })
    }

    #[test]
    fn a_group_is_the_users_who_may_write_to_the_tree_that_is_seen() {
        let all = ["mount", "cgroup", "user"];
        assert_eq!(owner(0, &all, &json!([tree(&[])])), Some(100_000));
        assert_eq!(owner(9, &all, &json!([tree(&["ro", "rw"])])), Some(100_009));
        assert_eq!(owner(10, &all, &json!([tree(&[])])), Some(7));
        assert_eq!(owner(11, &all, &json!([tree(&[])])), None, "nobody is mapped there");
        assert_eq!(owner(5, &["mount", "cgroup"], &json!([tree(&[])])), Some(5));
        assert_eq!(owner(0, &["mount", "cgroup"], &json!([tree(&[])])), None, "it is root's already");
    }

    #[test]
    fn a_group_that_is_not_to_be_written_to_stays_the_runtimes() {
        let all = ["mount", "cgroup", "user"];
        assert_eq!(owner(0, &["mount", "user"], &json!([tree(&[])])), None, "no namespace of its own");
        assert_eq!(owner(0, &all, &json!([])), None, "no mount");
        assert_eq!(owner(0, &all, &json!([tree(&["ro"])])), None);
        assert_eq!(
            owner(0, &all, &json!([tree(&[]), tree(&["ro"])])),
            None,
            "the later mount is the one that is seen"
        );
        let other = json!({ "destination": "/sys/fs/cgroup", "type": "tmpfs", "source": "x" });
        assert_eq!(owner(0, &all, &json!([tree(&[]), other])), None);
    }
}
