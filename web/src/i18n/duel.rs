//! Texts of the era duel.

use catamaran_scenario::{Josa, Platform};

use super::{Lang, say};
use crate::format;

super::texts! {
    /// Eras, controls, table, what stands beside them.
    Duel {
        Title = "The era duel", "시대 대결";
        Lead = "One load, three eras: a physical server, virtual machines, containers. Each answers the same requests beside the same batch job, and one slider moves all three to the same moment.",
            "같은 부하를 세 시대가 받아요. 물리 서버, 가상 머신, 컨테이너예요. 셋 다 같은 배치 작업 옆에서 같은 요청을 처리하고, 슬라이더 하나로 셋을 같은 순간에 놓고 볼 수 있어요.";
        Open = "Play the duel", "대결 시작하기";
        Panes = "Three eras at the same moment", "같은 순간의 세 시대";
        Server = "Physical server", "물리 서버";
        ServerWhat = "Processes on one kernel; nothing bounds them.", "커널 하나 위의 프로세스예요. 아무것도 막지 않아요.";
        Guests = "Virtual machines", "가상 머신";
        GuestsWhat = "A guest with a kernel of its own for each tenant.", "테넌트마다 자기 커널이 있는 게스트예요.";
        Containers = "Containers", "컨테이너";
        ContainersWhat = "One kernel; namespaces and limits for each tenant.", "커널은 하나이고, 테넌트마다 네임스페이스와 제한이 있어요.";
        Controls = "Turn something", "직접 바꿔 보기";
        Reset = "Reset", "처음 값으로";
        Rate = "Requests to each copy, per second", "복제본마다 초당 요청 수";
        RateHelp = "How often requests come to each copy of the application.", "애플리케이션 복제본 하나에 요청이 얼마나 자주 오는지예요.";
        Apps = "Copies of the application", "애플리케이션 복제본 수";
        AppsHelp = "Each copy is a tenant: a process, a guest or a container.", "복제본 하나가 테넌트 하나예요. 프로세스, 게스트, 컨테이너 중 하나가 돼요.";
        Threads = "Busy threads of the batch job", "배치 작업의 바쁜 스레드 수";
        ThreadsHelp = "The job's limit of half a core holds in a container and for a guest, and not on a physical server.",
            "코어 반 개라는 제한은 컨테이너와 게스트에서는 지켜지고, 물리 서버에서는 지켜지지 않아요.";
        Limit = "Memory limit of the leaking tenant", "누수가 난 테넌트의 메모리 제한";
        LimitHelp = "For the row on leaks only: a container applies it, a physical server does not, a guest is bounded by its own memory.",
            "메모리 누수 행에만 쓰여요. 컨테이너는 이 제한을 적용하고, 물리 서버는 적용하지 않으며, 게스트는 자기 메모리까지만 쓸 수 있어요.";
        NoLimit = "no limit", "제한 없음";
        Seed = "Random seed", "난수 시드(seed)";
        SeedHelp = "Another seed is another day: the same rates, other moments.", "시드를 바꾸면 다른 날이 돼요. 평균은 같고 도착하는 순간만 달라져요.";
        ScenarioInvalid = "This value does not go into the scenario:", "이 값은 시나리오에 넣을 수 없어요:";
        StartUp = "start-up", "시작";
        VirtualCpus = "virtual CPUs (hatched: would run, has no core)", "가상 CPU (빗금: 실행하려는데 코어가 없음)";
        WithoutCore = "would run, has no core", "실행하려는데 코어가 없음";
        Starting = "starting", "시작하는 중";
        ClockNote = "The clock begins when the tenants are asked for; the load comes to each era when its tenants are ready. Each start takes as long as one start alone, and what it does on the cores is not drawn.",
            "시계는 테넌트를 요청한 순간부터 가요. 부하는 시대마다 테넌트가 준비되면 시작돼요. 각 시작은 혼자 시작할 때만큼 걸린다고 보고, 그동안 코어에서 하는 일은 그리지 않아요.";
        TableTitle = "The score", "성적표";
        What = "What", "항목";
        Density = "Density", "밀도";
        DensityUnit = "idle tenants in the machine's memory", "머신 메모리에 들어가는 쉬는 테넌트 수";
        Latency = "Latency", "지연 시간";
        LatencyUnit = "of the slowest copy", "가장 느린 복제본";
        Boot = "Boot", "부팅";
        BootUnit = "from the request to the first instruction", "요청부터 첫 명령까지";
        Idle = "Idle memory", "쉴 때 메모리";
        IdleUnit = "of one tenant", "테넌트 하나";
        Leak = "Blast radius of a leak", "메모리 누수의 피해 범위";
        LeakUnit = "tenants killed when the batch job leaks", "배치 작업에 누수가 날 때 죽는 테넌트";
        Crash = "Blast radius of a kernel crash", "커널 충돌의 피해 범위";
        CrashUnit = "tenants on the kernel of the batch job", "배치 작업과 커널이 같은 테넌트";
        Cost = "Cost", "비용";
        CostUnit = "machine-seconds per 1,000 requests", "요청 1,000개당 머신 초";
        InGuest = "inside its guest", "자기 게스트 안에서";
        SharedKernel = "one kernel for all", "모두 커널 하나";
        OwnKernel = "each has its own kernel", "저마다 자기 커널";
        Computing = "computing…", "계산 중…";
        Unknown = "unknown", "알 수 없음";
        KvmPublished = "KVM; published (FC-BS-07), not measured on the reference machine", "KVM, 발표된 값(FC-BS-07)이고 기준 머신에서 잰 값이 아니에요";
        KvmMeasured = "KVM, measured on the reference machine", "KVM, 기준 머신에서 잰 값";
        KvmPublishedTag = "KVM, published", "KVM, 발표된 값";
        KvmMeasuredTag = "KVM, measured", "KVM, 잰 값";
        EmulatedTag = "emulated (TCG)", "에뮬레이션(TCG)";
        Emulated = "TCG: emulated, not a hypervisor's speed", "TCG: 에뮬레이션이라 하이퍼바이저의 속도가 아니에요";
        HowTitle = "How each figure is computed, and what it leaves out", "각 값을 어떻게 계산하고 무엇을 빼놓는지";
        HowDensity = "How many copies of the application fit until one more would bring the out-of-memory killer, as `catamaran density` counts them. No tenant in it does anything, and the operating system's own memory is not taken off.",
            "하나를 더 넣으면 OOM 킬러가 나설 때까지 들어가는 애플리케이션의 수예요. `catamaran density`와 같은 방식으로 세요. 테넌트는 아무 일도 하지 않고, 운영 체제 자신의 메모리는 빼지 않았어요.";
        HowLatency = "Simulated with these settings: from a request's intended arrival to its answer.",
            "지금 설정으로 시뮬레이션한 값이에요. 요청이 도착할 때부터 끝날 때까지예요.";
        HowBoot = "Medians from the calibration of the reference machine, stage by stage; for virtual machines under KVM the published boot of a small Linux guest.",
            "기준 머신을 보정할 때 잰 단계별 중앙값이에요. KVM 가상 머신은 작은 리눅스 게스트의 발표된 부팅 시간이에요.";
        HowIdle = "For guests: the monitor's memory and what the guest's kernel keeps, published (FC-MEM-3, FC-MEM-4) or calibrated; published figures leave the application out. Otherwise: what the simulator charges to the application, a small static program; yours needs more in every era alike.",
            "게스트는 모니터의 메모리와 게스트 커널이 차지하는 몫이에요. 발표된 값(FC-MEM-3, FC-MEM-4)이거나 보정한 값인데, 발표된 값에는 애플리케이션이 빠져 있어요. 나머지는 시뮬레이터가 애플리케이션에 매긴 메모리예요. 작은 정적 프로그램이라서, 실제 애플리케이션은 어느 시대에서나 더 필요해요.";
        HowLeak = "The same scenario is simulated once more with a batch job that leaks 200 MiB a second. For virtual machines the leaker runs alone in a machine of its guest's size, because memory inside of guests is not modelled yet; the others are safe as long as full guests fit into the machine.",
            "배치 작업이 1초에 200 MiB씩 새도록 바꿔 같은 시나리오를 한 번 더 시뮬레이션해요. 게스트 안의 메모리는 아직 모델에 없어서, 가상 머신에서는 누수가 난 테넌트를 게스트 크기의 머신에서 혼자 실행해요. 가득 찬 게스트가 모두 머신에 들어가면 다른 테넌트는 안전해요.";
        HowCrash = "Who sees which kernel is part of the simulator's report: a crash takes everyone on the same one.",
            "누가 어느 커널을 보는지는 시뮬레이터의 보고서에 있어요. 커널이 충돌하면 그 커널을 쓰는 모두가 멈춰요.";
        HowCost = "No money: the greater of the shares of CPU time and of memory that one copy holds, times the run, per 1,000 answered requests.",
            "돈이 아니에요. 복제본 하나가 차지하는 CPU 시간의 몫과 메모리의 몫 가운데 큰 쪽에 실행 시간을 곱해 끝난 요청 1,000개로 나눈 값이에요.";
        RealTitle = "For real", "실제로 해 보기";
        RealText = "The same file runs on Linux, in each of the three eras, and both answers are laid side by side. Save it as it stands here, then, as root:",
            "같은 파일을 리눅스에서 세 시대 모두 실제로 실행하고 두 결과를 나란히 볼 수 있어요. 지금 설정 그대로 저장한 다음 root로 실행하세요:";
        RealVm = "Where the machine has no KVM, the guests of a real run are emulated (TCG), and the report says so. The guests of the model on this page are under KVM, so the two lie far apart then.",
            "머신에 KVM이 없으면 실제 실행의 게스트는 에뮬레이션(TCG)으로 돌아가고, 보고서에 그렇게 적혀요. 이 페이지의 모델은 KVM 게스트라서, 그때는 두 값이 크게 달라요.";
        Save = "Save era-duel.toml", "era-duel.toml 저장";
    }
}

