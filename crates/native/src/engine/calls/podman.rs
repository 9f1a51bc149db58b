//! podman: no daemon; each container has a monitor (`conmon`), which calls the runtime.

use std::path::Path;

use catamaran_scenario::Platform;

use super::{Call, Calls, Container, Place, owned, text};

pub(in super::super) struct Podman;

pub(in super::super) const PODMAN: Podman = Podman;

impl Podman {
    fn words(at: &Place) -> Vec<String> {
        let mut words = vec![at.program(0)];
        // podman takes no more than 50 characters for it, and folders of users' runs have longer names.
        let run_root = "/run/containers/storage".to_owned();
        let places = [("--root", at.stored("root")), ("--runroot", run_root), ("--tmpdir", at.stored("tmp"))];
        words.extend(places.into_iter().flat_map(|(option, place)| [option.to_owned(), place]));
        words.extend(["--runtime".to_owned(), text(&at.runtime)]);
        words.extend(owned(["--cgroup-manager=cgroupfs", "--events-backend=none"]));
        if at.rootless {
            // Whether an ordinary user may have overlays depends on the kernel.
            words.push("--storage-driver=vfs".to_owned());
        }
        words
    }
}

impl Calls for Podman {
    fn programs(&self) -> &'static [&'static str] {
        &["podman", "conmon"]
    }

    fn remedy(&self) -> &'static str {
        "apt-get install podman"
    }

    fn runtime(&self) -> Option<Platform> {
        Some(Platform::Crun)
    }

    fn load(&self, at: &Place, archive: &Path) -> Vec<String> {
        [Self::words(at), owned(["load", "--input"]), vec![text(archive)]].concat()
    }

    fn pull(&self, at: &Place, from: &str) -> Vec<String> {
        [Self::words(at), owned(["pull", "--quiet", "--tls-verify=false", from])].concat()
    }

    fn puller(&self) -> &'static str {
        "podman"
    }

    fn start(&self, at: &Place, container: &Container<'_>) -> Call {
        let mut fixed =
            owned(["run", "--detach", "--network=none", "--log-driver=none", "--cgroups=no-conmon"]);
        // Without CAP_SYS_RESOURCE hard limits can't be raised, as podman does for root unless it is told these.
        if !at.rootless {
            fixed.extend(owned(["--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096"]));
        }
        let image = vec![container.image.clone()];
        let parent = vec![at.cgroup_parent()];
        [Self::words(at), fixed, parent, container.options(), image, container.words.clone()].concat().into()
    }

    fn ask_end(&self, at: &Place, name: &str) -> Vec<String> {
        [Self::words(at), owned(["wait", name])].concat()
    }
}
