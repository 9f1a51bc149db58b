//! The lives of a tenant: a process each, in groups of its own.

use std::path::PathBuf;

use catamaran_report::report::TenantReport;
use catamaran_scenario::back_off::BackOff;
use catamaran_scenario::{Platform, plan};
use catamaran_worker::facts::Facts;
use catamaran_worker::tape::{Tape, head};

use crate::cgroup::{Accounts, Cgroup, Usage};
use crate::happened::Cause;
use crate::image::Fetched;
use crate::killed::OomKill;
use crate::launcher::Launcher;
use crate::platform;
use crate::program;
use crate::tally::{Look, Tally};
use crate::trace::Seen;
use crate::vm::{Cost, Guest};

/// A replica of a tenant in a run under way.
pub(crate) struct Tenant {
    /// Its tenant's place in the plan, and its number.
    pub(crate) index: usize,
    pub(crate) replica: u32,
    /// Its name and number, as processes and groups have it.
    pub(crate) label: String,
    /// Its tenant, with the limits that hold now.
    pub(crate) plan: plan::Tenant,
    /// Its file, which every life of it uses.
    pub(crate) file: Option<PathBuf>,
    /// All of its lives so far; the last one is the present one.
    pub(crate) lives: Vec<Life>,
    pub(crate) wanted: bool,
    /// Number of the life that is asked for: one that was asked for under another number is not wanted any more.
    pub(super) number: u32,
    pub(super) back_off: BackOff,
    /// Lives that followed one which ended by itself or was killed.
    pub(crate) restarts: u64,
    /// The life that is to come.
    pub(super) due: Option<Due>,
    /// Those that are replaced when the next life of this one is there, and the event that asks for it.
    pub(super) then: Option<(Vec<usize>, Cause)>,
    /// What all its groups had counted at each sample.
    pub(crate) samples: Vec<Usage>,
}

/// A life that is to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// When it is to be started (ns from the origin).
    pub(super) at_ns: u64,
    pub(super) cause: Option<Cause>,
    /// Whether it is being started.
    pub(super) under_way: bool,
}

/// A process, from its start to its end.
pub(crate) struct Life {
    pub(crate) launcher: Launcher,
    /// What it is called: each life has groups, a root and a container of its own.
    pub(super) label: String,
    /// Its group, from the guard's on.
    pub(super) group: String,
    pub(crate) accounts: Accounts,
    /// When it began (ns from the origin).
    pub(crate) begun_ns: u64,
    /// At its beginning, and at its end.
    pub(crate) first: Look,
    pub(crate) last: Look,
    pub(crate) tally: Tally,
    /// Its surroundings.
    pub(crate) facts: Facts,
    /// How it was started, where others did that.
    pub(crate) seen: Option<Seen>,
    /// What was done for it to have its image.
    pub(crate) fetched: Fetched,
    /// On `vm`: its guest, and what that had cost at its beginning and at the end.
    pub(crate) guest: Option<Guest>,
    pub(crate) costs: (Cost, Cost),
    /// Whether its guest has told what was done in it.
    pub(super) collected: bool,
    /// Why it was ended, where an event asked for it.
    pub(crate) asked: Option<(How, Cause)>,
    /// The event that set a bound of memory below what it held.
    pub(super) squeezed: Option<Cause>,
    /// How it ended, where it did so before the end of the run.
    pub(crate) end: Option<End>,
}

/// How an event ends a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It is killed.
    Killed,
    /// It is no longer wanted; its clients are gone with it.
    Unwanted,
    /// Another one takes its place.
    Replaced,
}

/// The end of a life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// When that was heard of (ns from the origin).
    pub(crate) at_ns: u64,
    /// Its exit code, `signal N`, or why it gave up.
    pub(crate) how: String,
    /// Whether it was killed for memory.
    pub(crate) oom: Option<OomKill>,
}

impl Tenant {
    /// A replica of which nothing is there yet.
    pub(super) fn new(index: usize, replica: u32, plan: &plan::Tenant) -> Self {
        Self {
            index,
            replica,
            label: format!("{}.{replica}", plan.name),
            plan: plan.clone(),
            file: None,
            lives: Vec::new(),
            wanted: replica < plan.replicas,
            number: 0,
            back_off: BackOff::default(),
            restarts: 0,
            due: None,
            then: None,
            samples: Vec::new(),
        }
    }

    /// What the report calls it.
    pub(super) fn row_label(&self) -> String {
        TenantReport::blank(&self.plan.name, self.replica).label()
    }

    /// The present life, unless it has ended.
    pub(super) fn there(&self) -> Option<&Life> {
        self.lives.last().filter(|life| life.end.is_none())
    }

    /// Whether it can be killed: it is there, and nobody has asked for its end yet.
    pub(super) fn is_there(&self) -> bool {
        self.there().is_some_and(|life| life.asked.is_none() && !life.is_done())
    }

    /// Whether nothing will come of it any more but by an event.
    pub(super) fn is_over(&self) -> bool {
        self.due.is_none() && self.there().is_none()
    }

