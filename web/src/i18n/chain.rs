//! Texts and sentences of the picture of a start as a chain of actors.

use catamaran_report::process::{PROGRAM, RunsAs, Stays};
use catamaran_scenario::Lang;

use crate::format;
use crate::picture::{Branch, ChainFilm, Contract, MeasuredStart, Standing};

super::texts! {
    /// The picture of actors and processes.
    ChainWords {
        Steps = "Who does what, one after the other", "누가 무엇을 차례로 하나";
        Tree = "Who is there", "누가 있나";
        Order = "The order is known. How long a step takes stands beside it where somebody has measured it.",
            "순서는 알려져 있어요. 걸리는 시간은 누군가 잰 것만 적었어요.";
        Unmeasured = "not measured", "잰 사람 없음";
        NoFigure = "no figure in the model", "모델에 값이 없음";
        NotSeen = "not in this run, or its end was not seen", "이 실행에 없거나 끝을 보지 못함";
        Nobody = "Nobody is known beside the program on this platform.",
            "이 플랫폼에서는 프로그램 곁에 알려진 프로세스가 없어요.";
        Kill = "End one of them", "하나를 끝내 보기";
        KillNone = "nobody", "아무도 안 끝내기";
        Unsure = "What ends with it depends on versions or settings; no source says it in general.",
            "무엇이 함께 끝나는지는 버전이나 설정에 달렸어요. 일반적으로 말해 주는 출처가 없어요.";
        GoesOn = "The program goes on.", "프로그램은 계속 돌아요.";
        EndsToo = "The program ends too.", "프로그램도 끝나요.";
        Mapped = "Users: root inside (uid 0) is an ordinary user outside.",
            "사용자: 안의 root(uid 0)는 바깥에서 일반 사용자예요.";
        Unmapped = "Users: root inside (uid 0) is root of the machine outside.",
            "사용자: 안의 root(uid 0)는 바깥에서도 머신의 root예요.";
        AsTable = "The processes as a table", "프로세스를 표로 보기";
        Name = "Process", "프로세스";
        Parent = "Child of", "부모";
        RunsAsWho = "Runs as", "실행 사용자";
        HowLong = "Stays", "머무는 동안";
        Now = "Now", "지금";
        Cri = "CRI: here the kubelet asks a container runtime", "CRI: 여기서 kubelet이 컨테이너 런타임에 부탁해요";
        Oci = "OCI: here a bundle is handed to a low-level runtime", "OCI: 여기서 번들을 저수준 런타임에 넘겨요";
    }
}

/// What a contract is called.
#[must_use]
pub const fn contract_words(contract: Contract) -> ChainWords {
    match contract {
        Contract::Cri => ChainWords::Cri,
        Contract::Oci => ChainWords::Oci,
    }
}

/// As people call a process.
#[must_use]
pub fn process_name(lang: Lang, name: &str) -> String {
    match (name, lang) {
        (PROGRAM, Lang::En) => "the container's program".to_owned(),
        (PROGRAM, Lang::Ko) => "컨테이너의 프로그램".to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// As whom it runs, and for how long: `root, daemon`.
#[must_use]
pub fn branch_words(lang: Lang, branch: &Branch) -> String {
    format!("{} · {}", user_words(lang, branch.row.user), stay_words(lang, branch.row.stays))
}

/// As whom a process runs.
#[must_use]
pub const fn user_words(lang: Lang, user: RunsAs) -> &'static str {
    match (user, lang) {
        (RunsAs::Root, _) => "root",
        (RunsAs::User, Lang::En) => "ordinary user",
        (RunsAs::User, Lang::Ko) => "일반 사용자",
    }
}

/// For how long a process is there.
#[must_use]
pub const fn stay_words(lang: Lang, stays: Stays) -> &'static str {
    match (stays, lang) {
        (Stays::Machine, Lang::En) => "always there (daemon)",
        (Stays::Machine, Lang::Ko) => "늘 있음(데몬)",
        (Stays::Container, Lang::En) => "as long as the container",
        (Stays::Container, Lang::Ko) => "컨테이너가 있는 동안",
        (Stays::Start, Lang::En) => "only for the start",
        (Stays::Start, Lang::Ko) => "시작할 때만",
    }
}

/// How a process stands.
#[must_use]
pub const fn standing_words(lang: Lang, standing: Standing) -> &'static str {
    match (standing, lang) {
        (Standing::Ahead, Lang::En) => "not there yet",
        (Standing::Ahead, Lang::Ko) => "아직 없음",
        (Standing::Acting, Lang::En) => "at work",
        (Standing::Acting, Lang::Ko) => "일하는 중",
        (Standing::There, Lang::En) => "there",
        (Standing::There, Lang::Ko) => "있음",
        (Standing::Gone, Lang::En) => "gone",
        (Standing::Gone, Lang::Ko) => "떠남",
    }
}

