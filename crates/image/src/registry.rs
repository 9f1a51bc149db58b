//! Images from a registry on this machine.
//!
//! **Law.** OCI distribution-spec 1.1, "Pull": the manifest by its tag or digest, then its configuration and layers by their digests.
//! Only a loopback address is asked, and by plain HTTP; no proxy, and no other place to which the registry points: a run does not go out
//! to a network (decision 1392).

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use sha2::{Digest as _, Sha256};

use crate::bounds::{BYTES_MAX, LAYERS_MAX, TEXT_BYTES_MAX};
use crate::error::{Error, Result};
use crate::manifest::{INDEXES_MAX, blob_name, choose, is_index, parse};
use crate::{digest, named};

/// What a reference to a registry begins with.
const SCHEME: &str = "http://";
/// What manifests may be, in the order in which they are liked.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
                        application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// How long the registry may take to begin an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a blob may take: [`BYTES_MAX`] at 30 MB/s.
const PATIENCE_WITH_A_BLOB: Duration = Duration::from_secs(300);
/// What a reference has to be.
const ADVICE: &str = "name a registry on this machine: http://127.0.0.1:5000/NAME:TAG";

/// An image in a registry on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    registry: SocketAddr,
    name: String,
    /// Tag, or `sha256:` and a digest.
    version: String,
}

impl Reference {
    /// The reference in a text; none where that is a path.
    ///
    /// # Errors
    /// [`Error::Bad`] where it leads elsewhere, or is not one.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let Some((_, rest)) = text.split_once("://") else { return Ok(None) };
        let wrong = |what: String| Error::advised(what, ADVICE);
        if !text.starts_with(SCHEME) {
            return Err(wrong("neither a path nor a registry that is asked by plain HTTP".to_owned()));
        }
        let (registry, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let registry: SocketAddr = registry
            .replace("localhost:", "127.0.0.1:")
            .parse()
            .map_err(|_| wrong(format!("{registry:?} is no address with a port")))?;
        if !IpAddr::is_loopback(&registry.ip()) {
            return Err(wrong(format!("{registry} is not on this machine, and a run asks no other")));
        }
        let (name, version) = match rest.split_once('@') {
            Some((name, digest)) => (name, digest),
            None => rest.rsplit_once(':').unwrap_or((rest, "latest")),
        };
        let plain = |text: &str, more: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            (1..=255).contains(&text.len()) && text.chars().all(fits)
        };
        let is_name = plain(name, "._-/") && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_name || !(plain(version, "._-") || blob_name(version).is_ok()) {
            return Err(wrong(format!("{rest:?} is no NAME:TAG")));
        }
        Ok(Some(Self { registry, name: name.to_owned(), version: version.to_owned() }))
    }
}

/// An image that is pulled into a folder with an OCI layout; what that has already is not asked for.
pub struct Pull<'a> {
    reference: &'a Reference,
    agent: ureq::Agent,
    store: &'a Path,
    manifest: String,
    layers: Vec<Descriptor>,
    /// Digest of the configuration.
    id: String,
}

impl<'a> Pull<'a> {
    /// Asks for the manifest and the configuration.
    ///
    /// # Errors
    /// [`Error::Bad`] where the registry does not answer, or not with an image for this machine.
    pub fn begin(reference: &'a Reference, store: &'a Path) -> Result<Self> {
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_recv_body(Some(PATIENCE_WITH_A_BLOB))
            .build()
            .into();
        let blobs = store.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(|error| unwritten(&blobs, &error))?;
        let (manifest, id) = (String::new(), String::new());
        let mut pull = Self { reference, agent, store, manifest, layers: Vec::new(), id };
        let (mut version, mut content) = (reference.version.clone(), Vec::new());
        for _ in 0..=INDEXES_MAX {
            content = pull.text(&version)?;
            if version.contains(':') && digest(&content) != version {
                return Err(Error::bad(format!("{version} has the digest {}", digest(&content))));
            }
            if !is_index(&content) {
                break;
            }
            let index: ImageIndex = parse(&version, &content)?;
            version = choose(&index)?.digest().to_string();
        }
        let manifest: ImageManifest = parse(&version, &content)?;
        pull.manifest = digest(&content);
        let path = store.join(blob_name(&pull.manifest)?);
        fs::write(&path, &content).map_err(|error| unwritten(&path, &error))?;
        if manifest.config().size() > TEXT_BYTES_MAX || manifest.layers().len() > LAYERS_MAX {
            return Err(Error::bad(format!(
                "a configuration of {} bytes and {} layers",
                manifest.config().size(),
                manifest.layers().len()
            )));
        }
        pull.blob(manifest.config())?;
        pull.id = manifest.config().digest().to_string();
        pull.layers.clone_from(manifest.layers());
        Ok(pull)
    }

    /// Digest of the manifest.
    #[must_use]
    pub fn manifest(&self) -> &str {
        &self.manifest
    }

    /// Digest of the configuration, by which Docker and podman know the image.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The layers, bottom first.
    #[must_use]
    pub fn layers(&self) -> &[Descriptor] {
        &self.layers
    }

