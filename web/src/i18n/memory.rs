//! Texts and sentences of the picture of memory.

use catamaran_scenario::{Josa, Lang};

use crate::format;
use crate::picture::{MemoryFilm, MemoryMoment, Recording};

super::texts! {
    /// The picture of memory.
    Memory {
        Title = "Memory of the servers", "서버의 메모리";
        Nothing = "nothing", "없음";
        Unsampled = "no sample yet", "아직 표본 없음";
        WhyKill = "Follow the kill", "강제 종료를 따라가기";
        NoKill = "Nobody was killed in this run, so there is no kill to follow. Below is the slowest request.",
            "이 실행에서는 아무도 강제로 끝나지 않았어요. 아래에서 가장 느린 요청을 따라가 보세요.";
        NativeOutline = "The outline is the native run.", "윤곽선은 실제 실행이에요.";
    }
}

/// `server 0`.
#[must_use]
pub fn server_name(lang: Lang, node: u32) -> String {
    match lang {
        Lang::En => format!("server {node}"),
        Lang::Ko => format!("서버 {node}"),
    }
}

/// What had no room left: `host`, `node-0`, or a tenant with a limit of its own.
#[must_use]
pub fn bound_name(lang: Lang, bound: &str) -> String {
    match (bound.strip_prefix("node-").and_then(|node| node.parse().ok()), bound, lang) {
        (Some(node), ..) => server_name(lang, node),
        (None, "host", Lang::En) => "the machine".to_owned(),
        (None, "host", Lang::Ko) => "머신".to_owned(),
        (None, tenant, Lang::En) => format!("the limit of {tenant}"),
        (None, tenant, Lang::Ko) => format!("{tenant}의 제한"),
    }
}

fn bytes(value: f64) -> String {
    format::bytes(value.max(0.0).round() as u64)
}

/// Name of a server's lane.
#[must_use]
pub fn memory_lane_name(lang: Lang, node: u32, capacity_bytes: f64) -> String {
    let (server, all) = (server_name(lang, node), bytes(capacity_bytes));
    match lang {
        Lang::En => format!("memory of {server}: {all}"),
        Lang::Ko => format!("{server}의 메모리: {all}"),
    }
}

/// What a server's lane shows, for whoever can't see it.
#[must_use]
pub fn memory_summary(lang: Lang, film: &MemoryFilm, recording: &Recording, node: u32) -> String {
    let names: Vec<String> = film.tenants_on(node).map(|tenant| recording.name(tenant)).collect();
    let kills: Vec<String> = film
        .kills
        .iter()
        .filter(|kill| kill.node == node)
        .map(|kill| kill_text(lang, &recording.name(kill.tenant), kill.at_ns))
        .collect();
    let lane = memory_lane_name(lang, node, film.capacity_bytes);
    match (names.is_empty(), kills.is_empty(), lang) {
        (true, _, Lang::En) => format!("{lane}. Nothing is placed there."),
        (true, _, Lang::Ko) => format!("{lane}. 놓인 것이 없어요."),
        (_, true, Lang::En) => format!("{lane}, held by {}. Nobody is killed.", names.join(", ")),
        (_, true, Lang::Ko) => format!("{lane}. 쓰는 것: {}. 아무도 강제로 끝나지 않아요.", names.join(", ")),
        (_, false, Lang::En) => format!("{lane}, held by {}. {}.", names.join(", "), kills.join(", ")),
        (_, false, Lang::Ko) => format!("{lane}. 쓰는 것: {}. {}.", names.join(", "), kills.join(", ")),
    }
}

/// `shop killed at 3.550 s`.
#[must_use]
pub fn kill_text(lang: Lang, name: &str, at_ns: u64) -> String {
    let at = format::clock(at_ns);
    match lang {
        Lang::En => format!("{name} killed at {at}"),
        Lang::Ko => format!("{name} 강제 종료 {at}"),
    }
}

