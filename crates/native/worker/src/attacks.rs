//! What a tenant could try against the machine and its neighbours, each tried so that it does no harm where it succeeds:
//! the process outside is one of ours, the file outside too, no module is loaded, and what is to be exhausted has a bound
//! here as well as in the guard. Each is tried by a child, so that nothing of it lasts.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::fmt;

use catamaran_worker::clock::now_ns;
use catamaran_worker::fixed_loop::{CHUNK_TURNS, turn};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// Processes that an attack on their number makes at most.
const PROCESSES: u32 = 64;
/// How long an attack on the CPU lasts (ns).
const CPU_NS: u64 = 500_000_000;

/// What is attacked.
pub(crate) struct Target<'a> {
    /// Number of a process outside; none where that number is known to be another's here.
    pub(crate) outside: Option<u32>,
    pub(crate) host_file: &'a str,
    pub(crate) playground: &'a str,
    /// Memory that an attack on it touches at most (bytes).
    pub(crate) memory_bytes: usize,
}

/// What came of an attack; as text, a word and what the kernel said.
pub(crate) enum Outcome {
    /// The kernel let it.
    Permitted(String),
    /// The kernel refused.
    Refused(Errno),
    /// The kernel can do no such thing for anybody.
    Missing,
    /// A bound of the tenant's own held.
    Limited(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permitted(how) => write!(f, "permitted\t{how}"),
            Self::Refused(error) => write!(f, "refused\t{error}"),
            Self::Missing => write!(f, "missing\tthis kernel has no such call"),
            Self::Limited(how) => write!(f, "limited\t{how}"),
        }
    }
}

/// An attack.
pub(crate) type Attack = fn(&Target<'_>) -> Outcome;

/// Every attack by name.
pub(crate) const ALL: [(&str, Attack); 12] = [
    ("signal-outside", |target| tried("signalled it", || kill_process(pid(target)?, Signal::CONT))),
    ("write-host-file", |target| tried("wrote to it", || write(target.host_file))),
    ("leave-root", |target| tried("wrote to the machine's file", || leave_root(target))),
    ("mount", |target| tried("mounted a tmpfs", || mount_in(target.playground))),
    ("make-device", |target| tried("made one", || make_device(target.playground))),
    ("new-user-namespace", |_| tried("made one", new_user_namespace)),
    ("use-keyring", |_| tried("kept a key", use_keyring)),
    ("ptrace-outside", |target| tried("traced it", || trace(pid(target)?))),
    ("load-module", |_| load_module()),
    ("exhaust-pids", |_| exhaust_pids()),
    ("exhaust-memory", |target| exhaust_memory(target.memory_bytes)),
    ("exhaust-cpu", |_| exhaust_cpu()),
];

fn pid(target: &Target<'_>) -> rustix::io::Result<Pid> {
    target.outside.and_then(|outside| Pid::from_raw(outside as i32)).ok_or(Errno::SRCH)
}

fn write(path: &str) -> rustix::io::Result<()> {
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, b"attacked").map(drop)
}

/// The oldest way out of a chroot: a second one, while the working directory stays outside of it (`chroot(2)`, NOTES).
fn leave_root(target: &Target<'_>) -> rustix::io::Result<()> {
    let inner = format!("{}/inner", target.playground);
    rustix::fs::mkdir(&inner, Mode::RWXU)?;
    rustix::process::chdir(c"/")?;
    rustix::process::chroot(&inner)?;
    for _ in 0..64 {
        rustix::process::chdir(c"..")?;
    }
    rustix::process::chroot(c".")?;
    write(target.host_file)
}

fn mount_in(playground: &str) -> rustix::io::Result<()> {
    let at = format!("{playground}/mount");
    rustix::fs::mkdir(&at, Mode::RWXU)?;
    mount(c"attack", &at, c"tmpfs", MountFlags::empty(), None::<&std::ffi::CStr>)?;
    unmount(&at, UnmountFlags::DETACH)
}

/// The kernel's log as a device (1, 11): whoever can make that can make the disk.
fn make_device(playground: &str) -> rustix::io::Result<()> {
    let path = format!("{playground}/kmsg");
    rustix::fs::mknodat(CWD, &path, FileType::CharacterDevice, Mode::RUSR, rustix::fs::makedev(1, 11))?;
    rustix::fs::unlink(&path)
}

/// Takes no capability, and gives all of them inside: only a filter of system calls stands in its way.
fn new_user_namespace() -> rustix::io::Result<()> {
    // SAFETY: a user namespace holds no memory or descriptors of this process.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWUSER) }
}

/// Keys are not divided by namespaces; this one goes with the child (`add_key(2)`, KEY_SPEC_PROCESS_KEYRING).
fn use_keyring() -> rustix::io::Result<()> {
    let (kind, name, payload) = (c"user", c"catamaran-probe", b"x");
    // SAFETY: the strings and the payload live until the call is over, and the kernel only reads them.
    let answer = unsafe {
        libc::syscall(libc::SYS_add_key, kind.as_ptr(), name.as_ptr(), payload.as_ptr(), payload.len(), -2)
    };
    if answer >= 0 { Ok(()) } else { Err(last_error()) }
}

