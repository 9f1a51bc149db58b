//! Memory over time, from the samples of a report: who holds how much on which machine, and who was killed for it.

use catamaran_report::Report;
use catamaran_report::report::TenantReport;
use catamaran_scenario::Plan;

/// The name of a tenant's series of memory charged.
const SERIES: &str = "memory";

/// What a report says about memory.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryFilm {
    /// Memory of each machine (bytes).
    pub capacity_bytes: f64,
    /// Machines.
    pub nodes: u32,
    /// Kills for memory, by time.
    pub kills: Vec<Kill>,
    interval_ns: u64,
    end_ns: u64,
    holders: Vec<Holder>,
}

/// A tenant and what it was charged at the end of each interval.
#[derive(Debug, Clone, PartialEq)]
struct Holder {
    tenant: u32,
    node: u32,
    bytes: Vec<f64>,
}

/// A process that was killed for memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// When (ns).
    pub at_ns: u64,
    /// Whose, as an index into `Report::tenants`.
    pub tenant: u32,
    /// On which machine.
    pub node: u32,
    /// What had no room left: a machine, or a tenant with a limit of its own; where the report says it.
    pub bound: Option<String>,
    /// Who asked for more, where the report says it.
    pub asker: Option<u32>,
}

/// A moment of the story that ends with a kill.
#[derive(Debug, Clone, PartialEq)]
pub enum MemoryMoment {
    /// So much is held by all on that machine before it begins.
    Held {
        /// Which.
        node: u32,
        /// By all (bytes).
        bytes: f64,
    },
    /// A tenant grows.
    Grows {
        /// Who.
        tenant: u32,
        /// By how much (bytes a second).
        bytes_per_s: f64,
    },
    /// Somebody asks for more than is left.
    Full {
        /// Who asks, where that is known.
        asker: Option<u32>,
        /// What is full.
        bound: Option<String>,
    },
    /// What everyone on the machine was charged at the last sample before, largest first.
    Weighed(Vec<(u32, f64)>),
    /// The kernel kills.
    Killed {
        /// Whom.
        tenant: u32,
    },
    /// Requests that it never answered.
    Unanswered {
        /// Whose.
        tenant: u32,
        /// How many.
        requests: u64,
    },
}

impl MemoryFilm {
    /// Puts a report in order; `plan` is what it is of. `None` where nothing was sampled.
    #[must_use]
    pub fn new(report: &Report, plan: &Plan) -> Option<Self> {
        let samples = report.samples.as_ref()?;
        let places: Vec<u32> = plan
            .instances()
            .map(|(tenant, _)| plan.tenants().get(tenant).map_or(0, |tenant| tenant.node))
            .collect();
        let holder = |(index, tenant): (u32, &TenantReport)| {
            let own = |series: &&catamaran_report::report::Series| {
                series.metric == SERIES && series.tenant == tenant.label()
            };
            let bytes = samples.series.iter().find(own)?.values.clone();
            Some(Holder { tenant: index, node: places.get(index as usize).copied().unwrap_or(0), bytes })
        };
        let holders: Vec<Holder> = (0_u32..).zip(&report.tenants).filter_map(holder).collect();
        if holders.is_empty() {
            return None;
        }
        Some(Self {
            capacity_bytes: plan.host().memory.0 as f64,
            nodes: plan.host().nodes,
            kills: kills(report, &places),
            interval_ns: ((samples.interval_s * 1e9).round() as u64).max(1),
            end_ns: (report.elapsed_s * 1e9).round() as u64,
            holders,
        })
    }

    /// The tenants on a machine, in the order in which they are stacked.
    pub fn tenants_on(&self, node: u32) -> impl Iterator<Item = u32> {
        self.holders.iter().filter(move |holder| holder.node == node).map(|holder| holder.tenant)
    }

    /// What a tenant was charged at the last sample until then (bytes); `None` before the first.
    #[must_use]
    pub fn held(&self, tenant: u32, at_ns: u64) -> Option<f64> {
        let holder = self.holders.iter().find(|holder| holder.tenant == tenant)?;
        let past = (at_ns / self.interval_ns) as usize;
        holder.bytes.get(past.min(holder.bytes.len()).checked_sub(1)?).copied()
    }

