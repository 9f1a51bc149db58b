//! Texts of the picture of who sees what.

use catamaran_report::timeline::View;
use catamaran_report::words::resource;
use catamaran_scenario::{Josa, Lang};

use super::say;
use crate::picture::Recording;
use crate::picture::sight::{inside, is_there, processes};

super::texts! {
    /// Panels and their parts.
    Sight {
        Outside = "Outside: the machine", "바깥: 머신";
        Processes = "Processes, as ps lists them", "프로세스(ps가 보여 주는 것)";
        Files = "Folders under /", "/ 아래의 폴더";
        Mounts = "table of mounts", "마운트 표";
        Folders = "folders", "폴더";
        HostName = "Host name", "호스트 이름";
        Network = "Network interfaces", "네트워크 인터페이스";
        Users = "Users", "사용자";
        Ipc = "Queues, shared memory", "메시지 큐, 공유 메모리";
        Cgroups = "View of control groups", "컨트롤 그룹이 보이는 모습";
        NotStarted = "not started yet", "아직 시작하지 않았어요";
        Machines = "the machine's", "머신의 것";
        AllUsers = "all of the machine's", "머신의 모든 사용자";
        OnlyRoot = "root, and nobody else", "root뿐이고 다른 사용자는 없음";
        OnlyLoopback = "lo alone, its own", "자기만의 lo 하나";
        Own = "its own", "자기 것";
        Hidden = "hidden", "안 보임";
        Reached = "listed, can be killed", "목록에 보이고 죽일 수 있음";
        Listed = "listed, out of reach", "목록에 보이지만 죽일 수 없음";
        HiddenOut = "hidden, out of reach", "안 보이고 죽일 수 없음";
        HiddenReached = "hidden, yet can be killed", "안 보이지만 죽일 수 있음";
        Itself = "itself", "자기 자신";
        AnotherNumber = "another number", "다른 번호";
    }
}

/// Title of a tenant's panel.
#[must_use]
pub fn inside_of(lang: Lang, name: &str) -> String {
    match lang {
        Lang::En => format!("Inside: what {name} sees"),
        Lang::Ko => format!("안쪽: {name}에게 보이는 것"),
    }
}

/// A process: its name with its number, and how it stands to whoever looks.
#[must_use]
pub fn process_words(lang: Lang, view: &View, from_inside: bool) -> (String, &'static str) {
    let is_init = view.thing == "init";
    // The machine numbers its first process 1; which numbers follow depends on what ran on it before.
    let number = match (from_inside, &view.name) {
        (true, Some(number)) => Some(number.as_str()),
        (false, _) if is_init => Some("1"),
        _ => None,
    };
    let number = number.unwrap_or(say(lang, Sight::AnotherNumber));
    let hidden = from_inside && !view.seen;
    let name = if hidden { view.thing.clone() } else { format!("{}: {number}", view.thing) };
    let state = match (from_inside, view.own, view.seen, view.reach) {
        (false, ..) => return (name, ""),
        (_, true, ..) => Sight::Itself,
        (_, _, true, Some(true)) => Sight::Reached,
        (_, _, true, _) => Sight::Listed,
        (_, _, false, Some(true)) => Sight::HiddenReached,
        (_, _, false, _) => Sight::HiddenOut,
    };
    (name, say(lang, state))
}

/// Any other thing, and how it stands to whoever looks.
#[must_use]
pub fn thing_words(lang: Lang, view: &View, from_inside: bool) -> (String, &'static str) {
    let name = match (view.resource.as_str(), view.own) {
        ("file", _) => format!("/{}", view.thing),
        ("host-name", true) => view.thing.clone(),
        ("network", true) => say(lang, Sight::OnlyLoopback).to_owned(),
        ("user", true) => say(lang, Sight::OnlyRoot).to_owned(),
        ("user", false) => say(lang, Sight::AllUsers).to_owned(),
        (_, true) => say(lang, Sight::Own).to_owned(),
        _ => say(lang, Sight::Machines).to_owned(),
    };
    let hidden = from_inside && !view.seen;
    (name, if hidden { say(lang, Sight::Hidden) } else { "" })
}

/// What a tenant sees at an instant, in a sentence.
#[must_use]
pub fn sight_summary(lang: Lang, recording: &Recording, tenant: u32, at_ns: u64) -> String {
    let name = recording.name(tenant);
    if !is_there(recording, tenant, at_ns) {
        return match lang {
            Lang::En => format!("{name} has not started yet."),
            Lang::Ko => format!("{name}{} 아직 시작하지 않았어요.", Josa::EunNeun.after(&name)),
        };
    }
    let (all, seen, reached) = processes(recording, tenant, at_ns);
    let groups = inside(recording, tenant, at_ns);
    let hidden = groups.iter().filter(|group| group.resource != "process");
    let hidden = hidden.filter(|group| group.things.iter().any(|view| !view.seen));
    let label = |id: &'static str| match id {
        "file" => say(lang, Sight::Folders),
        "mount" => say(lang, Sight::Mounts),
        other => resource(lang, other),
    };
    let hidden: Vec<&str> = hidden.map(|group| label(group.resource)).collect();
    match (lang, hidden.is_empty()) {
        (Lang::En, true) => {
            format!(
                "{name} lists {seen} of {all} processes and can kill {reached}. Nothing else of the machine is hidden."
            )
        }
        (Lang::En, false) => format!(
            "{name} lists {seen} of {all} processes and can kill {reached}. Hidden of the machine: {}.",
            hidden.join(", ")
        ),
        (Lang::Ko, true) => format!(
            "{name}{} 프로세스 {all}개 가운데 {seen}개를 보고 {reached}개를 죽일 수 있어요. 그 밖에 머신에서 가려진 것은 없어요.",
            Josa::EunNeun.after(&name)
        ),
        (Lang::Ko, false) => format!(
            "{name}{} 프로세스 {all}개 가운데 {seen}개를 보고 {reached}개를 죽일 수 있어요. 머신에서 가려진 것: {}.",
            Josa::EunNeun.after(&name),
            hidden.join(", ")
        ),
    }
}
