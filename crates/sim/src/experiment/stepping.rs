//! A simulation that goes on step by step, and back.
//!
//! **Law.** A world is a value: one that was put aside and taken up again goes on as it would have gone on. So every so many
//! events a copy is put aside; to go back is to take up the last one before the moment and to go on from there. When there
//! are too many, every second one is dropped and the others come half as often: at most [`MARKS`] worlds are kept, and to go
//! back is at most as many events as lie between two of them, [`SPACING`] or a 16th of the run. **Judge.** The run without
//! steps, byte by byte; the run of a scenario that is as long as the moment.

use catamaran_report::{Report, RunError, Timeline};
use catamaran_scenario::{Calibration, Plan, Platform};

use super::build::Setting;
use super::migrate::Parcel;
use super::nodes::{self, Part};
use super::world::World;
use super::{Model, answer, refuse, timeline};
use crate::kernel::Instant;
use crate::platform;
use crate::{Options, Outcome};

/// Passes until the speed of the trial is met, at most.
const SPEED_PASSES: usize = 4;
/// How near the speed of a simulation has to be to the one that was asked for.
const SPEED_TOLERANCE: f64 = 1e-4;
/// Events between two worlds that are put aside, while there are few.
const SPACING: u64 = 1024;
/// Worlds that are put aside, at most.
const MARKS: usize = 32;

/// A simulation under way: a plan on a platform, at one moment of its run.
#[derive(Debug, Clone)]
pub struct Simulation {
    plan: Plan,
    platform: Platform,
    calibration: Calibration,
    options: Options,
    setting: Setting,
    speed: f64,
    now: Instant,
    nodes: Vec<(u32, World)>,
    /// By events, the beginning first.
    marks: Vec<Mark>,
    spacing: u64,
}

/// A moment that was put aside.
#[derive(Debug, Clone)]
struct Mark {
    events: u64,
    now: Instant,
    nodes: Vec<(u32, World)>,
}

impl Simulation {
    /// The run of `plan` on `platform`, on the machine described by `calibration`, before anything has happened.
    ///
    /// # Errors
    /// As [`simulate`](crate::simulate).
    pub fn new(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        options: &Options,
    ) -> Result<Self, RunError> {
        let mut simulation = Self::of(plan, platform, calibration, options, Model::Exact)?;
        if options.turns_per_cpu_s.is_some() {
            simulation.meet_speed();
            simulation.begin_at_speed(simulation.speed);
        }
        simulation.put_aside();
        Ok(simulation)
    }

    pub(super) fn of(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        options: &Options,
        model: Model,
    ) -> Result<Self, RunError> {
        refuse::unsupported(plan, platform, calibration)?;
        let machine = platform::bare::machine(plan, platform, calibration);
        let mut simulation = Self {
            plan: plan.clone(),
            platform,
            calibration: calibration.clone(),
            options: *options,
            setting: Setting::of(plan, platform, &machine, model)?,
            speed: 1.0,
            now: 0,
            nodes: Vec::new(),
            marks: Vec::new(),
            spacing: SPACING,
        };
        let speed = options.turns_per_cpu_s.map_or(1.0, |turns| turns / calibration.cpu.turns_per_cpu_s);
        simulation.begin_at_speed(speed);
        Ok(simulation)
    }

    fn begin_at_speed(&mut self, speed: f64) {
        let nodes = nodes::used(&self.plan, &self.setting).into_iter();
        let world = |node| (node, World::new(&self.plan, &self.setting, node, speed, &self.options));
        self.nodes = nodes.map(world).collect();
        self.speed = speed;
        self.now = 0;
    }

    /// Runs to the end, at the speed that the options ask for.
    ///
    /// The speed of a trial is an average over what ran, with all switches and ticks. What it asks of the work's own rate is
    /// found by simulating: each pass corrects the rate by the ratio that is left.
    pub(super) fn meet_speed(&mut self) {
        for pass in 1.. {
            self.run_all();
            let (Some(wanted), Some(had)) = (self.options.turns_per_cpu_s, self.work_per_cpu()) else {
                break;
            };
            let ratio = wanted / (had * self.calibration.cpu.turns_per_cpu_s);
            if pass >= SPEED_PASSES || (ratio - 1.0).abs() <= SPEED_TOLERANCE {
                break;
            }
            self.begin_at_speed(self.speed * ratio);
        }
    }

    /// Work done per CPU time on all nodes together; none if nothing ran.
    fn work_per_cpu(&self) -> Option<f64> {
        let sums = self.nodes.iter().map(|(_, world)| world.work_and_cpu());
        let (work, cpu_ns) = sums.fold((0.0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        (cpu_ns > 0).then(|| work / cpu_ns as f64)
    }

    /// The moment of the run (ns from its start).
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now
    }

    /// Events that led to the moment.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.nodes.iter().map(|(_, world)| world.events).sum()
    }

