//! From what was measured to the report.

mod host;
mod marks;
mod requests;
mod stages;

use std::collections::BTreeMap;
use std::path::Path;

use catamaran_report::Report;
use catamaran_report::metric::FOUND_IN_CACHE;
use catamaran_report::report::{BackendKind, Identity, Samples, Series, StageRow, TenantReport, TenantState};
use catamaran_scenario::Platform;
use catamaran_scenario::file_work::layers_of;
use catamaran_scenario::fork_work;
use catamaran_scenario::plan::{self, Plan, Workload};
use catamaran_worker::facts;
use catamaran_worker::tape::{Tape, head};

pub(crate) use stages::stages;

use crate::cgroup::Usage;
use crate::guard::Guard;
use crate::happened::Log;
use crate::others::GroupTime;
use crate::platform::NO_GROUPS;
use crate::run::{End, How, Life, SAMPLE_NS, Tenant};
use crate::trace::Seen;
use crate::{forks, identity, image, isolation, machine, operations, platform, program};

/// A run that is over.
pub(crate) struct Outcome<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) platform: Platform,
    pub(crate) trial: u32,
    pub(crate) origin_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) steal: Option<f64>,
    /// CPU time that anyone used on the run's cores (s).
    pub(crate) busy_s: f64,
    /// What of that the engine of the run used, and what it used on other cores; none where there is none, or it can't be told.
    pub(crate) engine_time: Option<GroupTime>,
    /// What the engine's own processes held at the common start (bytes).
    pub(crate) engine_bytes: Option<u64>,
    /// Whether an engine started the tenants.
    pub(crate) has_engine: bool,
    pub(crate) guard: &'a Guard,
    /// The network namespace of the run, as links in `/proc` name it, where it has one.
    pub(crate) network: Option<String>,
    /// Images, by what identities call them, and their digests.
    pub(crate) images: Vec<(String, String)>,
    /// The OCI runtime that started the tenants, where it is not our own.
    pub(crate) runtime: Option<&'a str>,
    pub(crate) tenants: &'a [Tenant],
    /// What happened to them.
    pub(crate) log: Log,
}

