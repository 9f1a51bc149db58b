//! Images that are pulled from Debian's registry, started for the test alone on a loopback port.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use catamaran_image::{TarLayer, digest};
use catamaran_report::report::{StageRow, TenantReport};
use catamaran_report::{Report, RunError};
use catamaran_scenario::{Plan, Platform};
use serde_json::json;

/// A registry that ends with the test.
struct Registry {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Registry {
    /// None, with the reason printed, where it is not installed.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let configuration = folder.path().join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {:?} }} }}\n\
             http: {{ addr: \"127.0.0.1:{port}\" }}\n",
            folder.path().join("store")
        );
        std::fs::write(&configuration, text).expect("a file");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&configuration).stdout(Stdio::null()).stderr(Stdio::null());
        let process = match command.spawn() {
            Ok(process) => process,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                println!("skipped: docker-registry is not installed (apt-get install docker-registry)");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let registry = Self { process, port, folder };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(registry);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the registry does not listen on port {port}");
    }

    /// Status, `Location` and the rest of the answer.
    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the registry");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("the registry");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the registry");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let location = answer.lines().find_map(|line| line.strip_prefix("Location: ")).unwrap_or_default();
        (status, location.trim().to_owned())
    }

    fn push_blob(&self, name: &str, content: &[u8]) -> serde_json::Value {
        let (status, at) = self.ask("POST", &format!("/v2/{name}/blobs/uploads/"), "", b"");
        assert_eq!(status, 202);
        let path = at.split_once(&format!(":{}", self.port)).map_or(&*at, |(_, path)| path);
        let path = format!("{path}&digest={}", digest(content));
        assert_eq!(self.ask("PUT", &path, "application/octet-stream", content).0, 201);
        json!({ "digest": digest(content), "size": content.len(), "mediaType": "application/vnd.oci.image.layer.v1.tar" })
    }

    /// Pushes an image of these layers.
    fn push(&self, name: &str, layers: &[&[u8]]) {
        let diff_ids: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
        let configuration = json!({
            "architecture": catamaran_image::architecture(), "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let mut config = self.push_blob(name, configuration.to_string().as_bytes());
        config["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
        let layers: Vec<_> = layers.iter().map(|layer| self.push_blob(name, layer)).collect();
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers });
        let (status, _) =
            self.ask("PUT", &format!("/v2/{name}/manifests/1"), kind, manifest.to_string().as_bytes());
        assert_eq!(status, 201);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Engines that pull by themselves.
const ENGINES: [Platform; 3] = [Platform::Podman, Platform::Containerd, Platform::Docker];
/// Platforms for which an image is pulled, by us or by them.
const PULLERS: [Platform; 7] = [
    Platform::Container,
    Platform::Chroot,
    Platform::Crun,
    Platform::Lxc,
    Platform::Podman,
    Platform::Containerd,
    Platform::Docker,
];

fn layer(name: &str, bytes: usize) -> Vec<u8> {
    let mut layer = TarLayer::default();
    layer.file(name, 0o644, &vec![7; bytes]).expect("memory");
    layer.finish().expect("memory")
}

/// Two tenants of one image, and one of another that shares a layer with it.
fn plan(port: u16, more: &str) -> Plan {
    let image = |name: &str| {
        format!("[[image]]\nname = \"{name}\"\narchive = \"http://127.0.0.1:{port}/own/{name}:1\"\n{more}\n")
    };
    let tenant = |name: &str, image: &str| {
        format!("[[tenant]]\nname = \"{name}\"\nimage = \"{image}\"\nworkload = {{ kind = \"idle\" }}\n")
    };
    let tenants =
        [image("one"), image("two"), tenant("a", "one"), tenant("b", "one"), tenant("c", "two")].concat();
    common::plan("300ms", "", &tenants)
}

fn stages<'a>(row: &'a TenantReport, what: &str) -> Vec<&'a StageRow> {
    row.startup_stages.iter().filter(|stage| stage.name.split(' ').next() == Some(what)).collect()
}

fn tried(platform: Platform, plan: &Plan) -> Option<Report> {
    common::tried(platform.name(), None, common::answer(plan, platform))
}