/// The name of an era.
#[must_use]
pub fn era_name(lang: Lang, era: Platform) -> &'static str {
    match era {
        Platform::BareMetal => say(lang, Duel::Server),
        Platform::Vm => say(lang, Duel::Guests),
        Platform::Container => say(lang, Duel::Containers),
        other => other.name(),
    }
}

/// A start-up in words: its stages, and when it is over (ns).
#[must_use]
pub fn start_summary<'a>(lang: Lang, stages: impl Iterator<Item = (&'a str, u64)>, ready_ns: u64) -> String {
    let stages: Vec<String> =
        stages.map(|(name, length_ns)| format!("{name} {}", format::nanos(length_ns))).collect();
    let (stages, ready) = (stages.join(", "), format::nanos(ready_ns));
    match lang {
        Lang::En => format!("Start-up: {stages}; ready after {ready}."),
        Lang::Ko => format!("시작: {stages}. {ready} 뒤에 준비돼요."),
    }
}

/// Below the lane of a start-up: when the tenants are ready, each by name where they are not ready together.
#[must_use]
pub fn ready_after(lang: Lang, ready: &[(String, u64)]) -> String {
    let first = ready.first().map(|(_, at_ns)| format::nanos(*at_ns));
    let alike = ready.iter().all(|(_, at_ns)| Some(format::nanos(*at_ns)) == first);
    let each = |(name, at_ns): &(String, u64)| match lang {
        Lang::En => format!("{name} after {}", format::nanos(*at_ns)),
        Lang::Ko => format!("{name} {} 뒤", format::nanos(*at_ns)),
    };
    match (lang, first.filter(|_| alike)) {
        (Lang::En, Some(at)) => format!("start-up: ready after {at}"),
        (Lang::Ko, Some(at)) => format!("시작: {at} 뒤에 준비"),
        (Lang::En, None) => format!("start-up: {}", ready.iter().map(each).collect::<Vec<_>>().join(", ")),
        (Lang::Ko, None) => format!("시작: {}에 준비", ready.iter().map(each).collect::<Vec<_>>().join(", ")),
    }
}

