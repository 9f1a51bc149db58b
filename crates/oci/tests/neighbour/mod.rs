//! A hostile neighbour: whoever shares a folder with a container, and puts links in the place of folders while it is made. And
//! canaries, by which it shows whether anybody followed them.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic, dead_code)]

pub(crate) mod naive;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::ship::is_root;

/// What the files outside say that nobody may read.
pub(crate) const SECRET: &str = "of the machine";
/// How long our runtime is exposed to one neighbour.
pub(crate) const EXPOSED: Duration = Duration::from_secs(2);
/// How long a runtime that follows links may take to be caught; it takes milliseconds.
const CAUGHT: Duration = Duration::from_secs(30);

/// Set for a test that this test has begun anew in namespaces of its own.
const APART: &str = "CATAMARAN_OCI_APART";

/// Whether the test is to go on here: in mount, UTS and IPC namespaces of its own, so that the machine is not touched even if the
/// neighbour wins. Else it has gone on there, and passed.
pub(crate) fn is_apart(name: &str) -> bool {
    if std::env::var_os(APART).is_some() {
        return true;
    }
    if !is_root(name) {
        return false;
    }
    let output = Command::new("unshare")
        .args(["--mount", "--uts", "--ipc", "--propagation", "private"])
        .arg(std::env::current_exe().expect("a path"))
        .args(["--exact", name, "--nocapture"])
        .env(APART, "1")
        .output()
        .expect("unshare of util-linux");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    print!("{said}");
    false
}

/// Swaps pairs of names for as long as it lives.
pub(crate) struct Neighbour {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Neighbour {
    pub(crate) fn swapping(pairs: Vec<(PathBuf, PathBuf)>) -> Self {
        let (stop, swaps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (told, count) = (Arc::clone(&stop), Arc::clone(&swaps));
        let thread = std::thread::spawn(move || {
            let mut state: u64 = 1;
            while !told.load(Ordering::Relaxed) {
                for (one, other) in &pairs {
                    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).expect("swapped");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                // Mostly as fast as can be; now and then something stays for as long as a few calls take.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if state >> 61 == 0 {
                    std::thread::sleep(Duration::from_micros(state >> 54 & 127));
                }
            }
        });
        Self { stop, swaps, thread: Some(thread) }
    }

    pub(crate) fn swaps(&self) -> u64 {
        self.swaps.load(Ordering::Relaxed)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the neighbour failed");
        }
    }
}

/// Everything in a folder outside, with what a touch leaves: times, owner, mode, contents.
pub(crate) fn seen(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let what = fs::symlink_metadata(&folder).expect("there");
        if what.is_dir() {
            folders.extend(fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("one").path()));
        }
        let text = if what.is_file() { fs::read_to_string(&folder).expect("text") } else { String::new() };
        all.push(format!(
            "{} {:o} {}:{} {}.{} {}.{} {text:?}",
            folder.display(),
            what.mode(),
            what.uid(),
            what.gid(),
            what.mtime(),
            what.mtime_nsec(),
            what.ctime(),
            what.ctime_nsec(),
        ));
    }
    all.sort();
    all
}

/// Mounts of this thread.
pub(crate) fn mounts() -> String {
    fs::read_to_string("/proc/thread-self/mountinfo").expect("procfs")
}

/// Does it again and again, in a mount namespace of its own, until it has fallen for the neighbour. `fell`: whether it has now.
pub(crate) fn falls(what: &str, mut once: impl FnMut(u32) -> bool + Send) {
    std::thread::scope(|scope| {
        let fell = scope.spawn(move || {
            naive::apart();
            let begun = Instant::now();
            (0..).take_while(|_| begun.elapsed() < CAUGHT).any(&mut once)
        });
        assert!(
            fell.join().expect("no panic"),
            "{what}: who follows paths was not caught: the test sees nothing"
        );
    });
}
