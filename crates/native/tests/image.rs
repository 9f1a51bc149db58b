//! Tenants whose root is an image of the user's.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catamaran_image::{Image, Recipe, TarLayer};
use catamaran_native::density;
use catamaran_report::RunError;
use catamaran_report::report::TenantState;
use catamaran_scenario::{Plan, Platform};

/// Platforms on which an image is the root.
const SEEN: [Platform; 9] = [
    Platform::Chroot,
    Platform::Container,
    Platform::Runc,
    Platform::Crun,
    Platform::Youki,
    Platform::Podman,
    Platform::Docker,
    Platform::Containerd,
    Platform::Lxc,
];

/// A file of the image, by which its root is known.
const MARK: &str = "etc/catamaran-mark";

/// Two layers, the upper one of which takes away what the lower one has; its links lead to the machine's own files.
fn archive(path: &Path, mark: &str) -> Image {
    let mut lower = TarLayer::default();
    lower.file("etc/gone", 0o644, b"old").expect("memory");
    lower.link("dev", "/dev").expect("memory");
    lower.link("proc", "/etc").expect("memory");
    lower.link("catamaran-worker", "/etc/passwd").expect("memory");
    let mut upper = TarLayer::default();
    upper.file(MARK, 0o644, mark.as_bytes()).expect("memory");
    upper.file("etc/.wh.gone", 0o644, b"").expect("memory");
    let config = || serde_json::json!({});
    let base = path.with_extension("base");
    let top = lower.finish().expect("memory");
    Recipe { name: "base:1", base: None, top: &top, config: config() }.write(&base).expect("an archive");
    let base = Image::open(&base).expect("an image");
    let top = upper.finish().expect("memory");
    Recipe { name: "two:1", base: Some(&base), top: &top, config: config() }.write(path).expect("an archive");
    Image::open(path).expect("an image")
}

fn plan(folder: &Path, archive: &str) -> Plan {
    let tenants = format!(
        "[[image]]\nname = \"own/shop:1\"\narchive = \"{archive}\"\n\
         [[tenant]]\nname = \"shop\"\nimage = \"own/shop:1\"\nreplicas = 2\nworkload = {{ kind = \"compute\", work = \"1h\" }}\n\
         [[tenant]]\nname = \"plain\"\nworkload = {{ kind = \"idle\" }}"
    );
    common::plan("500ms", "", &tenants).in_folder(folder)
}

/// Carries it out; the roots of processes that had the mark meanwhile, by their numbers, and whether the other file was there.
fn watched<Answer>(mark: &str, answer: impl FnOnce() -> Answer) -> (Answer, Vec<(String, bool)>) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut seen = std::collections::BTreeMap::new();
            while !done.load(Ordering::SeqCst) {
                for process in std::fs::read_dir("/proc").expect("/proc").flatten() {
                    let root = process.path().join("root");
                    if std::fs::read_to_string(root.join(MARK)).is_ok_and(|text| text == mark) {
                        seen.insert(
                            process.file_name().display().to_string(),
                            root.join("etc/gone").exists(),
                        );
                    }
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            seen.into_iter().collect()
        });
        let answer = answer();
        done.store(true, Ordering::SeqCst);
        (answer, looker.join().expect("a thread"))
    })
}

fn left() -> Vec<String> {
    common::left_of(std::process::id())
}

#[test]
fn a_density_counts_tenants_with_the_root_of_their_image() {
    let _turn = common::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().display().to_string();
    archive(&folder.path().join("shop.tar"), &mark);
    let tenant = "[[image]]\nname = \"own\"\narchive = \"shop.tar\"\n\
                  [[tenant]]\nname = \"shop\"\nimage = \"own\"\nworkload = { kind = \"idle\" }";
    let plan = common::plan("60s", "", tenant).in_folder(folder.path());
    for platform in [Platform::Chroot, Platform::Container, Platform::Crun, Platform::Podman, Platform::Lxc] {
        let count = || density(&plan, platform, 2, 1e8, &Arc::default(), &mut |_| {});
        let (answer, seen) = watched(&mark, count);
        match answer {
            Ok(counted) => assert_eq!((counted.tenants, counted.full), (2, false), "{counted:?}"),
            Err(RunError::Unavailable { why, .. }) => {
                println!("skipped: a density of an image on {platform}: {why}");
                continue;
            }
            Err(error) => panic!("{platform}: {error}"),
        }
        assert!(seen.len() >= 2, "{platform}: {seen:?}");
        assert_eq!(left(), Vec::<String>::new(), "{platform}");
    }
}

