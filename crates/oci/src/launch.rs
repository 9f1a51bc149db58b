//! Starting the process inside: from a sealed file in memory, with a socket on which it gets its order and says how far it is.

use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::thread::{self, JoinHandle};

use catamaran_oci_init::order::Order;
use catamaran_oci_init::wire::{Event, States, Word, receive, send};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd, ioctl_fionbio};
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};
use rustix::process::{Pid, Signal, WaitOptions, waitpid};

use crate::process::Process;
use crate::{Problem, Warning, image};

/// A process that is on its way.
#[derive(Debug)]
pub(crate) struct Launch {
    control: OwnedFd,
    /// The first stage, until it is gone.
    first: Option<Child>,
    /// The container's process, our own child as well.
    pid: Option<i32>,
}

/// What the process inside says begins with the place in the configuration that it is about.
fn warning(what: &str) -> Warning {
    let (at, what) = what.split_once(": ").unwrap_or(("process", what));
    Warning::new(at, what)
}

/// What the runtime does where the process waits for it.
pub(crate) trait Attendant {
    /// Puts it into its control groups.
    fn enter(&mut self, pid: i32) -> Result<(), Problem>;
    /// Writes the maps of its user namespace.
    fn map(&mut self, pid: i32) -> Result<(), Problem>;
    /// Moves network devices into its namespace.
    fn devices(&mut self, pid: i32) -> Result<(), Problem>;
    /// Runs the hooks of the runtime; the container's state, for the hooks inside.
    fn hooks(&mut self, pid: i32) -> Result<States, Problem>;
}

