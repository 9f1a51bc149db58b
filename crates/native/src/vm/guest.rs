//! One guest: from the request to the worker that waits in it, its start, and what it brings back.

use std::fs;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use catamaran_modules::Module;
use catamaran_scenario::calibration::Accel;
use catamaran_worker::clock::now_ns;
use catamaran_worker::facts::Facts;
use catamaran_worker::port::{asks, tells};
use catamaran_worker::script::{Script, stamp};
use catamaran_worker::stop::stop_at;
use rustix::event::{PollFd, PollFlags, poll};

use super::clock::Offset;
use super::host_side::Threads;
use super::initramfs;
use super::monitor::Monitor;
use super::port::{LOOK_EVERY, Port};
use super::qemu::{Files, Machine};
use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WORKER};
use crate::network::Network;
use crate::problem::Problem;

/// How long a guest may take to bring its figures back.
pub(super) const COLLECT_PATIENCE: Duration = Duration::from_secs(120);

/// How often an emulated guest is started within the patience. Of those with several virtual CPUs, each a thread of its own,
/// about one in 50 stands still for ever in its boot (QEMU 7.2; decision 0316).
const EMULATED_BOOTS: u32 = 4;

/// A guest whose worker is there.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(super) port: Port,
    /// QEMU's threads.
    pub(super) threads: Threads,
    pub(super) offset: Offset,
    /// Processes that its kernel has killed for memory, and how its worker ended, once it has.
    pub(super) kills: u64,
    pub(crate) ended: Option<String>,
}

/// What a guest is booted with.
pub(super) struct Boot<'a> {
    pub(super) machine: &'a Machine,
    pub(super) name: &'a str,
    pub(super) files: &'a Files,
    /// What its kernel is to load.
    pub(super) modules: &'a [Module],
    /// The run's network, where tenants talk.
    pub(super) network: Option<&'a Network>,
    /// How long it may take.
    pub(super) patience: Duration,
    pub(super) interrupt: &'a Interrupt,
}

