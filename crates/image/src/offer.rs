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
                let answer = move || self.answer(stream, clock, served);
                // Where there is no thread, the engine hears no answer and says so.
                let _ = std::thread::Builder::new().spawn_scoped(scope, answer);
            }
            // Those that the engine keeps in store.
            streams.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        });
        served.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one question; an engine that goes away in the midst of it has its own to say about that.
    fn answer(&self, mut stream: TcpStream, clock: fn() -> u64, served: &Mutex<Served>) {
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
    fn pass_on(&self, stream: &mut TcpStream, layer: &Descriptor) -> Result<bool> {
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
fn question(stream: &mut TcpStream) -> io::Result<(bool, String)> {
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
fn say(stream: &mut TcpStream, kind: &str, digest: &str, bytes: u64) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nDocker-Distribution-API-Version: registry/2.0\r\nContent-Type: {kind}\r\n\
         Docker-Content-Digest: {digest}\r\nContent-Length: {bytes}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}
