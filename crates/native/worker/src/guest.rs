//! Process 1 of a guest: mounts what a worker needs, starts one on the tape that lies in the initramfs, and serves the
//! runner over the second serial port. The worker is the same program and does not know that it is in a guest.

#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::minimal::PROGRAM;
use catamaran_worker::modules;
use catamaran_worker::port::{ADDRESS, CARD, DEVICE, DISK, MODULES, PLAYGROUND, TAPE, asks, tells};
use catamaran_worker::script::{stamp, word};
use catamaran_worker::tape::{Tape, head, phase, thread};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, mount};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::{disk, guest_root, network};

/// Highest speed of the port (bits a second). QEMU sends as fast as it can whatever this is, but it waits for the time of
/// four characters before it tells of a short message: 4 ms at the default of 9600.
const SPEED: u32 = 115_200;

/// Most words that are told in one piece (1 MiB): the tape is asked for piece by piece.
const WORDS_MAX: usize = 1 << 17;

/// How long the kernel may look for the disk (ns), and how often we do.
const DISK_PATIENCE_NS: u64 = 20_000_000_000;
const LOOK_EVERY_NS: u64 = 1_000_000;

/// Serves the runner until the machine is taken away; comes back only with what failed, for the console.
pub(crate) fn init(first_ns: u64) -> String {
    let mut port = match prepare() {
        Ok(port) => port,
        Err(error) => return error,
    };
    let failed = match serve(&mut port, first_ns) {
        Ok(()) => "the serial port was closed".to_owned(),
        Err(error) => error,
    };
    let _ = writeln!(port, "{} {failed}", tells::FAILED);
    failed
}

/// Mounts, and opens the port as a line without echo, without translation.
fn prepare() -> Result<File, String> {
    for (kind, place) in [(c"proc", c"/proc"), (c"devtmpfs", c"/dev")] {
        let _ = rustix::fs::mkdir(place, Mode::from_raw_mode(0o755));
        mount(kind, place, kind, MountFlags::empty(), None::<&std::ffi::CStr>)
            .map_err(|error| format!("cannot mount {place:?}: {error}"))?;
    }
    let open = || -> io::Result<File> {
        let port = rustix::fs::open(DEVICE, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut line = tcgetattr(&port)?;
        line.make_raw();
        line.set_speed(SPEED)?;
        tcsetattr(&port, OptionalActions::Flush, &line)?;
        Ok(File::from(port))
    };
    open().map_err(|error| format!("cannot use the serial port {DEVICE}: {error}"))
}

/// The operations of each phase on the tenant's file, which in a guest is a disk.
fn operations(tape: &Tape) -> impl Iterator<Item = u64> + '_ {
    let layout = tape.layout();
    let phases = (0..layout.phases).map(move |number| layout.phase(number));
    let on_disk = phases.filter(|at| tape.get(at + phase::KIND) == phase::DISK);
    on_disk.map(|at| tape.get(at + phase::OPERATION))
}

/// Has the page cache hold the file where it is used through that. It does as long as somebody has the disk open.
fn warm(tape: &Tape) -> Result<(), String> {
    if operations(tape).all(|operation| operation & phase::CACHED == 0) {
        return Ok(());
    }
    let read = File::open(DISK).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
    read.map(drop).map_err(|error| format!("cannot read {DISK}: {error}"))
}

/// Has the kernel find the devices: the disk, if the tenant works on one, and the network card, if it has an address.
fn find_devices(tape: &Tape) -> Result<(), String> {
    let failed = modules::load(Path::new(MODULES));
    if !failed.is_empty() {
        return Err(format!("modules for its devices: {}", failed.join("; ")));
    }
    if operations(tape).next().is_some() {
        await_disk().and_then(|()| disk::hand_over(Path::new(DISK)))?;
    }
    fs::read_to_string(ADDRESS).map_or(Ok(()), |address| network::take_address(CARD, &address))
}

