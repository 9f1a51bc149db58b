//! The table of the duel: what each era costs and gives, worked out from the simulator's reports.
//!
//! **Law.** Idle memory of a tenant and density: those of `catamaran density`, for the application alone. What is held in a run:
//! the most that was charged to a tenant, whose worker allocates nothing while it serves, which is whole stocks of 64 pages; of
//! guests, where that is not modelled, what monitors and guest kernels take divided by the guests. Cost: the dominant share, which is the greater of the shares of CPU time and of memory that
//! an application holds, times the run, per 1,000 answered requests. **Source.** The reports; Ghodsi et al., "Dominant
//! Resource Fairness", NSDI 2011, for the dominant share.

use catamaran_report::Report;
use catamaran_report::metric::Metric;
use catamaran_report::report::{Sees, TenantReport, TenantState};
use catamaran_scenario::{Calibration, Plan, Platform};

use catamaran_sim::{Density, density};

use super::settings::{APP, NEIGHBOUR};
use crate::i18n::Duel;

/// A figure, or why it is not known (in the simulator's words).
pub(super) type Figure<T> = Result<T, String>;

/// A column of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figures {
    /// Memory of the machine (bytes).
    pub(super) machine_bytes: u64,
    /// Under what its guests are; none where it has no guests.
    pub(super) accelerator: Option<Accelerator>,
    pub(super) density: Figure<u64>,
    /// Of the application.
    pub(super) latency: Figure<Latency>,
    /// Seconds.
    pub(super) boot: Figure<f64>,
    /// Bytes.
    pub(super) idle: Figure<u64>,
    /// Tenants that fail when the kernel of the neighbour crashes.
    pub(super) crash: Figure<Blast>,
    pub(super) cost: Figure<Cost>,
}

/// What carries guests, and where the figures of their start come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accelerator {
    KvmPublished,
    KvmMeasured,
    Emulated,
}

impl Accelerator {
    /// As the report names it; the calibration says whether guests were started on its machine.
    fn of(report: &Report, calibration: &Calibration) -> Option<Self> {
        let fact = report.identity.machine.as_ref()?.get("accelerator")?;
        Some(match (fact.starts_with("kvm"), calibration.startup.contains_key(&Platform::Vm)) {
            (true, false) => Self::KvmPublished,
            (true, true) => Self::KvmMeasured,
            (false, _) => Self::Emulated,
        })
    }

    /// In a word or two.
    pub(super) const fn tag(self) -> Duel {
        match self {
            Self::KvmPublished => Duel::KvmPublishedTag,
            Self::KvmMeasured => Duel::KvmMeasuredTag,
            Self::Emulated => Duel::EmulatedTag,
        }
    }

    pub(super) const fn words(self) -> Duel {
        match self {
            Self::KvmPublished => Duel::KvmPublished,
            Self::KvmMeasured => Duel::KvmMeasured,
            Self::Emulated => Duel::Emulated,
        }
    }
}

/// The slowest of the application's replicas (s).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p95: f64,
}

/// Who fails.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blast {
    /// Labels of tenants.
    pub(super) failed: Vec<String>,
    pub(super) of: usize,
    /// When the first of them failed (s), where that is known.
    pub(super) first_s: Option<f64>,
}

/// What the requests of one application hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// Machine-seconds per 1,000 requests.
    pub(super) machine_s: f64,
    /// CPU time per request (s).
    pub(super) cpu_s: f64,
    /// Share of the machine's CPU time, 0–1.
    pub(super) of_cpu: f64,
    /// Share of the machine's memory, 0–1.
    pub(super) of_memory: f64,
}

impl Figures {
    /// Of a simulation of `plan` on the machine of `calibration`.
    pub(super) fn of(plan: &Plan, report: &Report, calibration: &Calibration) -> Self {
        let fits = fits(plan, report.platform, calibration);
        let idle = fits.clone().map(|fits| fits.tenant_bytes);
        Self {
            machine_bytes: plan.host().memory.0,
            accelerator: Accelerator::of(report, calibration),
            density: fits.map(|fits| fits.tenants),
            latency: latency(report),
            boot: metric(app(report), Metric::Startup),
            cost: cost(plan, report),
            idle,
            crash: crash(report),
        }
    }
}

