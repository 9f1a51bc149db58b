//! Lives that begin while the run goes on are started by a thread of their own: whoever looks at the others can't wait for them.
//!
//! What this thread starts ends with it (`PR_SET_PDEATHSIG` means the thread that forked), so it stays until the run is over.

use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use catamaran_worker::stop::stop_at;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};

use super::begin::{Birth, Maker};
use super::lives::Life;
use crate::problem::Problem;

/// Where lives are asked for and taken.
pub(super) struct Nursery {
    asks: Sender<Birth>,
    born: Receiver<Born>,
    bell: OwnedFd,
}

/// A life that waits for the word to begin, or why there is none.
pub(super) struct Born {
    pub(super) instance: usize,
    pub(super) number: u32,
    pub(super) life: Result<Life, Problem>,
}

/// The thread's end of it.
pub(super) struct Midwife {
    asked: Receiver<Birth>,
    answers: Sender<Born>,
    bell: OwnedFd,
}

impl Nursery {
    /// Both ends.
    pub(super) fn make() -> Result<(Self, Midwife), Problem> {
        let bells = || {
            let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            Ok((rustix::io::fcntl_dupfd_cloexec(&bell, 0)?, bell))
        };
        let (theirs, bell) = bells().map_err(|error: rustix::io::Errno| {
            Problem::by_errno(format!("eventfd: {error}"), "raise the limit on open files (ulimit -n)")
        })?;
        let ((asks, asked), (answers, born)) = (channel(), channel());
        Ok((Self { asks, born, bell }, Midwife { asked, answers, bell: theirs }))
    }

    /// Asks for a life.
    pub(super) fn ask(&self, birth: Birth) -> Result<(), Problem> {
        let gone = |_| Problem::new("who starts tenants is gone", "this is a defect of catamaran");
        self.asks.send(birth).map_err(gone)
    }

    /// What there is to be waited for before one may [`Self::take`].
    pub(super) fn poll_fd(&self) -> PollFd<'_> {
        PollFd::new(&self.bell, PollFlags::IN)
    }

    /// Takes the next life that is there.
    pub(super) fn take(&self) -> Option<Born> {
        let born = self.born.try_recv().ok();
        if born.is_none() {
            // It is rung after each: whoever finds nobody has heard it for those before.
            let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
        }
        born.or_else(|| self.born.try_recv().ok())
    }
}

impl Midwife {
    /// Starts whoever is asked for, until nobody asks any more.
    pub(super) fn attend(self, maker: &Mutex<Maker<'_>>) {
        for birth in &self.asked {
            stop_at("next-life");
            let (instance, number) = (birth.instance, birth.number);
            let life = lock(maker).start(&birth);
            let told = self.answers.send(Born { instance, number, life });
            let rung = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
            if told.is_err() || rung.is_err() {
                return;
            }
        }
    }
}

/// The maker, also where a thread that had it died.
pub(super) fn lock<'m, 'a>(maker: &'m Mutex<Maker<'a>>) -> MutexGuard<'m, Maker<'a>> {
    maker.lock().unwrap_or_else(PoisonError::into_inner)
}