#[test]
fn layers_are_pulled_once_and_a_second_start_pulls_none() {
    let _turn = common::turn();
    let Some(registry) = Registry::start() else { return };
    let (base, own, other) = (layer("base", 4 << 20), layer("own", 100), layer("other", 100));
    registry.push("own/one", &[&base, &own]);
    registry.push("own/two", &[&base, &other]);
    let short = |layer: &[u8]| digest(layer).trim_start_matches("sha256:")[..12].to_owned();
    for platform in PULLERS {
        let by_engine = ENGINES.contains(&platform);
        let Some(report) = tried(platform, &plan(registry.port, "")) else { continue };
        let [a, b, c] = &*report.tenants else { panic!("{report:?}") };
        let names = |row: &TenantReport, what: &str| -> Vec<String> {
            stages(row, what).iter().map(|stage| stage.name.replace(&format!("{what} "), "")).collect()
        };
        assert_eq!(names(a, "pull"), [short(&base), short(&own)], "{platform}: {:?}", a.startup_stages);
        assert_eq!(names(a, "unpack"), [short(&base), short(&own)], "{platform}");
        assert!(
            names(b, "pull").is_empty() && names(b, "unpack").is_empty(),
            "{platform}: a second start is warm"
        );
        // Ours are folders of their own, so that a layer is unpacked for each image; an engine's are stacked.
        let unpacked = if by_engine { vec![short(&other)] } else { vec![short(&base), short(&other)] };
        assert_eq!((names(c, "pull"), names(c, "unpack")), (vec![short(&other)], unpacked), "{platform}");
        assert_eq!(names(a, "resolve").len(), usize::from(by_engine), "{platform}");
        in_order(platform, a, by_engine);
        let machine = report.identity.machine.as_ref().expect("a machine");
        assert!(machine.get("image.one").is_some_and(|id| id.starts_with("sha256:")), "{machine:?}");
    }
    for platform in [Platform::Container, Platform::Podman] {
        let Some(report) = tried(platform, &plan(registry.port, "cached = true")) else { continue };
        let fetched: Vec<_> = report
            .tenants
            .iter()
            .flat_map(|row| [stages(row, "pull"), stages(row, "unpack")].concat())
            .collect();
        assert!(fetched.is_empty(), "{platform}: what is cached is fetched before the run: {fetched:?}");
    }
}

/// Nothing is unpacked before it is there, nor a layer before the one beneath it; all that is within the start.
fn in_order(platform: Platform, row: &TenantReport, by_engine: bool) {
    let all = &row.startup_stages;
    let spans = |what: &str| stages(row, what).into_iter().filter_map(StageRow::span).collect::<Vec<_>>();
    let (pulls, unpacks) = (spans("pull"), spans("unpack"));
    if by_engine && row.absent.contains_key("startup_stages") {
        return println!("{platform}: not seen: {:?}", row.absent);
    }
    assert_eq!((pulls.len(), unpacks.len()), (2, 2), "{platform}: {all:?}");
    for (pull, unpack) in pulls.iter().zip(&unpacks) {
        assert!(pull.0 < pull.1 && pull.1 <= unpack.0 && unpack.0 < unpack.1, "{platform}: {all:?}");
    }
    assert!(unpacks[0].1 <= unpacks[1].0, "{platform}: {all:?}");
    let own = all.iter().find(|stage| stage.name != "resolve" && !stage.name.contains(' '));
    let begin_s = own.and_then(|stage| stage.start_s);
    assert!(begin_s >= Some(unpacks[1].1) && row.startup_s > begin_s, "{platform}: {all:?}");
}