fn app(report: &Report) -> Figure<&TenantReport> {
    report.tenant(APP).ok_or_else(|| "the scenario has no application".into())
}

fn metric(tenant: Figure<&TenantReport>, metric: Metric) -> Figure<f64> {
    let tenant = tenant?;
    metric.of(tenant).ok_or_else(|| metric.absence(tenant))
}

/// How many applications fit into the machine, and what each is charged.
fn fits(plan: &Plan, platform: Platform, calibration: &Calibration) -> Figure<Density> {
    let alone = plan.alone(APP).ok_or("the scenario has no application")?;
    density(&alone, platform, calibration).map_err(|error| error.to_string())
}

/// Memory that a tenant holds while it serves (bytes); guests are all alike.
fn held_by(report: &Report, tenant: &TenantReport) -> Figure<u64> {
    let charged = metric(Ok(tenant), Metric::MemoryPeak).map(|bytes| bytes as u64);
    let guests = (report.tenants.len() as u64).max(1);
    charged.or_else(|reason| report.host.overhead_memory_bytes.map(|bytes| bytes / guests).ok_or(reason))
}

/// What each tenant holds (bytes), in their order.
pub(super) fn held(report: &Report) -> Figure<Vec<u64>> {
    report.tenants.iter().map(|tenant| held_by(report, tenant)).collect()
}

fn latency(report: &Report) -> Figure<Latency> {
    let mut slowest: Option<Latency> = None;
    for tenant in report.tenants.iter().filter(|tenant| tenant.name == APP) {
        let of = |which| metric(Ok(tenant), which);
        let found = Latency { p50: of(Metric::LatencyP50)?, p95: of(Metric::LatencyP95)? };
        if slowest.is_none_or(|slowest| found.p95 > slowest.p95) {
            slowest = Some(found);
        }
    }
    slowest.ok_or_else(|| "the scenario has no application".into())
}

/// A crash of a kernel takes everyone who runs on it: those who see the host's kernel share one.
fn crash(report: &Report) -> Figure<Blast> {
    let kernel_of = |label: &str| {
        let rows = report.isolation.iter();
        let mut own = rows.filter(|row| row.resource == "kernel" && row.observer == label);
        own.next().map(|row| row.sees).ok_or_else(|| format!("no row says which kernel {label} sees"))
    };
    let shared = kernel_of(NEIGHBOUR)? != Sees::Own;
    let mut failed = Vec::new();
    for tenant in &report.tenants {
        let label = tenant.label();
        if label == NEIGHBOUR || (shared && kernel_of(&label)? != Sees::Own) {
            failed.push(label);
        }
    }
    Ok(Blast { failed, of: report.tenants.len(), first_s: None })
}

fn cost(plan: &Plan, report: &Report) -> Figure<Cost> {
    let app = app(report)?;
    let cpu_s = metric(Ok(app), Metric::Cpu)?;
    let completed = metric(Ok(app), Metric::Completed)?;
    let held_s = report.elapsed_s * f64::from(plan.host().cores);
    if completed == 0.0 || held_s == 0.0 {
        return Err("no request was completed".into());
    }
    let (of_cpu, of_memory) = (cpu_s / held_s, held_by(report, app)? as f64 / plan.host().memory.0 as f64);
    let machine_s = of_cpu.max(of_memory) * report.elapsed_s / completed * 1e3;
    Ok(Cost { machine_s, cpu_s: cpu_s / completed, of_cpu, of_memory })
}

/// Whom a leak kills, in a simulation of the whole scenario with the leak in it.
pub(super) fn leak(report: &Report) -> Blast {
    let failed = || {
        let ended =
            |tenant: &&TenantReport| matches!(tenant.state, TenantState::OomKilled | TenantState::Failed);
        report.tenants.iter().filter(ended)
    };
    Blast {
        failed: failed().map(TenantReport::label).collect(),
        of: report.tenants.len(),
        first_s: failed().filter_map(|tenant| tenant.finished_s).reduce(f64::min),
    }
}

