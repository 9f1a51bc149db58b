//! docker: its daemon starts a containerd of its own, whose shims call the runtime.

use std::io;

use catamaran_scenario::Platform;
use catamaran_worker::room_plan::Said;

use super::{Calls, Container, Daemon, Place, image, owned, text};

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

    fn daemon(&self, at: &Place) -> io::Result<Option<Daemon>> {
        let configuration = at.folder.join("docker.json");
        std::fs::write(&configuration, "{}")?;
        let mut words = vec![at.program(0), "--host".to_owned(), Self::socket(at)];
        for (option, place) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "docker.pid")]
        {
            words.extend([option.to_owned(), at.stored(place)]);
        }
        words.extend(["--config-file".to_owned(), text(&configuration)]);
        words.push(format!("--add-runtime=given={}", text(&at.runtime)));
        words.extend(owned([
            "--default-runtime=given",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            "--userland-proxy=false",
        ]));
        let answers = [Self::words(at), owned(["version", "--format", "{{.Server.Version}}"])].concat();
        Ok(Some(Daemon { words, answers }))
    }

    fn load(&self, at: &Place) -> Option<Vec<String>> {
        Some([Self::words(at), owned(["load", "--input"]), vec![text(&at.archive())]].concat())
    }

    fn start(&self, at: &Place, container: &Container<'_>) -> io::Result<Vec<String>> {
        let fixed = owned(["run", "--detach", "--network=none", "--log-driver=none", "--cgroup-parent=/"]);
        let image = owned([image::NAME]);
        Ok([Self::words(at), fixed, container.options(), image, container.words.clone()].concat())
    }

    fn ask_end(&self, at: &Place, name: &str) -> Vec<String> {
        [Self::words(at), owned(["wait", name])].concat()
    }

    fn code_in(&self, said: &Said) -> Option<i32> {
        said.out.trim().parse().ok()
    }
}
