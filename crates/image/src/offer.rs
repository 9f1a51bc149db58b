//! An image of a registry with one more layer on top, offered to an engine that pulls it by itself.
//!
//! The engine asks over a socket in whatever network it has, in the words of OCI distribution-spec 1.1, "Pull". Manifest, configuration
//! and the layer on top are answered from here; the image's own layers come from the registry and are passed on as they come,
//! each with the moments at which it was asked for and complete. What they are is compared by the engine with the digests
//! that the registry's checked manifest has.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oci_spec::image::Descriptor;
use serde_json::{Value, json};

use crate::digest;
use crate::error::{Error, Result};
use crate::manifest::{environment, fitting};
use crate::registry::{Pull, bounded};
use crate::write::configuration;

/// What the engine has to ask for, at the address of the socket.
pub const NAME: &str = "image:1";
/// Where that is, in the paths of the specification.
const HOME: &str = "/v2/image/";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const BYTES: &str = "application/octet-stream";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const NO_QUESTION: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// What is understood.
const METHODS: [&str; 2] = ["GET", "HEAD"];
/// Longest head of a question (bytes).
const HEAD_BYTES_MAX: usize = 1 << 14;
/// How long an engine may say nothing, or take nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// An image that is offered.
pub struct Offer<'a> {
    pull: &'a Pull<'a>,
    /// Digest of the manifest.
    manifest: String,
    /// What is answered from here, by its digest: manifest, configuration, layer on top.
    own: BTreeMap<String, Vec<u8>>,
    diff_ids: Vec<String>,
}

/// How an image was pulled, by the clock that was given.
#[derive(Debug, Default)]
pub struct Served {
    /// When a layer of the image was asked for first.
    pub layer_ns: Option<u64>,
    /// When the last question was answered.
    pub last_ns: u64,
    /// Digest of each layer that was fetched, and when it was asked for and complete.
    pub layers: Vec<(String, u64, u64)>,
    /// What was wrong with the registry.
    pub failed: Option<Error>,
}

/// What is answered.
enum Answer<'a> {
    /// The kind of the text, and the text.
    Own(&'static str, &'a [u8]),
    Layer(&'a Descriptor),
}

impl<'a> Offer<'a> {
    /// An image with the layer `top`, a tar file, on it; `config` says how a container of it is started.
    ///
    /// # Errors
    /// [`Error::Bad`] where it is none for this machine, or too large.
    pub fn of(pull: &'a Pull<'a>, top: Vec<u8>, config: Value) -> Result<Self> {
        pull.layers().iter().try_for_each(bounded)?;
        let image = fitting(&pull.configuration()?, pull.layers().len())?;
        let mut diff_ids = image.rootfs().diff_ids().clone();
        diff_ids.push(digest(&top));
        let configuration = configuration(config, Some(environment(&image)), &diff_ids).into_bytes();
        let blob = |kind: &str, content: &[u8]| json!({ "mediaType": kind, "digest": digest(content), "size": content.len() });
        let beneath = pull.layers().iter().map(|layer| {
            let (kind, digest, bytes) = (kind(layer), layer.digest().to_string(), layer.size());
            json!({ "mediaType": kind, "digest": digest, "size": bytes })
        });
        let layers: Vec<Value> = beneath.chain([blob(LAYER, &top)]).collect();
        let config = blob(CONFIGURATION, &configuration);
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        let manifest = manifest.to_string().into_bytes();
        let name = digest(&manifest);
        let own = [manifest, configuration, top].map(|content| (digest(&content), content));
        Ok(Self { pull, manifest: name, own: own.into(), diff_ids })
    }

    /// Digests of the layers' tar files, bottom first, that on top among them.
    #[must_use]
    pub fn diff_ids(&self) -> &[String] {
        &self.diff_ids
    }

    /// Answers until the socket is shut down.
    pub fn serve(&self, listener: &TcpListener, clock: fn() -> u64) -> Served {
        let served = Mutex::new(Served::default());
        std::thread::scope(|scope| {
            let mut streams = Vec::new();
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                let served = &served;
                streams.extend(stream.try_clone());
                let answer = move || {
                    self.answer(&stream, clock, served);
                    // The other handle would keep it open.
                    let _ = stream.shutdown(Shutdown::Write);
                };
                // Where there is no thread, the engine hears no answer and says so.
                let _ = std::thread::Builder::new().spawn_scoped(scope, answer);
            }
            // Those that the engine keeps in store.
            streams.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        });
        served.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one question; an engine that goes away in the midst of it has its own to say about that.
    fn answer(&self, mut stream: &TcpStream, clock: fn() -> u64, served: &Mutex<Served>) {
        let served = || served.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok((is_get, path)) = question(&mut stream) else {
            // Most engines ask by TLS first: the sooner they hear that this is none, the better.
            return drop(stream.write_all(NO_QUESTION));
        };
        let begun_ns = clock();
        match self.find(&path) {
            Some(Answer::Own(kind, content)) => {
                let told = say(&mut stream, kind, &digest(content), content.len() as u64);
                // An engine that does not listen any more misses nothing.
                let _ = told.and_then(|()| stream.write_all(if is_get { content } else { &[] }));
            }
            Some(Answer::Layer(layer)) if is_get => {
                served().layer_ns.get_or_insert(begun_ns);
                match self.pass_on(&mut stream, layer) {
                    Ok(true) => served().layers.push((layer.digest().to_string(), begun_ns, clock())),
                    Ok(false) => {}
                    Err(error) => served().failed = Some(error),
                }
            }
            _ => drop(stream.write_all(NOT_FOUND)),
        }
        let mut served = served();
        served.last_ns = served.last_ns.max(clock());
    }

