//! Texts of the page of twelve system calls.

use catamaran_scenario::Lang;

super::texts! {
    /// A container in twelve system calls.
    ContainerWords {
        Title = "A container in twelve system calls", "시스템 호출 열두 번이면 컨테이너";
        Lead = "Catamaran has a container runtime of its own (catamaran oci). These are the calls that make a process a container, as they were recorded, in the order in which each first succeeds. Beside them: what the process sees of the machine.",
            "Catamaran에는 컨테이너 런타임이 있어요(catamaran oci). 프로세스를 컨테이너로 만드는 호출을 기록한 그대로, 처음 성공한 순서대로 보여 줘요. 곁에는 프로세스에게 머신의 무엇이 보이는지가 있어요.";
        Open = "Walk through", "따라가 보기";
        Next = "Next call", "다음 호출";
        Back = "Previous call", "이전 호출";
        Arguments = "The call as it was recorded", "기록한 그대로의 호출";
        Matrix = "What the process sees", "프로세스에게 보이는 것";
        What = "Of", "무엇";
        Before = "Before the call", "호출 전";
        After = "After it", "호출 뒤";
        How = "How this was recorded", "어떻게 기록했나";
        Left = "Left out: all other calls of these processes (reading the configuration, opening files, talking to each other), calls that fail, and whatever a runtime does only where it is asked to, such as hooks, terminals or mapped users. What the process may do and use (limits, capabilities, the filter) is no row of this table: it changes nothing of what is seen.",
            "뺀 것: 이 프로세스들의 다른 호출(설정 읽기, 파일 열기, 서로 말하기), 실패한 호출, 그리고 훅이나 터미널, 사용자 바꿔 적기처럼 부탁받을 때만 하는 일이에요. 프로세스가 할 수 있는 것과 쓸 수 있는 양(제한, 권한, 필터)은 이 표에 없어요. 보이는 것을 바꾸지 않기 때문이에요.";
        Runtime = "the runtime", "런타임";
        FirstStage = "its helper", "런타임의 도우미";
        Inside = "the container's process", "컨테이너의 프로세스";
    }
}

/// As what a process is called that makes a call.
#[must_use]
pub fn who_words(lang: Lang, who: ContainerWords) -> &'static str {
    super::say(lang, who)
}

/// `Call 3 of 12, by the runtime`, and how often it is made.
#[must_use]
pub fn step_of(lang: Lang, now: usize, all: usize, who: &str, times: u32) -> String {
    match (lang, times) {
        (Lang::En, 1) => format!("Call {now} of {all}, by {who}, once"),
        (Lang::En, _) => format!("Call {now} of {all}, by {who}, {times} times"),
        (Lang::Ko, _) => format!("{all}개 중 {now}번째, 부르는 쪽: {who}, 부르는 횟수: {times}"),
    }
}

/// That a row changes later.
#[must_use]
pub fn prepared_words(lang: Lang, row: &str) -> String {
    match lang {
        Lang::En => format!("Prepared, not seen yet: {row}. It shows once the root is turned (pivot_root)."),
        Lang::Ko => format!("준비했지만 아직 보이지 않아요: {row}. 루트를 바꾸면(pivot_root) 보여요."),
    }
}

/// How the recording was made.
#[must_use]
pub fn recorded_words(lang: Lang, command: &str, kernel: &str, cgroup_version: u8) -> String {
    match lang {
        Lang::En => format!(
            "{command}, under strace, on Linux {kernel} with control groups of version {cgroup_version}. A test holds the recording against the runtime as it is: who makes which call, in which order. To record it anew:"
        ),
        Lang::Ko => format!(
            "리눅스 {kernel}, 컨트롤 그룹 버전 {cgroup_version}에서 다음 명령을 strace로 기록했어요: {command}. 누가 어떤 호출을 어떤 순서로 하는지, 기록이 지금의 런타임과 같은지 시험으로 확인해요. 다시 기록하려면 이렇게 하세요."
        ),
    }
}

