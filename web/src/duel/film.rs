//! One era's film: a simulation moved to a clock that begins when the tenants are asked for, with the start-up before it.
//!
//! In a scenario the load begins when a tenant is ready. So the films of the eras differ by how long each takes to be ready,
//! and at one moment of the common clock one may serve while another still boots.

use std::rc::Rc;

use catamaran_report::Timeline;
use catamaran_report::report::{Report, StageRow, TenantReport};
use catamaran_report::timeline::Slice;

use crate::picture::{Recording, Vcpu, vcpus};

/// A part of the start-up, on the common clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stage {
    /// As both backends call it.
    pub(super) name: String,
    /// Who does it.
    pub(super) actor: String,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
}

/// An era on the common clock. As with recordings, two are equal only if they are the same one.
#[derive(Debug)]
pub(super) struct Film {
    /// All instants on the common clock.
    pub(super) recording: Rc<Recording>,
    /// Of the tenant that is ready last.
    pub(super) stages: Vec<Stage>,
    /// When the load begins, with the tenant that is ready last; none where a start-up is not known: then the clock begins with
    /// the load.
    pub(super) ready_ns: Option<u64>,
    /// When each tenant is ready, its replicas together: the last of them.
    pub(super) ready: Vec<(String, u64)>,
    pub(super) vcpus: Rc<Vec<Vcpu>>,
}

impl PartialEq for Film {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Film {
    /// Moves a simulation behind its start-up.
    pub(super) fn new(simulated: &Recording) -> Self {
        let report = &simulated.report;
        let slowest = slowest(report);
        let ready_ns = slowest.and_then(|tenant| tenant.startup_s).map(nanos);
        let by_ns = ready_ns.unwrap_or_default();
        let mut timeline = simulated.timeline.clone();
        delay(&mut timeline, by_ns);
        let vcpus = vcpus(&timeline.guests);
        let mut recording = Recording::new(report.clone(), timeline);
        recording.end_ns = simulated.end_ns + by_ns;
        Self {
            recording: Rc::new(recording),
            stages: slowest.map(stages).unwrap_or_default(),
            ready_ns,
            ready: ready(report),
            vcpus: Rc::new(vcpus),
        }
    }

    /// The stage of the start-up at that instant.
    pub(super) fn stage_at(&self, at_ns: u64) -> Option<&Stage> {
        self.stages.iter().find(|stage| (stage.start_ns..stage.end_ns).contains(&at_ns))
    }

    pub(super) fn is_starting(&self, at_ns: u64) -> bool {
        self.ready_ns.is_some_and(|ready_ns| at_ns < ready_ns)
    }

    /// Virtual CPUs that would run at that instant and wait for a core, as tenant and number.
    pub(super) fn stolen_at(&self, at_ns: u64) -> impl Iterator<Item = &Vcpu> {
        let waits = move |vcpu: &&Vcpu| {
            vcpu.between(at_ns, at_ns + 1).first().is_some_and(|slice| slice.thread.is_none())
        };
        self.vcpus.iter().filter(waits)
    }
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// The tenant that is ready last; none where a start is not known.
fn slowest(report: &Report) -> Option<&TenantReport> {
    let known = report.tenants.iter().all(|tenant| tenant.startup_s.is_some());
    report.tenants.iter().filter(|_| known).reduce(|a, b| if a.startup_s >= b.startup_s { a } else { b })
}

fn ready(report: &Report) -> Vec<(String, u64)> {
    let mut ready: Vec<(String, u64)> = Vec::new();
    for tenant in &report.tenants {
        let Some(at_ns) = tenant.startup_s.map(nanos) else { continue };
        match ready.iter_mut().find(|(name, _)| *name == tenant.name) {
            Some((_, last)) => *last = at_ns.max(*last),
            None => ready.push((tenant.name.clone(), at_ns)),
        }
    }
    ready
}

fn stages(tenant: &TenantReport) -> Vec<Stage> {
    let stage = |row: &StageRow| {
        let (start_s, end_s) = row.span()?;
        Some(Stage {
            name: row.name.clone(),
            actor: row.actor.clone(),
            start_ns: nanos(start_s),
            end_ns: nanos(end_s),
        })
    };
    tenant.startup_stages.iter().filter_map(stage).collect()
}

/// Everything that has an instant happens `by_ns` later.
fn delay(timeline: &mut Timeline, by_ns: u64) {
    for slice in &mut timeline.slices {
        (slice.start_ns, slice.end_ns) = (slice.start_ns + by_ns, slice.end_ns + by_ns);
    }
    for slice in &mut timeline.guests {
        (slice.start_ns, slice.end_ns) = (slice.start_ns + by_ns, slice.end_ns + by_ns);
    }
    for stop in &mut timeline.throttles {
        (stop.start_ns, stop.end_ns) = (stop.start_ns + by_ns, stop.end_ns + by_ns);
    }
    for period in &mut timeline.periods {
        period.start_ns += by_ns;
    }
    for request in &mut timeline.requests {
        request.arrival_ns += by_ns;
        request.started_ns = request.started_ns.map(|at_ns| at_ns + by_ns);
        request.completed_ns = request.completed_ns.map(|at_ns| at_ns + by_ns);
        request.failed_ns = request.failed_ns.map(|at_ns| at_ns + by_ns);
    }
    for entry in &mut timeline.trace {
        entry.at_ns += by_ns;
    }
}

/// All eras as one recording, for the play head: its steps go to what changes in any of them. Stages and virtual CPUs are
/// cores of their own in it.
pub(super) fn together(films: &[Rc<Film>]) -> Option<Recording> {
    let report = films.first()?.recording.report.clone();
    let mut whole = Timeline::default();
    let mut row = 0;
    for film in films {
        let timeline = &film.recording.timeline;
        let cores = timeline.slices.iter().map(|slice| Slice { core: slice.core + row, ..*slice });
        whole.slices.extend(cores);
        row += timeline.cores;
        for (number, stage) in (0..).zip(&film.stages) {
            let (start_ns, end_ns) = (stage.start_ns, stage.end_ns);
            whole.slices.push(Slice { core: row, tenant: 0, thread: number, start_ns, end_ns });
        }
        row += 1;
        for vcpu in film.vcpus.iter() {
            whole.slices.extend(vcpu.slices.iter().map(|slice| Slice {
                core: row,
                tenant: slice.tenant,
                thread: slice.thread.unwrap_or(u32::MAX),
                start_ns: slice.start_ns,
                end_ns: slice.end_ns,
            }));
            row += 1;
        }
        whole.throttles.extend(&timeline.throttles);
        whole.requests.extend(&timeline.requests);
    }
    whole.cores = row;
    whole.slices.sort_by_key(|slice| (slice.start_ns, slice.core));
    let end_ns = films.iter().map(|film| film.recording.end_ns).max()?;
    let mut recording = Recording::new(report, whole);
    recording.end_ns = end_ns;
    Some(recording)
}

#[cfg(test)]
mod tests {
    use catamaran_report::timeline::{GuestSlice, Request};