impl Boot<'_> {
    /// Starts QEMU by the script, waits for its guest and for the worker in it, and stamps each stage on the tape.
    pub(super) fn boot(&self, launcher: &mut Launcher, mut script: Script) -> Result<Guest, Problem> {
        initramfs::write(self.files, WORKER, &launcher.tape, (self.modules, &script.programs))
            .map_err(|error| self.no_room(&self.files.initrd, &error))?;
        let monitor = self.listen(&self.files.monitor)?;
        let port = self.listen(&self.files.port)?;
        // QEMU would make it, but does not tell why it can't.
        fs::File::create(&self.files.console).map_err(|error| self.no_room(&self.files.console, &error))?;
        script.exec = self.machine.command_line(self.name, self.files);
        script.errors = Some(self.files.errors.clone());
        if let Some(share) = &self.files.share {
            fs::create_dir(share.folder()).map_err(|error| self.no_room(&share.folder(), &error))?;
            script.share = Some(share.clone());
        }
        launcher.begin(&script, self.interrupt)?;
        stop_at("qemu");
        // QEMU itself starts in a tenth of a second, its guest in seconds.
        let until = Instant::now() + self.patience / 4;
        let monitor = self.accept(&monitor, launcher, until)?;
        let port = self.accept(&port, launcher, until)?;
        let until = Instant::now() + self.patience;
        let mut monitor =
            Monitor::take_up(monitor, self.patience / 4).map_err(|problem| self.told(launcher, problem))?;
        let vcpus = monitor.vcpu_threads()?;
        if let (Some(network), Some(tap)) = (self.network, &self.files.tap) {
            network.attach_tap(tap)?;
            stop_at("attached");
        }
        launcher.tape.stamp(stamp::VMM, now_ns());
        monitor.go()?;
        stop_at("boot");
        let mut port = Port::new(port).map_err(|error| self.no_room(&self.files.port, &error))?;
        let told = self.await_worker(&mut monitor, &mut port, launcher)?;
        let offset = Offset::measure(&mut port, until).map_err(|error| silent(&error))?;
        let instants: Vec<u64> = told.into_iter().map(|guest_ns| offset.ours(guest_ns)).collect();
        for (stamp, at_ns) in [stamp::KERNEL, stamp::INIT, stamp::FIRST].into_iter().zip(instants) {
            launcher.tape.stamp(stamp, at_ns);
        }
        launcher.tape.stamp(stamp::FIRMWARE, offset.ours(0));
        // It has been read, and would only fill the memory.
        let _ = fs::remove_file(&self.files.initrd);
        let threads = Threads::find(launcher.tenant.unwrap_or(0), &vcpus);
        Ok(Guest { port, threads, offset, kills: 0, ended: None })
    }

    fn listen(&self, path: &Path) -> Result<UnixListener, Problem> {
        UnixListener::bind(path).map_err(|error| self.no_room(path, &error))
    }

    /// QEMU's connection to one of our sockets.
    fn accept(
        &self,
        listener: &UnixListener,
        launcher: &mut Launcher,
        until: Instant,
    ) -> Result<UnixStream, Problem> {
        let timeout = rustix::time::Timespec::try_from(LOOK_EVERY).ok();
        while Instant::now() < until {
            self.look(launcher)?;
            if poll(&mut [PollFd::new(listener, PollFlags::IN)], timeout.as_ref())
                .is_ok_and(|ready| ready > 0)
            {
                return listener.accept().map(|(stream, _)| stream).map_err(|error| silent(&error));
            }
        }
        let why = format!(
            "QEMU started, but did not connect to its sockets within {} s",
            (self.patience / 4).as_secs()
        );
        let said = last_line(&self.files.errors).map(|said| format!("; it said: {said}"));
        Err(Problem::unavailable(
            why + &said.unwrap_or_default(),
            "look whether `qemu-system-x86_64 -M microvm` works by hand, and what keeps the machine busy",
        ))
    }

    /// The instants that the guest tells until its worker is there. One that stands still is started over.
    fn await_worker(
        &self,
        monitor: &mut Monitor,
        port: &mut Port,
        launcher: &mut Launcher,
    ) -> Result<Vec<u64>, Problem> {
        let boots = if self.machine.accelerator == Accel::Tcg { EMULATED_BOOTS } else { 1 };
        let mut missing = tells::INIT;
        for boot in 1..=boots {
            let until = Instant::now() + self.patience / boots;
            let mut told = Vec::new();
            for word in [tells::INIT, tells::READY] {
                missing = word;
                match self.hear(port, launcher, word, until)? {
                    Some(instants) => told.extend(instants),
                    None => break,
                }
                if word == tells::READY {
                    return Ok(told);
                }
            }
            if boot < boots {
                tracing::warn!(guest = self.name, missing, "a guest stands still: started over");
                monitor.start_over()?;
            }
        }
        Err(self.too_late(&format!("the guest did not come to `{missing}`")))
    }

    /// The instants that the guest tells with `word`; none where it does not by then.
    fn hear(
        &self,
        port: &mut Port,
        launcher: &mut Launcher,
        word: &str,
        until: Instant,
    ) -> Result<Option<Vec<u64>>, Problem> {
        while Instant::now() < until {
            self.look(launcher)?;
            let soon = Instant::now() + LOOK_EVERY;
            match port.wait_for(word, soon.min(until), |_| {}) {
                Ok(said) => return Ok(Some(said.split(' ').filter_map(|word| word.parse().ok()).collect())),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(error) => {
                    // A connection that is gone says less than why QEMU ended.
                    std::thread::sleep(LOOK_EVERY);
                    self.look(launcher)?;
                    return Err(silent(&error));
                }
            }
        }
        Ok(None)
    }

    /// Looks whether QEMU still runs and the user still wants it to.
    fn look(&self, launcher: &mut Launcher) -> Result<(), Problem> {
        self.interrupt.check()?;
        launcher.hear_all()?;
        match &launcher.ended {
            Some(how) => Err(self.qemu_ended(how)),
            None => Ok(()),
        }
    }

    /// The problem, or what is behind it where QEMU has ended.
    fn told(&self, launcher: &mut Launcher, problem: Problem) -> Problem {
        std::thread::sleep(LOOK_EVERY);
        self.look(launcher).err().unwrap_or(problem)
    }

    fn qemu_ended(&self, how: &str) -> Problem {
        let said = last_line(&self.files.errors);
        let console = last_line(&self.files.console);
        let mut why = format!("QEMU ended ({how}) before the guest was there");
        if how == "0" {
            why += &format!(
                ", as when its kernel gives up or lacks memory ({})",
                self.machine.kernel.image.display()
            );
        }
        let shares = self.files.share.as_ref().and_then(|share| last_line(&share.errors()));
        for (who, what) in
            [("it said", said), ("what shows it the machine", shares), ("the guest's console", console)]
        {
            if let Some(what) = what {
                why += &format!("; {who}: {what}");
            }
        }
        let remedy = if last_line(&self.files.errors).is_some() {
            "take a QEMU that knows `-M microvm` (4.2 or later), and a Linux image for CATAMARAN_VM_KERNEL if that is set"
        } else {
            "more `host.memory` (a guest under tcg takes about 220 MiB of it) or `platform.vm.memory`; another kernel by \
             CATAMARAN_VM_KERNEL"
        };
        Problem::unavailable(why, remedy)
    }

    fn too_late(&self, what: &str) -> Problem {
        let accelerator = match self.machine.accelerator {
            Accel::Kvm => "kvm",
            Accel::Tcg => "tcg",
        };
        let mut why = format!(
            "{what} within {} s on {} with {}",
            self.patience.as_secs(),
            accelerator,
            self.machine.kernel.image.display()
        );
        if let Some(said) = last_line(&self.files.console) {
            why += &format!("; the guest's console: {said}");
        }
        Problem::unavailable(
            why,
            "set CATAMARAN_VM_KERNEL to a Linux image that boots, or look what keeps the machine busy",
        )
    }

    fn no_room(&self, path: &Path, error: &dyn std::fmt::Display) -> Problem {
        Problem::by_errno(
            format!("cannot make {}: {error}", path.display()),
            "make room on the file system of /run",
        )
    }
}

