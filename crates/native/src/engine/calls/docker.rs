//! docker: its daemon starts a containerd of its own, whose shims call the runtime.

use std::path::Path;

use catamaran_image::dockerd::Places;
use catamaran_scenario::Platform;

use super::{Call, Calls, Container, Daemon, Laid, Place, owned, text};

pub(in super::super) struct Docker;

pub(in super::super) const DOCKER: Docker = Docker;

impl Docker {
    fn socket(at: &Place) -> String {
        format!("unix://{}", at.stored("docker.sock"))
    }

    fn words(at: &Place) -> Vec<String> {
        vec![at.program(1), "--host".to_owned(), Self::socket(at)]
    }
}

impl Calls for Docker {
    fn programs(&self) -> &'static [&'static str] {
        &["dockerd", "docker", "containerd"]
    }

    fn remedy(&self) -> &'static str {
        "apt-get install docker.io"
    }

    fn runtime(&self) -> Option<Platform> {
        Some(Platform::Runc)
    }

    fn daemon(&self, at: &Place) -> Option<Daemon> {
        let configuration = at.folder.join("docker.json");
        let places = Places {
            socket: &Self::socket(at),
            data: &at.stored("data"),
            exec: &at.stored("exec"),
            pid_file: &at.stored("docker.pid"),
            configuration: &text(&configuration),
            runtime: &text(&at.runtime),
        };
        let words = [vec![at.program(0)], places.options()].concat();
        let answers = [Self::words(at), owned(["version", "--format", "{{.Server.Version}}"])].concat();
        let call = Call { laid_out: vec![Laid::File(configuration, "{}".to_owned())], words };
        Some(Daemon { call, answers })
    }

    fn load(&self, at: &Place, archive: &Path) -> Vec<String> {
        [Self::words(at), owned(["load", "--input"]), vec![text(archive)]].concat()
    }

    fn pull(&self, at: &Place, from: &str) -> Vec<String> {
        // Plain HTTP is taken from addresses of the loopback.
        [Self::words(at), owned(["pull", "--quiet", from])].concat()
    }

    fn puller(&self) -> &'static str {
        "dockerd"
    }

    fn start(&self, at: &Place, container: &Container<'_>) -> Call {
        let mut fixed = owned(["run", "--detach", "--network=none", "--log-driver=none"]);
        fixed.push(at.cgroup_parent());
        let image = vec![container.image.clone()];
        [Self::words(at), fixed, container.options(), image, container.words.clone()].concat().into()
    }

    fn ask_end(&self, at: &Place, name: &str) -> Vec<String> {
        [Self::words(at), owned(["wait", name])].concat()
    }
}
