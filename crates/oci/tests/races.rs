//! Containers that are made while a hostile neighbour swaps folders of theirs for links. Nothing outside is touched or shown,
//! whether a container is made or refused; a runtime that goes by paths is caught by the same neighbours (CVE-2021-30465,
//! CVE-2024-45310, CVE-2025-31133, CVE-2025-52565, CVE-2025-52881, CVE-2019-19921, CVE-2025-54867).

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod neighbour;
mod ship;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use catamaran_oci::command;
use neighbour::{EXPOSED, Neighbour, SECRET, falls, is_apart, mounts, naive, seen};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use serde_json::json;
use ship::{Ship, eventually};

/// A ship beside a folder of the machine with files in it, which read [`SECRET`].
struct Scene {
    ship: Ship,
    outside: PathBuf,
}

impl Scene {
    fn new(name: &str, script: &str, files: &[&str]) -> Self {
        let ship = Ship::new(name, script);
        let outside = ship.bundle().join("outside");
        for file in files {
            let path = outside.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, SECRET).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        }
        Self { ship, outside }
    }

    fn rootfs(&self, inside: &str) -> PathBuf {
        self.ship.bundle().join("rootfs").join(inside)
    }

    /// Mounts of the image's own `/dev`, as it is.
    fn keep_dev_of_image(&mut self, also_terminals: bool) {
        let mounts = self.ship.config["mounts"].as_array_mut().expect("a list");
        mounts.retain(|one| {
            one["destination"] != "/dev" && (also_terminals || one["destination"] != "/dev/pts")
        });
    }

    /// Makes containers as long as it is to be exposed; `before` changes the configuration of each, `made` looks at one that was
    /// made. How many were made, and why others were not.
    fn expose(
        &mut self,
        mut before: impl FnMut(&mut Ship, u32),
        mut made: impl FnMut(&Ship),
    ) -> (u32, Vec<String>) {
        let (mounted, begun) = (mounts(), Instant::now());
        let (mut good, mut refused) = (0, Vec::new());
        for round in 0.. {
            if begun.elapsed() > EXPOSED {
                break;
            }
            before(&mut self.ship, round);
            let socket = self.ship.bundle().join("console.sock");
            let console_socket = (self.ship.config["process"]["terminal"] == json!(true)).then_some(socket);
            let new = command::New { console_socket, ..self.ship.new_container() };
            match command::create(&new, &mut Vec::new()) {
                Ok(()) => {
                    good += 1;
                    made(&self.ship);
                }
                Err(why) => refused.push(why.to_string()),
            }
            self.ship.delete(true).expect("deleted");
            assert!(!self.ship.root().join(&self.ship.id).exists(), "its state is left");
        }
        assert_eq!(mounts(), mounted, "mounts of the machine");
        (good, refused)
    }
}