/// Who holds what on a server at an instant: `server 0: shop 140 MiB, report 52 MiB of 256 MiB`.
#[must_use]
pub fn held_text(lang: Lang, film: &MemoryFilm, recording: &Recording, node: u32, at_ns: u64) -> String {
    let parts: Vec<String> = film
        .tenants_on(node)
        .filter(|tenant| film.killed_ns(*tenant).is_none_or(|killed_ns| at_ns < killed_ns))
        .filter_map(|tenant| Some(format!("{} {}", recording.name(tenant), bytes(film.held(tenant, at_ns)?))))
        .collect();
    let held = if parts.is_empty() { super::say(lang, Memory::Nothing).to_owned() } else { parts.join(", ") };
    let (server, all) = (server_name(lang, node), bytes(film.capacity_bytes));
    match lang {
        Lang::En => format!("{server}: {held} of {all}"),
        Lang::Ko => format!("{server}: {all} 중 {held}"),
    }
}

/// A moment of the story of a kill.
#[must_use]
pub fn memory_sentence(lang: Lang, recording: &Recording, moment: &MemoryMoment) -> String {
    let name = |tenant: &u32| recording.name(*tenant);
    match (moment, lang) {
        (MemoryMoment::Held { node, bytes: held }, Lang::En) => {
            format!("On {}, {} is in use.", server_name(lang, *node), bytes(*held))
        }
        (MemoryMoment::Held { node, bytes: held }, Lang::Ko) => {
            let held = bytes(*held);
            format!("{}에서 {held}{} 쓰는 중이에요.", server_name(lang, *node), Josa::EulReul.after(&held))
        }
        (MemoryMoment::Grows { tenant, bytes_per_s }, Lang::En) => {
            format!("{} takes {} more each second and gives nothing back.", name(tenant), bytes(*bytes_per_s))
        }
        (MemoryMoment::Grows { tenant, bytes_per_s }, Lang::Ko) => {
            let (name, more) = (name(tenant), bytes(*bytes_per_s));
            let (subject, object) = (Josa::IGa.after(&name), Josa::EulReul.after(&more));
            format!("{name}{subject} 1초마다 {more}{object} 더 가져가고 돌려주지 않아요.")
        }
        (MemoryMoment::Full { asker, bound }, lang) => full(lang, asker.as_ref().map(name), bound.as_deref()),
        (MemoryMoment::Weighed(all), lang) => {
            let all: Vec<String> =
                all.iter().map(|(tenant, held)| format!("{} {}", name(tenant), bytes(*held))).collect();
            match lang {
                Lang::En => format!("The kernel weighs them: {}. The heaviest goes.", all.join(", ")),
                Lang::Ko => format!("커널이 무게를 견줘요. {}. 가장 무거운 것이 끝나요.", all.join(", ")),
            }
        }
        (MemoryMoment::Killed { tenant }, Lang::En) => format!("The kernel kills {}.", name(tenant)),
        (MemoryMoment::Killed { tenant }, Lang::Ko) => {
            let name = name(tenant);
            format!("커널이 {name}{} 끝내요.", Josa::EulReul.after(&name))
        }
        (MemoryMoment::Unanswered { tenant, requests }, Lang::En) => {
            format!("{} requests to {} are never answered.", format::grouped(*requests), name(tenant))
        }
        (MemoryMoment::Unanswered { tenant, requests }, Lang::Ko) => {
            format!("{}에 온 요청 {}개는 끝내 답을 받지 못해요.", name(tenant), format::grouped(*requests))
        }
    }
}

fn full(lang: Lang, asker: Option<String>, bound: Option<&str>) -> String {
    let bound = bound_name(lang, bound.unwrap_or("host"));
    match (asker, lang) {
        (Some(asker), Lang::En) => format!("{asker} asks for another page, and {bound} has none left."),
        (None, Lang::En) => format!("Another page is asked for, and {bound} has none left."),
        (Some(asker), Lang::Ko) => {
            format!("{asker}{} 한 페이지를 더 달라는데 {bound}에 남은 것이 없어요.", Josa::IGa.after(&asker))
        }
        (None, Lang::Ko) => format!("한 페이지를 더 달라는데 {bound}에 남은 것이 없어요."),
    }
}
