//! The file system of a guest: the worker as process 1, the tape with its order, which so need not be sent, the modules that
//! its kernel takes for its devices, its address, and what it is shown of the machine.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use catamaran_modules::Module;
use catamaran_worker::port;
use catamaran_worker::tape::Tape;
use cpio::newc::{Builder, ModeFileType, trailer};

use super::qemu::Files;

/// Writes the archive.
pub(super) fn write(
    files: &Files,
    worker: &[u8],
    tape: &Tape,
    (modules, shown): (&[Module], &[PathBuf]),
) -> io::Result<()> {
    let mut out = BufWriter::new(File::create_new(&files.initrd)?);
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
    if let Some(tap) = &files.tap {
        let address = format!("{}/{}", tap.ip, tap.prefix);
        out = entry(out, port::ADDRESS.trim_start_matches('/'), address.as_bytes())?;
    }
    if files.share.is_some() {
        let list: String = shown.iter().map(|path| format!("{}\n", path.display())).collect();
        out = entry(out, port::SHOWN.trim_start_matches('/'), list.as_bytes())?;
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

    use catamaran_worker::share::Share;
    use catamaran_worker::tape;

    use super::*;
    use crate::order::Order;

    #[test]
    fn an_archive_holds_the_worker_and_its_tape() {
        let folder = tempfile::tempdir().unwrap();
        let file = Order::turns(2, 7).write().unwrap();
        let tape = Tape::map(file.as_fd()).unwrap();
        let mut files = Files::of(folder.path(), "web.0");
        files.share = Share::from_text("/usr/lib/qemu/virtiofsd\t/run/x");
        let module = Module { name: "virtio_blk".to_owned(), bytes: b"code".to_vec() };
        write(&files, b"worker", &tape, (&[module], &["/usr".into(), "/opt/x".into()])).unwrap();
        let bytes = std::fs::read(&files.initrd).unwrap();
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
        let mut reader = cpio::newc::Reader::new(reader.finish().unwrap()).unwrap();
        content.clear();
        io::Read::read_to_end(&mut reader, &mut content).unwrap();
        assert_eq!((reader.entry().name(), content.as_slice()), ("shown", b"/usr\n/opt/x\n".as_slice()));
    }
}