/// A virtual CPU in a window: how long it ran, and how long it would have run and had no core (ns).
#[must_use]
pub fn vcpu_summary(lang: Lang, name: &str, number: u32, ran_ns: u64, waited_ns: u64) -> String {
    let (ran, waited) = (format::nanos(ran_ns), format::nanos(waited_ns));
    match lang {
        Lang::En => format!("virtual CPU {number} of {name} ran {ran}, and had no core for {waited} more"),
        Lang::Ko => format!("{name}의 가상 CPU {number}: {ran} 실행, {waited} 동안 코어 없음"),
    }
}

/// Memory that is held of the machine's (bytes).
#[must_use]
pub fn memory_held(lang: Lang, held: u64, of: u64) -> String {
    let (held, of) = (format::bytes(held), format::bytes(of));
    match lang {
        Lang::En => format!("memory held once it serves: {held} of {of}"),
        Lang::Ko => format!("처리 중에 차지하는 메모리: {of} 중 {held}"),
    }
}

/// That no figure of memory is known.
#[must_use]
pub fn memory_unknown(lang: Lang, reason: &str) -> String {
    match lang {
        Lang::En => format!("memory: unknown ({reason})"),
        Lang::Ko => format!("메모리: 알 수 없음 ({reason})"),
    }
}

