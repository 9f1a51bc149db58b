//! The room of a container engine ([`RoomPlan`]): a process makes the namespaces and waits; the first process in them carries out
//! what the runner tells it, one command at a time. Whatever is started in there ends with it, and it with the runner.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::Stdio;

use catamaran_worker::program::PATH;
use catamaran_worker::room_plan::{Command, MESSAGE_BYTES_MAX, RoomPlan, SAID_BYTES_MAX, Said};
use catamaran_worker::script::{Step, word};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, mount, mount_bind};
use rustix::process::{Pid, WaitOptions, WaitStatus, getppid, wait};
use rustix::thread::UnshareFlags;

use crate::launch::say;
use crate::start::{be_root, die_with_parent};
use crate::{network, rootfs};

/// Where engines have folders of their own, and make those that they miss.
const STATES: &str = "/var/lib";

/// Makes a room by the runner's first message, and waits for its first process.
pub(crate) fn make(runner: &str) -> Result<(), String> {
    stay_with(runner)?;
    let Some(text) = hear()? else { return Ok(()) };
    let plan = RoomPlan::from_text(&text)?;
    enter(&plan.enter)?;
    if let Some((user, group)) = plan.user {
        // SAFETY: this process has one thread; of the user it keeps all but the rights outside of the namespace.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) }
            .map_err(|error| format!("cannot make a user namespace for the engine: {error}"))?;
        be_root("self", user, group)?;
        // Who becomes somebody else is no longer told of a parent's death (prctl(2)).
        stay_with(runner)?;
    }
    // SAFETY: this process has one thread, and no memory or descriptor that depends on its namespaces.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWCGROUP) }
        .map_err(|error| format!("cannot make a cgroup namespace for the engine: {error}"))?;
    enter(&plan.settle)?;
    let kinds = UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWNET;
    // SAFETY: as above; the process numbers are those of children yet to come.
    unsafe { rustix::thread::unshare_unsafe(kinds) }
        .map_err(|error| format!("cannot make namespaces for the engine: {error}"))?;
    furnish(&plan)?;
    let store = plan.store();
    let first = std::process::Command::new("/proc/self/exe")
        .args(["room-first".as_ref(), store.as_os_str()])
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", &store)
        .env("TMPDIR", &store)
        .envs(plan.variables.iter().map(|(name, value)| (name, value)))
        .current_dir(&store)
        .spawn();
    let ended = first
        .and_then(|mut first| first.wait())
        .map_err(|error| format!("the room's first process does not start: {error}"))?;
    if ended.success() { Ok(()) } else { Err(format!("the room's first process ended: {ended}")) }
}

/// Ends with the runner.
fn stay_with(runner: &str) -> Result<(), String> {
    die_with_parent()?;
    if getppid().map(|pid| pid.as_raw_nonzero().get().to_string()).as_deref() != Some(runner) {
        return Err("the runner is gone".to_owned());
    }
    Ok(())
}

/// Of version 1 as a lone thread: the kernel needs no grace period.
fn enter(groups: &[std::path::PathBuf]) -> Result<(), String> {
    groups.iter().try_for_each(|group| {
        let tasks = group.join("tasks");
        let file = if tasks.exists() { tasks } else { group.join("cgroup.procs") };
        Step::Write { value: "0".to_owned(), file }.perform(0)
    })
}

/// Hides what is the machine's, and shows what is the run's.
fn furnish(plan: &RoomPlan) -> Result<(), String> {
    rootfs::keep_mounts_private()?;
    // What is shown is opened before anything is hidden: it may lie below that.
    let folder = open(&plan.folder)?;
    let shown: Vec<_> =
        plan.shown.iter().map(|(from, at)| Ok((open(from)?, at))).collect::<Result<_, String>>()?;
    let missing = |at: &&std::path::PathBuf| !at.is_dir() && at.starts_with(STATES);
    let missing: Vec<_> = plan.hidden.iter().filter(missing).collect();
    if !missing.is_empty() && Path::new(STATES).is_dir() {
        shield(Path::new(STATES))?;
        missing.into_iter().try_for_each(|at| {
            fs::create_dir_all(at).map_err(|error| format!("cannot make {}: {error}", at.display()))
        })?;
    }
    for at in plan.hidden.iter().filter(|at| at.is_dir()) {
        memory_at(at)?;
    }
    fs::create_dir_all(&plan.folder).map_err(|error| format!("{}: {error}", plan.folder.display()))?;
    for (from, at) in std::iter::once((folder, &plan.folder)).chain(shown) {
        mount_bind(format!("/proc/self/fd/{}", from.as_raw_fd()), at)
            .map_err(|error| format!("cannot show the run's own at {}: {error}", at.display()))?;
    }
    let store = plan.store();
    fs::create_dir(&store).map_err(|error| format!("cannot make {}: {error}", store.display()))?;
    memory_at(&store)
}

