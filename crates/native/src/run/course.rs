//! What happens in a run between its common start and its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use catamaran_scenario::Platform;
use catamaran_scenario::plan::{self, Plan};
use catamaran_worker::clock::{now_ns, sleep_until};
use catamaran_worker::program::GRACE_NS;
use catamaran_worker::tape::head;
use rustix::event::poll;

use super::Progress;
use super::lives::{End, Tenant};
use super::nursery::Nursery;
use crate::cgroup::Cgroup;
use crate::engine::Engine;
use crate::happened::Log;
use crate::interrupt::Interrupt;
use crate::launcher::{GONE, LOOK_EVERY};
use crate::problem::Problem;
use crate::program;
use crate::vm::Guest;

/// Between the word to begin and the common start (ns): threads on every core get to sleep until then.
const LEAD_NS: u64 = 20_000_000;
/// The same where the word has to come to guests, some of them emulated, over serial lines (ns).
const LEAD_GUESTS_NS: u64 = 500_000_000;
/// The same where tenants first have to connect to each other (ns).
const LEAD_NETWORK_NS: u64 = 100_000_000;
/// What a worker gets to tell of its program's end (ns), once that has had its time.
const AFTER_GRACE_NS: u64 = 1_500_000_000;
/// Between two samples of the tenants' consumption (ns).
pub(crate) const SAMPLE_NS: u64 = 100_000_000;

/// The tenants of a run, and what happens to them.
pub(super) struct Course<'a> {
    pub(super) plan: &'a Plan,
    pub(super) platform: Platform,
    pub(super) interrupt: &'a Interrupt,
    pub(super) tenants: Vec<Tenant>,
    pub(super) cgroup: Arc<dyn Cgroup>,
    pub(super) in_guests: bool,
    /// Whether tenants talk to each other.
    pub(super) talks: bool,
    /// The events that are to come, by time.
    pub(super) events: VecDeque<plan::Event>,
    pub(super) log: Log,
    pub(super) origin_ns: u64,
}