    /// What its groups have counted, over all lives.
    pub(super) fn usage(&self) -> Usage {
        let mut sum = Usage { cpu_ns: Some(0), memory_bytes: Some(0), ..Usage::default() };
        for life in &self.lives {
            let usage = life.last.usage;
            sum.cpu_ns = sum.cpu_ns.zip(usage.cpu_ns).map(|(sum, own)| sum + own);
            sum.throttled_ns += usage.throttled_ns;
            sum.throttled_periods += usage.throttled_periods;
            sum.memory_bytes = usage.memory_bytes;
        }
        sum
    }

    /// Sum of a figure over all lives.
    pub(crate) fn sum(&self, figure: impl Fn(&Life) -> u64) -> u64 {
        self.lives.iter().map(figure).sum()
    }
}

impl Life {
    /// How it ended, once it has.
    pub(super) fn ended(&self) -> Option<&String> {
        self.launcher.ended.as_ref().or_else(|| self.guest.as_ref()?.ended.as_ref())
    }

    /// Whether its work is done.
    pub(crate) fn is_done(&self) -> bool {
        self.launcher.tape.get(head::DONE) != 0
    }

    /// Whether it ended before its work was done.
    pub(crate) fn is_cut(&self) -> bool {
        self.end.is_some() && !self.is_done()
    }

    /// Looks at its figures, which stand as its last from now on.
    pub(super) fn look(&mut self, cgroup: &dyn Cgroup) {
        self.last = self.tally.look(cgroup, &self.launcher.tape);
        if self.collected {
            self.last.read_tape(&self.launcher.tape);
        }
    }

    /// The same, which stands as its first, too.
    pub(super) fn first_look(&mut self, cgroup: &dyn Cgroup) {
        self.look(cgroup);
        self.first.clone_from(&self.last);
        self.costs.0 = self.cost();
    }

    /// The look at the end.
    pub(super) fn last_look(&mut self, cgroup: &dyn Cgroup) {
        self.look(cgroup);
        if !self.collected {
            self.costs.1 = self.cost();
        }
    }

    /// What its guest has cost so far.
    fn cost(&self) -> Cost {
        self.guest.as_ref().map(Guest::cost).unwrap_or_default()
    }

    /// Has it end now, for the sake of an event. A guest tells first what was done in it.
    pub(super) fn kill(&mut self, how: How, cause: Cause) {
        self.asked = Some((how, cause));
        self.costs.1 = self.cost();
        if let Err(error) = self.collect() {
            tracing::debug!(%error, "a guest that is killed does not tell what it did");
        }
        self.launcher.kill();
    }

    /// Brings back what was done in its guest, where there is one.
    pub(super) fn collect(&mut self) -> std::io::Result<()> {
        let Some(guest) = self.guest.as_mut().filter(|_| !self.collected) else { return Ok(()) };
        self.collected = true;
        guest.collect(&self.launcher.tape)?;
        self.last.read_tape(&self.launcher.tape);
        Ok(())
    }

    /// Of a program in a guest whose worker has ended, brings back how and why.
    pub(super) fn learn(&mut self) {
        let ended = self.guest.as_ref().is_some_and(|guest| guest.ended.is_some());
        if !ended || self.collected || !program::has_one(self.tape()) {
            return;
        }
        self.costs.1 = self.cost();
        if let Err(error) = self.collect() {
            tracing::debug!(%error, "a guest does not tell how its program ended");
        }
    }

    /// Its kills for memory, as its group has counted them, and its guest's kernel's.
    pub(crate) fn oom_kills(&self, cgroup: &dyn Cgroup) -> Option<u64> {
        let text = self.accounts.oom.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let text = text.or_else(|| self.tally.oom().map(str::to_owned));
        let in_guest = self.guest.as_ref().map_or(0, Guest::kills);
        text.and_then(|text| Some(cgroup.oom_kills(&text)? + in_guest))
    }

    /// Its peak of memory (bytes).
    pub(crate) fn memory_peak_bytes(&self) -> Option<u64> {
        crate::guard::number(self.accounts.memory_peak.as_ref()).or(self.tally.memory_peak_bytes())
    }

    /// Whether and how it was killed for memory; `how` says how it ended.
    pub(super) fn oom_kill(
        &self,
        how: &str,
        cgroup: &dyn Cgroup,
        (plan, platform): (&plan::Tenant, Platform),
    ) -> Option<OomKill> {
        if self.asked.is_some() || self.is_done() {
            return None;
        }
        if let Some(guest) = self.guest.as_ref().filter(|_| self.launcher.ended.is_none()) {
            return OomKill::in_guest(how, guest.kills());
        }
        let limit = plan.memory.limit.filter(|_| platform::has_limits(platform));
        let kills = self.oom_kills(cgroup).unwrap_or(0);
        OomKill::find(how, kills, self.memory_peak_bytes(), limit.map(|limit| limit.0))
    }

    pub(crate) fn tape(&self) -> &Tape {
        &self.launcher.tape
    }
}