/// The same where each tenant has a guest: `alone` is the leaker in a machine of its guest's size. Nobody else is touched as
/// long as all guests fit into the machine when they are full, each with what its monitor takes.
pub(super) fn leak_in_guest(plan: &Plan, duel: &Report, alone: &Report) -> Figure<Blast> {
    let settings = plan.settings(duel.platform);
    let guest = settings.memory.ok_or("the scenario does not say how large a guest is")?.0;
    let guests = duel.tenants.len() as u64;
    let full = guests.saturating_mul(guest.saturating_add(held_by(duel, app(duel)?)?));
    if full > plan.host().memory.0 {
        return Err("guests that are full would not fit into the machine, and memory inside of guests is not modelled yet".into());
    }
    Ok(Blast { of: duel.tenants.len(), ..leak(alone) })
}

#[cfg(test)]
mod tests {
    use catamaran_sim::{Options, simulate};

    use super::super::settings::{self, ERAS, LIMIT, SCENARIO};
    use super::*;
    use crate::lesson::Settings;
    use crate::link::Change;

    fn run(text: &str, platform: Platform) -> (Plan, Report) {
        let plan = Plan::from_toml(text, "duel").unwrap();
        let outcome = simulate(&plan, platform, &Calibration::reference(), &Options::default()).unwrap();
        (plan, outcome.report)
    }

    fn figures() -> [Figures; 3] {
        ERAS.map(|era| {
            let (plan, report) = run(SCENARIO, era);
            Figures::of(&plan, &report, &Calibration::reference())
        })
    }

    #[test]
    fn every_figure_of_the_file_is_known_and_the_eras_differ_as_their_mechanisms_do() {
        let [server, guests, containers] = figures();
        for figures in [&server, &guests, &containers] {
            assert!(figures.latency.as_ref().unwrap().p50 > 0.001);
            assert!(figures.cost.as_ref().unwrap().machine_s > 0.0);
        }
        let idle = |figures: &Figures| *figures.idle.as_ref().unwrap();
        assert!(idle(&guests) > 50 * idle(&containers), "a guest carries a kernel and a monitor");
        let density = |figures: &Figures| *figures.density.as_ref().unwrap();
        assert_eq!(density(&guests), (2 << 30) / idle(&guests));
        assert!(density(&containers) > 50 * density(&guests));
        let boot = |figures: &Figures| *figures.boot.as_ref().unwrap();
        assert!(boot(&server) < boot(&containers) && boot(&containers) < boot(&guests));
        let p95 = |figures: &Figures| figures.latency.as_ref().unwrap().p95;
        assert!(p95(&server) > p95(&containers), "without limits the batch job is in the way");
        let failed = |figures: &Figures| figures.crash.as_ref().unwrap().failed.clone();
        assert_eq!(failed(&guests), ["batch"]);
        assert_eq!(failed(&containers), ["app", "app/1", "batch"]);
        assert_eq!(failed(&server), failed(&containers));
        let under = [&server, &guests, &containers].map(|figures| figures.accelerator);
        assert_eq!(under, [None, Some(Accelerator::KvmPublished), None]);
    }

    #[test]
    fn density_is_what_the_command_says_and_not_the_peak_of_memory() {
        for era in ERAS {
            let (plan, report) = run(SCENARIO, era);
            let calibration = Calibration::reference();
            let figures = Figures::of(&plan, &report, &calibration);
            let said = density(&plan.alone(APP).unwrap(), era, &calibration).unwrap();
            assert_eq!(figures.density, Ok(said.tenants), "{era}");
            // A process holds less than the stock of pages that is charged at once.
            let peak = held(&report).unwrap()[0];
            assert!(era != Platform::BareMetal || peak > said.tenant_bytes, "{era}: {peak} {said:?}");
        }
    }