impl Outcome<'_> {
    /// The report, nothing in it made up.
    pub(crate) fn report(&self) -> Report {
        let mut report =
            Report::blank(self.plan, self.platform, BackendKind::Native, self.trial, self.identity());
        report.elapsed_s = self.elapsed_s();
        for (row, tenant) in report.tenants.iter_mut().zip(self.tenants) {
            self.fill(row, tenant);
        }
        let mut log = self.log.clone();
        for (row, tenant) in report.tenants.iter().zip(self.tenants) {
            let lives = tenant.lives.iter().map(|life| (life.tape(), self.until_ns(life)));
            forks::note_refusal(&mut log, &row.label(), &tenant.plan, lives, self.platform);
        }
        report.events = log.rows();
        self.fill_host(&mut report);
        let mut outside = facts::read(Path::new("/proc/self"));
        // What tenants share in place of the machine's network stands for it.
        outside.extend(self.network.clone().map(|name| ("ns.net".to_owned(), name)));
        for (row, tenant) in report.tenants.iter().zip(self.tenants) {
            let facts = tenant.lives.first().map(|life| &life.facts);
            report
                .isolation
                .extend(facts.iter().flat_map(|facts| isolation::rows(&row.label(), facts, &outside)));
        }
        report.samples = self.samples(&report.tenants);
        report
    }

    /// To the end of the run, or of the last tenant where all were done before, and nothing happened any more.
    fn elapsed_s(&self) -> f64 {
        let done = |tenant: &Tenant| {
            let Some(life) = tenant.lives.last() else { return Some(0) };
            let ended = life.end.as_ref().filter(|_| life.asked.is_some());
            instant(life.tape(), head::DONE).or(ended.map(|end| end.at_ns))
        };
        let done: Option<Vec<u64>> = self.tenants.iter().map(done).collect();
        let to_the_end = self.end_ns.saturating_sub(self.origin_ns);
        let last = done.and_then(|done| done.into_iter().max()).map(|done| done.max(self.log.last_ns()));
        last.map_or(to_the_end, |last| last.min(to_the_end)) as f64 / 1e9
    }

    /// When a life's work is looked at for the last time (ns from the origin).
    fn until_ns(&self, life: &Life) -> u64 {
        let end_ns = self.end_ns.saturating_sub(self.origin_ns);
        life.end.as_ref().filter(|_| life.is_cut()).map_or(end_ns, |end| end.at_ns.min(end_ns))
    }

    /// Fills a tenant's row.
    fn fill(&self, row: &mut TenantReport, tenant: &Tenant) {
        let (plan, lives) = (&tenant.plan, &tenant.lives);
        let version = self.guard.cgroup.version();
        if let Some(first) = lives.first() {
            let own = stages(
                first.tape(),
                self.platform,
                &self.plan.settings(self.platform),
                version,
                first.seen.as_ref(),
            );
            let whys = [first.fetched.unseen.clone(), unseen(&own, first.seen.as_ref())];
            let whys: Vec<_> = whys.into_iter().flatten().collect();
            if !whys.is_empty() {
                row.explain_absence("startup_stages", whys.join("; "));
            }
            row.startup_stages = image::before(&first.fetched, own);
        }
        row.startup_s = row.startup_stages.last().and_then(|stage| stage.end_s);
        let seconds = |ns: u64| Some(ns as f64 / 1e9);
        row.cpu_s = seconds(tenant.sum(|life| life.last.cpu_ns_since(&life.first)));
        row.waited_s = seconds(tenant.sum(|life| life.last.waited_ns_since(&life.first)));
        let throttled = |figure: fn(&Usage) -> u64| {
            tenant.sum(|life| figure(&life.last.usage).saturating_sub(figure(&life.first.usage)))
        };
        if lives.iter().any(|life| life.accounts.throttling.is_some()) && plan.cpu.limit.is_some() {
            row.throttled_s = seconds(throttled(|usage| usage.throttled_ns));
            row.throttled_periods = Some(throttled(|usage| usage.throttled_periods));
        }
        row.turns = Some(tenant.sum(|life| life.last.turns) as f64);
        row.memory_peak_bytes = lives.iter().filter_map(Life::memory_peak_bytes).max();
        row.oom_kills =
            lives.iter().filter_map(|life| life.oom_kills(&*self.guard.cgroup)).reduce(|a, b| a + b);
        row.restarts = Some(tenant.restarts);
        row.disk_bytes = match layers_of(&plan.workload).is_empty() {
            true => Some(tenant.sum(|life| operations::disk_bytes(life.tape(), self.until_ns(life)))),
            false => lives.last().and_then(|life| life.tape().get(head::DISK_BYTES).checked_sub(1)),
        };
        row.network_bytes = Some(tenant.sum(|life| life.last.network_bytes));
        let end_ns = self.end_ns.saturating_sub(self.origin_ns);
        row.requests = requests::of(tenant, end_ns, |life| self.until_ns(life));
        let begun_s = lives.first().map_or(0.0, |life| life.begun_ns as f64 / 1e9);
        let time_s = self.elapsed_s() - begun_s;
        row.throughput_per_s =
            row.requests.as_ref().filter(|_| time_s > 0.0).map(|r| r.completed as f64 / time_s);
        self.fill_end(row, tenant);
        explain(row, self.platform, version, tenant);
        if let Some((field, why)) = image::not_applied(self.plan, self.platform, plan) {
            row.explain_absence(field, why);
        }
        let tapes: Vec<_> = lives.iter().map(Life::tape).collect();
        program::amend(row, plan, &tapes, lives.iter().all(|life| life.last.usage.cpu_ns.is_some()));
        row.absent.extend(self.not_carried_out(plan).map(|(field, why)| (field.to_owned(), why)));
    }

    /// What of the events that meet a tenant is not carried out, and why.
    fn not_carried_out(&self, plan: &plan::Tenant) -> impl Iterator<Item = (&'static str, String)> {
        let meets = |word| {
            let events = self.plan.events().iter();
            events
                .map(|event| &event.action)
                .any(|action| action.word() == word && action.tenant() == Some(&plan.name))
        };
        let why = match self.guard.cgroup.version() {
            0 => NO_GROUPS.to_owned(),
            _ => "the platform has no limits".to_owned(),
        };
        let limits = platform::has_limits(self.platform) && self.guard.cgroup.version() != 0;
        let limit = (meets("set-limit") && !limits).then_some(("event.set-limit", why));
        let image = "the next life is of the same program: no image is fetched for it".to_owned();
        let image = meets("update").then_some(("event.update.image", image));
        limit.into_iter().chain(image)
    }

    /// A server, a tenant that holds memory and an idle one have done their part when they are there at the end of the run.
    fn fill_end(&self, row: &mut TenantReport, tenant: &Tenant) {
        let plan = &tenant.plan;
        let Some(life) = tenant.lives.last() else { return };
        let seconds = |ns: u64| ns as f64 / 1e9;
        if let Some(end) = life.end.as_ref().filter(|end| end.oom.is_some() || life.asked.is_some()) {
            row.finished_s = Some(seconds(end.at_ns));
            (row.state, row.error) = match (&end.oom, life.asked) {
                (Some(kill), _) => (TenantState::OomKilled, Some(kill.error())),
                (None, Some((How::Killed, cause))) => {
                    let at_s = seconds(self.log.at_ns(cause));
                    let error = format!("killed with SIGKILL at {at_s} s, as an event of the scenario asks");
                    (TenantState::Failed, Some(error))
                }
                (None, _) => (TenantState::Completed, None),
            };
            return;
        }
        let lasts = matches!(
            plan.workload,
            Workload::Server(_) | Workload::Memory { .. } | Workload::Fork { .. } | Workload::Idle
        );
        let stays = (lasts || program::is_ready(life.tape())) && life.end.is_none();
        let end_ns = stays.then(|| self.end_ns.saturating_sub(self.origin_ns));
        // A program that is stopped at the end takes its time to go.
        let latest_ns = if program::is_one(&plan.workload) { self.plan.duration().0 } else { u64::MAX };
        let done = instant(life.tape(), head::DONE).map(|done_ns| done_ns.min(latest_ns));
        let done = done.or(end_ns.filter(|end_ns| *end_ns > life.begun_ns));
        row.finished_s = done.map(seconds);
        row.state = match (done, &life.end) {
            (Some(_), _) => TenantState::Completed,
            (None, None) if self.elapsed_s() < seconds(life.begun_ns) => TenantState::Pending,
            (None, None) => TenantState::Running,
            (None, Some(End { how, .. })) => {
                row.error =
                    Some(format!("ended before its work was done: {how}; figures are its last sample"));
                TenantState::Failed
            }
        };
    }

    fn samples(&self, rows: &[TenantReport]) -> Option<Samples> {
        let interval_s = SAMPLE_NS as f64 / 1e9;
        // What is charged at the end of an interval; the first sample is taken at the start.
        let memory = |samples: &[Usage]| -> Option<Vec<f64>> {
            samples.iter().skip(1).map(|usage| Some(usage.memory_bytes? as f64)).collect()
        };
        let cores = |samples: &[Usage]| -> Option<Vec<f64>> {
            let pairs = samples.windows(2);
            pairs
                .map(|pair| Some((pair.get(1)?.cpu_ns? - pair.first()?.cpu_ns?) as f64 / SAMPLE_NS as f64))
                .collect()
        };
        let series = rows.iter().zip(self.tenants).flat_map(|(row, tenant)| {
            let metrics = [("cpu", cores(&tenant.samples)), ("memory", memory(&tenant.samples))];
            let series = |(metric, values): (&str, Option<Vec<f64>>)| {
                Some(Series { tenant: row.label(), metric: metric.into(), values: values? })
            };
            metrics.into_iter().filter_map(series).collect::<Vec<_>>()
        });
        let series: Vec<_> = series.filter(|series| !series.values.is_empty()).collect();
        (!series.is_empty()).then_some(Samples { interval_s, series })
    }

    fn identity(&self) -> Identity {
        let kernel = machine::kernel_release();
        let scheduler = if machine::kernel_version(&kernel) >= (6, 6) { "eevdf" } else { "cfs" };
        let facts = [
            ("kernel", kernel),
            ("cpu", machine().cpu_model),
            ("date", identity::today()),
            ("scheduler", scheduler.to_owned()),
            ("cores", machine::allowed_cpus().len().to_string()),
            ("cores_used", machine::to_cpu_list(&self.guard.confines.cpus)),
            ("cgroup_version", self.guard.cgroup.version().to_string()),
        ];
        let own = (self.platform == Platform::Container)
            .then_some(concat!("catamaran ", env!("CARGO_PKG_VERSION")));
        let runtime = own.or(self.runtime).map(|version| ("runtime", version.to_owned()));
        Identity {
            scenario_digest: self.plan.digest(),
            engine: concat!("catamaran-native ", env!("CARGO_PKG_VERSION")).to_owned(),
            calibration_digest: None,
            machine: Some(
                facts
                    .into_iter()
                    .chain(runtime)
                    .map(|(key, value)| (key.to_owned(), value))
                    .chain(self.images.iter().cloned())
                    .collect::<BTreeMap<_, _>>(),
            ),
        }
    }
}

