//! Texts and sentences of the picture of what an application weighs.

use catamaran_scenario::{Lang, Platform};

use crate::format;
use crate::picture::{Part, Weight};

super::texts! {
    /// The picture of weights and starts.
    Weighing {
        Blocks = "What one application holds, to scale", "애플리케이션 하나가 쓰는 메모리(같은 축척)";
        Starts = "From the request to start it until it runs", "시작해 달라고 한 때부터 돌 때까지";
        Room = "The memory of the machine", "머신의 메모리";
        App = "application", "애플리케이션";
        Kernel = "kernel of the guest", "게스트의 커널";
        Monitor = "monitor", "모니터";
        Guest = "monitor and guest", "모니터와 게스트";
        Running = "runs", "도는 중";
        Starting = "starting", "시작하는 중";
        Unknown = "unknown", "알 수 없음";
        WhyStart = "Follow the starts", "시작을 따라가기";
        Emulated = "Measured under emulation (TCG): it says nothing of a hypervisor's speed.",
            "에뮬레이션(TCG)으로 잰 값이에요. 하이퍼바이저의 속도에 대해 아무것도 말해 주지 않아요.";
    }
}

/// How the lesson calls a platform.
#[must_use]
pub fn platform_word(lang: Lang, platform: Platform) -> &'static str {
    match (platform, lang) {
        (Platform::Vm, Lang::En) => "virtual machine",
        (Platform::Vm, Lang::Ko) => "가상 머신",
        (Platform::Container, Lang::En) => "container",
        (Platform::Container, Lang::Ko) => "컨테이너",
        (Platform::BareMetal, Lang::En) => "process",
        (Platform::BareMetal, Lang::Ko) => "프로세스",
        (other, _) => other.name(),
    }
}

/// The name of a part.
#[must_use]
pub const fn part_name(part: Part) -> Weighing {
    match part {
        Part::App => Weighing::App,
        Part::Kernel => Weighing::Kernel,
        Part::Monitor => Weighing::Monitor,
        Part::Guest => Weighing::Guest,
    }
}

/// `virtual machine: 153 MiB = monitor 131 MiB + kernel of the guest 21 MiB + application 524 KiB`.
#[must_use]
pub fn weight_text(lang: Lang, weight: &Weight) -> String {
    let name = platform_word(lang, weight.platform);
    let parts: Vec<String> = weight
        .parts
        .iter()
        .map(|(part, bytes)| format!("{} {}", super::say(lang, part_name(*part)), format::bytes(*bytes)))
        .collect();
    match parts.as_slice() {
        [] => format!("{name}: {}", super::say(lang, Weighing::Unknown)),
        [one] => format!("{name}: {one}"),
        _ => format!("{name}: {} = {}", format::bytes(weight.bytes()), parts.join(" + ")),
    }
}

/// `virtual machine: runs after 214 ms`.
#[must_use]
pub fn start_text(lang: Lang, weight: &Weight) -> String {
    let name = platform_word(lang, weight.platform);
    match (weight.startup_s.map(format::seconds), lang) {
        (None, lang) => format!("{name}: {}", super::say(lang, Weighing::Unknown)),
        (Some(startup), Lang::En) => format!("{name}: runs after {startup}"),
        (Some(startup), Lang::Ko) => format!("{name}: {startup} 만에 돌아요"),
    }
}

/// The same of a machine that was measured.
#[must_use]
pub fn measured_text(lang: Lang, weight: &Weight) -> String {
    let startup = weight.startup_s.map(format::seconds).unwrap_or_default();
    let emulated = if weight.is_emulated() { " (TCG)" } else { "" };
    match lang {
        Lang::En => format!("native{emulated}: {startup}"),
        Lang::Ko => format!("실제{emulated}: {startup}"),
    }
}

/// How the applications fill the machine.
#[must_use]
pub fn room_text(lang: Lang, weight: &Weight, each_bytes: u64, memory_bytes: u64) -> String {
    let name = platform_word(lang, weight.platform);
    let (each, all) = (format::bytes(each_bytes), format::bytes(memory_bytes));
    let (living, killed) = (weight.living, weight.killed);
    match (killed, lang) {
        (0, Lang::En) => format!("{name}: {living} × {each} of {all}"),
        (0, Lang::Ko) => format!("{name}: {all} 중 {living} × {each}"),
        (_, Lang::En) => {
            format!(
                "{name}: {living} × {each} of {all}; for {killed} there was no room, and they were killed"
            )
        }
        (_, Lang::Ko) => {
            format!("{name}: {all} 중 {living} × {each}. {killed}개는 자리가 없어 강제로 끝났어요")
        }
    }
}

/// What happens in a stage of a start; the stage's own name where it is not known here.
#[must_use]
pub fn stage_sentence(lang: Lang, name: &str) -> String {
    let (en, ko) = match name {
        "clone" => ("The kernel makes a process.", "커널이 프로세스를 만들어요."),
        "exec" => (
            "The kernel loads the program, and it runs.",
            "커널이 프로그램을 읽어 들이고, 프로그램이 돌아요.",
        ),
        "limits" => (
            "The runtime makes a control group with its limits.",
            "런타임이 제한이 걸린 컨트롤 그룹을 만들어요.",
        ),
        "join" => ("The process joins its control group.", "프로세스가 컨트롤 그룹에 들어가요."),
        "isolate" => ("It gets namespaces of its own.", "자기 네임스페이스를 받아요."),
        "rootfs" => ("A root directory is put together.", "루트 디렉터리를 차려요."),
        "chroot" => ("It gets another root directory.", "다른 루트 디렉터리를 받아요."),
        "pivot-root" => ("Its root becomes this directory.", "이 디렉터리가 루트가 돼요."),
        "confine" => ("It gives up privileges.", "권한을 내려놓아요."),
        "vmm" => ("The monitor plays a machine.", "모니터가 머신을 흉내 내요."),
        "firmware" => ("Firmware starts and loads a kernel.", "펌웨어가 켜져 커널을 읽어 들여요."),
        "kernel" => ("The guest's kernel comes up.", "게스트의 커널이 켜져요."),
        "init" => (
            "Init sets up the guest and starts the application.",
            "init이 게스트를 차리고 애플리케이션을 시작해요.",
        ),
        "boot" => (
            "Monitor, firmware, kernel and init: the published figure does not tell them apart.",
            "모니터, 펌웨어, 커널, init이에요. 발표된 값은 이들을 나누지 않았어요.",
        ),
        other => return other.to_owned(),
    };
    match lang {
        Lang::En => en.to_owned(),
        Lang::Ko => ko.to_owned(),
    }
}
