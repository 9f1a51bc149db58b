//! The same moment of every era in words.

use catamaran_scenario::Platform;

use super::film::Film;
use crate::i18n::{Duel, Lang, era_name, say, still_starting, waiting_for_cores};
use crate::stage::describe_moment;

/// What an era does at that instant.
pub(super) fn describe(lang: Lang, era: Platform, film: &Film, at_ns: u64) -> String {
    let name = era_name(lang, era);
    if film.is_starting(at_ns) {
        return match film.stage_at(at_ns) {
            Some(stage) => still_starting(lang, name, &stage.name, &stage.actor),
            None => format!("{name}: {}.", say(lang, Duel::Starting)),
        };
    }
    let mut words = format!("{name}: {}", describe_moment(lang, &film.recording, at_ns));
    let stopped = |tenant: u32| film.recording.throttles(tenant, at_ns, at_ns + 1).next().is_some();
    let waiting = film.stolen_at(at_ns).filter(|vcpu| !stopped(vcpu.tenant));
    let waiting: Vec<String> = waiting.map(|vcpu| film.recording.name(vcpu.tenant)).collect();
    if !waiting.is_empty() {
        words.push(' ');
        words.push_str(&waiting_for_cores(lang, &waiting));
    }
    words
}
