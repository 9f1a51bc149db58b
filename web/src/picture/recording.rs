//! A simulation, put in order for drawing and for stepping.

use catamaran_lessons::Stage;
use catamaran_report::report::{TenantReport, TenantState};
use catamaran_report::timeline::{Period, Slice, Throttle};
use catamaran_report::{Report, Timeline};

/// A thread on a core without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Thread of the tenant, from 0.
    pub thread: u32,
    /// From (ns).
    pub start_ns: u64,
    /// To (ns).
    pub end_ns: u64,
}

/// What a simulation answered. Two recordings are equal only if they are the same one: comparing every slice at every
/// frame would cost more than drawing them.
#[derive(Debug)]
pub struct Recording {
    /// The report.
    pub report: Report,
    /// The timeline as it came.
    pub timeline: Timeline,
    /// Who ran on each core, by start.
    pub cores: Vec<Vec<Run>>,
    /// Every instant (ns) at which something that is drawn changes, ascending, no repeats.
    changes: Vec<u64>,
    /// The end of the run (ns).
    pub end_ns: u64,
    /// Machines that the cores belong to, each with as many of them.
    pub nodes: u32,
}

impl PartialEq for Recording {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Recording {
    /// Puts a simulation in order.
    #[must_use]
    pub fn new(report: Report, timeline: Timeline) -> Self {
        let cores = by_core(&timeline);
        let changes = changes(&timeline, &cores);
        let end_ns = ns(report.elapsed_s).max(1);
        Self { report, timeline, cores, changes, end_ns, nodes: 1 }
    }

    /// With its cores on so many machines.
    #[must_use]
    pub fn on_nodes(mut self, nodes: u32) -> Self {
        self.nodes = nodes.max(1);
        self
    }

    /// The machine that a core belongs to; `None` where there is but one.
    #[must_use]
    pub fn node_of(&self, core: usize) -> Option<u32> {
        let each = self.cores.len() / self.nodes as usize;
        (self.nodes > 1 && each > 0).then(|| (core / each) as u32)
    }

    /// With the changes that can be seen on that stage: on that of weights the stages of a start, on that of memory the kills
    /// besides what cores do, on that of steal what virtual CPUs do, on that of families the days of the table.
    #[must_use]
    pub fn watched(mut self, stage: Stage) -> Self {
        match stage {
            Stage::Cpu | Stage::Sight | Stage::Servers => return self,
            Stage::Steal => {
                let guests = self.timeline.guests.iter();
                self.changes.extend(guests.flat_map(|slice| [slice.start_ns, slice.end_ns]));
            }
            Stage::Chain => self.changes = super::ChainFilm::new(&self.report).changes(self.end_ns),
            Stage::Layers => self.changes = super::layer_changes(&self.report),
            Stage::Family => self.changes = super::family::changes(self.end_ns),
            Stage::Memory => {
                let kills = self.report.events.iter().filter(|event| event.what == "oom-kill");
                self.changes.extend(kills.map(|event| ns(event.at_s)));
            }
            Stage::Weight => {
                let first = self.report.tenants.first();
                let stages = first.map(|tenant| tenant.startup_stages.as_slice()).unwrap_or_default();
                self.changes =
                    stages.iter().flat_map(|stage| [stage.start_s, stage.end_s]).flatten().map(ns).collect();
            }
        }
        self.changes.sort_unstable();
        self.changes.dedup();
        self
    }

    /// The runs on `core` that touch `[from_ns, to_ns)`.
    #[must_use]
    pub fn runs(&self, core: usize, from_ns: u64, to_ns: u64) -> &[Run] {
        self.cores
            .get(core)
            .map_or(&[], |runs| between(runs, from_ns, to_ns, |run| (run.start_ns, run.end_ns)))
    }

    /// Who is on `core` at that instant.
    #[must_use]
    pub fn who(&self, core: usize, at_ns: u64) -> Option<&Run> {
        self.runs(core, at_ns, at_ns + 1).first()
    }

    /// The stops by quota that touch `[from_ns, to_ns)`.
    pub fn throttles(&self, tenant: u32, from_ns: u64, to_ns: u64) -> impl Iterator<Item = &Throttle> {
        let touches =
            move |stop: &&Throttle| stop.tenant == tenant && stop.start_ns < to_ns && stop.end_ns > from_ns;
        self.timeline.throttles.iter().filter(touches)
    }