/// Attaches without a stop; the end of the child, which is the tracer, lets go again.
fn trace(pid: Pid) -> rustix::io::Result<()> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: PTRACE_SEIZE reads no memory of this process.
    let answer = unsafe { libc::ptrace(libc::PTRACE_SEIZE as _, pid.as_raw_nonzero().get(), none, none) };
    if answer == 0 { Ok(()) } else { Err(last_error()) }
}

/// Offers an empty module: who may load one is told that it is none, everyone else that they may not
/// (`kernel/module/main.c`, `may_init_module` comes first).
fn load_module() -> Outcome {
    let parameters = CString::default();
    // SAFETY: the kernel reads no bytes of a module of length 0, and the parameters live until the call is over.
    let answer =
        unsafe { libc::syscall(libc::SYS_init_module, std::ptr::null::<u8>(), 0_usize, parameters.as_ptr()) };
    match (answer, last_error()) {
        (0, _) => Outcome::Permitted("loaded".to_owned()),
        (_, Errno::PERM) => Outcome::Refused(Errno::PERM),
        (_, Errno::NOSYS) => Outcome::Missing,
        (_, error) => Outcome::Permitted(format!("an empty one was looked at: {error}")),
    }
}

fn exhaust_pids() -> Outcome {
    let mut children = Vec::new();
    let mut stopped = None;
    while (children.len() as u32) < PROCESSES && stopped.is_none() {
        // SAFETY: this process has one thread; the child only sleeps.
        match unsafe { libc::fork() } {
            0 => {
                let _ = crate::start::die_with_parent();
                loop {
                    std::thread::sleep(std::time::Duration::from_secs(60));
                }
            }
            -1 => stopped = Some(last_error()),
            child => children.extend(Pid::from_raw(child)),
        }
    }
    for child in &children {
        let _ = kill_process(*child, Signal::KILL);
        let _ = waitpid(Some(*child), WaitOptions::empty());
    }
    match stopped {
        Some(_) => Outcome::Limited(format!("{} processes", children.len())),
        None => Outcome::Permitted(format!("{PROCESSES} processes and no end")),
    }
}

fn exhaust_memory(bytes: usize) -> Outcome {
    let touched = || -> rustix::io::Result<()> {
        let mut memory: Vec<u8> = Vec::new();
        memory.try_reserve_exact(bytes).map_err(|_| Errno::NOMEM)?;
        memory.resize(bytes, 1);
        std::hint::black_box(&memory);
        Ok(())
    };
    let megabytes = bytes >> 20;
    match in_child(touched) {
        End::Done => Outcome::Permitted(format!("{megabytes} MiB and no end")),
        End::Failed(error) => Outcome::Limited(format!("before {megabytes} MiB: {error}")),
        End::Killed => Outcome::Limited(format!("killed before {megabytes} MiB")),
    }
}

/// Takes what it gets. Whether a limit or only the others held it back can't be seen from inside: the runner asks the
/// tenant's group.
fn exhaust_cpu() -> Outcome {
    let (start_ns, start_cpu_ns) = (now_ns(), own_cpu_ns());
    let mut state = start_ns | 1;
    while now_ns() - start_ns < CPU_NS {
        state = turn(state, CHUNK_TURNS);
    }
    std::hint::black_box(state);
    let share = (own_cpu_ns() - start_cpu_ns) as f64 / (now_ns() - start_ns) as f64;
    Outcome::Permitted(format!("{share:.2} of a core"))
}

/// CPU time of this process (ns).
fn own_cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn tried(done: &str, attack: impl FnOnce() -> rustix::io::Result<()>) -> Outcome {
    match in_child(attack) {
        End::Done => Outcome::Permitted(done.to_owned()),
        End::Failed(Errno::NOSYS) if !is_filtered() => Outcome::Missing,
        End::Failed(error) => Outcome::Refused(error),
        // What the filter of system calls kills was refused as well.
        End::Killed => Outcome::Refused(Errno::PERM),
    }
}

/// Whether system calls are filtered (`proc_pid_status(5)`, Seccomp: 2): then `ENOSYS` may be the filter's word, not the kernel's.
fn is_filtered() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2"))
}

/// How a child ended.
enum End {
    Done,
    Failed(Errno),
    Killed,
}

fn in_child(attack: impl FnOnce() -> rustix::io::Result<()>) -> End {
    // SAFETY: this process has one thread, so the copy may go on with whatever it likes.
    match unsafe { libc::fork() } {
        0 => {
            let _ = crate::start::die_with_parent();
            std::process::exit(attack().map_or_else(Errno::raw_os_error, |()| 0))
        }
        -1 => End::Failed(last_error()),
        child => {
            let ended = rustix::io::retry_on_intr(|| waitpid(Pid::from_raw(child), WaitOptions::empty()));
            match ended.ok().flatten().and_then(|(_, status)| status.exit_status()) {
                Some(0) => End::Done,
                Some(errno) => End::Failed(Errno::from_raw_os_error(errno)),
                None => End::Killed,
            }
        }
    }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
