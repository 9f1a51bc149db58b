//! Why was this start slow?
//!
//! **Law.** A start is its stages, one after the other: the longest are the cause. A guest boots under its tenant's quota; any
//! other start is bound by what the platform does.

use catamaran_scenario::Platform;

use super::setting::{self, Advice};
use super::{Facts, Found, Run};

/// Stages that are named.
const NAMED: usize = 3;
/// A limit of less than a core (thousandths).
const ONE_CORE: u64 = 1000;

/// A start and its longest stages.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// From the request to the tenant's first own instruction (s).
    pub startup_s: f64,
    /// How many stages there are.
    pub stages: usize,
    /// The longest of them, the longest first: name, actor, length (s).
    pub longest: Vec<(String, String, f64)>,
}

pub(super) fn explain(run: &Run<'_>, tenant: usize) -> Option<Found> {
    let row = run.row(tenant)?;
    let stages = row.startup_stages.iter();
    let mut longest: Vec<_> =
        stages.filter_map(|stage| Some((stage.name.clone(), stage.actor.clone(), stage.length()?))).collect();
    longest.sort_by(|one, other| other.2.total_cmp(&one.2));
    longest.truncate(NAMED);
    let start = Start { startup_s: row.startup_s?, stages: row.startup_stages.len(), longest };
    let planned = run.planned(tenant)?;
    let limited = planned.cpu.limit.is_some_and(|limit| limit.0 < ONE_CORE);
    let images = run.plan.images().iter();
    let pulled =
        images.enumerate().find(|(_, image)| Some(&image.name) == planned.image.as_ref() && !image.cached);
    let advice = match run.report.platform {
        // What is there already is not fetched.
        _ if row.startup_stages.iter().any(|stage| stage.name.starts_with("pull")) && pulled.is_some() => {
            Advice::set(format!("image[{}].cached", pulled.map_or(0, |(index, _)| index)), "true")
        }
        // Every other platform does what it does, and more.
        Platform::BareMetal => None,
        // It is made of an image, which the platforms that start sooner do not have.
        _ if planned.image.is_some() => None,
        platform if setting::has_guests(platform) && limited => {
            Advice::raise(setting::of(planned, "cpu.limit"))
        }
        // Who moves while they run are guests.
        platform if setting::has_guests(platform) && run.moves() => None,
        platform if setting::has_guests(platform) => {
            Advice::set("platforms".into(), Platform::Container.name())
        }
        _ => Advice::set("platforms".into(), Platform::BareMetal.name()),
    };
    Some((Facts::Start(start), advice))
}
