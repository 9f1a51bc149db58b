//! The machine that the simulator models: a file, the cache, or a fresh calibration.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::{env, fs, io};

use catamaran_scenario::Calibration;

use crate::failure::Failure;
use crate::source;
use crate::terminal::Terminal;

/// A calibration has about a kilobyte.
const LIMIT_BYTES: u64 = 1 << 20;

/// Reads `host.toml`.
pub(crate) fn read(path: &Path) -> Result<Calibration, Failure> {
    let name = path.to_string_lossy();
    let text = source::text(&name, LIMIT_BYTES, "calibration (`catamaran calibrate -o host.toml`)")?;
    Ok(Calibration::from_toml(&text, &name)?)
}

/// The calibration in the cache, where there is one of this very machine and kernel.
pub(crate) fn cached() -> Option<Calibration> {
    let calibration = read(&cache_path()?).ok()?;
    (calibration.machine == catamaran_native::machine()).then_some(calibration)
}

/// The calibration of this machine: from the cache, else measured now and kept there.
pub(crate) fn calibrated(interrupted: &Arc<AtomicBool>, terminal: &Terminal) -> Result<Calibration, Failure> {
    if let Some(calibration) = cached() {
        terminal.note("calibrated: figures of this machine and kernel are in the cache (`catamaran calibrate` measures anew)");
        return Ok(calibration);
    }
    terminal.note("calibrating: the cache has no figures of this machine and kernel");
    let calibration = measure(interrupted, terminal)?;
    match keep(&calibration) {
        Ok(path) => terminal.note(&format!("calibrated; kept in {}", path.display())),
        Err(error) => terminal.note(&format!("calibrated; not kept: {error}")),
    }
    Ok(calibration)
}

/// Measures this machine.
pub(crate) fn measure(interrupted: &Arc<AtomicBool>, terminal: &Terminal) -> Result<Calibration, Failure> {
    let progress = terminal.progress(100);
    let measured = catamaran_native::calibrate(interrupted, &mut |what, share| {
        progress.at((share * 100.0) as u64, &format!("calibrating: {what}"));
    });
    progress.finish();
    Ok(measured?)
}

/// Writes the calibration into the cache and answers where.
pub(crate) fn keep(calibration: &Calibration) -> io::Result<PathBuf> {
    let path = cache_path().ok_or_else(no_cache)?;
    write(&path, &calibration.to_toml())?;
    Ok(path)
}

/// Finds out before the work, not after it, whether the cache can be written.
pub(crate) fn check_cache() -> io::Result<()> {
    let path = cache_path().ok_or_else(no_cache)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".catamaran-").tempfile_in(folder)?;
    io::Write::write_all(&mut file, &[0; 4096])
}

/// Writes a file, and the directories above it, so that a reader never sees half of it.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".catamaran-").tempfile_in(folder)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn no_cache() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "neither XDG_CACHE_HOME nor HOME is set")
}

fn cache_path() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("catamaran/host.toml"))
}