impl Guest {
    /// Takes the offset of the clocks anew, for a common start.
    pub(crate) fn synchronize(&mut self) -> Result<(), Problem> {
        let until = Instant::now() + COLLECT_PATIENCE;
        self.offset = Offset::measure(&mut self.port, until).map_err(|error| silent(&error))?;
        Ok(())
    }

    /// Tells the guest the run's common start and the beginning of its work (ns of our clock).
    pub(crate) fn go(&mut self, origin_ns: u64, begin_ns: u64) -> Result<(), Problem> {
        let line = format!("{} {} {}", asks::GO, self.offset.theirs(origin_ns), self.offset.theirs(begin_ns));
        self.port.ask(&line).map_err(|error| silent(&error))
    }

    /// Has a probe of this `run` look around in the guest, with what it is to attack; what it found by name.
    pub(crate) fn probe(
        &mut self,
        run: &str,
        targets: &[String],
        interrupt: &Interrupt,
    ) -> Result<Facts, Problem> {
        let until = Instant::now() + COLLECT_PATIENCE;
        self.port
            .ask(&format!("{} {run}\t{}", asks::PROBE, targets.join("\t")))
            .map_err(|error| silent(&error))?;
        let mut found = Facts::new();
        loop {
            interrupt.check()?;
            let soon = Instant::now() + LOOK_EVERY;
            let heard = self.port.wait_for(tells::PROBED, soon.min(until), |line| {
                let finding =
                    line.strip_prefix(tells::FOUND).and_then(|rest| rest.trim_start().split_once('\t'));
                found.extend(finding.map(|(name, what)| (name.to_owned(), what.to_owned())));
            });
            match heard {
                Ok(_) => return Ok(found),
                Err(error) if error.kind() == io::ErrorKind::TimedOut && Instant::now() < until => {}
                Err(error) => return Err(silent(&error)),
            }
        }
    }
}

pub(super) fn silent(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(format!("a guest does not answer: {error}"), "try again; give it more `platform.vm.memory`")
}

/// The last line of a file that says anything.
fn last_line(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}