    /// When in `[from_ns, to_ns)` a tenant stood still (ns): stopped by its quota, and none of its threads on a core. (A quota
    /// runs out core by core, so threads may go on for a moment after the first of them was stopped.)
    #[must_use]
    pub fn standstills(&self, tenant: u32, from_ns: u64, to_ns: u64) -> Vec<(u64, u64)> {
        let mut still = Vec::new();
        for stop in self.throttles(tenant, from_ns, to_ns) {
            let end_ns = stop.end_ns.min(to_ns);
            let mut at_ns = stop.start_ns.max(from_ns);
            for (start_ns, until_ns) in self.on_cores(tenant, at_ns, end_ns) {
                if start_ns > at_ns {
                    still.push((at_ns, start_ns));
                }
                at_ns = at_ns.max(until_ns);
            }
            if end_ns > at_ns {
                still.push((at_ns, end_ns));
            }
        }
        still
    }

    /// The runs of a tenant on any core that touch `[from_ns, to_ns)`, by start.
    fn on_cores(&self, tenant: u32, from_ns: u64, to_ns: u64) -> Vec<(u64, u64)> {
        let of_core = |core| self.runs(core, from_ns, to_ns).iter().filter(|run| run.tenant == tenant);
        let mut runs: Vec<(u64, u64)> =
            (0..self.cores.len()).flat_map(of_core).map(|run| (run.start_ns, run.end_ns)).collect();
        runs.sort_unstable();
        runs
    }

    /// The enforcement periods of a tenant, each with its end (ns): the start of the next, or the end of the run.
    pub fn periods(&self, tenant: u32) -> impl Iterator<Item = (&Period, u64)> {
        let of_tenant = move |period: &&Period| period.tenant == tenant;
        let ends = self.timeline.periods.iter().filter(of_tenant).skip(1).map(|next| next.start_ns);
        self.timeline.periods.iter().filter(of_tenant).zip(ends.chain(std::iter::once(self.end_ns)))
    }

