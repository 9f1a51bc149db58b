//! The rooms of `crates/sim`: who may use whom, and which words have no business in a room.

use super::Fault;
use super::source::{identifiers, shipped_code};
use super::tree::{File, Tree};

/// A room of the simulator.
struct Room {
    name: &'static str,
    /// It may use rooms of lower rank only.
    rank: u8,
    /// Words that must not be part of any name in it, with the plural.
    banned: &'static [&'static str],
}

/// The rooms, as in ARCHITECTURE.md. A room that is not listed may not be there.
const ROOMS: [Room; 7] = [
    Room {
        name: "kernel",
        rank: 0,
        banned: &["cpu", "container", "us", "ms", "sec", "secs", "seconds", "millis", "micros"],
    },
    Room {
        name: "resources",
        rank: 1,
        banned: &["container", "hypervisor", "image", "docker", "runc", "vm"],
    },
    Room { name: "workload", rank: 1, banned: &["host", "platform", "core", "cgroup"] },
    Room { name: "platform", rank: 2, banned: &["placement", "registry"] },
    Room { name: "startup", rank: 3, banned: &["placement", "scheduler"] },
    Room { name: "orchestrator", rank: 4, banned: &["vruntime", "quota", "throttled"] },
    Room { name: "experiment", rank: 5, banned: &[] },
];

const SOURCES: &str = "crates/sim/src/";

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".rs")) {
        let Some(place) = file.path.strip_prefix(SOURCES) else { continue };
        let name = place.split(['/', '.']).next().unwrap_or_default();
        match ROOMS.iter().find(|room| room.name == name) {
            Some(room) => faults.extend(enter(room, file)),
            None if name == "lib" => {}
            None => faults.push(Fault::new(
                &file.path,
                0,
                format!("`{name}` is not a room of the simulator; the rooms are {}", names().join(", ")),
            )),
        }
    }
    faults
}

fn names() -> Vec<&'static str> {
    ROOMS.iter().map(|room| room.name).collect()
}

/// What is wrong inside one file of a room.
fn enter(room: &Room, file: &File) -> Vec<Fault> {
    let code = shipped_code(&file.text);
    let line_of = |at: usize| code.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let mut faults = Vec::new();
    for (at, used) in used_rooms(&code) {
        if used.name != room.name && used.rank >= room.rank {
            let what = format!(
                "room `{}` (rank {}) uses `{}` (rank {}); a room may use only rooms of lower rank",
                room.name, room.rank, used.name, used.rank
            );
            faults.push(Fault::new(&file.path, line_of(at), what));
        }
    }
    for (at, identifier) in identifiers(&code) {
        if let Some(word) = banned_part(room, identifier) {
            let what = format!("`{identifier}`: the word `{word}` has no business in room `{}`", room.name);
            faults.push(Fault::new(&file.path, line_of(at), what));
        }
    }
    faults
}

/// Rooms named after `crate::`, alone or in a group of one `use`.
fn used_rooms(code: &str) -> Vec<(usize, &'static Room)> {
    let mut used = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let rest = code.get(at + path.len()..).unwrap_or_default();
        let heads = if rest.starts_with('{') { group_heads(rest) } else { vec![head(rest)] };
        used.extend(
            heads.iter().filter_map(|name| ROOMS.iter().find(|room| room.name == *name)).map(|r| (at, r)),
        );
    }
    used
}

/// The first identifier.
fn head(text: &str) -> &str {
    identifiers(text).next().map_or("", |(_, word)| word)
}

/// The first identifier of each member of a `{…}` group.
fn group_heads(group: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut heads = Vec::new();
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth <= 1 => break,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 1 && matches!(character, '{' | ',') {
            heads.push(head(group.get(at..).unwrap_or_default()));
        }
    }
    heads
}

/// The first banned word that `identifier` (`snake_case`, `CamelCase`) is made of.
fn banned_part(room: &Room, identifier: &str) -> Option<&'static str> {
    let parts = parts(identifier);
    room.banned.iter().copied().find(|word| {
        parts.iter().any(|part| part == word || part.strip_suffix('s').is_some_and(|one| one == *word))
    })
}

/// The words of a name, in lower case.
fn parts(identifier: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before_lower = false;
    for character in identifier.chars() {
        if character == '_' || (character.is_uppercase() && before_lower) {
            parts.push(String::new());
        }
        before_lower = character.is_lowercase() || character.is_numeric();
        if let Some(last) = parts.last_mut().filter(|_| character != '_') {
            last.extend(character.to_lowercase());
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str, text: &str) -> String {
        let faults = check(&Tree::of(&[(path, text)]));
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_room_uses_only_lower_rooms() {
        for (path, text, expected) in [
            ("crates/sim/src/resources/cpu.rs", "use crate::kernel::Queue;", ""),
            ("crates/sim/src/resources/cpu.rs", "use crate::resources::share::Share;", ""),
            (
                "crates/sim/src/kernel.rs",
                "\nuse crate::platform::X;",
                "kernel.rs:2: room `kernel` (rank 0) uses `platform` (rank 2)",
            ),
            (
                "crates/sim/src/workload/a.rs",
                "use crate::resources::Cpu;",
                "`workload` (rank 1) uses `resources` (rank 1)",
            ),
            (
                "crates/sim/src/platform/a.rs",
                "use crate::{kernel::{a, b}, experiment::{c}};",
                "`platform` (rank 2) uses `experiment`",
            ),
            (
                "crates/sim/src/kernel/a.rs",
                "fn f() { crate::startup::go() }",
                "`kernel` (rank 0) uses `startup`",
            ),
            ("crates/sim/src/kernel/a.rs", "// use crate::startup::go", ""),
            ("crates/sim/src/kernel/a.rs", "#[cfg(test)]\nmod tests { use crate::startup::go; }", ""),
            ("crates/sim/src/lib.rs", "pub use crate::experiment::simulate;", ""),
            ("crates/sim/src/util.rs", "", "`util` is not a room"),
            ("crates/report/src/kernel.rs", "use crate::platform::X;", ""),
        ] {
            let found = said(path, text);
            assert!(
                found.contains(expected) && found.is_empty() == expected.is_empty(),
                "{path} {text}: {found}"
            );
        }
    }

    #[test]
    fn words_of_other_rooms_are_found_inside_names() {
        for (path, text, expected) in [
            ("crates/sim/src/kernel/queue.rs", "struct CpuQueue;", "`CpuQueue`: the word `cpu`"),
            ("crates/sim/src/kernel/queue.rs", "let delay_us = 1;", "the word `us`"),
            ("crates/sim/src/kernel/queue.rs", "let delay_ns = status;", ""),
            ("crates/sim/src/resources/cpu.rs", "fn containers() {}", "the word `container`"),
            ("crates/sim/src/workload/server.rs", "let host = 1;", "the word `host`"),
            ("crates/sim/src/workload/server.rs", "let x = \"host\"; // host", ""),
        ] {
            let found = said(path, text);
            assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{text}: {found}");
        }
    }
}