/// What a call does; its own name where it is not known here.
#[must_use]
pub fn call_words(lang: Lang, call: &str) -> String {
    let (en, ko) = match call {
        "mkdirat" => (
            "A folder below /sys/fs/cgroup is a control group. Numbers written into its files are the limits; who enters it may use no more.",
            "/sys/fs/cgroup 아래의 폴더가 컨트롤 그룹이에요. 그 안의 파일에 적은 숫자가 제한이고, 들어간 프로세스는 그보다 더 쓰지 못해요.",
        ),
        "clone3" => (
            "A process is made, and with it namespaces of its own: process numbers, host name, network, message queues, and a table of mounts that is still a copy of the machine's.",
            "프로세스를 만들면서 네임스페이스도 만들어요. 프로세스 번호, 호스트 이름, 네트워크, 메시지 큐, 그리고 아직은 머신의 것을 베낀 마운트 표예요.",
        ),
        "unshare" => (
            "Now that it is in its group, it gets a view of control groups that begins there: its own group looks like the root.",
            "그룹에 들어갔으니 컨트롤 그룹의 시야를 거기서 시작하게 해요. 자기 그룹이 뿌리처럼 보여요.",
        ),
        "open_tree" => (
            "The root file system of the bundle is copied as a mount that stands nowhere yet: not the files, only the view of them.",
            "번들의 루트 파일 시스템을 아직 어디에도 서 있지 않은 마운트로 베껴요. 파일이 아니라 파일을 보는 시야만 베껴요.",
        ),
        "fsopen" => (
            "A new /proc is begun. It belongs to the process numbers of whoever mounts it, so it lists the container's processes only.",
            "새 /proc을 시작해요. /proc은 마운트한 프로세스의 번호에 속해서, 컨테이너의 프로세스만 보여 줘요.",
        ),
        "move_mount" => (
            "A mount is put into its place, by descriptor and not by name, so that no link in the image can lead it elsewhere.",
            "마운트를 제자리에 놓아요. 이름이 아니라 디스크립터로 놓아서, 이미지 속의 링크가 다른 곳으로 끌고 갈 수 없어요.",
        ),
        "mknodat" => (
            "Device files are made in the container's /dev: null, zero, full, random, urandom and tty, and no disk.",
            "컨테이너의 /dev에 장치 파일을 만들어요. null, zero, full, random, urandom, tty이고, 디스크는 없어요.",
        ),
        "pivot_root" => (
            "The root of the mount namespace becomes the container's. The machine's files are unmounted from it, so there is no way back. What was prepared before is seen from now on.",
            "마운트 네임스페이스의 루트가 컨테이너의 것이 돼요. 머신의 파일은 여기서 마운트가 풀려서 돌아갈 길이 없어요. 앞에서 준비한 것이 이제 보여요.",
        ),
        "sethostname" => (
            "The host name of its own gets a name: until now it was a copy of the machine's.",
            "자기만의 호스트 이름에 이름을 적어요. 지금까지는 머신의 것을 베낀 이름이었어요.",
        ),
        "capset" => (
            "It is root, but keeps a few of root's powers only: no mounting, no modules, no clock.",
            "root이기는 하지만 root의 힘은 몇 가지만 남겨요. 마운트도, 모듈도, 시계도 안 돼요.",
        ),
        "seccomp" => (
            "A small program goes into the kernel that looks at each further call and refuses some. It stays for good, also for children.",
            "앞으로의 호출을 하나하나 보고 몇 가지를 거절하는 작은 프로그램을 커널에 넣어요. 자식에게도, 끝까지 남아요.",
        ),
        "execve" => (
            "The process becomes the container's program. Nobody else has to be there for it.",
            "프로세스가 컨테이너의 프로그램이 돼요. 그러려고 곁에 있어야 하는 프로세스는 없어요.",
        ),
        other => return other.to_owned(),
    };
    match lang {
        Lang::En => en.to_owned(),
        Lang::Ko => ko.to_owned(),
    }
}