/// What can be done to a process.
#[must_use]
pub fn kill_words(lang: Lang, name: &str, stopped: bool) -> String {
    let name = process_name(lang, name);
    match (stopped, lang) {
        (false, Lang::En) => format!("kill -9: {name}"),
        (false, Lang::Ko) => format!("kill -9: {name}"),
        (true, Lang::En) => format!("stop the service: {name}"),
        (true, Lang::Ko) => format!("서비스 멈추기: {name}"),
    }
}

/// Who ends: `containerd-shim and the container's program end with it.`
#[must_use]
pub fn ending_words(lang: Lang, film: &ChainFilm, ending: Option<&[usize]>) -> String {
    let Some(ending) = ending else { return super::say(lang, ChainWords::Unsure).to_owned() };
    let rows: Vec<&Branch> = ending.iter().filter_map(|at| film.branches.get(*at)).collect();
    let names: Vec<String> = rows.iter().map(|branch| process_name(lang, &branch.row.name)).collect();
    let ends = rows.iter().any(|branch| branch.row.name == PROGRAM);
    let fate = super::say(lang, if ends { ChainWords::EndsToo } else { ChainWords::GoesOn });
    match lang {
        Lang::En => format!("Ended: {}. {fate}", names.join(", ")),
        Lang::Ko => format!("끝난 것: {}. {fate}", names.join(", ")),
    }
}

/// How long a start took, whose versions it was and where it was measured.
#[must_use]
pub fn measured_words(lang: Lang, measured: &MeasuredStart) -> String {
    let whole = measured.startup_s.map_or("–".to_owned(), format::seconds);
    let trials = measured.trials;
    let of = ["runtime", "cpu"].into_iter().filter_map(|name| measured.fact(name));
    let of = of.collect::<Vec<_>>().join(", ");
    let (kernel, date) = (measured.fact("kernel").unwrap_or("?"), measured.fact("date").unwrap_or("?"));
    match (lang, trials) {
        (Lang::En, 1) => {
            format!(
                "Native: {whole} from the request to the program. Measured once on {date}: {of}, Linux {kernel}."
            )
        }
        (Lang::En, _) => format!(
            "Native: {whole} from the request to the program. Medians of {trials} starts on {date}: {of}, Linux {kernel}."
        ),
        (Lang::Ko, 1) => {
            format!(
                "실제: 부탁에서 프로그램까지 {whole}. {date}에 한 번 시작해 쟀어요. {of}, 리눅스 {kernel}."
            )
        }
        (Lang::Ko, _) => format!(
            "실제: 부탁에서 프로그램까지 {whole}. {date}에 {trials}번 시작해 잰 중앙값이에요. {of}, 리눅스 {kernel}."
        ),
    }
}

/// Platforms of which nothing is recorded.
#[must_use]
pub fn simulated_only(lang: Lang, platforms: &str) -> String {
    match lang {
        Lang::En => format!("Simulated only, for the reasons given above: {platforms}."),
        Lang::Ko => format!("위에 적은 이유로 시뮬레이션만 한 것: {platforms}."),
    }
}

/// What is done in a step of a chain;: `step 3 of 14: runc, config. …`
#[must_use]
pub fn step_words(lang: Lang, film: &ChainFilm, stage: usize) -> String {
    let all = film.stages.len();
    match (film.stages.get(stage), lang) {
        (Some(now), Lang::En) => {
            format!("Step {} of {all}, {}: {}", stage + 1, now.actor, chain_sentence(lang, &now.name))
        }
        (Some(now), Lang::Ko) => {
            format!("{all}단계 중 {}단계, {}: {}", stage + 1, now.actor, chain_sentence(lang, &now.name))
        }
        (None, Lang::En) => "The container's program runs.".to_owned(),
        (None, Lang::Ko) => "컨테이너의 프로그램이 돌아요.".to_owned(),
    }
}

/// The place of the play head: `step 3 of 14`.
#[must_use]
pub fn step_clock(lang: Lang, film: &ChainFilm, stage: usize) -> String {
    let (now, all) = (stage + 1, film.stages.len());
    match (now > all, lang) {
        (true, Lang::En) => "it runs".to_owned(),
        (true, Lang::Ko) => "도는 중".to_owned(),
        (false, Lang::En) => format!("step {now} of {all}"),
        (false, Lang::Ko) => format!("{all}단계 중 {now}단계"),
    }
}

