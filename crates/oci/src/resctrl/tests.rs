//! On a folder that looks like `resctrl`, which few machines have: what is written where, and what goes.

use super::*;
use serde_json::{Value, json};

/// A file system with the class `old`. Its folders come without files, which the kernel would put there.
fn tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    for folder in ["old/mon_groups", "mon_groups", "info"] {
        fs::create_dir_all(tree.path().join(folder)).unwrap();
    }
    fs::write(tree.path().join(SCHEMATA), "").unwrap();
    fs::write(tree.path().join("old").join(SCHEMATA), "    MB:0= 20;1= 70\n    L3:0=007f0;1=0001f\n")
        .unwrap();
    tree
}

fn class(tree: &tempfile::TempDir, wanted: Value) -> Result<Class, Problem> {
    Class::make(tree.path(), &serde_json::from_value(wanted).unwrap(), "box")
}

fn read(tree: &tempfile::TempDir, file: &str) -> String {
    fs::read_to_string(tree.path().join(file)).unwrap_or_default()
}

/// What the kernel does when a folder of its goes: its files go, too.
fn emptied(tree: &tempfile::TempDir, folder: &str) {
    for file in [TASKS, SCHEMATA] {
        let _ = fs::remove_file(tree.path().join(folder).join(file));
    }
}

#[test]
fn a_class_without_a_name_has_the_containers_id_and_goes_with_it() {
    let tree = tree();
    let made = class(&tree, json!({"l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=10"})).unwrap();
    assert_eq!(read(&tree, "box/schemata"), "L3:0=f\nMB:0=10\n");
    made.enter(17).unwrap();
    assert_eq!(read(&tree, "box/tasks"), "17\n");
    emptied(&tree, "box");
    made.remove().unwrap();
    assert!(!tree.path().join("box").exists() && tree.path().join("old").exists());
    fs::create_dir(tree.path().join("box")).unwrap();
    assert!(class(&tree, json!({})).is_err(), "of somebody else");
    assert!(tree.path().join("box").exists());
}

#[test]
fn a_class_with_a_name_is_made_and_stays() {
    let tree = tree();
    let wanted = json!({"closID": "new", "l3CacheSchema": "L3:0=f", "schemata": ["L2:0=1", "MB:0=10"]});
    let made = class(&tree, wanted).unwrap();
    // The lines of `schemata` last.
    assert_eq!(read(&tree, "new/schemata"), "L2:0=1\nMB:0=10\n");
    emptied(&tree, "new");
    made.remove().unwrap();
    assert!(tree.path().join("new").is_dir(), "who names it keeps it");
    made.undo().unwrap();
    assert!(!tree.path().join("new").exists(), "a container that was never made leaves nothing");
}

#[test]
fn a_class_that_is_there_must_have_what_is_asked_for() {
    let tree = tree();
    let before = read(&tree, "old/schemata");
    for (schema, value) in
        [("l3CacheSchema", "L3:0=7f0;1=1e"), ("l3CacheSchema", "L3:2=1"), ("memBwSchema", "MB:0=30")]
    {
        let said = class(&tree, json!({"closID": "old", schema: value})).unwrap_err().to_string();
        assert!(said.contains("linux.intelRdt.closID"), "{said}");
        assert_eq!(read(&tree, "old/schemata"), before);
    }
    let made = class(&tree, json!({"closID": "old"})).unwrap();
    assert_eq!(read(&tree, "old/schemata"), before, "nothing is asked for, nothing is written");
    made.enter(3).unwrap();
    assert_eq!(read(&tree, "old/tasks"), "3\n");
    made.undo().unwrap();
    class(&tree, json!({"closID": "old", "l3CacheSchema": "L3:0=7f0", "memBwSchema": "MB:1=70"})).unwrap();
    assert!(tree.path().join("old").exists());
    let said = class(&tree, json!({"closID": "missing"})).unwrap_err().to_string();
    assert!(said.contains("a class that is there"), "{said}");
    assert!(!tree.path().join("missing").exists());
}

#[test]
fn the_default_class_is_that_of_all() {
    let tree = tree();
    let made = class(&tree, json!({"closID": "/", "enableMonitoring": true})).unwrap();
    made.enter(5).unwrap();
    assert_eq!(
        (read(&tree, "tasks"), read(&tree, "mon_groups/box/tasks")),
        ("5\n".to_owned(), "5\n".to_owned())
    );
    emptied(&tree, "mon_groups/box");
    made.remove().unwrap();
    assert!(tree.path().is_dir() && !tree.path().join("mon_groups/box").exists());
}

#[test]
fn a_monitoring_group_that_cannot_be_made_undoes_the_class() {
    let tree = tree();
    // A new class has no folder for them here, which stands for a machine that has no more of them.
    let said = class(&tree, json!({"enableMonitoring": true})).unwrap_err().to_string();
    assert!(said.contains("mon_groups/box"), "{said}");
    assert!(!tree.path().join("box").exists());
}
