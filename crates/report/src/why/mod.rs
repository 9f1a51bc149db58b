//! "Why?": what a report and its timeline tell of the causes of one thing, and the setting of the scenario that would change it.
//!
//! An answer is made of facts, each a figure of the report or a length on the timeline, and ends in a setting. Nothing here
//! knows how a figure was obtained; [`words::why`](crate::words::why) turns an answer into sentences.

mod disk;
mod exchange;
mod forks;
mod kill;
mod otherwise;
mod request;
mod setting;
mod spans;
mod start;
mod stop;

use catamaran_scenario::Plan;
use catamaran_scenario::plan::Action;

use crate::report::{Report, TenantReport, TenantState};
use crate::timeline::Timeline;

pub use exchange::Peer;
pub use forks::Refused;
pub use kill::Kill;
pub use request::{Late, Parts};
pub use setting::{Advice, Change};
pub use start::Start;
pub use stop::{Throttled, Waited};

/// Least share of the run for which waiting is worth a question.
const WORTH_ASKING: f64 = 0.01;

/// What is asked of a tenant, by its place in [`Report::tenants`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Why was this request late?
    Late {
        /// The tenant.
        tenant: usize,
        /// Number of the request.
        request: u32,
    },
    /// Why was it killed?
    Killed {
        /// The tenant.
        tenant: usize,
    },
    /// Why was its start slow?
    Slow {
        /// The tenant.
        tenant: usize,
    },
    /// Why was it throttled?
    Throttled {
        /// The tenant.
        tenant: usize,
    },
    /// Why did it wait?
    Waited {
        /// The tenant.
        tenant: usize,
    },
    /// Why were its forks refused?
    Refused {
        /// The tenant.
        tenant: usize,
    },
}

/// What is found.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// Of a request.
    Late(Late),
    /// Of a kill.
    Kill(Kill),
    /// Of a start.
    Start(Start),
    /// Of a quota.
    Throttled(Throttled),
    /// Of waiting for a core.
    Waited(Waited),
    /// Of forks.
    Refused(Refused),
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Label of the tenant.
    pub tenant: String,
    /// What is found.
    pub facts: Facts,
    /// The setting to change; `None` where none of the scenario's would help.
    pub advice: Option<Advice>,
    /// Another one that helps as well, where there is one that takes nothing from others.
    pub otherwise: Option<Advice>,
}

impl Question {
    /// Whom it asks about, by its place in [`Report::tenants`].
    #[must_use]
    pub const fn tenant(self) -> usize {
        match self {
            Self::Late { tenant, .. }
            | Self::Killed { tenant }
            | Self::Slow { tenant }
            | Self::Throttled { tenant }
            | Self::Waited { tenant }
            | Self::Refused { tenant } => tenant,
        }
    }
}

/// All that is worth a question in a report: of each tenant its slowest request, its end by force, its start, its throttling,
/// its waiting and its refused forks, as far as there are any.
#[must_use]
pub fn questions(report: &Report, timeline: &Timeline) -> Vec<Question> {
    (0..report.tenants.len()).flat_map(|tenant| of_tenant(report, timeline, tenant)).collect()
}

fn of_tenant(report: &Report, timeline: &Timeline, tenant: usize) -> Vec<Question> {
    let Some(row) = report.tenants.get(tenant) else { return Vec::new() };
    // One that clashes with another never came to be: its error says with whom, and nobody ended it.
    let (label, clash) = (row.label(), "-clash");
    let clashed = report.events.iter().any(|event| event.actor == label && event.what.ends_with(clash));
    let killed = matches!(row.state, TenantState::OomKilled | TenantState::Failed) && !clashed;
    let waits = row.waited_s.is_some_and(|waited_s| waited_s > WORTH_ASKING * report.elapsed_s);
    let asked = [
        request::slowest(timeline, tenant).map(|request| Question::Late { tenant, request }),
        killed.then_some(Question::Killed { tenant }),
        row.startup_s.is_some().then_some(Question::Slow { tenant }),
        row.throttled_s
            .is_some_and(|throttled_s| throttled_s > 0.0)
            .then_some(Question::Throttled { tenant }),
        waits.then_some(Question::Waited { tenant }),
        forks::were_refused(report, &row.label()).then_some(Question::Refused { tenant }),
    ];
    asked.into_iter().flatten().collect()
}

