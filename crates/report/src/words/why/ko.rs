//! In Korean.

use catamaran_scenario::{Josa, Lang};

use crate::why::{Kill, Late, Refused, Start, Throttled, Waited};

use super::{Advice, Change, Part, instant, memory, nanos, parts, peer, seconds};

const LANG: Lang = Lang::Ko;

pub(super) const NO_ADVICE: &str = "이보다 빠르게 하는 시나리오 설정은 없어요.";

fn with(josa: Josa, word: &str) -> String {
    format!("{word}{}", josa.after(word))
}

pub(super) fn late(tenant: &str, late: &Late) -> Vec<String> {
    let arrived = instant(LANG, late.arrival_ns as f64 / 1e9);
    let (latency, queued) = (nanos(LANG, late.latency_ns), nanos(LANG, late.queued_ns));
    let mut sentences = vec![format!(
        "{tenant}의 {}번 요청은 {arrived}에 도착해서 {latency} 뒤에 응답을 받았어요.",
        late.request
    )];
    if let Some(peer) = &late.peer {
        let answered = with(Josa::IGa, &peer.label);
        let asked = format!("{tenant}의 {}번 요청은 {arrived}에 나갔고 {answered} 응답했어요.", late.request);
        sentences = vec![asked, format!("응답은 {latency} 뒤에 돌아왔어요.")];
    }
    let queue = late.peer.is_none().then(|| match late.ahead {
        0 => format!("앞선 요청은 없었고, {queued} 뒤에 스레드가 처리를 시작했어요."),
        ahead => format!("앞선 요청이 {ahead}건 있어서 {queued} 뒤에야 스레드가 처리를 시작했어요."),
    });
    sentences.extend(queue);
    let parts: Vec<String> = parts(late).into_iter().map(|(part, ns)| part_of(part, late, ns)).collect();
    sentences.push(format!("걸린 시간을 나누면 {}예요.", parts.join(", ")));
    if let Some((other, ns)) = &late.others {
        sentences.push(format!(
            "코어를 기다리는 동안 {} 코어를 가장 많이 썼어요(모두 {}).",
            with(Josa::IGa, other),
            nanos(LANG, *ns)
        ));
    }
    sentences
}

/// Each ends in a length, so that what follows does not depend on which comes last.
fn part_of(part: Part, late: &Late, ns: u64) -> String {
    let ns = nanos(LANG, ns);
    match part {
        Part::Throttled => format!("할당량 때문에 멈춘 시간({}번) {ns}", late.stops),
        Part::Still => format!("게스트가 다른 노드로 옮겨 가느라 멈춰 있던 시간 {ns}"),
        Part::Behind => format!("앞선 요청을 처리한 시간 {ns}"),
        Part::Stolen => format!("가상 CPU가 호스트의 코어를 기다린 시간 {ns}"),
        Part::Waited => format!("코어를 기다린 시간 {ns}"),
        Part::Ran => format!("실행한 시간 {ns}"),
        Part::Disk => format!("디스크를 기다린 시간 {ns}"),
        Part::NotCached => format!("페이지 캐시에 없는 것을 디스크에서 읽을 때까지 기다린 시간 {ns}"),
        Part::Copied => format!("파일 전체를 위로 복사하는 데 걸린 시간 {ns}"),
        Part::PeerThrottled => format!("{} 할당량 때문에 멈춘 시간 {ns}", with(Josa::IGa, peer(late))),
        Part::PeerWaited => format!("{} 코어를 기다린 시간 {ns}", with(Josa::IGa, peer(late))),
        Part::PeerRan => format!("{} 클라이언트를 위해 실행한 시간 {ns}", with(Josa::IGa, peer(late))),
        Part::Way => format!("오가는 길에 있던 시간 {ns}"),
    }
}

pub(super) fn kill(tenant: &str, kill: &Kill) -> Vec<String> {
    let who = with(Josa::EunNeun, tenant);
    match kill {
        Kill::Event { at_s, event } => {
            vec![format!("{who} {}에 시나리오의 {event} 이벤트로 끝났어요.", instant(LANG, *at_s))]
        }
        Kill::Peer { at_s, gone } => {
            let at = instant(LANG, *at_s);
            vec![match gone {
                Some((peer, what)) => {
                    let peer = with(Josa::IGa, peer);
                    format!("{who} {at}에 실패했어요. 주고받던 {peer} 사라졌어요({what}).")
                }
                None => format!("{who} {at}에 실패했어요. 연결하려던 곳에서 기다리는 쪽이 없었어요."),
            }]
        }
        Kill::Memory { at_s, bound, own, by, held } => {
            let at = instant(LANG, *at_s);
            let mut sentences = vec![if *own {
                format!("{who} {at}에 종료됐어요. 자기 메모리 제한에 이르렀는데 더 달라고 했어요.")
            } else {
                let by = with(Josa::IGa, by);
                format!("{who} {at}에 종료됐어요. {bound}의 메모리가 가득 찼을 때 {by} 더 달라고 했어요.")
            }];
            if !held.is_empty() {
                let held: Vec<String> =
                    held.iter().map(|(name, bytes)| format!("{name} {}", memory(LANG, *bytes))).collect();
                sentences.push(format!(
                    "바로 전에 쓰던 양: {}. 커널은 oom_score_adj를 더해 가장 많이 쓰는 쪽을 종료해요.",
                    held.join(", ")
                ));
            }
            sentences
        }
    }
}

