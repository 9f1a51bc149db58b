//! Room 3: moves one deployment from request to first response.
//!
//! **Law.** Stages follow one another. Where the machine was calibrated for a platform each is as long as the median there; elsewhere
//! the platform's chain says who does what, and where each length comes from (`chain`). An image is fetched and unpacked
//! where the chain says so (`pull`). What a guest's threads do (its monitor
//! from the moment on that it is in its group, firmware, kernel, init) is work of one core: with a quota q in each period P
//! of less than a core it stands still for P − q once in each q of work. The first stage begins with a fresh quota; a
//! later one begins anywhere in it, and in the median stands still the nearest whole number of times. The speed of a trial is
//! left out: what a guest makes of its CPU time tells of its timers as much as of the machine.
//! **Source.** The calibration; `docs/figures.csv` by id; for the limit `kernel/sched/fair.c` (`__refill_cfs_bandwidth_runtime`).
//! **Judge.** The stages of native boots, which `catamaran compare` shows beside these.

mod chain;
mod chains;
mod processes;
pub(crate) mod pull;

use catamaran_report::report::StageRow;
use catamaran_scenario::calibration::{Accel, StartupStage};
use catamaran_scenario::plan::{PlatformSettings, Tenant};
use catamaran_scenario::{Calibration, Plan, Platform, weight};

use crate::platform::{self, vm};
use chain::{Chain, Length, Step};
pub(crate) use chains::RUNTIMES;
pub(crate) use processes::processes;
use pull::Part;

/// Stages that a guest's threads work through.
const WORK: [&str; 6] = ["vmm", "firmware", "kernel", "init", "exec", "boot"];

/// A start on one platform of one machine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Start {
    items: Vec<Item>,
    /// What is published of all stages but the image's together (ns), and where.
    whole: Option<(u64, &'static str)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Stage(Stage),
    /// The image, where the tenant has one.
    Pull,
}

#[derive(Debug, Clone, PartialEq)]
struct Stage {
    name: String,
    actor: String,
    /// None where nobody has measured it.
    ns: Option<u64>,
    /// None for what was measured of this very platform.
    source: Option<String>,
}

/// What a start comes to for one tenant.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Started {
    pub(crate) rows: Vec<StageRow>,
    /// From the request to the tenant's first own instruction (s).
    pub(crate) whole_s: Option<f64>,
    /// What is not known: (field of the report, reason).
    pub(crate) absent: Vec<(&'static str, String)>,
}

/// The start on `platform`; none where neither the machine was measured nor a chain is known.
pub(crate) fn start(plan: &Plan, platform: Platform, calibration: &Calibration) -> Option<Start> {
    let settings = plan.settings(platform);
    let measured = calibration.startup.get(&platform).filter(|_| is_as_measured(platform, &settings));
    let measured = measured.map(|stages| Start::measured(stages));
    let from_chain = || Some(Start::resolve(&chains::chain(platform, &settings)?, calibration));
    if !matches!(platform, Platform::Vm | Platform::VmHosted) {
        return measured.or_else(from_chain);
    }
    let accel = vm::accelerator(&settings, calibration);
    let of_this_one = calibration.vm.as_ref().is_none_or(|costs| costs.accel == accel);
    match (measured.filter(|_| of_this_one), accel) {
        (Some(measured), _) => Some(measured),
        (None, Accel::Kvm) => from_chain(),
        (None, Accel::Tcg) => Some(Start::resolve(&Chain::of(&[chains::EMULATED]), calibration)),
    }
}

/// Whether a start with these settings is one of those that `catamaran calibrate` measures: by root, and with the runtime that an
/// engine takes unless it is told otherwise.
fn is_as_measured(platform: Platform, settings: &PlatformSettings) -> bool {
    let Some(own) = chains::own_runtime(platform) else { return true };
    settings.rootless != Some(true) && settings.runtime.as_deref().is_none_or(|told| told == own)
}

impl Start {
    fn measured(stages: &[StartupStage]) -> Self {
        let stage = |stage: &StartupStage| {
            let StartupStage { name, actor, median_ns } = stage.clone();
            Item::Stage(Stage { name, actor, ns: Some(median_ns), source: None })
        };
        Self { items: std::iter::once(Item::Pull).chain(stages.iter().map(stage)).collect(), whole: None }
    }

    /// Looks the lengths of a chain up.
    fn resolve(chain: &Chain, calibration: &Calibration) -> Self {
        let item = |step: &Step| match *step {
            Step::Pull => Item::Pull,
            Step::Stage { name, actor, length } => {
                let (ns, source) = match length {
                    Length::Kernel(of) => {
                        let ns = of_container(calibration, of);
                        (ns, ns.map(|_| format!("host.toml: startup.container, {of}")))
                    }
                    Length::Published(figure, index) => (Some(figure.ms(index)), Some(figure.id.to_owned())),
                    Length::Unknown => (None, None),
                };
                Item::Stage(Stage { name: name.into(), actor: actor.into(), ns, source })
            }
        };
        let whole = chain.whole.map(|(figure, index)| (figure.ms(index), figure.id));
        Self { items: chain.steps.iter().map(item).collect(), whole }
    }