    /// The tenants that have a quota, by index.
    #[must_use]
    pub fn limited_tenants(&self) -> Vec<u32> {
        let mut tenants: Vec<u32> = self.timeline.periods.iter().map(|period| period.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        tenants
    }

    /// The tenants that answer requests, by index.
    #[must_use]
    pub fn servers(&self) -> Vec<u32> {
        let tenants = (0_u32..).zip(&self.report.tenants);
        tenants.filter(|(_, tenant)| tenant.requests.is_some()).map(|(index, _)| index).collect()
    }

    /// Name of a tenant, with its replica from the second on.
    #[must_use]
    pub fn name(&self, tenant: u32) -> String {
        self.report.tenants.get(tenant as usize).map(TenantReport::label).unwrap_or_default()
    }

    /// Of tenants that are all alike the one to ask about: the first that was killed, or else the first.
    #[must_use]
    pub fn worst_off(&self) -> u32 {
        let killed = |tenant: &TenantReport| tenant.state == TenantState::OomKilled;
        self.report.tenants.iter().position(killed).map_or(0, |tenant| tenant as u32)
    }

    /// The next change that can be seen: at least `least_ns` after `at_ns`.
    #[must_use]
    pub fn next_change(&self, at_ns: u64, least_ns: u64) -> Option<u64> {
        let from = at_ns.saturating_add(least_ns.max(1));
        let index = self.changes.partition_point(|&change| change < from);
        self.changes.get(index).copied()
    }

    /// The change before that can be seen: at least `least_ns` before `at_ns`.
    #[must_use]
    pub fn previous_change(&self, at_ns: u64, least_ns: u64) -> Option<u64> {
        let until = at_ns.checked_sub(least_ns.max(1))?;
        let index = self.changes.partition_point(|&change| change <= until);
        self.changes.get(index.checked_sub(1)?).copied()
    }
}

fn ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// The items that touch `[from_ns, to_ns)`, of items that are sorted and don't overlap.
pub(super) fn between<T>(items: &[T], from_ns: u64, to_ns: u64, span: impl Fn(&T) -> (u64, u64)) -> &[T] {
    let first = items.partition_point(|item| span(item).1 <= from_ns);
    let end = items.partition_point(|item| span(item).0 < to_ns);
    items.get(first..end.max(first)).unwrap_or_default()
}

/// Slices by core; those that follow on one another without a break (as after a timer tick) are one.
fn by_core(timeline: &Timeline) -> Vec<Vec<Run>> {
    let mut cores: Vec<Vec<Run>> = vec![Vec::new(); timeline.cores as usize];
    for &Slice { core, tenant, thread, start_ns, end_ns } in &timeline.slices {
        let Some(runs) = cores.get_mut(core as usize) else { continue };
        match runs.last_mut() {
            Some(last) if (last.tenant, last.thread, last.end_ns) == (tenant, thread, start_ns) => {
                last.end_ns = end_ns;
            }
            _ => runs.push(Run { tenant, thread, start_ns, end_ns }),
        }
    }
    cores
}

fn changes(timeline: &Timeline, cores: &[Vec<Run>]) -> Vec<u64> {
    let runs = cores.iter().flatten().flat_map(|run| [run.start_ns, run.end_ns]);
    let stops = timeline.throttles.iter().flat_map(|stop| [stop.start_ns, stop.end_ns]);
    let arrivals = timeline.requests.iter().map(|request| request.arrival_ns);
    let births = timeline.views.iter().map(|view| view.born_ns);
    let mut changes: Vec<u64> = runs.chain(stops).chain(arrivals).chain(births).collect();
    changes.sort_unstable();
    changes.dedup();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests_support::{recording, slice};

    #[test]
    fn slices_that_follow_without_a_break_are_one_run() {
        let film = recording(&[slice(0, 0, 0, 4), slice(1, 1, 0, 2), slice(0, 0, 4, 8), slice(0, 1, 8, 9)]);
        let spans: Vec<_> =
            film.runs(0, 0, 100).iter().map(|run| (run.tenant, run.start_ns, run.end_ns)).collect();
        assert_eq!(spans, [(0, 0, 8), (1, 8, 9)]);
    }

    #[test]
    fn a_window_holds_what_touches_it() {
        let film = recording(&[slice(0, 0, 0, 4), slice(0, 1, 6, 8), slice(0, 0, 8, 12)]);
        let starts = |from, to| film.runs(0, from, to).iter().map(|run| run.start_ns).collect::<Vec<_>>();
        assert_eq!(starts(0, 12), [0, 6, 8]);
        assert_eq!(starts(4, 6), Vec::<u64>::new());
        assert_eq!(starts(3, 7), [0, 6]);
        assert_eq!(starts(7, 8), [6]);
        assert_eq!(film.who(0, 5), None);
        assert_eq!(film.who(0, 8).map(|run| run.tenant), Some(0));
        assert!(film.runs(7, 0, 12).is_empty(), "there is no core 7");
    }

    #[test]
    fn a_tenant_stands_still_only_while_none_of_its_threads_runs() {
        let mut film =
            recording(&[slice(0, 0, 0, 4), slice(1, 0, 2, 7), slice(0, 0, 12, 20), slice(1, 1, 0, 20)]);
        film.timeline.throttles = vec![Throttle { tenant: 0, start_ns: 4, end_ns: 16 }];
        assert_eq!(film.standstills(0, 0, 20), [(7, 12)]);
        assert_eq!(film.standstills(0, 9, 11), [(9, 11)]);
        assert!(film.standstills(0, 16, 20).is_empty());
        assert!(film.standstills(1, 0, 20).is_empty(), "batch has no quota");
    }

    #[test]
    fn steps_go_to_changes_that_can_be_seen() {
        let film = recording(&[slice(0, 0, 0, 4), slice(0, 1, 6, 8), slice(0, 0, 8, 12)]);
        assert_eq!(film.next_change(0, 1), Some(4));
        assert_eq!(film.next_change(4, 3), Some(8), "6 is too near to be seen");
        assert_eq!(film.next_change(12, 1), None);
        assert_eq!(film.previous_change(8, 1), Some(6));
        assert_eq!(film.previous_change(8, 3), Some(4));
        assert_eq!(film.previous_change(0, 1), None);
    }
}