    #[test]
    fn a_start_is_called_measured_published_or_emulated() {
        let (_, mut report) = run(SCENARIO, Platform::Vm);
        let mut calibration = Calibration::reference();
        let stage = calibration.startup.values().next().cloned().unwrap_or_default();
        calibration.startup.insert(Platform::Vm, stage);
        assert_eq!(Accelerator::of(&report, &calibration), Some(Accelerator::KvmMeasured));
        let facts = report.identity.machine.as_mut().unwrap();
        facts.insert("accelerator".into(), "tcg: emulation, not a hypervisor's speed".into());
        assert_eq!(Accelerator::of(&report, &calibration), Some(Accelerator::Emulated));
    }

    #[test]
    fn cost_is_the_dominant_share_of_the_run_by_the_requests() {
        let (plan, mut report) = run(SCENARIO, Platform::Container);
        report.tenants[0].cpu_s = Some(12.0);
        report.tenants[0].memory_peak_bytes = Some(1 << 30);
        let completed = report.tenants[0].requests.as_ref().unwrap().completed as f64;
        let cost = Figures::of(&plan, &report, &Calibration::reference()).cost.unwrap();
        assert_eq!((cost.of_cpu, cost.of_memory), (0.25, 0.5), "12 s of 2 cores for 24 s; 1 of 2 GiB");
        assert!((cost.machine_s - 0.5 * 24.0 / completed * 1e3).abs() < 1e-12);
    }

    fn blast(limit: Option<&str>, platform: Platform) -> Blast {
        let change = |limit: &str| Change { path: LIMIT.into(), value: limit.into() };
        let settings = Settings { changes: limit.map(change).into_iter().collect(), seed: None, platform };
        let text = settings::scenario(&settings).unwrap();
        let fault = settings::leak(&text, &settings, platform).unwrap();
        let (_, report) = run(&fault.wanted().scenario, fault.wanted().platform);
        match fault {
            settings::Leak::All(_) => leak(&report),
            settings::Leak::Guest(_) => {
                let (plan, duel) = run(&text, platform);
                leak_in_guest(&plan, &duel, &report).unwrap()
            }
        }
    }

    #[test]
    fn a_leak_kills_who_the_kernel_says_and_sooner_where_something_holds_it() {
        let server = blast(Some("64MiB"), Platform::BareMetal);
        let free = blast(None, Platform::Container);
        let limited = blast(Some("64MiB"), Platform::Container);
        let guest = blast(None, Platform::Vm);
        for blast in [&server, &free, &limited, &guest] {
            assert_eq!((blast.failed.as_slice(), blast.of), (&["batch".to_owned()][..], 3));
        }
        let when = |blast: &Blast| blast.first_s.unwrap();
        assert!(when(&limited) < when(&guest) && when(&guest) < when(&free) && when(&free) <= 24.0);
        assert!(when(&server) > 5.0, "a physical server applies no limit");
    }

    #[test]
    fn what_is_not_known_says_why() {
        let (plan, mut report) = run(SCENARIO, Platform::Container);
        let tenant = &mut report.tenants[0];
        (tenant.startup_s, tenant.memory_peak_bytes) = (None, None);
        tenant.explain_absence("startup_s", "not calibrated");
        tenant.explain_absence("memory_peak_bytes", "no memory");
        report.isolation.clear();
        let without = Calibration { memory: None, ..Calibration::reference() };
        let figures = Figures::of(&plan, &report, &without);
        assert_eq!(figures.boot, Err("not calibrated".into()));
        assert_eq!(held(&report), Err("no memory".into()));
        assert_eq!(figures.cost, Err("no memory".into()));
        for unknown in [figures.idle.err(), figures.density.err()] {
            assert!(unknown.is_some_and(|reason| reason.contains("calibrated without memory")));
        }
        assert!(figures.crash.is_err() && figures.latency.is_ok());
    }

    #[test]
    fn guests_that_cannot_all_be_full_leave_the_leak_unknown() {
        let text = catamaran_scenario::edit::set(SCENARIO, "platform.vm.memory", "1GiB").unwrap();
        let (plan, duel) = run(&text, Platform::Vm);
        assert!(leak_in_guest(&plan, &duel, &duel).is_err());
    }
}