impl Course<'_> {
    /// Sets the common start and wakes everyone.
    pub(super) fn go(&mut self) -> Result<(), Problem> {
        let lives = self.tenants.iter_mut().flat_map(|tenant| &mut tenant.lives);
        lives.filter_map(|life| life.guest.as_mut()).try_for_each(Guest::synchronize)?;
        let lead_ns = match (self.in_guests, self.talks) {
            (true, _) => LEAD_GUESTS_NS,
            (false, true) => LEAD_NETWORK_NS,
            (false, false) => LEAD_NS,
        };
        self.origin_ns = now_ns() + lead_ns;
        for tenant in &mut self.tenants {
            let begun_ns = tenant.plan.start_at.0;
            for life in &mut tenant.lives {
                life.begun_ns = begun_ns;
                let (tape, begin_ns) = (&life.launcher.tape, self.origin_ns + begun_ns);
                tape.set(head::ORIGIN_NS, self.origin_ns);
                tape.set(head::BEGIN_NS, begin_ns);
                if let Some(guest) = &mut life.guest {
                    guest.go(self.origin_ns, begin_ns)?;
                }
            }
        }
        self.tenants.iter().flat_map(|tenant| &tenant.lives).for_each(|life| life.launcher.tape.go());
        sleep_until(self.origin_ns - LEAD_NS / 4);
        for life in self.tenants.iter_mut().filter_map(|tenant| tenant.lives.last_mut()) {
            life.first_look(&*self.cgroup);
        }
        Ok(())
    }

    /// Time of the run (ns from the origin).
    pub(super) fn elapsed_ns(&self) -> u64 {
        now_ns().saturating_sub(self.origin_ns)
    }

    /// Sleeps, but for looks, events and births now and then, until the run is over; when it was (ns of the clock).
    pub(super) fn watch(
        &mut self,
        nursery: Option<&Nursery>,
        progress: &mut Progress,
    ) -> Result<u64, Problem> {
        let duration = self.plan.duration();
        let end_ns = self.origin_ns + duration.0;
        let mut sample_ns = self.origin_ns;
        loop {
            self.hear_guests();
            self.note_ends();
            let now = now_ns();
            self.check_starts()?;
            if now >= end_ns || self.is_over() {
                for life in self.tenants.iter_mut().filter_map(|tenant| tenant.lives.last_mut()) {
                    life.last_look(&*self.cgroup);
                }
                return Ok(now);
            }
            if let Some(nursery) = nursery {
                self.happen()?;
                self.ask_for_lives(nursery)?;
                self.take_lives(nursery)?;
            }
            if now >= sample_ns {
                self.sample();
                sample_ns += SAMPLE_NS;
                if let Some(progress) = progress {
                    progress((now - self.origin_ns) as f64 / 1e9, duration.seconds());
                }
            }
            self.interrupt.check()?;
            let next_ns = self.next_ns().map_or(u64::MAX, |next| self.origin_ns.saturating_add(next));
            self.wait_until(end_ns.min(sample_ns).min(next_ns), nursery)?;
        }
    }

    fn hear_guests(&mut self) {
        let lives = self.tenants.iter_mut().filter_map(|tenant| tenant.lives.last_mut());
        lives.filter_map(|life| life.guest.as_mut()).for_each(Guest::hear);
    }

    /// A tenant that fails is a result of the run; one that never was there is none.
    fn check_starts(&self) -> Result<(), Problem> {
        for tenant in &self.tenants {
            let Some(life) = tenant.lives.last().filter(|life| program::was_never_there(life.tape())) else {
                continue;
            };
            if let Some(End { how, .. }) = &life.end {
                let what = format!("{} was never there: {how}", tenant.row_label());
                return Err(Problem::new(what, "have its program start here by hand, then run it again"));
            }
        }
        Ok(())
    }

    /// Whether nothing is left to come of anybody.
    fn is_over(&self) -> bool {
        self.events.is_empty() && self.tenants.iter().all(Tenant::is_over)
    }

    fn sample(&mut self) {
        for tenant in &mut self.tenants {
            if let Some(life) = tenant.lives.last_mut() {
                life.look(&*self.cgroup);
            }
            tenant.samples.push(tenant.usage());
        }
    }

    /// Sleeps until then, or a message, or a birth, or the next look at the interrupt flag.
    fn wait_until(&mut self, at_ns: u64, nursery: Option<&Nursery>) -> Result<(), Problem> {
        let sleep = Duration::from_nanos(at_ns.saturating_sub(now_ns())).min(LOOK_EVERY);
        let timeout = rustix::time::Timespec::try_from(sleep).ok();
        let lives = self.tenants.iter().filter_map(|tenant| tenant.lives.last());
        let alive = lives.filter(|life| life.launcher.ended.is_none());
        let mut fds: Vec<_> = alive.flat_map(|life| life.launcher.poll_fds()).collect();
        fds.extend(nursery.map(Nursery::poll_fd));
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) | Err(_) => Ok(()),
            Ok(_) => {
                let mut lives = self.tenants.iter_mut().filter_map(|tenant| tenant.lives.last_mut());
                lives.try_for_each(|life| {
                    let lived = life.launcher.ended.is_none();
                    life.launcher.hear_all()?;
                    if lived && life.launcher.ended.is_some() {
                        // An engine is about to remove its groups: nothing comes before this look.
                        life.look(&*self.cgroup);
                    }
                    Ok(())
                })
            }
        }
    }

    /// Ends whoever still works. A throttled process dies only when it may run again, so limits are lifted first.
    pub(super) fn end(&mut self, engine: Option<&mut Engine>) {
        let lives = self.tenants.iter().filter_map(|tenant| tenant.lives.last());
        for life in lives.filter(|life| life.launcher.ended.is_none()) {
            for step in &life.accounts.unlimit {
                if let Err(what) = step.perform(0) {
                    tracing::debug!(what, "a limit could not be lifted");
                }
            }
        }
        self.let_programs_end();
        if let Some(engine) = engine {
            self.ask_ends(engine);
        }
        let origin_ns = self.origin_ns;
        for life in self.tenants.iter_mut().filter_map(|tenant| tenant.lives.last_mut()) {
            if let Err(error) = life.collect() {
                let at_ns = now_ns().saturating_sub(origin_ns);
                let how = format!("its guest does not answer: {error}");
                life.end.get_or_insert(End { at_ns, how, oom: None });
            }
            life.launcher.end();
        }
    }

    /// Programs of the user's own are stopped by their workers now, and given their time.
    fn let_programs_end(&mut self) {
        let deadline_ns = now_ns() + GRACE_NS + AFTER_GRACE_NS;
        for life in self.tenants.iter_mut().filter_map(|tenant| tenant.lives.last_mut()) {
            let (tape, guest) = (&life.launcher.tape, life.guest.as_mut());
            let told = guest.filter(|_| program::has_one(tape)).map(|guest| guest.copy_phases(tape));
            if let Some(Err(problem)) = told {
                tracing::debug!(what = problem.what(), "a guest does not tell how far its program is");
            }
        }
        // Also those whose program is gone: they say why, and go, and their word may still be on the way.
        let lives = |tenant: &Tenant| {
            let there = tenant.there().filter(|life| life.ended().is_none());
            there.is_some_and(|life| program::was_begun(life.tape()))
        };
        while now_ns() < deadline_ns && self.tenants.iter().any(lives) {
            if self.wait_until(deadline_ns, None).is_err() {
                return;
            }
            self.hear_guests();
        }
        self.note_ends();
    }

    /// Of tenants that are an engine's, the engine is asked how they ended before the run did; but for those that we ended.
    fn ask_ends(&mut self, engine: &mut Engine) {
        for tenant in &mut self.tenants {
            for life in tenant.lives.iter_mut().filter(|life| life.asked.is_none()) {
                let Some(end) = life.end.as_mut().filter(|end| end.how == GONE) else { continue };
                end.how = engine.end_of(&life.label, self.interrupt).unwrap_or_else(Problem::what);
            }
        }
    }
}
