//! What happened and who could not start, for the report and for the timeline: events with their causes, samples, and what a
//! victim is told.

use catamaran_report::report::{EventRow, Samples, Series, TenantReport};
use catamaran_report::timeline;

use super::lives::How;
use super::log::Note;
use super::memory::SAMPLE_NS;
use super::nodes;
use super::world::World;
use crate::kernel::{Instant, trace};
use crate::platform::clash::Clash;
use crate::resources::memory::{GroupId, MemoryNote};

/// The machine as an object of events.
pub(super) const HOST: &str = "host";

/// Actor, what and target of an entry; `label` names an instance.
fn words(world: &World, note: Note, label: &dyn Fn(usize) -> String) -> (String, &'static str, String) {
    let by = |actor: &str, what, index| (actor.to_owned(), what, label(index));
    match note {
        Note::Memory(note) => memory_words(world, note, label),
        Note::Asked(place) => {
            let happening = world.happenings.get(place);
            let target = happening.and_then(|happening| happening.action.tenant()).unwrap_or(HOST);
            ("scenario".into(), happening.map_or("", |happening| happening.action.word()), target.to_owned())
        }
        Note::Killed(index) => by("kernel", "killed", index),
        Note::Stopped(index) => by("runtime", "stop", index),
        Note::Reset(index) => by("kernel", "reset", index),
        Note::Refused(index) => by("kernel", "refused", index),
        Note::NotCached(index) => by("kernel", "page-cache-miss", index),
        Note::CopyUp(index, _) => by("kernel", "copy-up", index),
        Note::CopiedUp(index) => by("kernel", "copied-up", index),
        Note::PidsMax(index) => (label(index), "pids-max", label(index)),
        Note::Lost(index) => by(HOST, "lost", index),
        Note::Finished(index) => (label(index), "finish", label(index)),
        Note::Restarted(index) => by("runtime", "restart", index),
        Note::Started(index) => by("runtime", "start", index),
        Note::Round(index, _) => by("hypervisor", "migration-round", index),
        Note::Still(index, _) => by("hypervisor", "migration-pause", index),
        Note::Moved(index, node) => (format!("node-{node}"), "migration-resume", label(index)),
        Note::NotMoved(index) if world.moves.is_live() => by("hypervisor", "migration-failed", index),
        Note::NotMoved(index) => by("runtime", "drain-failed", index),
        Note::CpuLimit(index) => by("kernel", "cpu-limit", index),
        Note::MemoryLimit(index) => by("kernel", "memory-limit", index),
        Note::MemoryLimitRefused(index) => by("kernel", "memory-limit-refused", index),
    }
}

fn memory_words(
    world: &World,
    note: MemoryNote,
    label: &dyn Fn(usize) -> String,
) -> (String, &'static str, String) {
    let Some(memory) = &world.memory else { return (String::new(), "", String::new()) };
    let process = |process| memory.owner_of_process(process).map_or_else(String::new, label);
    let group = |group: GroupId| memory.owner_of_group(group).map_or_else(|| HOST.to_owned(), label);
    match note {
        MemoryNote::High { group: of, by } => (process(by), "memory-high", group(of)),
        MemoryNote::Out { group: of, by } => (process(by), "out-of-memory", group(of)),
        MemoryNote::GivenUp { group: of } => ("kernel".into(), "page-cache-reclaim", group(of)),
        MemoryNote::Merged { .. } => ("ksmd".into(), "pages-merged", HOST.to_owned()),
        MemoryNote::Ballooned { .. } => ("hypervisor".into(), "balloon", HOST.to_owned()),
        MemoryNote::Kill { process: victim } => ("kernel".into(), "oom-kill", process(victim)),
    }
}

/// Rows for the report.
pub(super) fn events(world: &World, rows: &[TenantReport]) -> Vec<EventRow> {
    let label = |index: usize| rows.get(index).map_or_else(String::new, TenantReport::label);
    let row = |entry: &trace::Entry<Note>| {
        let (actor, what, target) = words(world, entry.what, &label);
        let (at_s, bytes) = (entry.at as f64 / 1e9, entry.what.bytes());
        EventRow { at_s, actor, what: what.into(), target, because: entry.because, bytes }
    };
    let own: Vec<EventRow> = world.log.entries().iter().map(row).collect();
    let clashed = |(index, at, clash): (usize, Instant, &Clash)| EventRow {
        at_s: at as f64 / 1e9,
        actor: label(index),
        what: clash.what().into(),
        target: label(clash.with()),
        because: None,
        bytes: None,
    };
    nodes::in_order(vec![own, clashes(world).map(clashed).collect()])
}

/// The instances that could not start: when, and why.
fn clashes(world: &World) -> impl Iterator<Item = (usize, Instant, &Clash)> {
    world.instances.iter().enumerate().filter_map(|(index, instance)| {
        let (at, clash) = instance.as_ref()?.clash.as_ref()?;
        Some((index, *at, clash))
    })
}