    /// The configuration as it came.
    pub(crate) fn configuration(&self) -> Result<Vec<u8>> {
        let path = self.store.join(blob_name(&self.id)?);
        fs::read(&path).map_err(|error| Error::Machine(format!("cannot read {}: {error}", path.display())))
    }

    /// The layers, bottom first, each once, that the folder has not.
    #[must_use]
    pub fn missing(&self) -> Vec<&Descriptor> {
        let mut missing: Vec<&Descriptor> = Vec::new();
        for layer in &self.layers {
            let is_there =
                blob_name(layer.digest().as_ref()).is_ok_and(|name| self.store.join(name).exists());
            if !is_there && !missing.contains(&layer) {
                missing.push(layer);
            }
        }
        missing
    }

    /// Fetches a blob: as many bytes as its descriptor says, with the digest that it says.
    ///
    /// # Errors
    /// [`Error::Bad`] where the registry has it not, or another one.
    pub fn blob(&self, blob: &Descriptor) -> Result<()> {
        let expected = blob.digest().to_string();
        let place = format!("blob {expected}");
        let path = self.store.join(blob_name(&expected)?);
        bounded(blob)?;
        let part = path.with_extension("part");
        let mut file = File::create(&part).map_err(|error| unwritten(&part, &error))?;
        let mut answer = self.ask("blobs", &expected)?.take(blob.size() + 1);
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        let mut piece = vec![0_u8; 1 << 16];
        loop {
            let length = answer.read(&mut piece).map_err(|error| Error::bad(format!("{place}: {error}")))?;
            let read = piece.get(..length).unwrap_or_default();
            if read.is_empty() {
                break;
            }
            hash.update(read);
            bytes += length as u64;
            file.write_all(read).map_err(|error| unwritten(&part, &error))?;
        }
        let found = named(hash);
        if bytes != blob.size() || found != expected {
            let what = format!(
                "{place} should have {} bytes; came {bytes} or more, with the digest {found}",
                blob.size()
            );
            return Err(Error::advised(what, "push the image again"));
        }
        // Whole, or not there.
        fs::rename(&part, &path).map_err(|error| unwritten(&path, &error))
    }

    fn text(&self, version: &str) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        let read = self.ask("manifests", version)?.take(TEXT_BYTES_MAX + 1).read_to_end(&mut content);
        read.map_err(|error| Error::bad(format!("manifest {version}: {error}")))?;
        if content.len() as u64 > TEXT_BYTES_MAX {
            return Err(Error::bad(format!("manifest {version} has more than {TEXT_BYTES_MAX} bytes")));
        }
        Ok(content)
    }

    /// Asks for a manifest or blob.
    pub(crate) fn ask(&self, kind: &str, version: &str) -> Result<ureq::BodyReader<'static>> {
        let Reference { registry, name, .. } = self.reference;
        let url = format!("{SCHEME}{registry}/v2/{name}/{kind}/{version}");
        let answer = self.agent.get(&url).header("Accept", ACCEPTED).call().map_err(|error| {
            Error::advised(format!("{url}: {error}"), "start the registry, or save the image to a file")
        })?;
        let status = answer.status();
        if status.as_u16() != 200 {
            let advice =
                "push the image to that registry, which has to serve it itself and without a password";
            return Err(Error::advised(format!("{url}: {status}"), advice));
        }
        Ok(answer.into_body().into_reader())
    }
}

/// Refuses a blob that is larger than all of an image may be.
pub(crate) fn bounded(blob: &Descriptor) -> Result<()> {
    if blob.size() > BYTES_MAX {
        let what = format!("blob {} has {} bytes", blob.digest(), blob.size());
        return Err(Error::advised(what, "take a smaller image"));
    }
    Ok(())
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::Machine(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_asks_registries_of_this_machine_alone() {
        let read = |text: &str| Reference::parse(text);
        let found = read("http://127.0.0.1:5000/own/shop:1.2").unwrap().unwrap();
        assert_eq!((found.registry.port(), &*found.name, &*found.version), (5000, "own/shop", "1.2"));
        assert_eq!(read("http://[::1]:5000/shop").unwrap().unwrap().version, "latest");
        assert!(read("http://localhost:5000/shop").unwrap().is_some());
        assert!(read("images/shop.tar").unwrap().is_none() && read("http:/x").unwrap().is_none());
        for (text, said) in [
            ("http://registry.example:5000/shop", "no address"),
            ("http://10.0.0.1:5000/shop", "not on this machine"),
            ("http://0.0.0.0:5000/shop", "not on this machine"),
            ("http://127.0.0.1/shop", "no address"),
            ("http://127.0.0.1:5000@10.0.0.1/shop", "no address"),
            ("https://127.0.0.1:5000/shop", "plain HTTP"),
            ("docker://alpine", "plain HTTP"),
            ("http://127.0.0.1:5000/", "is no NAME:TAG"),
            ("http://127.0.0.1:5000/../x", "is no NAME:TAG"),
            ("http://127.0.0.1:5000/x?y", "is no NAME:TAG"),
            ("http://127.0.0.1:5000/x@sha256:12", "is no NAME:TAG"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }
}
