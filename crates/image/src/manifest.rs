//! What an image consists of, by its manifest, and its configuration.
//!
//! **Source.** OCI image-spec 1.1, `image-layout.md`, `image-index.md`, `manifest.md`, `config.md`; moby `image/spec/v1.2.md`.

use std::path::Path;

use oci_spec::image::{Arch, Descriptor, ImageConfiguration, ImageIndex, ImageManifest, Os};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bounds::{LAYERS_MAX, TEXT_BYTES_MAX};
use crate::error::{Error, Result};
use crate::layer::LayerReader;
use crate::source::Source;
use crate::{architecture, digest};

/// Indexes in indexes that are followed.
pub(crate) const INDEXES_MAX: usize = 3;
/// What Docker's builder puts beside images: what it says of them, which is none.
const ATTESTATION: &str = "vnd.docker.reference.type";

/// An image whose manifest and configuration are what their digests say; its layers are compared when they are read.
#[derive(Debug)]
pub struct Image {
    source: Source,
    id: String,
    configuration: ImageConfiguration,
    layers: Vec<Layer>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Digest of its bytes as they are stored; none in archives of `docker save`, which name no such thing.
    pub digest: Option<String>,
    /// Digest of the tar file that it is.
    pub diff_id: String,
    /// Its file.
    name: String,
}

impl Layer {
    /// What it is called.
    #[must_use]
    pub fn id(&self) -> &str {
        self.digest.as_deref().unwrap_or(&self.diff_id)
    }

    /// The same in a complaint.
    pub(crate) fn place(&self) -> String {
        format!("layer {}", self.id())
    }
}

/// An item of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

impl Image {
    /// Reads an image's manifest and configuration: of a folder or tar file with an OCI layout, or of what `docker save` wrote.
    ///
    /// # Errors
    /// [`Error::Bad`] where there is none, or one that may not be taken.
    pub fn open(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        if source.has("oci-layout") && source.has("index.json") {
            let index: ImageIndex = parse("index.json", &source.read("index.json", TEXT_BYTES_MAX)?)?;
            return Self::of_index(source, index);
        }
        if source.has("manifest.json") {
            return Self::of_saved(source);
        }
        Err(Error::advised(
            "neither an OCI layout (oci-layout, index.json) nor an archive of `docker save` (manifest.json)",
            "save the image: docker save -o FILE IMAGE, podman save --format oci-archive -o FILE IMAGE",
        ))
    }

    /// The image with that manifest in a folder with an OCI layout, which need not have an index.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_manifest(folder: &Path, digest: &str) -> Result<Self> {
        let source = Source::open(folder)?;
        let content = blob(&source, digest, None)?;
        Self::by_manifest(source, digest, &content)
    }

    fn of_index(source: Source, mut index: ImageIndex) -> Result<Self> {
        for _ in 0..INDEXES_MAX {
            let chosen = choose(&index)?;
            let digest = chosen.digest().to_string();
            let content = blob(&source, &digest, Some(chosen.size()))?;
            if !is_index(&content) {
                return Self::by_manifest(source, &digest, &content);
            }
            index = parse(&digest, &content)?;
        }
        Err(Error::bad(format!("more than {INDEXES_MAX} indexes in each other")))
    }

    fn by_manifest(source: Source, digest: &str, content: &[u8]) -> Result<Self> {
        let manifest: ImageManifest = parse(digest, content)?;
        let id = manifest.config().digest().to_string();
        let configuration = blob(&source, &id, Some(manifest.config().size()))?;
        let stored = manifest.layers().iter().map(|layer| {
            let digest = layer.digest().to_string();
            Ok((blob_name(&digest)?, Some((digest, layer.size()))))
        });
        let stored = stored.collect::<Result<Vec<_>>>()?;
        Self::of_parts(source, id, &configuration, stored)
    }

    fn of_saved(source: Source) -> Result<Self> {
        let name = "manifest.json";
        let saved: Vec<Saved> = parse(name, &source.read(name, TEXT_BYTES_MAX)?)?;
        let [saved] = &*saved else {
            return Err(one_image(saved.len()));
        };
        let configuration = source.read(&saved.config, TEXT_BYTES_MAX)?;
        let id = digest(&configuration);
        let stem = saved.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let is_digest = stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest && id != format!("sha256:{stem}") {
            return Err(Error::bad(format!("{} has the digest {id}", saved.config)));
        }
        let stored = saved.layers.iter().map(|name| (name.clone(), None)).collect();
        Self::of_parts(source, id, &configuration, stored)
    }

    fn of_parts(
        source: Source,
        id: String,
        configuration: &[u8],
        stored: Vec<(String, Option<(String, u64)>)>,
    ) -> Result<Self> {
        let configuration = fitting(configuration, stored.len())?;
        let diff_ids = configuration.rootfs().diff_ids();
        let mut layers = Vec::new();
        for ((name, stored), diff_id) in stored.into_iter().zip(diff_ids.iter().cloned()) {
            let (_, found) = source.find(&name)?;
            if let Some((digest, bytes)) = stored.as_ref().filter(|(_, bytes)| *bytes != found) {
                return Err(Error::bad(format!("layer {digest} has {found} bytes, not {bytes}")));
            }
            layers.push(Layer { digest: stored.map(|(digest, _)| digest), diff_id, name });
        }
        Ok(Self { source, id, configuration, layers })
    }

    /// Digest of its configuration, by which Docker and podman know it (`sha256:` and 64 digits).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Bottom first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// `NAME=VALUE` of what its programs are to find around them.
    #[must_use]
    pub fn environment(&self) -> &[String] {
        environment(&self.configuration)
    }

    /// Reads a layer; at most so many bytes, decompressed.
    pub(crate) fn read(&self, layer: &Layer, most: u64) -> Result<LayerReader> {
        LayerReader::open(self.source.find(&layer.name)?.0, most)
    }
}

