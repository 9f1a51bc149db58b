//! The bytes of a layer: decompressed, counted, and compared with its digests.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::manifest::Layer;
use crate::named;
use crate::source::{GZIP, Piece, ZSTD};

/// A layer that is read.
pub(crate) struct LayerReader {
    stored: Shared,
    tar: Hashing<Box<dyn Read>>,
    left: u64,
}

/// Counts and hashes what is read.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R> Hashing<R> {
    fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    fn digest(&self) -> String {
        named(self.hash.clone())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..length).unwrap_or_default());
        self.bytes += length as u64;
        Ok(length)
    }
}

/// The bytes as they are stored: the decompressor reads them, and whoever compares reads what it left.
#[derive(Clone)]
struct Shared(Rc<RefCell<Hashing<Piece>>>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

fn unreadable(error: &io::Error) -> Error {
    Error::bad(format!("cannot be read: {error}"))
}

impl LayerReader {
    /// Reads at most `most` decompressed bytes.
    pub(crate) fn open(piece: Piece, most: u64) -> Result<Self> {
        let first = piece.peek().map_err(|error| unreadable(&error))?;
        let stored = Shared(Rc::new(RefCell::new(Hashing::new(piece))));
        let raw = stored.clone();
        let tar: Box<dyn Read> = if first.starts_with(GZIP) {
            Box::new(MultiGzDecoder::new(raw))
        } else if first.starts_with(ZSTD) {
            Box::new(zstd::Decoder::new(raw).map_err(|error| unreadable(&error))?)
        } else {
            Box::new(raw)
        };
        Ok(Self { stored, tar: Hashing::new(tar), left: most })
    }

    /// Decompressed bytes so far.
    pub(crate) fn count(&self) -> u64 {
        self.tar.bytes
    }

    /// Reads what is left, and compares it with the layer's digests.
    pub(crate) fn finish(&mut self, layer: &Layer) -> Result<()> {
        let mut compare = || -> Result<()> {
            io::copy(self, &mut io::sink())
                .and_then(|_| io::copy(&mut self.stored, &mut io::sink()))
                .map_err(|error| unreadable(&error))?;
            let stored = layer.digest.as_deref();
            let stored = stored.map(|expected| ("its bytes", expected, self.stored.0.borrow().digest()));
            let plain = Some(("what it holds", &*layer.diff_id, self.tar.digest()));
            for (what, expected, found) in stored.into_iter().chain(plain) {
                if found != expected {
                    return Err(Error::bad(format!("the digest of {what} is {found}, not {expected}")));
                }
            }
            Ok(())
        };
        compare().map_err(|error| error.within(&layer.place()))
    }
}

impl Read for LayerReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 && !buffer.is_empty() {
            // Whether there is more tells the last byte from one too many.
            return match self.tar.inner.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other("more bytes than are taken")),
            };
        }
        let length = self.tar.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= length as u64;
        Ok(length)
    }
}