/// What kept an instance from starting.
pub(super) fn clash(world: &World, index: usize, rows: &[String]) -> Option<String> {
    let (_, _, clash) = clashes(world).find(|(instance, ..)| *instance == index)?;
    Some(clash.words(rows.get(clash.with()).map_or("", String::as_str)))
}

/// What went wrong with an instance that was killed and is not there again.
pub(super) fn error(world: &World, index: usize) -> Option<String> {
    let killed = world.instances.get(index)?.as_ref()?.killed?;
    let at = || {
        let cause = killed.cause.and_then(|cause| world.log.entries().get(cause as usize));
        cause.map_or(0.0, |entry| entry.at as f64 / 1e9)
    };
    match killed.how {
        How::Memory => killed_for_memory(world, killed.cause?),
        How::Event => Some(format!("killed with SIGKILL at {} s, as an event of the scenario asks", at())),
        How::Reset => Some(format!("its connection was reset at {} s: its peer was gone (ECONNRESET)", at())),
        How::Refused => {
            Some(format!("nobody listened at {} s where it wanted to connect (ECONNREFUSED)", at()))
        }
        How::Node => Some(format!("its node failed at {} s", at())),
        How::Unwanted | How::Replaced => None,
    }
}

fn killed_for_memory(world: &World, kill: trace::Cause) -> Option<String> {
    let entries = world.log.entries();
    let because = entries.get(kill as usize)?.because?;
    let Note::Memory(MemoryNote::Out { group, .. }) = entries.get(because as usize)?.what else {
        return None;
    };
    Some(match world.memory.as_ref()?.owner_of_group(group) {
        Some(_) => "killed for memory: its memory.limit was reached".into(),
        None => {
            "killed for memory: host.memory was full, and of all tenants it had the greatest badness".into()
        }
    })
}

/// Events that the platform does not apply to an instance, by what the report calls them.
pub(super) fn absences(world: &World, index: usize) -> Vec<(&'static str, &'static str)> {
    let Some(Some(instance)) = world.instances.get(index) else { return Vec::new() };
    let mine = world.happenings.iter().filter(|happening| happening.instances.contains(&index));
    let mut absent = Vec::new();
    for happening in mine {
        match happening.action.word() {
            "set-limit" if instance.lives.terms.limits.is_none() => {
                absent.push(("event.set-limit", "the platform has no limits"));
            }
            "update" => absent.push(("event.update.image", "the pull of an image is not modelled yet")),
            _ => {}
        }
    }
    absent
}

/// The series of memory charged, where anyone touches memory.
pub(super) fn samples(world: &World, rows: &[TenantReport]) -> Option<Samples> {
    let samples = world.memory.as_ref()?.samples();
    let series = samples.iter().filter_map(|(&index, bytes)| {
        let values = bytes.iter().map(|bytes| *bytes as f64).collect();
        Some(Series { tenant: rows.get(index)?.label(), metric: "memory".into(), values })
    });
    let series: Vec<Series> = series.collect();
    (!series.is_empty()).then_some(Samples { interval_s: SAMPLE_NS as f64 / 1e9, series })
}

/// Puts the entries into a causal trace of other things, by time; causes keep their effects.
pub(super) fn merge(
    world: &World,
    label: &dyn Fn(usize) -> String,
    others: Vec<timeline::Entry>,
) -> Vec<timeline::Entry> {
    let own = world.log.entries().iter().map(|entry| {
        let (actor, what, target) = words(world, entry.what, label);
        timeline::Entry { at_ns: entry.at, actor, what: what.into(), target, because: entry.because }
    });
    let own: Vec<timeline::Entry> = own.collect();
    let clashed = |(index, at, clash): (usize, Instant, &Clash)| timeline::Entry {
        at_ns: at,
        actor: label(index),
        what: clash.what().into(),
        target: label(clash.with()),
        because: None,
    };
    let clashed: Vec<timeline::Entry> = clashes(world).map(clashed).collect();
    let others = if clashed.is_empty() { others } else { nodes::in_order(vec![others, clashed]) };
    if own.is_empty() {
        return others;
    }
    // Where each entry of either kind comes to stand; at the same instant the others come first.
    let own_place: Vec<u32> = own
        .iter()
        .enumerate()
        .map(|(k, entry)| (others.partition_point(|other| other.at_ns <= entry.at_ns) + k) as u32)
        .collect();
    let other_place: Vec<u32> = others
        .iter()
        .enumerate()
        .map(|(k, entry)| (own.partition_point(|one| one.at_ns < entry.at_ns) + k) as u32)
        .collect();
    let moved = |mut entry: timeline::Entry, place: &[u32]| {
        entry.because = entry.because.and_then(|cause| place.get(cause as usize).copied());
        entry
    };
    let mut all: Vec<(u32, timeline::Entry)> = Vec::with_capacity(own.len() + others.len());
    all.extend(own_place.iter().copied().zip(own.into_iter().map(|entry| moved(entry, &own_place))));
    all.extend(other_place.iter().copied().zip(others.into_iter().map(|entry| moved(entry, &other_place))));
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, entry)| entry).collect()
}