/// Why the ends of some stages are not known; none where all are.
fn unseen(stages: &[StageRow], seen: Option<&Seen>) -> Option<String> {
    let missing: Vec<_> =
        stages.iter().filter(|stage| stage.end_s.is_none()).map(|stage| &*stage.name).collect();
    let why = seen?.blind.as_deref().unwrap_or("they did not do what other versions of them do");
    (!missing.is_empty()).then(|| format!("where these end was not seen: {} ({why})", missing.join(", ")))
}

/// Says why figures are unknown, and which limits were not applied.
fn explain(row: &mut TenantReport, platform: Platform, version: u8, tenant: &Tenant) {
    let plan = &tenant.plan;
    let counted = tenant.lives.iter().all(|life| life.last.usage.cpu_ns.is_some());
    for (field, reason) in platform::not_applied(platform, version, plan) {
        row.explain_absence(field, reason);
    }
    row.explain_absence("stolen_s", "the tenant is no guest: what the machine beneath takes is `host.steal`");
    if !layers_of(&plan.workload).is_empty() {
        row.explain_absence(FOUND_IN_CACHE, "what the page cache had does not count");
        row.explain_absence("tenant.image", "of the image the layer's file is laid out, and nothing else");
    }
    if fork_work::forks(&plan.workload) {
        forks::explain(row, counted);
    }
    let unfinished = match row.state {
        TenantState::Failed => "it ended before its work was done",
        _ => "still at work when the run ended",
    };
    let reasons = [
        ("startup_s", row.startup_s.is_none(), "a start-up stage was not noted"),
        ("finished_s", row.finished_s.is_none(), unfinished),
        ("throttled_s", row.throttled_s.is_none(), "no quota applies"),
        ("throttled_periods", row.throttled_periods.is_none(), "no quota applies"),
        ("requests", row.requests.is_none(), "not a server"),
        ("throughput_per_s", row.throughput_per_s.is_none(), "not a server"),
        (
            "memory_peak_bytes",
            row.memory_peak_bytes.is_none(),
            "no memory controller, or it keeps no peak (v2 before 5.19)",
        ),
        ("oom_kills", row.oom_kills.is_none(), "no memory controller"),
        (
            "disk_bytes",
            row.disk_bytes.is_none(),
            "it ended before it could tell what the disk moved for it, or the kernel does not count it (/proc/PID/io)",
        ),
    ];
    for (field, absent, reason) in reasons {
        if absent {
            row.explain_absence(field, if tenant.lives.is_empty() { "it was never started" } else { reason });
        }
    }
    if row.throttled_periods.is_some_and(|periods| periods > 0) {
        row.explain_absence(
            "waited_s.throttled",
            "the kernel's run-queue wait goes on while a group is throttled",
        );
    }
    if !counted {
        let why = if version == 0 { NO_GROUPS } else { "cpu and cpuacct are mounted together" };
        row.explain_absence("cpuacct", format!("{why}: cpu_s is the sum of the threads' schedstat"));
    }
}

/// An instant of the tape (ns from the origin): stored plus 1, so that 0 is none.
fn instant(tape: &Tape, word: usize) -> Option<u64> {
    tape.get(word).checked_sub(1)
}