    use super::*;
    use crate::picture::tests_support::{recording, slice};

    /// Two tenants, 1 µs of run, the second ready after `startup_s` and the first in half of that.
    fn simulated(startup_s: Option<f64>) -> Recording {
        let mut simulated = recording(&[slice(0, 0, 0, 100), slice(1, 1, 50, 1_000)]);
        let row = |name: &str, start_s, end_s| StageRow::measured(name, "kernel", start_s, end_s);
        let tenants = simulated.report.tenants.iter_mut().zip([0.5, 1.0]);
        for (tenant, end_s) in tenants.filter_map(|(tenant, part)| Some((tenant, part * startup_s?))) {
            tenant.startup_s = Some(end_s);
            tenant.startup_stages = vec![row("clone", 0.0, end_s / 2.0), row("exec", end_s / 2.0, end_s)];
        }
        simulated.timeline.requests = vec![Request {
            tenant: 0,
            index: 0,
            arrival_ns: 10,
            started_ns: Some(20),
            completed_ns: None,
            failed_ns: None,
            thread: None,
        }];
        let guest = |thread, start_ns, end_ns| GuestSlice { tenant: 1, vcpu: 0, thread, start_ns, end_ns };
        simulated.timeline.guests = vec![guest(None, 0, 50), guest(Some(0), 50, 300)];
        simulated
    }

    #[test]
    fn the_load_begins_when_the_tenants_are_ready() {
        let film = Film::new(&simulated(Some(400e-9)));
        assert_eq!(film.ready_ns, Some(400));
        let at = |name: &str| film.ready.iter().find(|(own, _)| own == name).map(|(_, at_ns)| *at_ns);
        let names = film.recording.report.tenants.iter().map(|tenant| tenant.name.clone());
        assert_eq!(names.map(|name| at(&name)).collect::<Vec<_>>(), [Some(200), Some(400)]);
        assert!(film.is_starting(399) && !film.is_starting(400));
        assert_eq!(film.stage_at(250).map(|stage| stage.name.as_str()), Some("exec"));
        assert_eq!(film.recording.who(0, 450).map(|run| run.tenant), Some(0));
        assert_eq!(film.recording.who(0, 350), None, "nothing runs while it starts");
        assert_eq!(film.recording.end_ns, 1_400);
        let request = film.recording.timeline.requests[0];
        assert_eq!((request.arrival_ns, request.started_ns, request.completed_ns), (410, Some(420), None));
    }

    #[test]
    fn without_a_known_start_the_clock_begins_with_the_load() {
        let film = Film::new(&simulated(None));
        assert_eq!((film.ready_ns, film.recording.end_ns, film.stages.len()), (None, 1_000, 0));
        assert!(!film.is_starting(0));
    }

    #[test]
    fn a_virtual_cpu_runs_waits_or_is_halted() {
        let film = Film::new(&simulated(Some(400e-9)));
        assert_eq!(film.vcpus[0].ran_and_waited(400, 1_400), (250, 50));
        assert_eq!(film.vcpus[0].ran_and_waited(440, 500), (50, 10));
        assert_eq!(film.stolen_at(420).count(), 1);
        assert_eq!(film.stolen_at(460).count(), 0);
        assert_eq!(film.stolen_at(900).count(), 0, "halted");
    }

    #[test]
    fn steps_go_to_what_changes_in_any_era() {
        let films = [None, Some(400e-9)].map(|startup| Rc::new(Film::new(&simulated(startup))));
        let whole = together(&films).unwrap();
        assert_eq!(whole.end_ns, 1_400);
        let mut steps = vec![0];
        while let Some(next) = whole.next_change(steps[steps.len() - 1], 1) {
            steps.push(next);
        }
        assert_eq!(steps, [0, 10, 50, 100, 200, 300, 400, 410, 450, 500, 700, 1_000, 1_400]);
    }
}