    fn find(&self, path: &str) -> Option<Answer<'_>> {
        if path == "/v2/" {
            return Some(Answer::Own("application/json", b"{}"));
        }
        let (kind, version) = path.strip_prefix(HOME)?.split_once('/')?;
        if kind == "manifests" {
            let version = if version.contains(':') { version } else { &self.manifest };
            let content = self.own.get(version).filter(|_| version == self.manifest)?;
            return Some(Answer::Own(MANIFEST, content));
        }
        if let Some(content) = self.own.get(version).filter(|_| kind == "blobs") {
            return Some(Answer::Own(BYTES, content));
        }
        let layer =
            self.pull.layers().iter().find(|layer| kind == "blobs" && layer.digest().to_string() == version);
        layer.map(Answer::Layer)
    }

    /// Passes a layer on; whether all of it has gone to the engine.
    fn pass_on(&self, stream: &mut &TcpStream, layer: &Descriptor) -> Result<bool> {
        let name = layer.digest().to_string();
        let mut answer = self.pull.ask("blobs", &name)?.take(layer.size());
        let mut left = layer.size();
        if say(stream, BYTES, &name, left).is_err() {
            return Ok(false);
        }
        let mut piece = vec![0_u8; 1 << 16];
        while left > 0 {
            let length =
                answer.read(&mut piece).map_err(|error| Error::bad(format!("blob {name}: {error}")))?;
            if length == 0 {
                let what = format!("blob {name} ends {left} bytes before its {}", layer.size());
                return Err(Error::advised(what, "push the image again"));
            }
            left = left.saturating_sub(length as u64);
            if stream.write_all(piece.get(..length).unwrap_or_default()).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Kind of a layer in a manifest of the OCI's, whichever kind of manifest it comes from.
fn kind(layer: &Descriptor) -> String {
    let told = layer.media_type().to_string();
    let packed = ["gzip", "zstd"].into_iter().find(|packed| told.ends_with(packed));
    packed.map_or(LAYER.to_owned(), |packed| format!("{LAYER}+{packed}"))
}

/// Whether something is to be got, or only told of, and its path.
fn question(stream: &mut &TcpStream) -> io::Result<(bool, String)> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut piece = [0_u8; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut piece)?;
        head.extend_from_slice(piece.get(..length).unwrap_or_default());
        let is_text = METHODS.iter().any(|method| head.starts_with(method.as_bytes()));
        if length == 0 || head.len() > HEAD_BYTES_MAX || !is_text {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split(' ');
    let is_get = words.next() == METHODS.first().copied();
    let path = words.next().and_then(|path| path.split('?').next()).unwrap_or_default();
    Ok((is_get, path.to_owned()))
}

/// The head of an answer of so many bytes with that digest, after which the connection ends.
fn say(stream: &mut &TcpStream, kind: &str, digest: &str, bytes: u64) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nDocker-Distribution-API-Version: registry/2.0\r\nContent-Type: {kind}\r\n\
         Docker-Content-Digest: {digest}\r\nContent-Length: {bytes}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::registry::Reference;

    static CLOCK: AtomicU64 = AtomicU64::new(0);

    fn tick() -> u64 {
        CLOCK.fetch_add(1, Ordering::SeqCst)
    }

    /// Answers as often with what it has under the last part of a path.
    fn registry(blobs: BTreeMap<String, Vec<u8>>, asks: usize) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for _ in 0..asks {
                let (stream, _) = listener.accept().unwrap();
                let mut stream = &stream;
                let (_, path) = question(&mut stream).unwrap();
                let content = &blobs[path.rsplit('/').next().unwrap()];
                say(&mut stream, BYTES, "", content.len() as u64).unwrap();
                stream.write_all(content).unwrap();
            }
        });
        port
    }

    /// What is answered to these bytes.
    fn ask(port: u16, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// Ends the serving, whatever a test finds.
    struct Open<'a>(&'a TcpListener);

    impl Drop for Open<'_> {
        fn drop(&mut self) {
            rustix::net::shutdown(self.0, rustix::net::Shutdown::Read).unwrap();
        }
    }

    fn body(answer: &[u8]) -> &[u8] {
        let end = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        &answer[end + 4..]
    }

    #[test]
    fn an_image_is_offered_with_one_more_layer_and_nothing_else_is() {
        let layer = b"layer".to_vec();
        let config = configuration(json!({}), Some(&["A=b".to_owned()]), &[digest(b"tar")]).into_bytes();
        let (name, id) = (digest(&layer), digest(&config));
        let described = |kind: &str, content: &[u8]| json!({ "mediaType": kind, "digest": digest(content), "size": content.len() });
        let packed = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        let manifest = json!({ "schemaVersion": 2, "config": described(CONFIGURATION, &config), "layers": [described(packed, &layer)] });
        let manifest = manifest.to_string().into_bytes();
        let blobs = [("1".to_owned(), manifest), (id.clone(), config), (name.clone(), layer.clone())];
        let port = registry(blobs.into(), 3);
        let reference = Reference::parse(&format!("http://127.0.0.1:{port}/shop:1")).unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pull = Pull::begin(&reference, folder.path()).unwrap();
        let offer = Offer::of(&pull, b"top".to_vec(), json!({ "WorkingDir": "/" })).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = std::thread::scope(|scope| {
            let serving = scope.spawn(|| offer.serve(&listener, tick));
            let open = Open(&listener);
            let get = |path: &str| ask(port, format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes());
            // An engine may keep a connection for later.
            let kept = TcpStream::connect(("127.0.0.1", port)).unwrap();
            assert!(ask(port, b"\x16\x03\x01 by TLS").starts_with(b"HTTP/1.1 400"));
            assert!(get("/v2/").starts_with(b"HTTP/1.1 200"));
            let manifest: Value = serde_json::from_slice(body(&get("/v2/image/manifests/1"))).unwrap();
            let layers = manifest["layers"].as_array().unwrap();
            let found: Vec<_> =
                layers.iter().map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found, [name.clone(), digest(b"top")]);
            assert_eq!(layers[0]["mediaType"], format!("{LAYER}+gzip"));
            let config = get(&format!("/v2/image/blobs/{}", manifest["config"]["digest"].as_str().unwrap()));
            let config: Value = serde_json::from_slice(body(&config)).unwrap();
            assert_eq!(config["config"], json!({ "WorkingDir": "/", "Env": ["A=b"] }));
            assert_eq!(config["rootfs"]["diff_ids"], json!([digest(b"tar"), digest(b"top")]));
            assert_eq!(body(&get(&format!("/v2/image/blobs/{name}"))), layer);
            let head =
                ask(port, format!("HEAD /v2/image/blobs/{} HTTP/1.1\r\n\r\n", digest(b"top")).as_bytes());
            assert!(body(&head).is_empty() && String::from_utf8_lossy(&head).contains("Content-Length: 3"));
            for path in [
                format!("/v2/image/blobs/{id}"),
                format!("/v2/shop/blobs/{name}"),
                "/v2/image/manifests/sha256:1".into(),
            ] {
                assert!(get(&path).starts_with(b"HTTP/1.1 404"), "{path}");
            }
            drop(open);
            let served = serving.join().unwrap();
            drop(kept);
            served
        });
        let (found, from, to) = served.layers.first().unwrap().clone();
        assert_eq!((found, served.layers.len(), served.layer_ns), (name, 1, Some(from)));
        assert!(from < to && to <= served.last_ns && served.failed.is_none(), "{:?}", served.failed);
    }

    #[test]
    fn a_layer_that_ends_too_early_is_the_registrys_fault() {
        let config = configuration(json!({}), None, &[digest(b"tar")]).into_bytes();
        let layer = json!({ "mediaType": LAYER, "digest": digest(b"layer"), "size": 5 });
        let described =
            json!({ "mediaType": CONFIGURATION, "digest": digest(&config), "size": config.len() });
        let manifest = json!({ "schemaVersion": 2, "config": described, "layers": [layer] });
        let blobs = [
            ("1".to_owned(), manifest.to_string().into_bytes()),
            (digest(&config), config),
            (digest(b"layer"), b"lay".to_vec()),
        ];
        let port = registry(blobs.into(), 3);
        let reference = Reference::parse(&format!("http://127.0.0.1:{port}/shop:1")).unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pull = Pull::begin(&reference, folder.path()).unwrap();
        let offer = Offer::of(&pull, Vec::new(), json!({})).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let path = format!("GET /v2/image/blobs/{} HTTP/1.1\r\n\r\n", digest(b"layer"));
        let served = std::thread::scope(|scope| {
            let serving = scope.spawn(|| offer.serve(&listener, tick));
            let open = Open(&listener);
            assert_eq!(body(&ask(port, path.as_bytes())), b"lay");
            drop(open);
            serving.join().unwrap()
        });
        assert!(served.failed.unwrap().to_string().contains("2 bytes before its 5"));
        assert!(served.layers.is_empty() && served.layer_ns.is_some());
    }
}