#[test]
fn an_archive_is_the_root_of_the_tenants_that_name_it() {
    let _turn = common::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().display().to_string();
    let id = archive(&folder.path().join("shop.tar"), &mark).id().to_owned();
    let plan = plan(folder.path(), "shop.tar");
    for platform in SEEN {
        let (answer, seen) = watched(&mark, || common::answer(&plan, platform));
        let Some(report) = common::tried(platform.name(), None, answer) else { continue };
        assert!(seen.len() >= 2 && seen.iter().all(|(_, gone)| !gone), "{platform}: {seen:?}");
        let known = report.identity.machine.as_ref().and_then(|machine| machine.get("image.own/shop:1"));
        assert_eq!(known, Some(&id), "{platform}");
        let [first, second, plain] = &*report.tenants else { panic!("{:?}", report.tenants) };
        assert_eq!(
            (first.state, plain.state),
            (TenantState::Running, TenantState::Completed),
            "{platform}: {report:?}"
        );
        assert!(!first.absent.contains_key("tenant.image"), "{platform}");
        let unpacked = |row: &catamaran_report::report::TenantReport| {
            let stages = row.startup_stages.iter().filter(|stage| stage.name.starts_with("unpack "));
            stages.filter(|stage| stage.actor == "catamaran" && stage.span().is_some()).count()
        };
        let loads = [Platform::Podman, Platform::Docker, Platform::Containerd].contains(&platform);
        let expected = if loads { (0, 0) } else { (2, 0) };
        assert_eq!((unpacked(first), unpacked(second)), expected, "{platform}: {:?}", first.startup_stages);
        let last = first.startup_stages.last();
        assert_eq!(
            last.map(|stage| (&*stage.name, stage.end_s)),
            Some(("exec", first.startup_s)),
            "{platform}"
        );
        assert_eq!(left(), [""; 0], "{platform}");
    }
}

/// In a user namespace the overlay is mounted by whoever is root in it only.
#[test]
fn a_rootless_container_has_the_image_for_its_root_too() {
    let _turn = common::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().display().to_string();
    archive(&folder.path().join("shop.tar"), &mark);
    let tenants = "[[image]]\nname = \"x\"\narchive = \"shop.tar\"\ncached = true\n\
                   [[tenant]]\nname = \"shop\"\nimage = \"x\"\nworkload = { kind = \"idle\" }\n\
                   [platform.container]\nrootless = true";
    let plan = common::plan("300ms", "", tenants).in_folder(folder.path());
    let (answer, seen) = watched(&mark, || common::answer(&plan, Platform::Container));
    let Some(report) = common::tried("rootless", None, answer) else { return };
    assert!(seen.iter().any(|(_, gone)| !gone), "{seen:?}");
    let stages = report.tenants.iter().flat_map(|row| &row.startup_stages);
    assert!(stages.into_iter().all(|stage| !stage.name.starts_with("unpack")), "cached is unpacked before");
}

#[test]
fn where_there_is_no_root_of_ones_own_no_image_is_seen() {
    let _turn = common::turn();
    let folder = tempfile::tempdir().expect("a folder");
    archive(&folder.path().join("shop.tar"), "x");
    let plan = plan(folder.path(), "shop.tar");
    for platform in [Platform::BareMetal, Platform::Namespaces, Platform::Cgroups] {
        let (answer, seen) = watched("x", || common::answer(&plan, platform));
        let Some(report) = common::tried(platform.name(), None, answer) else { continue };
        assert_eq!(seen, [], "{platform}");
        let row = report.tenants.first().expect("a tenant");
        assert!(
            row.absent.get("tenant.image").is_some_and(|why| why.contains("not seen")),
            "{:?}",
            row.absent
        );
    }
    match common::answer(&plan, Platform::Vm) {
        Err(RunError::Unsupported { field, .. }) => assert_eq!(field, "tenant.shop.image"),
        Err(RunError::Unavailable { why, .. }) => println!("skipped: vm: {why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_image_is_refused_by_its_field() {
    let _turn = common::turn();
    let folder = tempfile::tempdir().expect("a folder");
    archive(&folder.path().join("shop.tar"), "x");
    let whole = std::fs::read(folder.path().join("shop.tar")).expect("an archive");
    std::fs::write(folder.path().join("half.tar"), &whole[..whole.len() / 2]).expect("a file");
    // Layers come first: a byte of the first one is another.
    let mut other = whole;
    other[520] ^= 1;
    std::fs::write(folder.path().join("other.tar"), other).expect("a file");
    let table = [
        ("nothing.tar", "no such file"),
        ("half.tar", "half.tar: "),
        ("other.tar", "the digest of what it holds"),
    ];
    for platform in [Platform::Container, Platform::Podman] {
        for (name, said) in table {
            match common::answer(&plan(folder.path(), name), platform) {
                Err(RunError::BadInput { field, what, .. }) => {
                    assert_eq!(field, "image.own/shop:1.archive");
                    assert!(what.starts_with(name) && what.contains(said), "{platform}: {what}");
                }
                Err(RunError::Unavailable { why, .. }) => println!("skipped: {platform}: {why}"),
                answer => panic!("{platform}: {name}: {answer:?}"),
            }
            assert_eq!(left(), [""; 0], "{platform}: {name}");
        }
    }
}

/// Is the one that is killed where the variable says so; else does nothing.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else { return };
    let answer = common::answer(&plan(Path::new(&folder), "shop.tar"), Platform::Container);
    panic!("it should have been killed: {answer:?}");
}

const VICTIM: &str = "CATAMARAN_IMAGE_TEST";

#[test]
fn what_a_killed_run_has_unpacked_is_removed_by_the_next() {
    let _turn = common::turn();
    let folder = tempfile::tempdir().expect("a folder");
    archive(&folder.path().join("shop.tar"), "x");
    let folder = folder.path().display().to_string();
    let Some((number, before)) = common::killed_at("unpacked", (VICTIM, &folder)) else { return };
    assert_eq!(before.len(), 1, "{before:?}");
    let cleaned = catamaran_native::clean().expect("cleaned");
    assert_eq!(common::left_of(number), [""; 0], "{cleaned:?}");
}
