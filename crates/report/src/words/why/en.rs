//! In English.

use catamaran_scenario::Lang;

use crate::why::{Kill, Late, Refused, Start, Throttled, Waited};

use super::{Advice, Change, Part, instant, memory, nanos, parts, peer, seconds};

const LANG: Lang = Lang::En;

pub(super) const NO_ADVICE: &str = "No setting of the scenario makes this shorter.";

pub(super) fn late(tenant: &str, late: &Late) -> Vec<String> {
    let arrived = instant(LANG, late.arrival_ns as f64 / 1e9);
    let number = late.request;
    let (latency, queued) = (nanos(LANG, late.latency_ns), nanos(LANG, late.queued_ns));
    let mut sentences =
        vec![format!("Request {number} of {tenant} arrived at {arrived} and was answered after {latency}.")];
    if let Some(peer) = &late.peer {
        let asked =
            format!("Request {number} of {tenant} was sent at {arrived}; {} answered it.", peer.label);
        sentences = vec![asked, format!("The answer was there after {latency}.")];
    }
    let queue = late.peer.is_none().then(|| match late.ahead {
        0 => format!("Nobody was before it; a thread took it up after {queued}."),
        1 => format!("One request was before it, so that a thread took it up only after {queued}."),
        ahead => format!("{ahead} requests were before it, so that a thread took it up only after {queued}."),
    });
    sentences.extend(queue);
    let parts: Vec<String> = parts(late).into_iter().map(|(part, ns)| part_of(part, late, ns)).collect();
    sentences.push(format!("Its time: {}.", parts.join(", ")));
    if let Some((other, ns)) = &late.others {
        sentences.push(format!("While it waited for a core, {other} ran most, {} in all.", nanos(LANG, *ns)));
    }
    sentences
}

fn part_of(part: Part, late: &Late, ns: u64) -> String {
    let ns = nanos(LANG, ns);
    match part {
        Part::Throttled => {
            let times = if late.stops == 1 { "once".to_owned() } else { format!("{} times", late.stops) };
            format!("{ns} stopped by the quota ({times})")
        }
        Part::Still => format!("{ns} in a guest that stood still to be moved"),
        Part::Behind => format!("{ns} behind others that were served"),
        Part::Stolen => format!("{ns} with a virtual CPU that waited for a core of the host"),
        Part::Waited => format!("{ns} waiting for a core"),
        Part::Ran => format!("{ns} running"),
        Part::Disk => format!("{ns} waiting for the disk"),
        Part::NotCached => format!("{ns} waiting for the disk to read what nobody had in the page cache"),
        Part::Copied => format!("{ns} for the whole file to be copied up"),
        Part::PeerThrottled => format!("{ns} with {} stopped by its quota", peer(late)),
        Part::PeerWaited => format!("{ns} with {} waiting for a core", peer(late)),
        Part::PeerRan => format!("{ns} with {} running for its clients", peer(late)),
        Part::Way => format!("{ns} on the way"),
    }
}

pub(super) fn kill(tenant: &str, kill: &Kill) -> Vec<String> {
    match kill {
        Kill::Event { at_s, event } => {
            vec![format!(
                "{tenant} was ended at {} by the event {event} of the scenario.",
                instant(LANG, *at_s)
            )]
        }
        Kill::Peer { at_s, gone } => {
            let at = instant(LANG, *at_s);
            vec![match gone {
                Some((peer, what)) => {
                    format!("{tenant} failed at {at}: {peer}, which it talked to, was gone ({what}).")
                }
                None => format!("{tenant} failed at {at}: nobody listened where it wanted to connect."),
            }]
        }
        Kill::Memory { at_s, bound, own, by, held } => {
            let at = instant(LANG, *at_s);
            let mut sentences = vec![if *own {
                format!(
                    "{tenant} was killed at {at}: it had reached its own memory limit and asked for more."
                )
            } else {
                format!(
                    "{tenant} was killed at {at}: the memory of {bound} was full when {by} asked for more."
                )
            }];
            if !held.is_empty() {
                let held: Vec<String> =
                    held.iter().map(|(name, bytes)| format!("{name} {}", memory(LANG, *bytes))).collect();
                sentences.push(format!(
                    "Held just before: {}. The kernel kills whoever holds most, oom_score_adj added.",
                    held.join(", ")
                ));
            }
            sentences
        }
    }
}

pub(super) fn refused(tenant: &str, refused: &Refused) -> Vec<String> {
    let Refused { first_ms, failed, due, completed, limit } = refused;
    let at = instant(LANG, *first_ms as f64 / 1000.0);
    let bound = match limit {
        Some(limit) => format!(
            "Its group may have {limit} processes and threads (pids.max): at the bound the kernel refuses a fork at once (EAGAIN). Dead \
             children count until they are reaped."
        ),
        None => "The machine had no room for more processes: the kernel refuses a fork at once (EAGAIN)."
            .to_owned(),
    };
    vec![
        format!(
            "The kernel refused {failed} of {due} forks of {tenant}, the first at {at}; {completed} children lived and were reaped."
        ),
        bound,
    ]
}

pub(super) fn start(tenant: &str, start: &Start) -> Vec<String> {
    let longest: Vec<String> = start
        .longest
        .iter()
        .map(|(name, actor, length_s)| format!("{name} ({actor}) {}", seconds(LANG, *length_s)))
        .collect();
    let (all, of) = (seconds(LANG, start.startup_s), start.stages);
    let stages = if of == 1 { "one stage".to_owned() } else { format!("{of} stages; the longest") };
    vec![format!("{tenant} took {all} to start, in {stages}: {}.", longest.join(", "))]
}

pub(super) fn throttled(tenant: &str, facts: &Throttled) -> Vec<String> {
    let all = seconds(LANG, facts.throttled_s);
    let of = if facts.of > 0 { format!(" of {}", facts.of) } else { String::new() };
    let mut sentences = vec![format!(
        "{tenant} used up its quota in {}{of} periods and was stopped for {all}, summed over cores.",
        facts.periods
    )];
    if let (Some(quota), Some(longest)) = (facts.quota_ns, facts.longest_ns) {
        sentences.push(format!(
            "Its quota is {} of CPU time in each period; the longest stop lasted {}.",
            nanos(LANG, quota),
            nanos(LANG, longest)
        ));
    }
    sentences
}

pub(super) fn waited(tenant: &str, facts: &Waited) -> Vec<String> {
    let (waited, had) = (seconds(LANG, facts.waited_s), seconds(LANG, facts.cpu_s));
    let mut sentences =
        vec![format!("The threads of {tenant} waited {waited} for a core, in sum, and had one for {had}.")];
    if let Some((other, cpu_s)) = &facts.others {
        sentences.push(format!("Beside it {other} had most CPU time, {}.", seconds(LANG, *cpu_s)));
    }
    if let Some(throttled_s) = facts.throttled_s.filter(|throttled_s| *throttled_s > 0.0) {
        sentences.push(format!("Its quota stopped it for {} meanwhile.", seconds(LANG, throttled_s)));
    }
    sentences
}

pub(super) fn advice(Advice { path, change }: &Advice) -> String {
    match change {
        Change::Raise => format!("To change it, raise {path}."),
        Change::Lower => format!("To change it, set {path} lower."),
        Change::Set(value) => format!("To change it, set {path} to {value}."),
    }
}

pub(super) fn otherwise(Advice { path, change }: &Advice) -> String {
    match change {
        Change::Raise => format!("Or raise {path}."),
        Change::Lower => format!("Or set {path} lower."),
        Change::Set(value) => format!("Or set {path} to {value}."),
    }
}
