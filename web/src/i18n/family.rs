//! Texts and sentences of the picture of distributions.

use catamaran_lessons::{Base, Found, Release};
use catamaran_scenario::Lang;

use crate::picture::family::{Phase, Years, month, releases};

super::texts! {
    /// The picture of distributions and kernels.
    FamilyWords {
        Tree = "Who comes from whom", "누가 누구에게서 나왔나";
        Kept = "How long releases get security fixes", "릴리스가 보안 수정을 받는 기간";
        YearAxis = "Axis of years", "연도 축";
        Kernels = "Whose kernel they run on", "누구의 커널 위에서 도나";
        Userland = "userland from the image", "이미지에서 온 사용자 공간";
        OwnKernel = "a kernel of its own", "자기만의 커널";
        HostKernel = "the kernel of the host, one for all", "호스트의 커널, 모두에게 하나";
        HostBelow = "the kernel of the host", "호스트의 커널";
        NotKnown = "unknown", "알 수 없음";
        Table = "Side by side", "나란히 보기";
        Name = "distribution", "배포판";
        ComesFrom = "comes from", "나온 곳";
        Install = "install a package", "패키지 설치";
        Packages = "packages", "패키지 형식";
        Libc = "C library", "C 라이브러리";
        Version = "release", "릴리스";
        Until = "fixes until", "수정을 받는 마지막 날";
        Span = "years", "햇수";
        Contract = "contract", "계약";
        Needed = "needed", "필요해요";
        NotNeeded = "not needed", "필요 없어요";
        Parts = "C library, shell, basic tools", "C 라이브러리, 셸, 기본 도구";
        Rolling = "rolling", "릴리스 없음";
        Source = "source", "출처";
        Picks = "Choose a base for each", "각각에 쓸 바탕을 고르세요";
        PickNone = "choose…", "고르세요…";
    }
}

/// The tree in a sentence: who is there, and from whom.
#[must_use]
pub fn tree_summary(lang: Lang, bases: &[Base], years: f64) -> String {
    let there = bases.iter().filter(|base| years >= base.first.years());
    let name = |id: &str| bases.iter().find(|base| base.id == id).map_or("", |base| base.name);
    let words = there.map(|base| match (base.from, lang) {
        (None, _) => format!("{}: {}", base.name, base.relation.get(lang)),
        (Some(from), Lang::En) => format!("{}, from {}: {}", base.name, name(from), base.relation.get(lang)),
        (Some(from), Lang::Ko) => format!("{}({} 계열): {}", base.name, name(from), base.relation.get(lang)),
    });
    format!("{}. {}", month(years), words.collect::<Vec<_>>().join("; "))
}

/// `RHEL 9: 2022-05-18 – 2032-05-31`.
#[must_use]
pub fn release_words(lang: Lang, base: &Base, release: &Release) -> String {
    let (from, to) = (release.from, release.to);
    match lang {
        Lang::En => format!("{} {}: released {from}, fixes until {to}", base.name, release.name),
        Lang::Ko => format!("{} {}: {from}에 나왔고 {to}까지 수정을 받아요", base.name, release.name),
    }
}

/// The releases in a sentence: which get fixes, which no longer do.
#[must_use]
pub fn releases_summary(lang: Lang, bases: &'static [Base], years: f64) -> String {
    let names = |phase: Phase| {
        let chosen = releases(bases).filter(|(_, release)| Phase::of(release, years) == phase);
        chosen.map(|(base, release)| format!("{} {}", base.name, release.name)).collect::<Vec<_>>().join(", ")
    };
    let or_none = |text: String, none: &str| if text.is_empty() { none.to_owned() } else { text };
    let (kept, ended) = (names(Phase::Kept), names(Phase::Ended));
    match lang {
        Lang::En => {
            format!("Get security fixes: {}. Ended: {}.", or_none(kept, "none"), or_none(ended, "none"))
        }
        Lang::Ko => {
            format!("보안 수정을 받는 것: {}. 끝난 것: {}.", or_none(kept, "없음"), or_none(ended, "없음"))
        }
    }
}

/// The instant of the play head in the years: `2021-06`.
#[must_use]
pub fn year_clock(bases: &'static [Base], at_ns: u64, end_ns: u64) -> String {
    month(Years::over(bases, end_ns).at(at_ns))
}

/// How the choice stands.
#[must_use]
pub fn picked_so_far(lang: Lang, found: Found) -> String {
    let Found { all, right, wrong } = found;
    match lang {
        Lang::En => format!("{right} of {all} choices fit, {wrong} do not"),
        Lang::Ko => format!("{all}개 가운데 {right}개가 맞고, {wrong}개는 맞지 않아요"),
    }
}

/// What a base measures on disk (KiB).
#[must_use]
pub fn parts_words(lang: Lang, parts_kib: Option<u32>) -> String {
    match parts_kib {
        Some(kib) => crate::format::bytes(u64::from(kib) * 1024),
        None => super::say(lang, FamilyWords::NotKnown).to_owned(),
    }
}
