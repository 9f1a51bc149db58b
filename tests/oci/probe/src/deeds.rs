//! Small deeds, each with the kernel's answer: null where it went well, otherwise the number of the error (errno(3)).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

use crate::{see, wait};

/// What comes of a deed.
pub(crate) enum Answer {
    /// Something to be printed at the end.
    Value(Value),
    /// The exit status to end with.
    Exit(u8),
    /// It was printed already.
    Said,
}

/// Most bytes of a file that are printed.
const MOST_READ: u64 = 1 << 16;

/// Carries one deed out.
pub(crate) fn carry_out(words: &[String]) -> Answer {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Answer::Value(match words.as_slice() {
        [] | ["see"] => see::all(),
        ["exit", code] => return Answer::Exit(code.parse().unwrap_or(255)),
        ["wait"] => {
            wait::for_signals();
            return Answer::Said;
        }
        ["stat", file] => stat(file),
        ["list", folder] => list(folder),
        ["read", file] => read(file),
        ["link", file] => fs::read_link(file).map_or_else(|error| number(&error), |to| json!(to)),
        ["child", deed @ ..] => child(deed),
        ["exec", program, arguments @ ..] => exec(program, arguments),
        ["leave", count] => outcome(leave(count)),
        ["touch-memory", bytes] => touch_memory(bytes),
        ["stdin"] => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_or_else(|error| number(&error), |_| json!(text))
        }
        _ => outcome(try_out(&words)),
    })
}

/// Deeds of which only the error matters.
fn try_out(words: &[&str]) -> io::Result<()> {
    match words {
        ["write", file, text] => {
            OpenOptions::new().write(true).create(true).truncate(true).open(file)?.write_all(text.as_bytes())
        }
        ["environment", file] => {
            let names = std::env::vars_os();
            let lines = names
                .map(|(name, value)| format!("{}={}\n", name.to_string_lossy(), value.to_string_lossy()));
            fs::write(file, lines.collect::<String>())
        }
        ["touch", file] => OpenOptions::new().write(true).create(true).truncate(false).open(file).map(drop),
        ["open", "r", file] => {
            let mut byte = [0];
            File::open(file)?.read(&mut byte).map(drop)
        }
        ["open", "w", file] => OpenOptions::new().write(true).open(file).map(drop),
        ["open", "rw", file] => OpenOptions::new().read(true).write(true).open(file).map(drop),
        ["mkdir", folder] => fs::create_dir(folder),
        ["rmdir", folder] => fs::remove_dir(folder),
        ["remove", file] => fs::remove_file(file),
        ["symlink", to, file] => std::os::unix::fs::symlink(to, file),
        ["chmod", file, mode] => {
            let mode = u32::from_str_radix(mode, 8).map_err(io::Error::other)?;
            fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode))
        }
        ["chown", file, id] => {
            let id = id.parse().map_err(io::Error::other)?;
            std::os::unix::fs::chown(file, Some(id), Some(id))
        }
        ["chroot", folder] => std::os::unix::fs::chroot(folder),
        ["mknod", file, major, minor] => {
            let device =
                makedev(major.parse().map_err(io::Error::other)?, minor.parse().map_err(io::Error::other)?);
            Ok(mknodat(CWD, *file, FileType::CharacterDevice, Mode::RUSR | Mode::WUSR, device)?)
        }
        ["mount-tmpfs", place] => Ok(mount("none", *place, "tmpfs", MountFlags::empty(), None)?),
        ["sethostname", name] => Ok(rustix::system::sethostname(name.as_bytes())?),
        ["getpriority"] => Ok(rustix::process::getpriority_process(None).map(drop)?),
        ["setpriority", value] => {
            Ok(rustix::process::setpriority_process(None, value.parse().map_err(io::Error::other)?)?)
        }
        ["kill", pid, "0"] => Ok(rustix::process::test_kill_process(process(pid)?)?),
        ["kill", pid, signal] => {
            let signal = signal.parse().ok().and_then(Signal::from_named_raw);
            Ok(rustix::process::kill_process(process(pid)?, signal.unwrap_or(Signal::TERM))?)
        }
        _ => Err(io::Error::other(format!("no such deed: {words:?}"))),
    }
}

fn process(text: &str) -> io::Result<Pid> {
    text.parse().ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::other("no number of a process"))
}

fn outcome(result: io::Result<()>) -> Value {
    result.map_or_else(|error| number(&error), |()| Value::Null)
}

/// The kernel's number of an error, or what it says where it is none of the kernel's.
fn number(error: &io::Error) -> Value {
    error.raw_os_error().map_or_else(|| json!(error.to_string()), Value::from)
}

fn stat(file: &str) -> Value {
    let data = match fs::symlink_metadata(file) {
        Ok(data) => data,
        Err(error) => return number(&error),
    };
    let kind = data.file_type();
    let names = [
        (kind.is_dir(), "folder"),
        (kind.is_symlink(), "link"),
        (kind.is_char_device(), "char"),
        (kind.is_block_device(), "block"),
        (kind.is_fifo(), "fifo"),
        (kind.is_file(), "file"),
    ];
    let device = data.rdev();
    json!({
        "kind": names.iter().find(|(is, _)| *is).map_or("other", |(_, name)| *name),
        "mode": format!("{:o}", data.mode() & 0o7777),
        "uid": data.uid(),
        "gid": data.gid(),
        "size": data.size(),
        "device": [rustix::fs::major(device), rustix::fs::minor(device)],
    })
}

fn list(folder: &str) -> Value {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return number(&error),
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    json!(names)
}

fn read(file: &str) -> Value {
    let mut text = Vec::new();
    match File::open(file).and_then(|file| file.take(MOST_READ).read_to_end(&mut text)) {
        Ok(_) => json!(String::from_utf8_lossy(&text)),
        Err(error) => number(&error),
    }
}

/// Another probe that does a deed, and how it ended: what kills it does not end this one.
fn child(deed: &[&str]) -> Value {
    ended(Command::new("/proc/self/exe").args(deed).output())
}

fn exec(program: &str, arguments: &[&str]) -> Value {
    ended(Command::new(program).args(arguments).output())
}

fn ended(output: io::Result<std::process::Output>) -> Value {
    match output {
        Ok(output) => json!({
            "code": output.status.code(),
            "signal": output.status.signal(),
            "out": serde_json::from_slice::<Value>(&output.stdout).ok(),
        }),
        Err(error) => number(&error),
    }
}

/// Leaves so many other probes behind, each waiting.
fn leave(count: &str) -> io::Result<()> {
    for _ in 0..count.parse::<u32>().map_err(io::Error::other)? {
        let program = if Path::new("/proc/self/exe").exists() { "/proc/self/exe" } else { "/probe" };
        Command::new(program).arg("wait").stdout(Stdio::null()).spawn()?;
    }
    Ok(())
}

/// Touches so much memory; how much of it was touched (bytes).
fn touch_memory(bytes: &str) -> Value {
    let Ok(bytes) = bytes.parse::<usize>() else { return json!("no number of bytes") };
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for _ in 0..bytes >> 20 {
        kept.push(vec![1; 1 << 20]);
    }
    json!(kept.iter().map(Vec::len).sum::<usize>())
}
