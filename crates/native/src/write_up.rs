//! From what was measured to the report.

mod host;
mod marks;
mod stages;

use std::collections::BTreeMap;
use std::path::Path;

use catamaran_report::Report;
use catamaran_report::metric::FOUND_IN_CACHE;
use catamaran_report::report::{
    BackendKind, EventRow, Identity, Requests, Samples, Series, StageRow, TenantReport, TenantState,
};
use catamaran_scenario::Platform;
use catamaran_scenario::file_work::layers_of;
use catamaran_scenario::fork_work;
use catamaran_scenario::plan::{Plan, Tenant, Workload};
use catamaran_worker::facts::{self, Facts};
use catamaran_worker::tape::{Tape, head, phase};

pub(crate) use stages::stages;

use crate::cgroup::{Accounts, Usage};
use crate::guard::{Guard, number};
use crate::killed::OomKill;
use crate::others::GroupTime;
use crate::platform::NO_GROUPS;
use crate::run::SAMPLE_NS;
use crate::tally::{Look, Tally};
use crate::trace::Seen;
use crate::{forks, identity, isolation, machine, operations, platform};

/// One tenant's part.
pub(crate) struct TenantOutcome<'a> {
    pub(crate) tape: &'a Tape,
    pub(crate) accounts: &'a Accounts,
    /// How it ended, where it did so before the end of the run.
    pub(crate) ended: Option<&'a str>,
    /// When that was heard of (ns of the clock).
    pub(crate) ended_ns: Option<u64>,
    pub(crate) first: &'a Look,
    pub(crate) last: &'a Look,
    pub(crate) facts: &'a Facts,
    pub(crate) samples: &'a [Usage],
    /// What is known of groups that are there no more.
    pub(crate) tally: &'a Tally,
    /// How it was started, where others did that.
    pub(crate) seen: Option<&'a Seen>,
}

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
    /// Whether an engine started the tenants.
    pub(crate) has_engine: bool,
    pub(crate) guard: &'a Guard,
    /// The network namespace of the run, as links in `/proc` name it, where it has one.
    pub(crate) network: Option<String>,
    /// The OCI runtime that started the tenants, where it is not our own.
    pub(crate) runtime: Option<&'a str>,
    pub(crate) tenants: Vec<TenantOutcome<'a>>,
}