pub(super) fn refused(tenant: &str, refused: &Refused) -> Vec<String> {
    let Refused { first_ms, failed, due, completed, limit } = refused;
    let at = instant(LANG, *first_ms as f64 / 1000.0);
    let bound = match limit {
        Some(limit) => format!(
            "그룹은 프로세스와 스레드를 모두 {limit}개까지 둘 수 있어요(pids.max). 한도에 이르면 커널은 포크를 바로 거절해요(EAGAIN). 죽은 자식도 \
             거둘 때까지는 하나로 세요."
        ),
        None => "컴퓨터에 프로세스를 더 둘 자리가 없었어요. 커널은 포크를 바로 거절해요(EAGAIN).".to_owned(),
    };
    vec![
        format!(
            "커널은 {tenant}의 포크 {due}번 가운데 {failed}번을 거절했어요. 처음은 {at}이었어요. 자식 {completed}개는 살다가 거둬졌어요."
        ),
        bound,
    ]
}

pub(super) fn start(tenant: &str, start: &Start) -> Vec<String> {
    let longest: Vec<String> = start
        .longest
        .iter()
        .map(|(name, actor, length_s)| format!("{name}({actor}) {}", seconds(LANG, *length_s)))
        .collect();
    let who = with(Josa::IGa, tenant);
    let (all, of) = (seconds(LANG, start.startup_s), start.stages);
    vec![format!(
        "{who} 시작하는 데 {all} 걸렸어요. 단계는 {of}개이고, 가장 긴 것은 이래요: {}.",
        longest.join(", ")
    )]
}

pub(super) fn throttled(tenant: &str, facts: &Throttled) -> Vec<String> {
    let who = with(Josa::EunNeun, tenant);
    let of = if facts.of > 0 { format!("주기 {}개 가운데 ", facts.of) } else { String::new() };
    let mut sentences = vec![format!(
        "{who} {of}{}개에서 할당량을 다 써서, 코어를 모두 더해 {} 동안 멈췄어요.",
        facts.periods,
        seconds(LANG, facts.throttled_s)
    )];
    if let (Some(quota), Some(longest)) = (facts.quota_ns, facts.longest_ns) {
        let quota = nanos(LANG, quota);
        let is = Josa::IeyoYeyo.after(&quota);
        sentences.push(format!(
            "할당량은 주기마다 CPU 시간 {quota}{is}. 가장 오래 멈춘 시간은 {}예요.",
            nanos(LANG, longest)
        ));
    }
    sentences
}

pub(super) fn waited(tenant: &str, facts: &Waited) -> Vec<String> {
    let (waited, had) = (seconds(LANG, facts.waited_s), seconds(LANG, facts.cpu_s));
    let mut sentences = vec![format!(
        "{tenant}의 스레드는 모두 더해 {waited} 동안 코어를 기다렸고, {had} 동안 코어를 썼어요."
    )];
    if let Some((other, cpu_s)) = &facts.others {
        let other = with(Josa::IGa, other);
        sentences
            .push(format!("이웃 가운데 {other} CPU 시간을 가장 많이 썼어요({}).", seconds(LANG, *cpu_s)));
    }
    if let Some(throttled_s) = facts.throttled_s.filter(|throttled_s| *throttled_s > 0.0) {
        sentences.push(format!("그동안 할당량 때문에 {} 멈췄어요.", seconds(LANG, throttled_s)));
    }
    sentences
}

pub(super) fn advice(Advice { path, change }: &Advice) -> String {
    match change {
        Change::Raise => format!("바꾸려면 {} 올려 보세요.", with(Josa::EulReul, path)),
        Change::Lower => format!("바꾸려면 {} 낮춰 보세요.", with(Josa::EulReul, path)),
        Change::Set(value) => {
            format!("바꾸려면 {} {} 정해 보세요.", with(Josa::EulReul, path), with(Josa::EuroRo, value))
        }
    }
}

pub(super) fn otherwise(Advice { path, change }: &Advice) -> String {
    match change {
        Change::Raise => format!("아니면 {} 올려 보세요.", with(Josa::EulReul, path)),
        Change::Lower => format!("아니면 {} 낮춰 보세요.", with(Josa::EulReul, path)),
        Change::Set(value) => {
            format!("아니면 {} {} 정해 보세요.", with(Josa::EulReul, path), with(Josa::EuroRo, value))
        }
    }
}
