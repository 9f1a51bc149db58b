//! What a tenant sees, in words.

use catamaran_scenario::Lang;

use crate::report::{Report, Sees};

/// Name of a resource of `report.isolation`; as it is where it is not known to this program.
#[must_use]
pub fn resource(lang: Lang, name: &str) -> &str {
    let (en, ko) = match name {
        "pid" => ("process numbers", "프로세스 번호"),
        "process" => ("list of processes", "프로세스 목록"),
        "host-name" => ("host name", "호스트 이름"),
        "user" => ("users", "사용자"),
        "network" => ("network interfaces", "네트워크 인터페이스"),
        "ipc" => ("message queues and shared memory", "메시지 큐와 공유 메모리"),
        "cgroup" => ("control groups", "컨트롤 그룹"),
        "time" => ("clocks", "시계"),
        "mount" => ("mounts and files", "마운트와 파일"),
        "device" => ("devices", "장치"),
        "kernel" => ("kernel", "커널"),
        other => (other, other),
    };
    match lang {
        Lang::En => en,
        Lang::Ko => ko,
    }
}

/// Whose it is.
#[must_use]
pub const fn sees(lang: Lang, sees: Sees) -> &'static str {
    match (lang, sees) {
        (Lang::En, Sees::Own) => "its own only",
        (Lang::En, Sees::Some) => "part of the machine's",
        (Lang::En, Sees::Host) => "the machine's",
        (Lang::En, Sees::Nothing) => "nothing",
        (Lang::Ko, Sees::Own) => "자기 것만",
        (Lang::Ko, Sees::Some) => "머신의 일부",
        (Lang::Ko, Sees::Host) => "머신의 것",
        (Lang::Ko, Sees::Nothing) => "아무것도 없음",
    }
}

/// What a tenant sees of a resource in the model and on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The tenant.
    pub observer: String,
    /// The resource.
    pub resource: String,
    /// By the model.
    pub simulated: Sees,
    /// On the machine; `None` where it was not looked at.
    pub native: Option<Sees>,
}

/// Every row of the simulated report beside the native one.
#[must_use]
pub fn seen(simulated: &Report, native: &Report) -> Vec<Seen> {
    let rows = simulated.isolation.iter().map(|row| {
        let same = native
            .isolation
            .iter()
            .find(|other| (&other.observer, &other.resource) == (&row.observer, &row.resource));
        Seen {
            observer: row.observer.clone(),
            resource: row.resource.clone(),
            simulated: row.sees,
            native: same.map(|row| row.sees),
        }
    });
    rows.collect()
}

/// Whether there is nothing to tell: everything is the machine's, in the model and on the machine.
#[must_use]
pub fn nothing_is_hidden(rows: &[Seen]) -> bool {
    let of_the_machine = |sees: Sees| sees == Sees::Host;
    rows.iter().all(|row| of_the_machine(row.simulated) && row.native.is_none_or(of_the_machine))
}

/// How the rows stand to one another: in how many the two agree, and where they do not.
#[must_use]
pub fn seen_summary(lang: Lang, rows: &[Seen]) -> String {
    let known = || rows.iter().filter(|row| row.native.is_some());
    let differs = |row: &&Seen| row.native != Some(row.simulated);
    let differences: Vec<String> = known()
        .filter(differs)
        .map(|row| {
            let (observer, what) = (&row.observer, resource(lang, &row.resource));
            let (model, machine) =
                (sees(lang, row.simulated), row.native.map_or("", |native| sees(lang, native)));
            match lang {
                Lang::En => format!("{observer}, {what}: the model says {model}, the machine {machine}."),
                Lang::Ko => format!("{observer}의 {what}: 모델은 \"{model}\", 실제 머신은 \"{machine}\"."),
            }
        })
        .collect();
    let (all, same) = (known().count(), known().count() - differences.len());
    let summary = match lang {
        Lang::En => format!("The model and the machine agree in {same} of {all} rows of what is seen."),
        Lang::Ko => format!("보이는 것에 대한 {all}줄 가운데 {same}줄에서 모델과 실제 머신이 같아요."),
    };
    std::iter::once(summary).chain(differences).collect::<Vec<_>>().join(" ")
}