/// A hook that, before the container's root is entered, writes down which of its mounts lie outside.
fn tell_mounts(ship: &mut Ship, outside: &Path) -> PathBuf {
    let landed = ship.bundle().join("landed");
    let script =
        format!("grep -F ' {}' /proc/self/mountinfo >> {}; exit 0", outside.display(), landed.display());
    ship.config["hooks"] = json!({"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]});
    fs::write(&landed, "").expect("written");
    landed
}

fn null_at(path: &Path) {
    mknodat(CWD, path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), makedev(1, 3))
        .expect("root may");
}

#[test]
fn a_shared_volume_that_turns_into_a_link_leads_nowhere() {
    if !is_apart("a_shared_volume_that_turns_into_a_link_leads_nowhere") {
        return;
    }
    let mut scene = Scene::new("volume", "exit 0", &["mask", "ro/file", "copied/file"]);
    let volume = scene.ship.bundle().join("volume");
    let (folder, link) = (volume.join("a"), volume.join("b"));
    for inside in ["ro", "copied"] {
        fs::create_dir_all(folder.join(inside)).expect("made");
    }
    fs::write(folder.join("mask"), "").expect("written");
    symlink(&scene.outside, &link).expect("linked");
    fs::create_dir(scene.rootfs("vol")).expect("made");
    fs::write(scene.ship.bundle().join("text"), "").expect("written");
    let (outside, before) = (scene.outside.clone(), seen(&scene.outside));
    let landed = tell_mounts(&mut scene.ship, &outside);
    let fixed = scene.ship.config["mounts"].as_array().expect("a list").clone();
    let neighbour = Neighbour::swapping(vec![(folder, link)]);
    let (good, refused) = scene.expose(
        |ship, round| {
            let mut mounts = fixed.clone();
            mounts.extend([
                json!({"destination": "/vol", "type": "bind", "source": "volume", "options": ["rbind"]}),
                json!({"destination": format!("/vol/a/deep/{round}"), "type": "tmpfs", "source": "tmpfs"}),
                json!({"destination": format!("/vol/a/text{round}"), "type": "bind", "source": "text", "options": ["bind"]}),
                json!({"destination": "/vol/a/copied", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}),
            ]);
            ship.config["mounts"] = json!(mounts);
            ship.config["linux"]["devices"] =
                json!([{"path": format!("/vol/a/null{round}"), "type": "c", "major": 1, "minor": 3}]);
            ship.config["linux"]["maskedPaths"] = json!(["/vol/a/mask"]);
            ship.config["linux"]["readonlyPaths"] = json!(["/vol/a/ro"]);
            ship.config["process"]["cwd"] = json!(format!("/vol/a/work{round}"));
        },
        |ship| {
            // The working directory is made at the start; a link that leads away just then is a reason not to.
            let _ = command::start(&ship.root(), &ship.id);
        },
    );
    println!("volume: {good} made, {} refused, {} swaps", refused.len(), neighbour.swaps());
    assert!(good > 0, "none was made: {refused:?}");
    assert_eq!(seen(&outside), before, "something outside was touched");
    assert_eq!(fs::read_to_string(landed).expect("written"), "", "mounts landed outside");
    let at = volume.join("a");
    falls("mounts and files", |round| {
        let place = at.join(format!("naive{round}"));
        naive::mount_on(&place);
        naive::file_at(&at.join(format!("naive-file{round}")));
        seen(&outside) != before && mounts().contains(&format!(" {}/naive", outside.display()))
    });
}

#[test]
fn a_device_that_turns_into_a_link_leads_nowhere() {
    if !is_apart("a_device_that_turns_into_a_link_leads_nowhere") {
        return;
    }
    let mut scene = Scene::new("device-race", "exit 0", &["null", "sub/full"]);
    scene.keep_dev_of_image(false);
    let pairs = [("dev/null", "dev/link"), ("dev/sub", "dev/sublink")]
        .map(|(one, other)| (scene.rootfs(one), scene.rootfs(other)));
    null_at(&pairs[0].0);
    symlink(scene.outside.join("null"), &pairs[0].1).expect("linked");
    fs::create_dir(&pairs[1].0).expect("made");
    symlink(scene.outside.join("sub"), &pairs[1].1).expect("linked");
    scene.ship.config["linux"]["devices"] = json!([
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "uid": 7, "fileMode": 0o646},
        {"path": "/dev/sub/full", "type": "c", "major": 1, "minor": 7, "fileMode": 0o646},
    ]);
    let (outside, before, null) = (scene.outside.clone(), seen(&scene.outside), pairs[0].0.clone());
    let neighbour = Neighbour::swapping(pairs.to_vec());
    let (good, refused) = scene.expose(|_, _| {}, |_| {});
    println!("device: {good} made, {} refused, {} swaps", refused.len(), neighbour.swaps());
    assert!(good > 0, "none was made: {refused:?}");
    assert_eq!(seen(&outside), before, "something outside was touched");
    falls("modes of devices", |_| {
        naive::device(&null);
        seen(&outside) != before
    });
}

#[test]
fn what_covers_a_path_and_the_console_is_what_it_should_be() {
    if !is_apart("what_covers_a_path_and_the_console_is_what_it_should_be") {
        return;
    }
    let script =
        "exec > /out/said 2>&1; cat /etc/masked; if [ -f /dev/console ]; then cat /dev/console; fi; echo end";
    let mut scene = Scene::new("cover-race", script, &["secret", "pts/0", "pts/ptmx"]);
    scene.keep_dev_of_image(true);
    let pairs = [("dev/null", "dev/link"), ("dev/pts", "dev/ptslink")]
        .map(|(one, other)| (scene.rootfs(one), scene.rootfs(other)));
    null_at(&pairs[0].0);
    symlink(scene.outside.join("secret"), &pairs[0].1).expect("linked");
    fs::create_dir_all(&pairs[1].0).expect("made");
    symlink(scene.outside.join("pts"), &pairs[1].1).expect("linked");
    fs::write(scene.rootfs("etc/masked"), "").expect("written");
    fs::write(scene.rootfs("dev/console"), "").expect("written");
    scene.ship.config["linux"]["maskedPaths"] = json!(["/etc/masked"]);
    scene.ship.config["process"]["terminal"] = json!(true);
    let listener =
        std::os::unix::net::UnixListener::bind(scene.ship.bundle().join("console.sock")).expect("bound");
    // Terminals are taken by somebody who does not look at them.
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let (outside, before) = (scene.outside.clone(), seen(&scene.outside));
    let (null, masked) = (pairs[0].0.clone(), scene.rootfs("etc/masked"));
    let (terminal, console) = (scene.rootfs("dev/pts/0"), scene.rootfs("dev/console"));
    let neighbour = Neighbour::swapping(pairs.to_vec());
    let (good, refused) = scene.expose(
        |ship, _| drop(fs::remove_file(ship.out("said"))),
        |ship| {
            if command::start(&ship.root(), &ship.id).is_ok() {
                let said = || fs::read_to_string(ship.out("said")).unwrap_or_default();
                eventually("the container has looked", || {
                    said().ends_with("end\n") || ship.status() == "stopped"
                });
                assert!(!said().contains(SECRET), "{}", said());
            }
        },
    );
    println!("cover: {good} made, {} refused, {} swaps", refused.len(), neighbour.swaps());
    assert!(good > 0, "none was made: {refused:?}");
    assert_eq!(seen(&outside), before, "something outside was touched");
    falls("the null device", |_| naive::cover(&null, &masked).contains(SECRET));
    falls("the console", |_| naive::console(&terminal, &console).contains(SECRET));
}