impl Outcome<'_> {
    /// The report, nothing in it made up.
    pub(crate) fn report(&self) -> Report {
        let mut report =
            Report::blank(self.plan, self.platform, BackendKind::Native, self.trial, self.identity());
        report.elapsed_s = self.elapsed_s();
        let plans = self.plan.instances().filter_map(|(index, _)| self.plan.tenants().get(index));
        let mut kills = Vec::new();
        for ((row, plan), tenant) in report.tenants.iter_mut().zip(plans).zip(&self.tenants) {
            let machine = EventRow::machine(self.plan, plan.node);
            kills.extend(self.fill(row, plan, tenant).map(|kill| (row.label(), machine, kill)));
        }
        kills.sort_by_key(|(_, _, kill)| kill.at_ns);
        let rows = kills.iter().enumerate();
        report.events =
            rows.flat_map(|(k, (label, machine, kill))| kill.events(label, machine, 2 * k)).collect();
        let rows = self.plan.instances().zip(&self.tenants);
        let tapes =
            rows.filter_map(|((index, _), tenant)| Some((self.plan.tenants().get(index)?, tenant.tape)));
        forks::add_refusals(&mut report, tapes, self.platform, self.end_ns.saturating_sub(self.origin_ns));
        self.fill_host(&mut report);
        let mut outside = facts::read(Path::new("/proc/self"));
        // What tenants share in place of the machine's network stands for it.
        outside.extend(self.network.clone().map(|name| ("ns.net".to_owned(), name)));
        for (row, tenant) in report.tenants.iter().zip(&self.tenants) {
            report.isolation.extend(isolation::rows(&row.label(), tenant.facts, &outside));
        }
        report.samples = self.samples(&report.tenants);
        report
    }

    /// To the end of the run, or of the last tenant where all were done before.
    fn elapsed_s(&self) -> f64 {
        let done: Option<Vec<u64>> =
            self.tenants.iter().map(|tenant| instant(tenant.tape, head::DONE)).collect();
        let to_the_end = self.end_ns.saturating_sub(self.origin_ns);
        let last = done.and_then(|done| done.into_iter().max());
        last.map_or(to_the_end, |last| last.min(to_the_end)) as f64 / 1e9
    }

    /// Fills a tenant's row; how it was killed for memory, if it was.
    fn fill(&self, row: &mut TenantReport, plan: &Tenant, tenant: &TenantOutcome<'_>) -> Option<OomKill> {
        row.startup_stages = stages(
            tenant.tape,
            self.platform,
            &self.plan.settings(self.platform),
            self.guard.cgroup.version(),
            tenant.seen,
        );
        if let Some(why) = unseen(&row.startup_stages, tenant.seen) {
            row.explain_absence("startup_stages", why);
        }
        row.startup_s = row.startup_stages.last().and_then(|stage| stage.end_s);
        row.cpu_s = Some(tenant.last.cpu_ns_since(tenant.first) as f64 / 1e9);
        row.waited_s = Some(tenant.last.waited_ns_since(tenant.first) as f64 / 1e9);
        let (now, then) = (tenant.last.usage, tenant.first.usage);
        if tenant.accounts.throttling.is_some() && plan.cpu.limit.is_some() {
            row.throttled_s = Some(now.throttled_ns.saturating_sub(then.throttled_ns) as f64 / 1e9);
            row.throttled_periods = Some(now.throttled_periods.saturating_sub(then.throttled_periods));
        }
        row.turns = Some(tenant.last.turns as f64);
        let peak = number(tenant.accounts.memory_peak.as_ref());
        row.memory_peak_bytes = peak.or(tenant.tally.memory_peak_bytes());
        let oom = tenant.accounts.oom.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let oom = oom.or_else(|| tenant.tally.oom().map(str::to_owned));
        row.oom_kills = oom.and_then(|text| self.guard.cgroup.oom_kills(&text));
        row.restarts = Some(0);
        row.disk_bytes = match layers_of(&plan.workload).is_empty() {
            true => Some(operations::disk_bytes(tenant.tape, self.end_ns.saturating_sub(self.origin_ns))),
            false => tenant.tape.get(head::DISK_BYTES).checked_sub(1),
        };
        row.network_bytes = Some(tenant.last.network_bytes);
        row.requests = requests(tenant.tape, self.end_ns.saturating_sub(self.origin_ns));
        let time_s = self.elapsed_s() - plan.start_at.seconds();
        row.throughput_per_s =
            row.requests.as_ref().filter(|_| time_s > 0.0).map(|r| r.completed as f64 / time_s);
        let ended = tenant.ended.zip(tenant.ended_ns.map(|ns| ns.saturating_sub(self.origin_ns)));
        let kill = OomKill::find(row, plan, platform::has_limits(self.platform), ended);
        match &kill {
            Some(kill) => kill.note(row),
            None => self.fill_end(row, plan, tenant),
        }
        explain(row, self.platform, self.guard.cgroup.version(), plan, tenant);
        kill
    }

    /// A server, a tenant that holds memory and an idle one have done their part when they are there at the end of the run.
    fn fill_end(&self, row: &mut TenantReport, plan: &Tenant, tenant: &TenantOutcome<'_>) {
        let lasts = matches!(
            plan.workload,
            Workload::Server(_) | Workload::Memory { .. } | Workload::Fork { .. } | Workload::Idle
        );
        let stays = lasts && tenant.ended.is_none();
        let end_ns = stays.then(|| self.end_ns.saturating_sub(self.origin_ns));
        let done = instant(tenant.tape, head::DONE).or(end_ns.filter(|end_ns| *end_ns > plan.start_at.0));
        row.finished_s = done.map(|ns| ns as f64 / 1e9);
        row.state = match (done, tenant.ended) {
            (Some(_), _) => TenantState::Completed,
            (None, None) if self.elapsed_s() < plan.start_at.seconds() => TenantState::Pending,
            (None, None) => TenantState::Running,
            (None, Some(how)) => {
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
        let series = rows.iter().zip(&self.tenants).flat_map(|(row, tenant)| {
            let metrics = [("cpu", cores(tenant.samples)), ("memory", memory(tenant.samples))];
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
fn explain(
    row: &mut TenantReport,
    platform: Platform,
    version: u8,
    plan: &Tenant,
    tenant: &TenantOutcome<'_>,
) {
    for (field, reason) in platform::not_applied(platform, version, plan) {
        row.explain_absence(field, reason);
    }
    row.explain_absence("stolen_s", "the tenant is no guest: what the machine beneath takes is `host.steal`");
    if !layers_of(&plan.workload).is_empty() {
        row.explain_absence(FOUND_IN_CACHE, "what the page cache had does not count");
        row.explain_absence("tenant.image", "of the image the layer's file is laid out, and nothing else");
    }
    if fork_work::forks(&plan.workload) {
        forks::explain(row, tenant.last.usage.cpu_ns.is_some());
    }
    let reasons = [
        ("startup_s", row.startup_s.is_none(), "a start-up stage was not noted"),
        ("finished_s", row.finished_s.is_none(), "still at work when the run ended"),
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
            row.explain_absence(field, reason);
        }
    }
    if row.throttled_periods.is_some_and(|periods| periods > 0) {
        row.explain_absence(
            "waited_s.throttled",
            "the kernel's run-queue wait goes on while a group is throttled",
        );
    }
    if tenant.last.usage.cpu_ns.is_none() {
        let why = if version == 0 { NO_GROUPS } else { "cpu and cpuacct are mounted together" };
        row.explain_absence("cpuacct", format!("{why}: cpu_s is the sum of the threads' schedstat"));
    }
}

/// An instant of the tape (ns from the origin): stored plus 1, so that 0 is none.
fn instant(tape: &Tape, word: usize) -> Option<u64> {
    tape.get(word).checked_sub(1)
}

/// What became of the requests that arrived before the end of the run (ns from the origin), in all server and disk phases and those of
/// requests over the network;
/// `None` where there is none.
fn requests(tape: &Tape, end_ns: u64) -> Option<Requests> {
    let layout = tape.layout();
    let mut latencies_ns = Vec::new();
    let (mut sent, mut failed, mut server) = (0, 0, false);
    for at in (0..layout.phases).map(|number| layout.phase(number)) {
        match tape.get(at + phase::KIND) {
            phase::SERVER => {}
            phase::FORK => {
                server = true;
                let forked = forks::forked(tape, at, end_ns, &mut latencies_ns);
                sent += forked.sent;
                failed += forked.failed;
                continue;
            }
            phase::NETWORK if tape.get(at + phase::STREAM_BYTES) > 0 => continue,
            phase::DISK | phase::NETWORK => {
                server = true;
                let counts = operations::latencies(tape, at, end_ns, &mut latencies_ns);
                (sent, failed) = (sent + counts.0, failed + counts.1);
                continue;
            }
            _ => continue,
        }
        server = true;
        let Some(began_ns) = instant(tape, at + phase::BEGAN) else { continue };
        let count = tape.get(at + phase::REQUESTS) as usize;
        let arrays = tape.get(at + phase::ARRAYS) as usize;
        for k in 0..count {
            let arrival_ns = began_ns + tape.get(arrays + k);
            if arrival_ns >= end_ns {
                break;
            }
            sent += 1;
            match tape.get(arrays + 3 * count + k) {
                0 => {}
                phase::FAILED_FULL | phase::FAILED_LATE => failed += 1,
                end => latencies_ns.push((end - 1).saturating_sub(arrival_ns)),
            }
        }
    }
    server.then(|| Requests::from_latencies_ns(sent, failed, &mut latencies_ns))
}