/// Who serves a layer is believed by no engine.
#[test]
fn a_layer_that_is_another_is_refused_by_each_engine() {
    let _turn = common::turn();
    let Some(registry) = Registry::start() else { return };
    let base = layer("base", 4 << 20);
    registry.push("own/one", &[&base]);
    registry.push("own/two", &[&base]);
    let name = digest(&base).trim_start_matches("sha256:").to_owned();
    let blobs = registry.folder.path().join("store/docker/registry/v2/blobs/sha256");
    let file = blobs.join(&name[..2]).join(&name).join("data");
    let mut other = base;
    other[1000] ^= 1;
    std::fs::write(&file, &other).expect("a layer");
    for platform in ENGINES {
        match common::answer(&plan(registry.port, "cached = true"), platform) {
            Err(RunError::Unavailable { why, .. }) => println!("skipped: {platform}: {why}"),
            Err(error) => {
                let said = error.to_string().to_lowercase();
                let complains = ["digest", "verification"].iter().any(|word| said.contains(word));
                assert!(complains, "{platform}: {error}");
            }
            Ok(report) => panic!("{platform}: {report:?}"),
        }
        assert_eq!(common::left_of(std::process::id()), [""; 0], "{platform}");
    }
    std::fs::write(&file, &other[..other.len() / 2]).expect("a layer");
    match common::answer(&plan(registry.port, "cached = true"), Platform::Podman) {
        Err(RunError::BadInput { field, what, .. }) => {
            assert!(field == "image.one.archive" && what.contains("blob sha256:"), "{field}: {what}");
        }
        Err(RunError::Unavailable { why, .. }) => println!("skipped: podman: {why}"),
        other => panic!("{other:?}"),
    }
}

/// Is the one that is killed where the variable says so; else does nothing.
#[test]
fn victim() {
    let Some(port) = std::env::var(VICTIM).ok().and_then(|port| port.parse().ok()) else { return };
    let answer = common::answer(&plan(port, ""), Platform::Podman);
    panic!("it should have been killed: {answer:?}");
}

const VICTIM: &str = "CATAMARAN_REGISTRY_TEST";

#[test]
fn what_a_killed_runs_engine_has_pulled_is_removed_by_the_next() {
    let _turn = common::turn();
    let Some(registry) = Registry::start() else { return };
    for name in ["own/one", "own/two"] {
        registry.push(name, &[&layer("base", 100)]);
    }
    let port = registry.port.to_string();
    let Some((number, before)) = common::killed_at("pulled", (VICTIM, &port)) else { return };
    assert_eq!(before.len(), 1, "{before:?}");
    let cleaned = catamaran_native::clean().expect("cleaned");
    assert_eq!(common::left_of(number), [""; 0], "{cleaned:?}");
    let folders = std::fs::read_dir("/run/catamaran").into_iter().flatten().flatten();
    let ours = format!("{number:x}-");
    let mut left = folders.filter(|entry| entry.file_name().to_string_lossy().starts_with(&ours));
    assert!(left.next().is_none(), "{cleaned:?}");
}

/// A registry that answers every question in the same way; how many questions there were.
fn answering(answer: &'static str, asks: usize) -> (u16, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        for _ in 0..asks {
            let (mut stream, _) = listener.accept().expect("a question");
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (port, thread)
}

#[test]
fn what_a_registry_answers_is_not_believed() {
    let _turn = common::turn();
    let elsewhere =
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    let table = [
        (elsewhere, "307"),
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "401"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "missing field"),
        ("nonsense\r\n\r\n", "127.0.0.1"),
    ];
    for (answer, said) in table {
        let (port, thread) = answering(answer, 1);
        match common::answer(&plan(port, ""), Platform::Container) {
            Err(RunError::BadInput { field, what, .. }) => {
                assert!(field == "image.one.archive" && what.contains(said), "{said}: {field}: {what}");
            }
            Err(RunError::Unavailable { why, .. }) => println!("skipped: {why}"),
            other => panic!("{said}: {other:?}"),
        }
        thread.join().expect("a registry");
    }
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let error = common::answer(&plan(gone, ""), Platform::Container).expect_err("there is no registry");
    assert!(
        matches!(&error, RunError::BadInput { advice, .. } if advice.contains("start the registry")),
        "{error}"
    );
    let text = "[[image]]\nname = \"x\"\narchive = \"http://10.0.0.1:5000/x:1\"\n[[tenant]]\nname = \"t\"\nimage = \"x\"\nworkload = { kind = \"idle\" }";
    let error =
        common::answer(&common::plan("100ms", "", text), Platform::Container).expect_err("another machine");
    assert!(error.to_string().contains("not on this machine"), "{error}");
}