#[test]
fn a_procfs_that_is_moved_while_it_is_masked_is_masked() {
    if !is_apart("a_procfs_that_is_moved_while_it_is_masked_is_masked") {
        return;
    }
    // From within the folder: it may be moved once more while it is looked at.
    let script = "for at in /proc /moved; do ( cd $at; [ -e uptime ] || exit; echo $at $(wc -c < version)
        ( echo x > sys/kernel/domainname ) 2> /dev/null && echo open ) >> /out/said; done; echo end >> /out/said";
    let mut scene = Scene::new("moved", script, &[]);
    let (proc, moved) = (scene.rootfs("proc"), scene.rootfs("moved"));
    fs::create_dir(&moved).expect("made");
    scene.ship.config["linux"]["maskedPaths"] = json!(["/proc/version", "/proc/fs"]);
    scene.ship.config["linux"]["readonlyPaths"] = json!(["/proc/sys"]);
    let neighbour = Neighbour::swapping(vec![(proc.clone(), moved.clone())]);
    let (good, refused) = scene.expose(
        |ship, _| drop(fs::remove_file(ship.out("said"))),
        |ship| {
            ship.start();
            let said = ship.said("said");
            let is_masked = |line: &str| line == "end" || line.split(' ').nth(1) == Some("0");
            assert!(said.lines().all(is_masked), "a procfs that is not masked: {said}");
        },
    );
    println!("moved: {good} made, {} refused, {} swaps", refused.len(), neighbour.swaps());
    assert!(good > 0, "none was made: {refused:?}");
    falls("masks of procfs", |_| {
        naive::procfs(&proc, "version");
        let is_open = |at: &Path| {
            at.join("uptime").exists()
                && fs::read_to_string(at.join("version")).is_ok_and(|text| !text.is_empty())
        };
        let fell = is_open(&proc) || is_open(&moved);
        for _ in 0..2 {
            naive::clear(&proc);
            naive::clear(&moved);
        }
        fell
    });
}

#[test]
fn settings_go_to_the_kernel_and_nowhere_else() {
    if !is_apart("settings_go_to_the_kernel_and_nowhere_else") {
        return;
    }
    let files =
        ["proc/sys/kernel/domainname", "proc/self/attr/exec", "proc/self/oom_score_adj", "proc/1/attr/exec"];
    let mut scene = Scene::new("settings", "exit 0", &files);
    let (proc, link) = (scene.rootfs("proc"), scene.rootfs("link"));
    symlink(scene.outside.join("proc"), &link).expect("linked");
    scene.ship.config["linux"]["sysctl"] =
        json!({"kernel.domainname": "harbour", "kernel.shm_rmid_forced": "1"});
    scene.ship.config["process"]["oomScoreAdj"] = json!(7);
    let settings = || {
        ["domainname", "shm_rmid_forced", "core_pattern"]
            .map(|name| fs::read_to_string(format!("/proc/sys/kernel/{name}")).expect("procfs"))
    };
    let (outside, before, set) = (scene.outside.clone(), seen(&scene.outside), settings());
    let neighbour = Neighbour::swapping(vec![(proc.clone(), link)]);
    let (good, refused) = scene.expose(|_, _| {}, |_| {});
    println!("settings: {good} made, {} refused, {} swaps", refused.len(), neighbour.swaps());
    assert!(good > 0, "none was made: {refused:?}");
    assert!(refused.iter().all(|why| why.contains("mount /proc")), "{refused:?}");
    assert_eq!(seen(&outside), before, "something outside was touched");
    assert_eq!(settings(), set, "settings of the machine");
    falls("settings", |_| {
        naive::setting(&proc, "kernel/domainname", "harbour");
        seen(&outside) != before
    });
}