impl Launch {
    /// Starts the first stage, which waits for its order; its program gets `preserved` descriptors.
    pub(crate) fn begin(preserved: u32) -> Result<Self, Problem> {
        let failed =
            |error: &dyn std::fmt::Display| Problem::system("start the container's first process", error);
        let image = image::make()?;
        let (control, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                .map_err(|error| failed(&error))?;
        // Above the descriptors that the program inside gets; and the one that may pass exec.
        let least = i32::try_from(preserved).unwrap_or(i32::MAX).saturating_add(3);
        let theirs = fcntl_dupfd_cloexec(&theirs, least).map_err(|error| failed(&error))?;
        fcntl_setfd(&theirs, FdFlags::empty()).map_err(|error| failed(&error))?;
        let first = Command::new(format!("/proc/self/fd/{}", image.as_raw_fd()))
            .arg0("catamaran-oci-init")
            .args([theirs.as_raw_fd().to_string(), preserved.to_string()])
            .spawn()
            .map_err(|error| failed(&error))?;
        drop(theirs);
        Ok(Self { control, first: Some(first), pid: None })
    }

    /// Gives the first stage its order.
    pub(crate) fn order(&self, order: &Order, with: &[BorrowedFd<'_>]) -> Result<(), Problem> {
        match send(&self.control, order, with) {
            // It is gone: why, it may have said.
            Ok(()) | Err(rustix::io::Errno::PIPE) => Ok(()),
            Err(error) => Err(Problem::system("tell the process inside its order", error)),
        }
    }

    /// Attends to the process until nothing but its start is left.
    pub(crate) fn attend(
        &mut self,
        attendant: &mut dyn Attendant,
        warnings: &mut Vec<Warning>,
    ) -> Result<Process, Problem> {
        // What the process itself says may overtake what its maker says.
        let mut waiting = None;
        loop {
            if let Some(pid) = self.pid
                && let Some(event) = waiting.take()
            {
                let word = match event {
                    Event::NeedsGroup => {
                        attendant.enter(pid)?;
                        Word::Entered
                    }
                    Event::NeedsMaps => {
                        attendant.map(pid)?;
                        Word::Mapped
                    }
                    Event::NeedsDevices => {
                        attendant.devices(pid)?;
                        Word::Given
                    }
                    Event::Mounted => Word::Proceed(attendant.hooks(pid)?),
                    _ => return Process::of(pid),
                };
                self.tell(&word)?;
            }
            match self.hear()? {
                Some(Event::Cloned(pid)) => self.born(pid),
                Some(Event::Warning(what)) => warnings.push(warning(&what)),
                Some(Event::Failed(what)) => return Err(Problem::inside(what)),
                Some(event) => waiting = Some(event),
                None => return Err(Problem::Inside(self.how_it_ended())),
            }
        }
    }

    /// Has the program run; comes back when it does, or with the reason why it does not.
    pub(crate) fn run(&mut self, warnings: &mut Vec<Warning>) -> Result<(), Problem> {
        self.tell(&Word::Start)?;
        loop {
            match self.hear()? {
                Some(Event::Failed(what)) => return Err(Problem::inside(what)),
                Some(Event::Warning(what)) => warnings.push(warning(&what)),
                Some(_) => {}
                // Its end of the socket is closed by exec.
                None => return Ok(()),
            }
        }
    }

    fn born(&mut self, pid: i32) {
        self.pid = Some(pid);
        // The first stage has nothing more to do.
        if let Some(mut first) = self.first.take() {
            let _ = first.wait();
        }
    }

    fn hear(&self) -> Result<Option<Event>, Problem> {
        let event =
            receive(&self.control).map_err(|error| Problem::system("hear the process inside", error))?;
        Ok(event.map(|(event, _)| event))
    }

    fn tell(&self, word: &Word) -> Result<(), Problem> {
        match send(&self.control, word, &[]) {
            // It is gone: what it said last is still to be heard.
            Ok(()) | Err(rustix::io::Errno::PIPE) => Ok(()),
            Err(error) => Err(Problem::system("tell the process inside", error)),
        }
    }

    fn how_it_ended(&mut self) -> String {
        let status = match (self.pid, &mut self.first) {
            (Some(pid), _) => Pid::from_raw(pid)
                .and_then(|pid| waitpid(Some(pid), WaitOptions::NOHANG).ok().flatten())
                .map(|(_, status)| format!("{status:?}")),
            (None, Some(first)) => first.wait().ok().map(|status| status.to_string()),
            (None, None) => None,
        };
        let how = status.unwrap_or_else(|| "no word".to_owned());
        format!(
            "the process inside ended without a reason ({how}); was it killed, by its memory limit perhaps?"
        )
    }

    /// Kills what there is of it and waits for its end.
    pub(crate) fn kill(&mut self) {
        if let Some(mut first) = self.first.take() {
            // Without a word from us it comes to its end soon, and has said by then whom it made.
            let _ = shutdown(&self.control, Shutdown::Write);
            let _ = first.wait();
        }
        let _ = ioctl_fionbio(&self.control, true);
        while self.pid.is_none()
            && let Ok(Some(event)) = self.hear()
        {
            if let Event::Cloned(pid) = event {
                self.pid = Some(pid);
            }
        }
        if let Some(pid) = self.pid.take().and_then(Pid::from_raw) {
            // Our child, not waited for: the number is its own.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            let _ = waitpid(Some(pid), WaitOptions::empty());
        }
    }
}

/// A first stage that is being started by a thread of its own: its program is copied and loaded while control groups are made,
/// which takes as long.
#[derive(Debug)]
pub(crate) struct Coming(Option<JoinHandle<Result<Launch, Problem>>>);

impl Coming {
    pub(crate) fn begin(preserved: u32) -> Result<Self, Problem> {
        let thread = thread::Builder::new().spawn(move || Launch::begin(preserved));
        thread
            .map(|thread| Self(Some(thread)))
            .map_err(|error| Problem::system("start the container's first process", error))
    }

    /// Waits until it is there.
    pub(crate) fn arrive(mut self) -> Result<Launch, Problem> {
        self.wait().unwrap_or_else(|| {
            Err(Problem::system("start the container's first process", "the thread that starts it ended"))
        })
    }

    fn wait(&mut self) -> Option<Result<Launch, Problem>> {
        self.0.take()?.join().ok()
    }
}

impl Drop for Coming {
    /// Nobody wants it any more.
    fn drop(&mut self) {
        if let Some(Ok(mut launch)) = self.wait() {
            launch.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many processes that were started with so many preserved descriptors have not ended.
    fn started(preserved: u32) -> usize {
        let ours = |entry: &std::fs::DirEntry| {
            let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            let words: Vec<&str> = line.split('\0').collect();
            matches!(words.as_slice(), ["catamaran-oci-init", _, last, ""] if *last == preserved.to_string())
        };
        std::fs::read_dir("/proc").unwrap().flatten().filter(ours).count()
    }

    #[test]
    fn a_first_stage_that_gets_no_order_is_gone() {
        const ODD: u32 = 613;
        let mut launch = Coming::begin(ODD).unwrap().arrive().unwrap();
        assert_eq!(started(ODD), 1);
        launch.kill();
        assert_eq!(started(ODD), 0);
        drop(Coming::begin(ODD).unwrap());
        assert_eq!(started(ODD), 0);
    }
}
