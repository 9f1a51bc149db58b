//! Groups themselves: made, refused, looked into, frozen, removed.

use super::*;

#[test]
fn a_group_in_use_is_refused_and_left() {
    let kernel = v1("pids", &[]);
    let group = kernel.hierarchies[0].mount.join("box");
    fs::create_dir(group.join("inner")).unwrap();
    fs::write(group.join("inner/cgroup.procs"), "7\n8\n").unwrap();
    let problem = Manager::new(&kernel.place()).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("is not empty: 2 process(es) found"), "{problem}");
    assert!(group.join("inner").exists());
    let kernel = v1("freezer", &[("freezer.state", "FROZEN\n")]);
    let problem = Manager::new(&kernel.place()).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("is frozen"), "{problem}");
    let below_a_frozen_one = [("cgroup.freeze", "0\n"), ("cgroup.events", "populated 0\nfrozen 1\n")];
    let problem =
        Manager::new(&v2("", &below_a_frozen_one).place()).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("is frozen"), "{problem}");
}

#[test]
fn only_groups_that_were_made_are_removed() {
    let kernel = v1("pids", &[]);
    kernel.manager().remove().unwrap();
    assert!(kernel.hierarchies[0].mount.join("box").exists(), "it was there before");
    let place = Place { path: Some("/outer/../a/b".into()), ..kernel.place() };
    let mut manager = Manager::new(&place).unwrap();
    manager.create().unwrap();
    let group = kernel.hierarchies[0].mount.join("a/b");
    assert_eq!(manager.paths(), BTreeMap::from([("pids".to_owned(), group.clone())]));
    fs::create_dir_all(group.join("c/d")).unwrap();
    let told: Manager = serde_json::from_str(&serde_json::to_string(&manager).unwrap()).unwrap();
    assert_eq!(told, manager);
    // Made while the group is there: it has another number.
    let other = kernel.hierarchies[0].mount.join("other");
    fs::create_dir(&other).unwrap();
    told.remove().unwrap();
    assert!(!group.exists());
    told.remove().unwrap();
    // Another of the same name is not the container's.
    fs::rename(&other, &group).unwrap();
    told.remove().unwrap();
    assert!(group.exists());
    assert!(manager.statistics().unwrap_err().to_string().contains("no control group any longer"));
}

#[test]
fn what_was_made_goes_where_not_all_can_be_made() {
    let kernel = v1("cpu", &[]).with(Version::V1, "memory", &[]);
    let target = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(target.path(), kernel.hierarchies[1].mount.join("a")).unwrap();
    let place = Place { path: Some("/a/b".into()), ..kernel.place() };
    let problem = Manager::new(&place).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("make the control group"), "{problem}");
    assert!(!kernel.hierarchies[0].mount.join("a").exists());
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "a symbolic link leads nowhere");
}

#[test]
fn groups_above_hand_controllers_down() {
    let kernel = v2("", &[]);
    let mount = &kernel.hierarchies[0].mount;
    fs::write(mount.join("cgroup.controllers"), "cpu memory pids\n").unwrap();
    fs::write(mount.join("cgroup.subtree_control"), "cpu\n").unwrap();
    kernel.manager();
    assert_eq!(fs::read_to_string(mount.join("cgroup.subtree_control")).unwrap(), "+memory +pids");
    // One with a type is not the machine's root; beside its processes it would become one of threads.
    for (name, text) in [("cgroup.type", "domain\n"), ("cgroup.procs", "7\n"), ("cgroup.subtree_control", "")]
    {
        fs::write(mount.join(name), text).unwrap();
    }
    kernel.manager();
    assert_eq!(fs::read_to_string(mount.join("cgroup.subtree_control")).unwrap(), "");
    fs::write(mount.join("box/cgroup.type"), "domain invalid\n").unwrap();
    let problem = Manager::new(&kernel.place()).unwrap().create().unwrap_err().to_string();
    assert!(problem.contains("cannot hold processes"), "{problem}");
}

#[test]
fn processes_of_all_groups_are_told_once() {
    let kernel = v1("pids", &[]).with(Version::V1, "cpu", &[]);
    let manager = kernel.manager();
    fs::write(kernel.hierarchies[0].mount.join("box/cgroup.procs"), "9\n7\n0\n").unwrap();
    fs::create_dir(kernel.hierarchies[1].mount.join("box/inner")).unwrap();
    fs::write(kernel.hierarchies[1].mount.join("box/inner/cgroup.procs"), "8\n7\n").unwrap();
    assert_eq!(manager.processes().unwrap(), [7, 8, 9]);
}

#[test]
fn either_freezer_is_used() {
    let kernel = v1("freezer", &[("freezer.state", "THAWED\n")]);
    let manager = kernel.manager();
    assert!(!manager.is_frozen());
    manager.freeze().unwrap();
    assert!(manager.is_frozen());
    manager.thaw().unwrap();
    assert!(!manager.is_frozen());
    let kernel = v2("", &[("cgroup.freeze", "0\n"), ("cgroup.events", "populated 0\nfrozen 0\n")]);
    let manager = kernel.manager();
    fs::write(kernel.hierarchies[0].mount.join("box/cgroup.events"), "populated 1\nfrozen 1\n").unwrap();
    manager.freeze().unwrap();
    assert!(manager.is_frozen());
    let none = v1("cpu", &[]).manager();
    assert!(none.freeze().unwrap_err().to_string().contains("no freezer control group"));
    assert!(!none.is_frozen());
}

#[test]
fn without_control_groups_only_a_rootless_container_can_be() {
    let place = |rootless, path: Option<&str>| Place {
        path: path.map(PathBuf::from),
        id: "box".to_owned(),
        rootless,
        hierarchies: Vec::new(),
    };
    let manager = Manager::new(&place(true, None)).unwrap();
    manager.apply(&LinuxResources::default()).unwrap();
    let limit: LinuxResources = serde_json::from_value(json!({ "memory": { "limit": 9 } })).unwrap();
    assert!(manager.apply(&limit).unwrap_err().to_string().contains("linux.resources.memory.limit"));
    assert!(Manager::new(&place(false, None)).is_err());
    assert!(Manager::new(&place(true, Some("/a"))).is_err());
}
