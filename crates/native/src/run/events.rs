//! The events of a scenario, ends, and the lives that follow them, as the simulator has them (decisions 0480, 1380).
//!
//! **Law.** `kill`: SIGKILL to every replica. `set-limit`: the files of the tenant's own groups are written. `scale`: the lowest
//! free numbers are started; those that are not there are given up first, then the one that was started last, then the one that
//! was restarted more, then the one with the highest number. `update`: one replica after the other is killed, and a new life is
//! started in its place before the next is. What has ended is started again by `restart`, after Kubernetes' back-off.
//! **Source.** `signal(7)`; Kubernetes `pkg/controller/controller_utils.go` (`ActivePodsWithRanks`).

use std::cmp::Reverse;

use catamaran_report::report::EventRow;
use catamaran_scenario::plan::{Action, Restart, Workload};
use catamaran_scenario::{Bytes, MilliCpu};
use catamaran_worker::tape::{head, phase};

use super::begin::Birth;
use super::course::Course;
use super::lives::{Due, End, How, Life, Tenant};
use super::nursery::Nursery;
use crate::cgroup::Limits;
use crate::happened::Cause;
use crate::platform;
use crate::problem::{self, Problem};
use crate::program;

impl Course<'_> {
    /// Carries out the events that are due.
    pub(super) fn happen(&mut self) -> Result<(), Problem> {
        while self.events.front().is_some_and(|event| event.at.0 <= self.elapsed_ns()) {
            let Some(event) = self.events.pop_front() else { return Ok(()) };
            let name = event.action.tenant().unwrap_or_default().to_owned();
            let met = self.tenants.iter().enumerate().filter(|(_, tenant)| tenant.plan.name == name);
            let met: Vec<usize> = met.map(|(instance, _)| instance).collect();
            let at_ns = self.elapsed_ns();
            let asked = self.log.note(at_ns, ("scenario", event.action.word(), &name), None);
            match event.action {
                Action::Kill { .. } => met.into_iter().for_each(|instance| self.kill(instance, asked)),
                Action::SetLimit { cpu, memory, .. } if self.applies_limits() => {
                    for instance in met {
                        cpu.map_or(Ok(()), |cpu| self.set_cpu(instance, cpu, asked))?;
                        memory.map_or(Ok(()), |memory| self.set_memory(instance, memory, asked))?;
                    }
                }
                Action::Scale { replicas, .. } => self.scale(&met, replicas as usize, asked),
                Action::Update { .. } => self.replace(&met, asked),
                // Without limits nothing follows; all else was refused before anything was begun.
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether tenants have groups of their own whose bounds can be set.
    fn applies_limits(&self) -> bool {
        platform::has_limits(self.platform) && self.cgroup.version() != 0
    }

    fn kill(&mut self, instance: usize, asked: Cause) {
        let at_ns = self.elapsed_ns();
        let Some(tenant) = self.tenants.get_mut(instance).filter(|tenant| tenant.is_there()) else { return };
        let killed = self.log.note(at_ns, ("kernel", "killed", &tenant.row_label()), Some(asked));
        if let Some(life) = tenant.lives.last_mut() {
            life.kill(How::Killed, killed);
        }
    }

    /// Ends a replica that is there because nobody wants it any more, or wants another in its place.
    fn stop(&mut self, instance: usize, how: How, asked: Cause) {
        let at_ns = self.elapsed_ns();
        let Some(tenant) = self.tenants.get_mut(instance) else { return };
        let stopped = self.log.note(at_ns, ("runtime", "stop", &tenant.row_label()), Some(asked));
        if let Some(life) = tenant.lives.last_mut() {
            life.kill(how, stopped);
        }
    }

    /// Has a quota hold for a replica, now and for its lives to come.
    fn set_cpu(&mut self, instance: usize, limit: MilliCpu, asked: Cause) -> Result<(), Problem> {
        let Some(tenant) = self.tenants.get_mut(instance) else { return Ok(()) };
        tenant.plan.cpu.limit = Some(limit);
        let limits = platform::quota(&tenant.plan.cpu);
        self.write(instance, &limits, false)
            .map_err(|what| Problem::by_errno(what, "choose another quota for the event"))?;
        self.tell(instance, "cpu-limit", asked);
        Ok(())
    }

    /// The same of its memory, unless the kernel refuses: version 1 does where more is held and can't be given back.
    fn set_memory(&mut self, instance: usize, limit: Bytes, asked: Cause) -> Result<(), Problem> {
        let Some(tenant) = self.tenants.get_mut(instance) else { return Ok(()) };
        let had = tenant.plan.memory.limit.replace(limit);
        let limits = platform::memory_bound(&tenant.plan.memory);
        let written = self.write(instance, &limits, had.is_some_and(|had| limit > had));
        let Some(tenant) = self.tenants.get_mut(instance) else { return Ok(()) };
        let what = match written {
            Err(what) if problem::errno(&what) == Some(rustix::io::Errno::BUSY) => {
                tenant.plan.memory.limit = had;
                "memory-limit-refused"
            }
            Err(what) => return Err(Problem::by_errno(what, "choose another bound for the event")),
            Ok(()) => {
                let held = |life: &&mut Life| life.last.usage.memory_bytes.is_some_and(|held| held > limit.0);
                if let Some(life) = tenant.lives.last_mut().filter(held) {
                    life.squeezed = Some(asked);
                }
                "memory-limit"
            }
        };
        self.tell(instance, what, asked);
        Ok(())
    }

    /// Writes bounds to the groups of a replica that is there.
    fn write(&self, instance: usize, limits: &Limits, raises: bool) -> Result<(), String> {
        let life = self.tenants.get(instance).and_then(Tenant::there);
        let steps = life.map_or_else(Vec::new, |life| self.cgroup.set(&life.group, limits, raises));
        match steps.iter().try_for_each(|step| step.perform(0)) {
            // It has just ended, and an engine has removed its groups.
            Err(what) if problem::errno(&what) == Some(rustix::io::Errno::NOENT) => Ok(()),
            answer => answer,
        }
    }

    /// Notes what the kernel did to a replica.
    fn tell(&mut self, instance: usize, what: &'static str, asked: Cause) {
        let at_ns = self.elapsed_ns();
        let Some(tenant) = self.tenants.get(instance) else { return };
        self.log.note(at_ns, ("kernel", what, &tenant.row_label()), Some(asked));
    }

    fn scale(&mut self, met: &[usize], wanted: usize, asked: Cause) {
        let at_ns = self.elapsed_ns();
        let (mut here, others): (Vec<usize>, Vec<usize>) =
            met.iter().partition(|instance| self.tenants.get(**instance).is_some_and(|one| one.wanted));
        for instance in others.into_iter().take(wanted.saturating_sub(here.len())) {
            let Some(tenant) = self.tenants.get_mut(instance) else { continue };
            tenant.wanted = true;
            tenant.await_life(at_ns, Some(asked));
        }
        let rank = |instance: &usize| {
            let tenant = self.tenants.get(*instance);
            let since = tenant.and_then(|one| one.lives.last()).map(|life| life.begun_ns);
            let is_there = tenant.is_some_and(Tenant::is_there);
            (is_there, Reverse((since, tenant.map(|one| one.restarts), *instance)))
        };
        here.sort_by_key(rank);
        let surplus = here.len().saturating_sub(wanted);
        for instance in here.into_iter().take(surplus) {
            let Some(tenant) = self.tenants.get_mut(instance) else { continue };
            tenant.wanted = false;
            tenant.due = None;
            if tenant.is_there() {
                self.stop(instance, How::Unwanted, asked);
            }
        }
    }

    /// Ends the first of these that is there, to be replaced, and has the others follow when that has come.
    fn replace(&mut self, instances: &[usize], asked: Cause) {
        let is_there = |instance: &usize| self.tenants.get(*instance).is_some_and(Tenant::is_there);
        let mut there = instances.iter().copied().filter(is_there);
        let Some(first) = there.next() else { return };
        let rest: Vec<usize> = there.collect();
        if let Some(tenant) = self.tenants.get_mut(first) {
            tenant.then = Some((rest, asked));
        }
        self.stop(first, How::Replaced, asked);
    }

    /// Takes note of the ends that have been heard of, and of what follows.
    pub(super) fn note_ends(&mut self) {
        let machine = |node| EventRow::machine(self.plan, node);
        let (now_ns, origin_ns) = (self.elapsed_ns(), self.origin_ns);
        for tenant in &mut self.tenants {
            let Some(how) = tenant.there().and_then(Life::ended).cloned() else { continue };
            let label = tenant.row_label();
            let Some(life) = tenant.lives.last_mut() else { continue };
            life.learn();
            life.look(&*self.cgroup);
            let at_ns = life.launcher.ended_ns.map_or(now_ns, |at_ns| at_ns.saturating_sub(origin_ns));
            // Its worker outlives a program that is killed, and says how that ended.
            let killed = program::killed(life.tape());
            let oom =
                life.oom_kill(killed.as_ref().unwrap_or(&how), &*self.cgroup, (&tenant.plan, self.platform));
            let cause = match (&oom, life.asked) {
                (Some(kill), _) => {
                    let names = (&*label, &*machine(tenant.plan.node));
                    Some(kill.note(&mut self.log, at_ns, names, life.squeezed))
                }
                (None, Some((_, cause))) => Some(cause),
                (None, None) if tenant.plan.restart == Restart::Always && life.is_done() => {
                    Some(self.log.note(at_ns, (&label, "finish", &label), None))
                }
                (None, None) => None,
            };
            life.end = Some(End { at_ns, how, oom });
            tenant.follow_up(at_ns, cause);
        }
    }

    /// Has lives started whose time has come.
    pub(super) fn ask_for_lives(&mut self, nursery: &Nursery) -> Result<(), Problem> {
        let now_ns = self.elapsed_ns();
        for (instance, tenant) in self.tenants.iter_mut().enumerate() {
            // Two lives of one replica would be two replicas.
            let is_free = tenant.there().is_none();
            let Some(due) =
                tenant.due.as_mut().filter(|due| is_free && !due.under_way && due.at_ns <= now_ns)
            else {
                continue;
            };
            due.under_way = true;
            nursery.ask(Birth::of(instance, tenant))?;
        }
        Ok(())
    }

    /// When something is due next (ns from the origin); none where nothing is.
    pub(super) fn next_ns(&self) -> Option<u64> {
        let waits = |tenant: &Tenant| {
            tenant.due.filter(|due| !due.under_way && tenant.there().is_none()).map(|due| due.at_ns)
        };
        let lives = self.tenants.iter().filter_map(waits);
        lives.chain(self.events.front().map(|event| event.at.0)).min()
    }

    /// Lets those begin that have been started.
    pub(super) fn take_lives(&mut self, nursery: &Nursery) -> Result<(), Problem> {
        while let Some(born) = nursery.take() {
            let mut life = born.life?;
            let Some(tenant) = self.tenants.get_mut(born.instance) else { continue };
            let is_wanted = tenant.wanted && tenant.number == born.number;
            // Else it ends here.
            let Some(due) = tenant.due.take_if(|_| is_wanted) else { continue };
            life.first_look(&*self.cgroup);
            let now_ns = catamaran_worker::clock::now_ns().saturating_sub(self.origin_ns);
            tenant.begin(&mut life, now_ns, self.origin_ns);
            let follows = tenant.lives.last().is_some_and(|last| !last.is_replaced());
            tenant.restarts += u64::from(follows);
            tenant.lives.push(life);
            let what = if follows { "restart" } else { "start" };
            self.log.note(now_ns, ("runtime", what, &tenant.row_label()), due.cause);
            if let Some((rest, asked)) = tenant.then.take() {
                self.replace(&rest, asked);
            }
        }
        Ok(())
    }
}

impl Life {
    /// Whether an event had it end for another to take its place, or none.
    fn is_replaced(&self) -> bool {
        matches!(self.asked, Some((How::Unwanted | How::Replaced, _)))
    }
}

impl Tenant {
    /// Asks for a life that is to be started then, in the place of any other that was asked for.
    fn await_life(&mut self, at_ns: u64, cause: Option<Cause>) {
        self.number += 1;
        self.due = Some(Due { at_ns, cause, under_way: false });
    }

    /// The present life has ended: is there to be another one?
    fn follow_up(&mut self, ended_ns: u64, cause: Option<Cause>) {
        let Some(life) = self.lives.last().filter(|_| self.wanted && self.due.is_none()) else { return };
        let delay_ns = match (life.asked, self.plan.restart) {
            (Some((How::Replaced, _)), _) => 0,
            (Some((How::Unwanted, _)), _) | (_, Restart::Never) => return,
            (None, Restart::OnFailure) if life.is_done() => return,
            _ => self.back_off.next(ended_ns),
        };
        self.await_life(ended_ns.saturating_add(delay_ns), cause);
    }

    /// Lets a life go. The clients of a lone server go on as if nothing had happened; all else starts over.
    fn begin(&self, life: &mut Life, now_ns: u64, origin_ns: u64) {
        life.begun_ns = now_ns.max(self.plan.start_at.0);
        let tape = life.tape();
        let begin_ns = match &self.plan.workload {
            Workload::Server(_) => {
                let missed_ns = life.begun_ns.saturating_sub(self.plan.start_at.0);
                let at = tape.layout().phase(0);
                let count = tape.get(at + phase::REQUESTS) as usize;
                let arrays = tape.get(at + phase::ARRAYS) as usize;
                for k in (0..count).take_while(|k| tape.get(arrays + k) < missed_ns) {
                    tape.set(arrays + 3 * count + k, phase::FAILED_REFUSED);
                }
                self.plan.start_at.0
            }
            _ => life.begun_ns,
        };
        tape.set(head::ORIGIN_NS, origin_ns);
        tape.set(head::BEGIN_NS, origin_ns + begin_ns);
        tape.go();
    }
}
