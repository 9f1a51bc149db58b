//! The curriculum's lessons that are still to be written: their ids and titles.

use catamaran_scenario::Lang;

const CURRICULUM: [(&str, &str, &str); 16] = [
    ("noisy-neighbour", "The noisy neighbour", "시끄러운 이웃"),
    ("server-per-app", "A server for each application", "애플리케이션마다 서버 하나"),
    ("vm-weight", "What a virtual machine weighs", "가상 머신의 무게"),
    ("overcommit-steal", "Overcommitment and stolen time", "오버커밋과 빼앗긴 시간"),
    ("chroot", "chroot: another root directory", "chroot: 루트 디렉터리 바꾸기"),
    ("namespaces", "Namespaces: what a process can see", "네임스페이스: 프로세스가 볼 수 있는 것"),
    ("cgroups", "Control groups: what a process can use", "컨트롤 그룹: 프로세스가 쓸 수 있는 것"),
    ("image-layers", "Images are layers", "이미지는 레이어"),
    (
        "distributions",
        "Distributions: userland from the image, kernel from the host",
        "배포판: 사용자 공간은 이미지, 커널은 호스트",
    ),
    ("lxc-docker-rkt-podman", "LXC, Docker, rkt, Podman", "LXC, Docker, rkt, Podman"),
    ("oci-cri", "OCI and CRI: the parts swap", "OCI와 CRI: 바꿔 끼우는 부품"),
    ("scheduling", "Scheduling: requests are booked", "스케줄링: 요청량을 예약하기"),
    ("self-healing", "Self-healing", "스스로 회복하기"),
    ("rolling-update", "Rolling updates", "롤링 업데이트"),
    ("autoscaling", "Autoscaling", "오토스케일링"),
    ("choose", "Choose a platform", "플랫폼 고르기"),
];

/// Titles of the lessons that are not there yet.
#[must_use]
pub fn coming_lessons(lang: Lang) -> Vec<&'static str> {
    let missing = CURRICULUM.iter().filter(|(id, ..)| catamaran_lessons::find(id).is_none());
    missing
        .map(|(_, en, ko)| match lang {
            Lang::En => *en,
            Lang::Ko => *ko,
        })
        .collect()
}
