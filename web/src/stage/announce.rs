//! What is to be seen at an instant, in words, from the same recording that is drawn.

use crate::format;
use crate::i18n::{Lang, Player, core_name, say};
use crate::picture::Recording;

/// Who is where at that instant: "203.400 ms: core 0 web, core 1 batch; web stopped by its quota".
#[must_use]
pub fn describe_moment(lang: Lang, recording: &Recording, at_ns: u64) -> String {
    let core = |core: usize| {
        let who = recording.who(core, at_ns).map(|run| recording.name(run.tenant));
        format!("{}: {}", core_name(lang, core), who.unwrap_or_else(|| say(lang, Player::Idle).to_owned()))
    };
    let cores: Vec<String> = (0..recording.cores.len()).map(core).collect();
    let stopped: Vec<String> = stopped(recording, at_ns)
        .map(|tenant| format!("{}: {}", recording.name(tenant), say(lang, Player::Stopped)))
        .collect();
    let parts: Vec<String> = cores.into_iter().chain(stopped).collect();
    format!("{}. {}.", format::instant(at_ns), parts.join(", "))
}

/// The tenants that are stopped at that instant.
pub(super) fn stopped(recording: &Recording, at_ns: u64) -> impl Iterator<Item = u32> {
    let tenants = recording.limited_tenants().into_iter();
    tenants.filter(move |&tenant| recording.throttles(tenant, at_ns, at_ns + 1).next().is_some())
}

/// What the trace says happened at that instant, latest first; `None` where it says nothing.
#[must_use]
pub fn describe_change(lang: Lang, recording: &Recording, at_ns: u64) -> Option<String> {
    let trace = &recording.timeline.trace;
    let index = trace.partition_point(|entry| entry.at_ns <= at_ns).checked_sub(1)?;
    let entry = trace.get(index).filter(|entry| entry.at_ns == at_ns)?;
    Some(crate::i18n::trace_sentence(lang, entry))
}