pub(crate) fn environment(configuration: &ImageConfiguration) -> &[String] {
    let config = configuration.config().as_ref();
    config.and_then(|config| config.env().as_deref()).unwrap_or_default()
}

/// The configuration of an image with so many layers, where it is one for this machine.
pub(crate) fn fitting(content: &[u8], layers: usize) -> Result<ImageConfiguration> {
    let configuration: ImageConfiguration = parse("its configuration", content)?;
    let (os, machine) = (configuration.os(), configuration.architecture());
    if *os != Os::Linux || *machine != Arch::from(architecture()) {
        return Err(Error::advised(
            format!("an image for {os} on {machine}, while this is linux on {}", architecture()),
            "save the image for this machine: docker pull --platform",
        ));
    }
    let diff_ids = configuration.rootfs().diff_ids();
    if layers != diff_ids.len() {
        let what = format!("{layers} layers, but {} in its configuration", diff_ids.len());
        return Err(Error::bad(what));
    }
    if layers > LAYERS_MAX {
        return Err(Error::advised(
            format!("{layers} layers; at most {LAYERS_MAX} are taken"),
            "squash it: docker export, docker import",
        ));
    }
    Ok(configuration)
}

/// The one image of an index for this machine.
pub(crate) fn choose(index: &ImageIndex) -> Result<&Descriptor> {
    let fits = |descriptor: &&Descriptor| {
        let is_said = descriptor.annotations().as_ref().is_some_and(|all| all.contains_key(ATTESTATION));
        let platform = descriptor.platform().as_ref();
        let here = platform.is_none_or(|platform| {
            *platform.os() == Os::Linux && *platform.architecture() == Arch::from(architecture())
        });
        here && !is_said
    };
    let fitting: Vec<_> = index.manifests().iter().filter(fits).collect();
    match *fitting {
        [one] => Ok(one),
        [] if !index.manifests().is_empty() => Err(Error::advised(
            format!("no image for linux on {} among {}", architecture(), index.manifests().len()),
            "save the image for this machine: docker pull --platform",
        )),
        _ => Err(one_image(fitting.len())),
    }
}

fn one_image(found: usize) -> Error {
    Error::advised(format!("{found} images; one is wanted"), "save one image: docker save -o FILE IMAGE")
}

/// Whether a text that may be either is an index: by what it has, for the media type is often left out.
pub(crate) fn is_index(content: &[u8]) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(content).ok();
    value.is_some_and(|value| value.get("manifests").is_some())
}

pub(crate) fn parse<T: DeserializeOwned>(name: &str, content: &[u8]) -> Result<T> {
    serde_json::from_slice(content).map_err(|error| Error::bad(format!("{name}: {error}")))
}

/// File of a blob in a layout.
pub(crate) fn blob_name(digest: &str) -> Result<String> {
    let hex = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64);
    let hex = hex.filter(|hex| hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    let hex = hex.ok_or_else(|| {
        Error::advised(
            format!("the digest {digest:?} is none of SHA-256"),
            "save the image with digests of SHA-256",
        )
    })?;
    Ok(format!("blobs/sha256/{hex}"))
}

/// A blob of text, compared with its digest and, where it is known, its size.
fn blob(source: &Source, expected: &str, bytes: Option<u64>) -> Result<Vec<u8>> {
    let content = source.read(&blob_name(expected)?, TEXT_BYTES_MAX)?;
    if bytes.is_some_and(|bytes| bytes != content.len() as u64) || digest(&content) != expected {
        let what =
            format!("blob {expected} has {} bytes with the digest {}", content.len(), digest(&content));
        return Err(Error::bad(what));
    }
    Ok(content)
}