/// The answer to one question; `None` where the report and the timeline hold nothing of it.
#[must_use]
pub fn answer(plan: &Plan, report: &Report, timeline: &Timeline, question: Question) -> Option<Answer> {
    let run = Run { plan, report, timeline };
    let tenant = question.tenant();
    let (facts, advice) = match question {
        Question::Late { request, .. } => request::explain(&run, tenant, request)?,
        Question::Killed { .. } => kill::explain(&run, tenant)?,
        Question::Slow { .. } => start::explain(&run, tenant)?,
        Question::Throttled { .. } => stop::throttled(&run, tenant)?,
        Question::Waited { .. } => stop::waited(&run, tenant)?,
        Question::Refused { .. } => forks::explain(&run, tenant)?,
    };
    // A start takes all that it can get, wherever it is.
    let first = advice.as_ref().filter(|_| !matches!(question, Question::Slow { .. }));
    let otherwise = first.and_then(|advice| otherwise::otherwise(&run, tenant, &facts, advice));
    Some(Answer { tenant: report.tenants.get(tenant)?.label(), facts, advice, otherwise })
}

/// The figure that an answer's advice is to lower (s): the 99th percentile of the latency, as one request meets another schedule
/// when anything changes; how long the tenant was gone until the end of the scenario, its start, its throttled time, its
/// waiting; or how many of its forks were refused. `None` where the report does not have it.
#[must_use]
pub fn measure(plan: &Plan, report: &Report, question: Question) -> Option<f64> {
    let row = |tenant: usize| report.tenants.get(tenant);
    match question {
        Question::Late { tenant, .. } => Some(row(tenant)?.requests.as_ref()?.latency_s?.p99),
        Question::Killed { tenant } => {
            let row = row(tenant)?;
            let is_gone = matches!(row.state, TenantState::OomKilled | TenantState::Failed);
            let gone_s = || Some(plan.duration().seconds() - row.finished_s?);
            if is_gone { gone_s() } else { Some(0.0) }
        }
        Question::Slow { tenant } => row(tenant)?.startup_s,
        Question::Throttled { tenant } => Some(row(tenant)?.throttled_s.unwrap_or(0.0)),
        Question::Waited { tenant } => row(tenant)?.waited_s,
        Question::Refused { tenant } => Some(row(tenant)?.requests.as_ref()?.failed as f64),
    }
}

/// A run and the scenario that it is of.
struct Run<'a> {
    plan: &'a Plan,
    report: &'a Report,
    timeline: &'a Timeline,
}

/// Facts and advice.
type Found = (Facts, Option<Advice>);

impl Run<'_> {
    fn row(&self, tenant: usize) -> Option<&TenantReport> {
        self.report.tenants.get(tenant)
    }

    /// The tenant of the scenario that a row is of.
    fn planned(&self, tenant: usize) -> Option<&catamaran_scenario::plan::Tenant> {
        let name = &self.row(tenant)?.name;
        self.plan.tenants().iter().find(|planned| planned.name == *name)
    }

    /// Whether the scenario has guests move while they run.
    fn moves(&self) -> bool {
        self.plan.events().iter().any(|event| matches!(event.action, Action::Migrate { .. }))
    }

    /// Where a row may have been.
    fn nodes(&self, tenant: usize) -> Vec<u32> {
        let Some(planned) = self.planned(tenant) else { return Vec::new() };
        let moves = self.plan.events().iter().filter_map(|event| match &event.action {
            Action::Migrate { target, to } if *target == planned.name => Some(*to),
            _ => None,
        });
        std::iter::once(planned.node).chain(moves).collect()
    }

    /// The rows on the same node at some time, the tenant's own left out.
    fn neighbours(&self, tenant: usize) -> Vec<usize> {
        let own = self.nodes(tenant);
        let near =
            |other: &usize| *other != tenant && self.nodes(*other).iter().any(|node| own.contains(node));
        (0..self.report.tenants.len()).filter(near).collect()
    }
}
