//! Answers to "why?" in sentences, each figure of them one of the answer.

mod en;
mod ko;

use catamaran_scenario::Lang;

use crate::metric::Metric;
use crate::why::{Advice, Answer, Change, Facts, Late, Peer};

use super::figure;

/// An answer in sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What was found.
    pub found: Vec<String>,
    /// Which setting would change it.
    pub advice: String,
    /// Which other one would as well.
    pub otherwise: Option<String>,
}

/// The sentences of an answer, one after the other.
#[must_use]
pub fn why(lang: Lang, answer: &Answer) -> Vec<String> {
    let Told { mut found, advice, otherwise } = told(lang, answer);
    found.push(advice);
    found.extend(otherwise);
    found
}

/// The sentences of an answer, by what they are for.
#[must_use]
pub fn told(lang: Lang, answer: &Answer) -> Told {
    let Answer { tenant, facts, advice, otherwise } = answer;
    let found = match (lang, facts) {
        (Lang::En, Facts::Late(late)) => en::late(tenant, late),
        (Lang::En, Facts::Kill(kill)) => en::kill(tenant, kill),
        (Lang::En, Facts::Start(start)) => en::start(tenant, start),
        (Lang::En, Facts::Throttled(facts)) => en::throttled(tenant, facts),
        (Lang::En, Facts::Waited(facts)) => en::waited(tenant, facts),
        (Lang::En, Facts::Refused(refused)) => en::refused(tenant, refused),
        (Lang::Ko, Facts::Late(late)) => ko::late(tenant, late),
        (Lang::Ko, Facts::Kill(kill)) => ko::kill(tenant, kill),
        (Lang::Ko, Facts::Start(start)) => ko::start(tenant, start),
        (Lang::Ko, Facts::Throttled(facts)) => ko::throttled(tenant, facts),
        (Lang::Ko, Facts::Waited(facts)) => ko::waited(tenant, facts),
        (Lang::Ko, Facts::Refused(refused)) => ko::refused(tenant, refused),
    };
    let advice = match (lang, advice) {
        (Lang::En, Some(advice)) => en::advice(advice),
        (Lang::En, None) => en::NO_ADVICE.to_owned(),
        (Lang::Ko, Some(advice)) => ko::advice(advice),
        (Lang::Ko, None) => ko::NO_ADVICE.to_owned(),
    };
    let otherwise = otherwise.as_ref().map(|otherwise| match lang {
        Lang::En => en::otherwise(otherwise),
        Lang::Ko => ko::otherwise(otherwise),
    });
    Told { found, advice, otherwise }
}

/// A length (s).
fn seconds(lang: Lang, value: f64) -> String {
    figure(lang, Metric::Waited, value)
}

/// A length (ns).
fn nanos(lang: Lang, value: u64) -> String {
    seconds(lang, value as f64 / 1e9)
}

/// An instant (s), to the millisecond.
fn instant(lang: Lang, at_s: f64) -> String {
    let text = format!("{at_s:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match lang {
        Lang::En => format!("{text} s"),
        Lang::Ko => format!("{text}초"),
    }
}

/// An amount of memory (bytes).
fn memory(lang: Lang, bytes: f64) -> String {
    figure(lang, Metric::MemoryPeak, bytes)
}

/// The parts of a latency that are not nothing, by what they are, the longest first.
fn parts(late: &Late) -> Vec<(Part, u64)> {
    let parts = late.parts;
    let mut all = vec![
        (Part::Still, parts.still_ns),
        (Part::Throttled, parts.throttled_ns),
        (Part::Behind, parts.behind_ns),
        (Part::Stolen, parts.stolen_ns),
        (Part::Waited, parts.waited_ns),
        (Part::Ran, parts.ran_ns),
        (Part::Disk, parts.disk_ns),
        (Part::NotCached, parts.not_cached_ns),
        (Part::Copied, parts.copied_ns),
    ];
    if let Some(peer) = &late.peer {
        all.extend([
            (Part::PeerThrottled, peer.throttled_ns),
            (Part::PeerWaited, peer.waited_ns),
            (Part::PeerRan, peer.ran_ns),
            (Part::Way, peer.way_ns),
        ]);
    }
    all.retain(|(_, ns)| *ns > 0);
    all.sort_by_key(|(_, ns)| std::cmp::Reverse(*ns));
    all
}

/// Who answered; nobody where nothing went over the network.
fn peer(late: &Late) -> &str {
    late.peer.as_ref().map_or("", |peer: &Peer| peer.label.as_str())
}

/// What a part of a latency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Still,
    Throttled,
    Behind,
    Stolen,
    Waited,
    Ran,
    Disk,
    NotCached,
    Copied,
    PeerThrottled,
    PeerWaited,
    PeerRan,
    Way,
}