fn open(folder: &Path) -> Result<File, String> {
    rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map(File::from)
        .map_err(|error| format!("cannot open {}: {error}", folder.display()))
}

/// Has whatever is made or changed in a folder go to memory, and not to the machine: an engine makes those of its folders that are not
/// there.
fn shield(folder: &Path) -> Result<(), String> {
    let lower = open(folder)?;
    memory_at(folder)?;
    let [upper, work] = ["upper", "work"].map(|name| folder.join(name));
    for part in [&upper, &work] {
        fs::create_dir(part).map_err(|error| format!("cannot make {}: {error}", part.display()))?;
    }
    let options = format!(
        "lowerdir=/proc/self/fd/{},upperdir={},workdir={}",
        lower.as_raw_fd(),
        upper.display(),
        work.display()
    );
    let options = CString::new(options).map_err(|error| error.to_string())?;
    mount(c"overlay", folder, c"overlay", MountFlags::empty(), Some(options.as_c_str()))
        .map_err(|error| format!("cannot mount an overlay at {}: {error}", folder.display()))
}

/// Mounts a file system in memory.
fn memory_at(at: &Path) -> Result<(), String> {
    mount(c"catamaran", at, c"tmpfs", MountFlags::NOSUID, Some(c"mode=755"))
        .map_err(|error| format!("cannot mount a tmpfs at {}: {error}", at.display()))
}

/// What the first process in a room does until the runner hangs up.
pub(crate) fn first(store: &Path) -> Result<(), String> {
    die_with_parent()?;
    rootfs::mount_proc("/proc")?;
    network::loopback_up()?;
    let control = rustix::stdio::stdin();
    say(control, word::READY);
    while let Some(text) = hear()? {
        let command = Command::from_text(&text).ok_or("a message to the room is no command")?;
        let said = match carry_out(store, &command) {
            Ok(said) => said,
            Err(error) => Said { end: "none".to_owned(), out: String::new(), err: error.to_string() },
        };
        say(control, &said.to_text());
    }
    Ok(())
}

/// The next message; none where the runner has hung up.
fn hear() -> Result<Option<String>, String> {
    let mut text = vec![0_u8; MESSAGE_BYTES_MAX];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(rustix::stdio::stdin(), &mut text))
        .map_err(|error| format!("cannot hear the runner: {error}"))?;
    text.truncate(length);
    if length == 0 {
        return Ok(None);
    }
    String::from_utf8(text).map(Some).map_err(|error| error.to_string())
}

fn carry_out(store: &Path, command: &Command) -> std::io::Result<Said> {
    let (program, arguments) = command.words.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut process = std::process::Command::new(program);
    process.args(arguments).stdin(Stdio::null());
    if let Some(log) = &command.log {
        let log = File::create(log)?;
        process.stdout(log.try_clone()?).stderr(log).spawn()?;
        return Ok(Said { end: "0".to_owned(), out: String::new(), err: String::new() });
    }
    // Files, as a pipe would stay open for as long as something that was started and goes on has it.
    let (out, err) = (file(&store.join("out"))?, file(&store.join("err"))?);
    let process = process.stdout(out.try_clone()?).stderr(err.try_clone()?).spawn()?;
    let end = wait_for(process.id())?;
    Ok(Said { end, out: tail(out)?, err: tail(err)? })
}

fn file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
}

/// The end of a file's text.
fn tail(mut file: File) -> std::io::Result<String> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(SAID_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

/// Waits for one child; takes others that have ended meanwhile from the kernel, for what loses its parent in here becomes ours.
fn wait_for(number: u32) -> std::io::Result<String> {
    loop {
        let ended = rustix::io::retry_on_intr(|| wait(WaitOptions::empty()))?;
        let Some((pid, status)) = ended else { continue };
        if Pid::from_raw(number.cast_signed()) == Some(pid) {
            return Ok(end_of(status));
        }
    }
}

fn end_of(status: WaitStatus) -> String {
    match status.terminating_signal() {
        Some(signal) => format!("signal {signal}"),
        None => status.exit_status().unwrap_or(-1).to_string(),
    }
}