/// The kernel may look for a disk on its own time.
fn await_disk() -> Result<(), String> {
    let until_ns = now_ns() + DISK_PATIENCE_NS;
    while !Path::new(DISK).exists() {
        if now_ns() >= until_ns {
            return Err(format!("its kernel does not find the disk {DISK}"));
        }
        sleep_until(now_ns() + LOOK_EVERY_NS);
    }
    Ok(())
}

/// A worker under way.
struct Worker {
    process: Child,
    control: OwnedFd,
    tape: Tape,
    exec_ns: u64,
    /// Why it gave up, where it has said so.
    gave_up: Option<String>,
    /// Whether its end has been told.
    over: bool,
}

fn serve(port: &mut File, first_ns: u64) -> Result<(), String> {
    tell(port, &format!("{} {first_ns}", tells::INIT))?;
    let mut worker = Worker::start()?;
    let mut asked = Vec::new();
    loop {
        let mut events = [PollFd::new(&*port, PollFlags::IN), PollFd::new(&worker.control, PollFlags::IN)];
        // The socket of a worker that has ended is always ready: to wait for it would keep a core busy.
        let waited_for = if worker.over { 1 } else { 2 };
        match poll(events.get_mut(..waited_for).unwrap_or_default(), None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("poll: {error}")),
        }
        let [from_runner, from_worker] = events.map(|event| !event.revents().is_empty());
        if from_worker && !worker.over {
            let Some(news) = worker.hear()? else { continue };
            tell(port, &news)?;
            if news.starts_with(tells::READY) {
                // Not a part of the start, and over before the first question is answered.
                warm(&worker.tape)?;
            }
        }
        if from_runner {
            let mut buffer = [0_u8; 256];
            let length = port.read(&mut buffer).map_err(|error| format!("cannot read {DEVICE}: {error}"))?;
            if length == 0 {
                return Ok(());
            }
            asked.extend_from_slice(buffer.get(..length).unwrap_or_default());
            while let Some(end) = asked.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = asked.drain(..=end).collect();
                answer(port, &mut worker, String::from_utf8_lossy(&line).trim())?;
            }
        }
    }
}

fn answer(port: &mut File, worker: &mut Worker, line: &str) -> Result<(), String> {
    if let Some(arguments) = line.strip_prefix(asks::PROBE) {
        return probe(port, arguments.trim_start());
    }
    let words: Vec<&str> = line.split(' ').collect();
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("not a number: {line:?}"));
    match words.as_slice() {
        [asks::CLOCK] => tell(port, &format!("{} {}", tells::NOW, now_ns())),
        [asks::GO, origin, begin] => {
            worker.tape.set(head::ORIGIN_NS, number(origin)?);
            worker.tape.set(head::BEGIN_NS, number(begin)?);
            worker.tape.go();
            Ok(())
        }
        [asks::STOP] => {
            worker.stop();
            tell(port, tells::STOPPED)
        }
        [asks::READ, first, count] => {
            let count = (number(count)? as usize).min(WORDS_MAX);
            let first = number(first)? as usize;
            let mut bytes = format!("{} {count}\n", tells::WORDS).into_bytes();
            bytes.extend((first..first + count).flat_map(|index| worker.tape.get(index).to_le_bytes()));
            port.write_all(&bytes).map_err(|error| format!("cannot write {DEVICE}: {error}"))
        }
        _ => Err(format!("not understood: {line:?}")),
    }
}

/// Has the same program probe, and tells each finding as it comes. `/tmp` is the probe's to do as it likes.
fn probe(port: &mut File, arguments: &str) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("cannot start the probe: {error}");
    let _ = rustix::fs::mkdir(PLAYGROUND, Mode::from_raw_mode(0o1777));
    let (control, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| failed(&error))?;
    let mut process = Command::new("/init")
        .arg0("catamaran-worker")
        .arg("probe")
        .args(arguments.split('\t'))
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut buffer = [0_u8; 4096];
    loop {
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&control, &mut buffer)).unwrap_or(0);
        if length == 0 {
            break;
        }
        let message = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).replace('\n', " ");
        if let Some(finding) = message.strip_prefix(word::FOUND) {
            tell(port, &format!("{} {finding}", tells::FOUND))?;
        }
    }
    let _ = process.wait();
    tell(port, tells::PROBED)
}