/// That an era still starts, and at which stage it is.
#[must_use]
pub fn still_starting(lang: Lang, era: &str, stage: &str, actor: &str) -> String {
    match lang {
        Lang::En => format!("{era}: still starting ({stage}, by the {actor})."),
        Lang::Ko => format!("{era}: 아직 시작하는 중이에요({actor}: {stage})."),
    }
}

/// Whose virtual CPUs would run and have no core.
#[must_use]
pub fn waiting_for_cores(lang: Lang, names: &[String]) -> String {
    let names = names.join(", ");
    match lang {
        Lang::En => format!("Waiting for a core: {names}."),
        Lang::Ko => format!("코어를 기다려요: {names}."),
    }
}

/// How many tenants fail.
#[must_use]
pub fn failed_of(lang: Lang, failed: usize, of: usize) -> String {
    match lang {
        Lang::En => format!("{failed} of {of}"),
        Lang::Ko => format!("{of}개 중 {failed}개"),
    }
}

/// Who fails, and when (s).
#[must_use]
pub fn who_failed(lang: Lang, names: &[String], first_s: Option<f64>) -> String {
    let names = names.join(", ");
    match (lang, first_s.map(format::seconds)) {
        (_, None) => names,
        (Lang::En, Some(first)) => format!("{names} after {first}"),
        (Lang::Ko, Some(first)) => format!("{names}, {first} 뒤"),
    }
}

/// What a copy holds of the machine (shares, 0–1) and its CPU time per request (s).
#[must_use]
pub fn shares(lang: Lang, of_cpu: f64, of_memory: f64, cpu_s: f64) -> String {
    let (cpu, memory) = (format::percent(of_cpu), format::percent(of_memory));
    let each = format::seconds(cpu_s);
    match lang {
        Lang::En => format!("{cpu} of the CPU time ({each} a request), {memory} of the memory"),
        Lang::Ko => format!("CPU 시간의 {cpu}(요청당 {each}), 메모리의 {memory}"),
    }
}

/// What all figures come from: the calibration's machine, and the seed.
#[must_use]
pub fn computed_from(lang: Lang, kernel: &str, cores: u32, seed: u64) -> String {
    match lang {
        Lang::En => format!(
            "Every figure is computed by the simulator, from the scenario (seed {seed}) and the calibration of the reference machine ({cores} cores, Linux {kernel}); none was measured on your machine."
        ),
        Lang::Ko => {
            let linux = format!("Linux {kernel}");
            format!(
                "모든 값은 시뮬레이터가 시나리오(시드 {seed})와 기준 머신의 보정값(코어 {cores}개, {linux}){} 계산했어요. 이 컴퓨터에서 잰 값은 없어요.",
                Josa::EuroRo.after(&linux)
            )
        }
    }
}