    /// When a tenant was killed (ns), if it was.
    #[must_use]
    pub fn killed_ns(&self, tenant: u32) -> Option<u64> {
        self.kills.iter().find(|kill| kill.tenant == tenant).map(|kill| kill.at_ns)
    }

    /// The outline of what the first `count` tenants of a machine hold together, from `from_ns` to `to_ns`: (instant (ns), bytes).
    #[must_use]
    pub fn outline(&self, node: u32, count: usize, from_ns: u64, to_ns: u64) -> Vec<(u64, f64)> {
        let to_ns = to_ns.min(self.end_ns);
        let first = from_ns / self.interval_ns;
        let last = to_ns.div_ceil(self.interval_ns);
        let stack = |step: u64| -> f64 {
            let here = self.holders.iter().filter(|holder| holder.node == node).take(count);
            here.map(|holder| holder.at_step(step)).sum()
        };
        (first..=last).map(|step| ((step * self.interval_ns).min(self.end_ns), stack(step))).collect()
    }

    /// How it came to the kills; empty where nobody was killed.
    #[must_use]
    pub fn story(&self, report: &Report) -> Vec<(u64, MemoryMoment)> {
        let mut story = Vec::new();
        if let Some(first) = self.kills.first() {
            story.extend(self.beginning(first));
        }
        for kill in &self.kills {
            let full = MemoryMoment::Full { asker: kill.asker, bound: kill.bound.clone() };
            story.push((kill.at_ns, full));
            story.push((kill.at_ns, MemoryMoment::Weighed(self.weighed(kill))));
            story.push((kill.at_ns, MemoryMoment::Killed { tenant: kill.tenant }));
            let requests =
                report.tenants.get(kill.tenant as usize).and_then(|tenant| tenant.requests.as_ref());
            let unanswered = requests.map(|requests| requests.in_flight).filter(|&count| count > 0);
            story
                .extend(unanswered.map(|requests| {
                    (kill.at_ns, MemoryMoment::Unanswered { tenant: kill.tenant, requests })
                }));
        }
        story
    }

    /// What was held on the machine a quarter of the way to the kill, and who grew most from then on.
    fn beginning(&self, kill: &Kill) -> Vec<(u64, MemoryMoment)> {
        let from_ns = kill.at_ns / 4 / self.interval_ns * self.interval_ns;
        let before_ns = kill.at_ns.saturating_sub(1);
        let held = |tenant: u32, at_ns: u64| self.held(tenant, at_ns).unwrap_or_default();
        let bytes = self.tenants_on(kill.node).map(|tenant| held(tenant, from_ns)).sum();
        let span_s = (before_ns / self.interval_ns * self.interval_ns).saturating_sub(from_ns) as f64 / 1e9;
        let growth = self.tenants_on(kill.node).map(|tenant| {
            let grown = held(tenant, before_ns) - held(tenant, from_ns);
            (tenant, if span_s > 0.0 { grown / span_s } else { 0.0 })
        });
        let most = growth.max_by(|one, other| one.1.total_cmp(&other.1)).filter(|(_, rate)| *rate > 0.0);
        let mut found = vec![(from_ns, MemoryMoment::Held { node: kill.node, bytes })];
        found
            .extend(most.map(|(tenant, bytes_per_s)| (from_ns, MemoryMoment::Grows { tenant, bytes_per_s })));
        found
    }

    fn weighed(&self, kill: &Kill) -> Vec<(u32, f64)> {
        let before_ns = kill.at_ns.saturating_sub(1);
        let alive = |tenant: &u32| self.killed_ns(*tenant).is_none_or(|at_ns| at_ns >= kill.at_ns);
        let mut all: Vec<(u32, f64)> = self
            .tenants_on(kill.node)
            .filter(alive)
            .map(|tenant| (tenant, self.held(tenant, before_ns).unwrap_or_default()))
            .collect();
        all.sort_by(|one, other| other.1.total_cmp(&one.1));
        all
    }
}

impl Holder {
    /// At the end of `step` intervals (bytes); at the start nothing is held that is known of.
    fn at_step(&self, step: u64) -> f64 {
        let last = || self.bytes.last().copied().unwrap_or_default();
        match step.checked_sub(1) {
            Some(index) => self.bytes.get(index as usize).copied().unwrap_or_else(last),
            None => 0.0,
        }
    }
}

