//! The file system of a guest: the worker as process 1, the tape with its order, which so need not be sent, the modules that
//! its kernel takes for its devices, and its address.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use catamaran_modules::Module;
use catamaran_worker::port;
use catamaran_worker::tape::Tape;
use cpio::newc::{Builder, ModeFileType, trailer};

use crate::network::Tap;

/// Writes the archive.
pub(super) fn write(
    archive: &Path,
    worker: &[u8],
    tape: &Tape,
    (modules, tap): (&[Module], Option<&Tap>),
) -> io::Result<()> {
    let mut out = BufWriter::new(File::create_new(archive)?);
    let words = tape.words().iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
    out = entry(out, "init", worker)?;
    out = entry(out, port::TAPE.trim_start_matches('/'), &words.collect::<Vec<u8>>())?;
    let folder = port::MODULES.trim_start_matches('/');
    if !modules.is_empty() {
        out = Builder::new(folder)
            .mode(0o755)
            .set_mode_file_type(ModeFileType::Directory)
            .write(out, 0)
            .finish()?;
    }
    for (number, module) in modules.iter().enumerate() {
        // By name in the order in which they can be loaded.
        out = entry(out, &format!("{folder}/{number:02}-{}.ko", module.name), &module.bytes)?;
    }
    if let Some(tap) = tap {
        let address = format!("{}/{}", tap.ip, tap.prefix);
        out = entry(out, port::ADDRESS.trim_start_matches('/'), address.as_bytes())?;
    }
    trailer(out)?.flush()
}

fn entry<W: Write>(out: W, name: &str, bytes: &[u8]) -> io::Result<W> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let builder = Builder::new(name).mode(0o755).set_mode_file_type(ModeFileType::Regular);
    let mut writer = builder.write(out, length);
    writer.write_all(bytes)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use catamaran_worker::tape;

    use super::*;
    use crate::order::Order;

    #[test]
    fn an_archive_holds_the_worker_and_its_tape() {
        let folder = tempfile::tempdir().unwrap();
        let file = Order::turns(2, 7).write().unwrap();
        let tape = Tape::map(file.as_fd()).unwrap();
        let archive = folder.path().join("initrd");
        let module = Module { name: "virtio_blk".to_owned(), bytes: b"code".to_vec() };
        write(&archive, b"worker", &tape, (&[module], None)).unwrap();
        let bytes = std::fs::read(&archive).unwrap();
        let mut reader = cpio::newc::Reader::new(bytes.as_slice()).unwrap();
        let mut content = Vec::new();
        io::Read::read_to_end(&mut reader, &mut content).unwrap();
        assert_eq!((reader.entry().name(), content.as_slice()), ("init", b"worker".as_slice()));
        let mut reader = cpio::newc::Reader::new(reader.finish().unwrap()).unwrap();
        content.clear();
        io::Read::read_to_end(&mut reader, &mut content).unwrap();
        assert_eq!((reader.entry().name(), content.len()), ("tape", tape.words().len() * 8));
        assert_eq!(content[..8], tape::MAGIC.to_le_bytes());
        let reader = cpio::newc::Reader::new(reader.finish().unwrap()).unwrap();
        assert_eq!(reader.entry().name(), "modules");
        let reader = cpio::newc::Reader::new(reader.finish().unwrap()).unwrap();
        assert_eq!((reader.entry().name(), reader.entry().file_size()), ("modules/00-virtio_blk.ko", 4));
    }
}