    /// Of a tenant with that quota in each period and these parts of its image's pull.
    pub(crate) fn of(&self, quota: Option<(u64, u64)>, pull: &[Part]) -> Started {
        let mut clock = Clock { at: Some(0), known: 0, unknown: Vec::new(), is_fresh: true, quota };
        let mut rows = Vec::new();
        for item in &self.items {
            match item {
                Item::Stage(stage) => rows.push(clock.stage(stage)),
                Item::Pull => rows.extend(clock.pull(pull)),
            }
        }
        let pulled = pull.iter().try_fold(0, |end, part| Some(part.span?.1.max(end)));
        let whole = clock.at.or_else(|| Some(pulled?.saturating_add(self.whole?.0)));
        Started { rows, whole_s: whole.map(seconds), absent: self.unknowns(&clock, whole) }
    }

    fn unknowns(&self, clock: &Clock, whole: Option<u64>) -> Vec<(&'static str, String)> {
        let names = || clock.unknown.join(", ");
        match (clock.at, whole, self.whole) {
            (Some(_), ..) => Vec::new(),
            (None, Some(_), Some((_, id))) => {
                let reason =
                    format!("only the whole was published ({id}); how long each of these takes was not: ");
                vec![("startup_stages", reason + &names())]
            }
            (None, ..) => {
                let known = match clock.known {
                    0 => String::new(),
                    ns => format!("; the other stages take {} s together", seconds(ns)),
                };
                vec![("startup_s", format!("nobody has measured how long these take: {}{known}", names()))]
            }
        }
    }
}

/// Where a start has got to.
struct Clock {
    /// From the request (ns); none once a stage of unknown length has gone by.
    at: Option<u64>,
    /// All known lengths (ns).
    known: u64,
    unknown: Vec<String>,
    is_fresh: bool,
    quota: Option<(u64, u64)>,
}

impl Clock {
    fn stage(&mut self, stage: &Stage) -> StageRow {
        let length = stage.ns.map(|ns| ns.saturating_add(self.standstill(&stage.name, ns)));
        self.row(&stage.name, &stage.actor, length, stage.source.clone())
    }

    /// For how long a guest stands still while it does so much (ns).
    fn standstill(&mut self, name: &str, ns: u64) -> u64 {
        let Some((quota, period)) = self.quota.filter(|_| WORK.contains(&name)) else { return 0 };
        let begun = if std::mem::take(&mut self.is_fresh) { 0 } else { quota / 2 };
        (ns.saturating_add(begun) / quota).saturating_mul(period - quota)
    }

    fn row(&mut self, name: &str, actor: &str, length: Option<u64>, source: Option<String>) -> StageRow {
        let start = self.at;
        self.at = start.zip(length).map(|(start, length)| start.saturating_add(length));
        self.known = self.known.saturating_add(length.unwrap_or(0));
        if length.is_none() {
            self.unknown.push(name.to_owned());
        }
        StageRow {
            name: name.to_owned(),
            actor: actor.to_owned(),
            start_s: start.map(seconds),
            end_s: self.at.map(seconds),
            length_s: length.filter(|_| start.is_none()).map(seconds),
            source,
        }
    }

    /// The parts of a pull, some of which go on at the same time.
    fn pull(&mut self, parts: &[Part]) -> Vec<StageRow> {
        let begin = self.at;
        let mut end = Some(0);
        let row = |part: &Part| {
            end = end.zip(part.span).map(|(end, span)| span.1.max(end));
            if part.span.is_none() {
                self.unknown.push(format!("{} (needs {})", part.name, part.source));
            }
            let span = begin
                .zip(part.span)
                .map(|(begin, (from, to))| (begin.saturating_add(from), begin.saturating_add(to)));
            let length = part.span.filter(|_| begin.is_none()).map(|(from, to)| to - from);
            StageRow {
                name: part.name.clone(),
                actor: part.actor.to_owned(),
                start_s: span.map(|span| seconds(span.0)),
                end_s: span.map(|span| seconds(span.1)),
                length_s: length.map(seconds),
                source: part.span.map(|_| part.source.to_owned()),
            }
        };
        let rows = parts.iter().map(row).collect();
        self.at = begin.zip(end).map(|(begin, end)| begin.saturating_add(end));
        self.known = self.known.saturating_add(end.unwrap_or(0));
        rows
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// The median of a stage of our own container (ns).
fn of_container(calibration: &Calibration, name: &str) -> Option<u64> {
    let stages = calibration.startup.get(&Platform::Container)?;
    stages.iter().find(|stage| stage.name == name).map(|stage| stage.median_ns)
}

/// The quota of a tenant in a guest, where it is less than a core: (quota, period) in ns.
pub(crate) fn quota(tenant: &Tenant, platform: Platform) -> Option<(u64, u64)> {
    let period = tenant.cpu.period;
    let quota = weight::quota_us(tenant.cpu.limit?, period) * 1000;
    (platform::has_guests(platform) && (1..period.0).contains(&quota)).then_some((quota, period.0))
}