fn kills(report: &Report, places: &[u32]) -> Vec<Kill> {
    let index = |label: &str| {
        (0_u32..).zip(&report.tenants).find(|(_, tenant)| tenant.label() == label).map(|(index, _)| index)
    };
    let kill = |event: &catamaran_report::report::EventRow| {
        let tenant = index(&event.target)?;
        let cause = event.because.and_then(|cause| report.events.get(cause as usize));
        Some(Kill {
            at_ns: (event.at_s * 1e9).round() as u64,
            tenant,
            node: places.get(tenant as usize).copied().unwrap_or(0),
            bound: cause.map(|cause| cause.target.clone()),
            asker: cause.and_then(|cause| index(&cause.actor)),
        })
    };
    report.events.iter().filter(|event| event.what == "oom-kill").filter_map(kill).collect()
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::{Calibration, Platform};
    use catamaran_sim::{Options, simulate};

    use super::*;

    /// Two machines: on the first a leak beside a larger tenant, on the second a small one.
    const TEXT: &str = r#"
schema = "catamaran/scenario/v1"
name = "film"
duration = "4s"
platforms = ["bare-metal"]
host = { cores = 1, memory = "64MiB", nodes = 2 }
[[tenant]]
name = "large"
workload = { kind = "memory", start = "40MiB" }
[[tenant]]
name = "leaker"
workload = { kind = "memory", start = "4MiB", leak = "10MiB/s" }
[[tenant]]
name = "apart"
node = 1
workload = { kind = "memory", start = "8MiB" }
"#;

    fn film() -> (MemoryFilm, Report) {
        let plan = Plan::from_toml(TEXT, "film").unwrap();
        let report = simulate(&plan, Platform::BareMetal, &Calibration::reference(), &Options::default())
            .unwrap()
            .report;
        (MemoryFilm::new(&report, &plan).unwrap(), report)
    }

    #[test]
    fn the_stack_of_a_machine_is_what_its_tenants_hold() {
        let (film, _) = film();
        assert_eq!(film.tenants_on(0).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(film.tenants_on(1).collect::<Vec<_>>(), [2]);
        let at_ns = 1_500_000_000;
        let top = |node, count| {
            let outline = film.outline(node, count, 0, 4_000_000_000);
            outline.iter().find(|point| point.0 == at_ns).unwrap().1
        };
        let held = |tenant| film.held(tenant, at_ns).unwrap();
        assert_eq!(top(0, 1), held(0));
        assert_eq!(top(0, 2), held(0) + held(1));
        assert_eq!(top(1, 1), held(2));
        assert!((held(1) - held(0)).abs() > 1e6 && held(2) < 10e6, "{} {} {}", held(0), held(1), held(2));
        assert_eq!(film.held(0, 99_999_999), None, "before the first sample");
    }

    #[test]
    fn the_story_of_a_kill_names_who_grew_who_weighed_what_and_who_died() {
        let (film, report) = film();
        let kill = film.kills.first().unwrap();
        assert_eq!((kill.tenant, kill.node, kill.asker), (0, 0, Some(1)));
        assert_eq!(kill.bound.as_deref(), Some("node-0"));
        assert_eq!(film.killed_ns(0), Some(kill.at_ns));
        assert_eq!(film.killed_ns(2), None);
        let story: Vec<MemoryMoment> = film.story(&report).into_iter().map(|(_, moment)| moment).collect();
        let [
            MemoryMoment::Held { node: 0, bytes },
            MemoryMoment::Grows { tenant: 1, bytes_per_s },
            rest @ ..,
        ] = story.as_slice()
        else {
            panic!("{story:?}");
        };
        assert!(*bytes > 44e6, "{bytes}");
        assert!((bytes_per_s / 10_485_760.0 - 1.0).abs() < 0.1, "{bytes_per_s}");
        let [
            MemoryMoment::Full { asker: Some(1), .. },
            MemoryMoment::Weighed(all),
            MemoryMoment::Killed { tenant: 0 },
        ] = rest
        else {
            panic!("{rest:?}");
        };
        assert_eq!(all.iter().map(|(tenant, _)| *tenant).collect::<Vec<_>>(), [0, 1], "largest first");
    }
}