fn tell(port: &mut File, line: &str) -> Result<(), String> {
    port.write_all(format!("{line}\n").as_bytes()).map_err(|error| format!("cannot write {DEVICE}: {error}"))
}

/// How many processes the guest's kernel has killed for memory (`oom_kill` of `/proc/vmstat`).
fn kills() -> u64 {
    let counters = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let kills = counters.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
    kills.unwrap_or(0)
}

impl Worker {
    /// Starts the worker on the tape of the initramfs.
    fn start() -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot start the worker: {error}");
        let file =
            fs::OpenOptions::new().read(true).write(true).open(TAPE).map_err(|error| failed(&error))?;
        let tape = Tape::map(file.as_fd()).map_err(|error| failed(&error))?;
        let (control, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(|error| failed(&error))?;
        find_devices(&tape).map_err(|error| failed(&error))?;
        let has_root = guest_root::make().map_err(|error| failed(&error))?;
        let exec_ns = now_ns();
        let mut command = if has_root { Command::new(format!("/{PROGRAM}")) } else { Command::new("/init") };
        command.arg0(PROGRAM).args(["work", "guest"]).stdin(Stdio::from(theirs)).stdout(Stdio::from(file));
        if has_root {
            // SAFETY: process 1 has one thread, so its copy may go on with whatever it likes.
            unsafe { command.pre_exec(|| guest_root::enter().map_err(io::Error::other)) };
        }
        let process = command.spawn().map_err(|error| failed(&error))?;
        Ok(Self { process, control, tape, exec_ns, gave_up: None, over: false })
    }

    /// What the worker has to say, as lines for the runner; none where that is said at its end.
    fn hear(&mut self) -> Result<Option<String>, String> {
        let mut buffer = [0_u8; 2048];
        let length = rustix::io::read(&self.control, &mut buffer).unwrap_or(0);
        let message = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        if message == word::STARTED {
            let first_ns = self.tape.get(head::STAMP + stamp::FIRST);
            return Ok(Some(format!("{} {} {first_ns}", tells::READY, self.exec_ns)));
        }
        if let Some(why) = message.strip_prefix(word::GAVE_UP) {
            self.gave_up = Some(why.replace(char::is_control, " "));
            return Ok(None);
        }
        if let Some(what) = message.strip_prefix(word::FAILED) {
            return Err(what.to_owned());
        }
        self.over = true;
        let status = self.process.wait().map_err(|error| format!("cannot wait for the worker: {error}"))?;
        let how = match std::os::unix::process::ExitStatusExt::signal(&status) {
            Some(signal) => format!("signal {signal}"),
            None => status.code().unwrap_or(-1).to_string(),
        };
        let how = self.gave_up.take().unwrap_or(how);
        Ok(Some(format!("{} {}\n{} {how}", tells::KILLS, kills(), tells::ENDED)))
    }

    /// Halts it and notes the counters of the threads that have not ended, which vanish with them.
    fn stop(&self) {
        let pid = self.process.id();
        if let Some(pid) = Pid::from_raw(pid as i32).filter(|_| !self.over) {
            let _ = kill_process(pid, Signal::STOP);
        }
        for entry in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
            let Some(number) = read("comm").trim().strip_prefix('w').and_then(|n| n.parse().ok()) else {
                continue;
            };
            let at = self.tape.layout().thread(number);
            let figures = read("schedstat");
            let mut figures = figures.split_ascii_whitespace().map(str::parse::<u64>);
            if let (0, Some(Ok(cpu_ns)), Some(Ok(wait_ns))) =
                (self.tape.get(at + thread::ENDED), figures.next(), figures.next())
            {
                self.tape.set(at + thread::CPU_NS, cpu_ns);
                self.tape.set(at + thread::WAIT_NS, wait_ns);
            }
        }
    }
}