    /// Whether nothing more happens.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.nodes.iter().all(|(_, world)| world.over)
    }

    /// Goes on to the next moment at which something has changed that can be seen: who has a core, what is being answered, a
    /// start, an end, a throttling. Answers whether there was one before the end of the run, where it stands else.
    pub fn step(&mut self) -> bool {
        let before = self.seen();
        while self.advance(None) {
            if self.seen() != before {
                return true;
            }
        }
        false
    }

    /// Goes on until everything up to and including `at_ns` has happened; a moment that is past changes nothing.
    pub fn run_until(&mut self, at_ns: u64) {
        while self.advance(Some(at_ns)) {}
        self.now = self.now.max(at_ns);
        if self.is_over() {
            self.now = self.nodes.iter().map(|(_, world)| world.now).fold(0, Instant::max);
        }
    }

    /// Goes to a moment, forward or back. Answers how many events were simulated for that.
    pub fn seek(&mut self, at_ns: u64) -> u64 {
        let (events, back) = (self.events(), at_ns < self.now);
        let nearest = self.marks.iter().rev().find(|mark| mark.now <= at_ns);
        if let Some(mark) = nearest.filter(|mark| back || mark.events > events) {
            (self.nodes, self.now) = (mark.nodes.clone(), mark.now);
        }
        let from = self.events();
        self.run_until(at_ns);
        self.events() - from
    }

    /// Runs all nodes to the end: each by itself, or together where guests move between them.
    fn run_all(&mut self) {
        if self.nodes.iter().any(|(_, world)| world.moves.expecting > 0) {
            self.marks.clear();
            while self.advance(None) {}
        }
        self.nodes.iter_mut().for_each(|(_, world)| world.run());
    }

    /// Handles the next event, if it is not after `until`.
    fn advance(&mut self, until: Option<Instant>) -> bool {
        let next = |world: &World| if world.over { None } else { Some(world.next_at()) };
        let nodes = self.nodes.iter_mut();
        let first = nodes.filter_map(|entry| Some((next(&entry.1)?, entry))).min_by_key(|(at, _)| *at);
        let Some((_, (node, world))) = first.filter(|(at, _)| until.is_none_or(|until| *at <= until)) else {
            return false;
        };
        world.step();
        self.now = self.now.max(world.now);
        let (from, parcels) = (*node, world.moves.take_outbox());
        parcels.into_iter().for_each(|parcel| self.deliver(from, parcel));
        if self.marks.last().is_some_and(|mark| self.events() >= mark.events + self.spacing) {
            self.put_aside();
        }
        true
    }

    /// Brings what one node has for another one there, and back where there is no room.
    fn deliver(&mut self, from: u32, Parcel { to, index, goods }: Parcel) {
        let moves = goods.is_some();
        let Some(at) = self.world_of(from).map(|world| world.now) else { return };
        let back = match self.world_of(to) {
            Some(world) => world.receive(at, index, goods),
            None => goods,
        };
        if moves && let Some(world) = self.world_of(from) {
            world.hear(index, back);
            let more = world.moves.take_outbox();
            more.into_iter().for_each(|parcel| self.deliver(from, parcel));
        }
    }

    fn world_of(&mut self, wanted: u32) -> Option<&mut World> {
        self.nodes.iter_mut().find(|(node, _)| *node == wanted).map(|(_, world)| world)
    }

    fn put_aside(&mut self) {
        if self.marks.len() == MARKS {
            let mut place = 0..;
            self.marks.retain(|_| place.next().is_some_and(|place| place % 2 == 0));
            self.spacing *= 2;
        }
        self.marks.push(Mark { events: self.events(), now: self.now, nodes: self.nodes.clone() });
    }

    fn seen(&self) -> Vec<(Option<Instant>, u64)> {
        self.nodes.iter().flat_map(|(_, world)| world.seen()).collect()
    }

    /// The report if the run ended at this moment.
    ///
    /// # Errors
    /// As [`simulate`](crate::simulate).
    pub fn report_so_far(&self) -> Result<Report, RunError> {
        let stopped = |(node, world): &(u32, World)| (*node, world.stopped_at(self.now));
        let stopped = Self {
            plan: self.plan.clone(),
            calibration: self.calibration.clone(),
            options: Options { timeline: false, ..self.options },
            setting: self.setting.clone(),
            nodes: self.nodes.iter().map(stopped).collect(),
            marks: Vec::new(),
            ..*self
        };
        stopped.finish().map(|outcome| outcome.report)
    }

    /// Goes on to the end, and answers as [`simulate`](crate::simulate) does.
    ///
    /// # Errors
    /// As [`simulate`](crate::simulate).
    pub fn finish(mut self) -> Result<Outcome, RunError> {
        self.run_all();
        let speed = self.work_per_cpu().map(|ratio| ratio * self.calibration.cpu.turns_per_cpu_s);
        let Self { plan, platform, calibration, options, setting, nodes, .. } = self;
        let part = |(node, world): (u32, World)| {
            let report = answer::report(&plan, platform, &calibration, &setting, &world);
            let holds = world.held();
            let timeline = if options.timeline {
                timeline::timeline(&plan, platform, world)
            } else {
                Timeline::default()
            };
            Part { node, report, timeline, holds }
        };
        let whole = nodes::merge(&plan, nodes.into_iter().map(part).collect());
        // A plan has a tenant, and a tenant has a node.
        let nobody = || refuse::refusal("tenant".into(), "a run without tenants", "add a tenant");
        let (mut report, timeline) = whole.ok_or_else(nobody)?;
        report.host.turns_per_cpu_s = speed;
        if speed.is_none() {
            report.host.explain_absence("turns_per_cpu_s", "no tenant made a turn");
        }
        Ok(Outcome { report, timeline })
    }
}
