//! One call of a runtime: into files, because a container keeps the streams that it was made with, and with a limit of time.

use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// What a call said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its exit status as a shell would tell it: 128 and the signal where one ended it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end, its streams in files; none where its time was up, and then it was killed.
///
/// # Errors
/// Where it can't be started.
pub(crate) fn to_its_end(
    command: &mut Command,
    out: &Path,
    err: &Path,
    limit: Duration,
) -> io::Result<Option<Said>> {
    let (out_file, err_file) = (File::create(out)?, File::create(err)?);
    // An empty file, and not the machine's /dev/null: crun gives its standard input to the root of a user namespace.
    let nothing = out.with_extension("nothing");
    File::create(&nothing)?;
    command.stdin(File::open(&nothing)?).stdout(out_file).stderr(err_file).process_group(0);
    let mut child = command.spawn()?;
    let until = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= until {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                // It may have ended between the two looks.
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let Some(status) = status else { return Ok(None) };
    Ok(Some(Said { code: code(status), out: text(out)?, err: text(err)? }))
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn text(file: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&std::fs::read(file)?).into_owned())
}

/// Asks until the answer is there, for a bounded time.
pub(crate) fn wait_for<T>(limit: Duration, mut answer: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + limit;
    loop {
        let found = answer();
        if found.is_some() || Instant::now() >= until {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_or_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (out, err) = (folder.path().join("out"), folder.path().join("err"));
        let shell = |line: &str, limit: u64| {
            let mut command = Command::new("/bin/sh");
            to_its_end(command.args(["-c", line]), &out, &err, Duration::from_millis(limit)).unwrap()
        };
        let said = shell("echo a; echo b >&2; exit 3", 20_000).unwrap();
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (3, "a\n", "b\n"));
        assert_eq!(shell("kill -9 $$", 20_000).unwrap().code, 137);
        assert!(shell("sleep 1000", 100).is_none());
    }

    #[test]
    fn nothing_of_the_machine_is_standard_input() {
        let folder = tempfile::tempdir().unwrap();
        let (out, err) = (folder.path().join("id.out"), folder.path().join("id.err"));
        let mut command = Command::new("/bin/sh");
        let limit = Duration::from_secs(20);
        let said = to_its_end(command.args(["-c", "readlink /proc/self/fd/0; cat"]), &out, &err, limit);
        assert_eq!(said.unwrap().unwrap().out, format!("{}\n", folder.path().join("id.nothing").display()));
    }
}