/// What is done in a step of a chain; of the steps that any start has, [`super::stage_sentence`].
#[must_use]
pub fn chain_sentence(lang: Lang, name: &str) -> String {
    let (en, ko) = match name.split(' ').next().unwrap_or_default() {
        "request" => ("It is asked to start a container.", "컨테이너를 시작해 달라는 부탁을 받아요."),
        "pull" => ("It fetches a layer of the image.", "이미지의 레이어를 받아 와요."),
        "unpack" => ("It unpacks a layer.", "레이어를 풀어요."),
        "create" => ("It puts the container's settings together.", "컨테이너의 설정을 모아요."),
        "mount" => (
            "It lays a writable layer over those of the image.",
            "이미지의 레이어 위에 쓸 수 있는 레이어를 얹어요.",
        ),
        "network" => ("It makes the container's network.", "컨테이너의 네트워크를 만들어요."),
        "task" => ("It is asked for a running container.", "컨테이너를 돌려 달라는 부탁을 받아요."),
        "shim" => (
            "It starts a small process that stays with the container.",
            "컨테이너 곁에 남을 작은 프로세스를 시작해요.",
        ),
        "call" => ("It calls the runtime.", "런타임을 불러요."),
        "conmon" => {
            ("It starts a monitor that stays with the container.", "컨테이너 곁에 남을 모니터를 시작해요.")
        }
        "user-namespace" => (
            "It writes which users outside those inside are (set-user-ID root for this moment).",
            "안의 사용자가 바깥의 누구인지 적어요. 이때만 setuid root로 돌아요.",
        ),
        "config" => ("It reads what kind of container is wanted.", "어떤 컨테이너를 원하는지 읽어요."),
        "re-exec" => (
            "It starts itself anew, from a sealed copy, to enter namespaces with one thread.",
            "스레드 하나로 네임스페이스에 들어가려고 봉인한 사본으로 자신을 다시 시작해요.",
        ),
        "start" => ("It is told to start what it has created.", "만들어 둔 것을 시작하라는 말을 들어요."),
        "monitor" => (
            "It starts a monitor that stays with the container, and goes.",
            "컨테이너 곁에 남을 모니터를 시작하고 떠나요.",
        ),
        "services" => ("Init starts services, as on a machine.", "init이 머신에서처럼 서비스를 시작해요."),
        "tree-store" => ("It unpacks the image.", "이미지를 풀어 놓아요."),
        "pod" => ("It lays out the pod's folder.", "파드의 폴더를 차려요."),
        "become-stage1" => (
            "It becomes the next stage (execve); nobody stays to be asked.",
            "다음 단계로 변해요(execve). 물어볼 데몬이 남지 않아요.",
        ),
        "init" => ("A first process comes up inside.", "안에서 첫 프로세스가 켜져요."),
        "sandbox" => {
            ("It makes what the containers of a pod share.", "파드의 컨테이너들이 함께 쓸 것을 만들어요.")
        }
        "pause" => (
            "It starts a process that holds the pod's namespaces and sleeps.",
            "파드의 네임스페이스를 붙들고 자는 프로세스를 시작해요.",
        ),
        "admit" => ("The node takes the pod in.", "노드가 파드를 받아들여요."),
        "pod-groups" => ("It makes the pod's control groups.", "파드의 컨트롤 그룹을 만들어요."),
        "volumes" => ("It mounts the pod's volumes.", "파드의 볼륨을 마운트해요."),
        "gofer" => ("It starts the process that opens files.", "파일을 대신 열어 줄 프로세스를 시작해요."),
        "sentry" => (
            "It starts a kernel in user space, for this container alone.",
            "이 컨테이너만의 커널을 사용자 공간에서 시작해요.",
        ),
        "load" => ("That kernel loads the program.", "그 커널이 프로그램을 읽어 들여요."),
        "agent" => ("An agent comes up in the guest.", "게스트 안에서 에이전트가 켜져요."),
        "share" => ("The layers are shared with the guest.", "레이어를 게스트와 나눠 써요."),
        _ => return super::stage_sentence(lang, name),
    };
    match lang {
        Lang::En => en.to_owned(),
        Lang::Ko => ko.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_every_chain_has_a_sentence() {
        use catamaran_scenario::{Calibration, Plan, Platform};
        let names = |platform: &Platform| {
            let text = format!(
                "schema = \"catamaran/scenario/v1\"\nname = \"chain\"\nduration = \"1s\"\nplatforms = [\"{platform}\"]\n\
                 [[tenant]]\nname = \"job\"\nworkload = {{ kind = \"idle\" }}\n"
            );
            let plan = Plan::from_toml(&text, "scenario").unwrap();
            let options = catamaran_sim::Options::default();
            let answer = catamaran_sim::simulate(&plan, *platform, &Calibration::reference(), &options);
            let stages = answer.map(|answer| answer.report.tenants[0].startup_stages.clone());
            stages.unwrap_or_default().into_iter().map(|stage| stage.name).collect::<Vec<_>>()
        };
        for platform in Platform::ALL.iter().filter(|platform| **platform != Platform::VmHosted) {
            for name in names(platform) {
                for lang in Lang::ALL {
                    assert_ne!(chain_sentence(*lang, &name), name, "{platform}: {name} has no sentence");
                }
            }
        }
    }
}
