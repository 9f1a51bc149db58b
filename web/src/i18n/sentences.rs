//! Sentences with figures in them.

use catamaran_lessons::Found;
use catamaran_report::timeline::Entry;
use catamaran_scenario::{Josa, Lang};

use super::memory::bound_name;
use crate::charts::Frame;
use crate::format;
use crate::picture::{Moment, Recording, Run, Stretch, View};

/// `core 0`.
#[must_use]
pub fn core_name(lang: Lang, core: usize) -> String {
    match lang {
        Lang::En => format!("core {core}"),
        Lang::Ko => format!("코어 {core}"),
    }
}

/// How the search of a task stands.
#[must_use]
pub fn found_so_far(lang: Lang, found: Found) -> String {
    let Found { all, right, wrong } = found;
    match lang {
        Lang::En => format!("{right} of {all} found, {wrong} marked that are none"),
        Lang::Ko => format!("{all}개 가운데 {right}개를 찾았고, {wrong}개는 잘못 골랐어요"),
    }
}

/// Where and when a run was recorded: date, processor, kernel.
#[must_use]
pub fn recorded_on(lang: Lang, trials: usize, [date, cpu, kernel]: [&str; 3]) -> String {
    match lang {
        Lang::En => {
            let times = if trials == 1 { "once".to_owned() } else { format!("{trials} times") };
            format!("This very scenario was carried out {times}, recorded on {date}: {cpu}, Linux {kernel}.")
        }
        Lang::Ko => {
            format!(
                "바로 이 시나리오를 {trials}번 실행해 {date}에 기록했어요. 컴퓨터: {cpu}, 리눅스 {kernel}."
            )
        }
    }
}

/// What the Gantt chart shows, for whoever can't see it.
#[must_use]
pub fn gantt_summary(lang: Lang, frame: &Frame) -> String {
    let cores = frame.recording.cores.len();
    let (from, to) = (format::instant(frame.view.start_ns), format::instant(frame.view.end_ns()));
    match lang {
        Lang::En => format!(
            "Who runs on each of the {cores} cores from {from} to {to}; the table below says the same."
        ),
        Lang::Ko => format!(
            "{from}부터 {to}까지 코어 {cores}개에서 누가 실행되는지 보여 줘요. 아래 표에 같은 내용이 있어요."
        ),
    }
}

/// Title of one run on a core.
#[must_use]
pub fn run_title(lang: Lang, name: &str, core: usize, run: &Run) -> String {
    let (from, length) = (format::instant(run.start_ns), format::nanos(run.end_ns - run.start_ns));
    let thread = run.thread;
    match lang {
        Lang::En => format!("{name}, thread {thread}, on core {core}: {length} from {from}"),
        Lang::Ko => format!("{name} 스레드 {thread}, 코어 {core}: {from}부터 {length}"),
    }
}

/// Caption of the chart's table.
#[must_use]
pub fn table_caption(lang: Lang, view: View, runs: usize) -> String {
    let (from, to) = (format::instant(view.start_ns), format::instant(view.end_ns()));
    match lang {
        Lang::En => format!("{runs} runs from {from} to {to}"),
        Lang::Ko => format!("{from}부터 {to}까지 실행 {runs}번"),
    }
}

/// Below a table that was cut.
#[must_use]
pub fn table_rest(lang: Lang, rest: usize) -> String {
    match lang {
        Lang::En => format!("And {rest} more: zoom in to see them."),
        Lang::Ko => format!("{rest}개가 더 있어요. 확대하면 볼 수 있어요."),
    }
}

/// Name of the lane of requests.
#[must_use]
pub fn waiting_name(lang: Lang, name: &str, most: u32) -> String {
    match lang {
        Lang::En => format!("requests to {name} under way (at most {most})"),
        Lang::Ko => format!("{name}에서 처리 중인 요청 (최대 {most}개)"),
    }
}

/// What the lane of requests shows.
#[must_use]
pub fn waiting_summary(lang: Lang, name: &str, most: u32) -> String {
    match lang {
        Lang::En => {
            format!("How many requests to {name} have arrived and are not answered yet: {most} at most.")
        }
        Lang::Ko => format!("{name}에 도착해 아직 답을 받지 못한 요청 수: 가장 많을 때 {most}개."),
    }
}

/// Written into a stop.
#[must_use]
pub fn stopped_text(lang: Lang, length: &str) -> String {
    match lang {
        Lang::En => format!("stop {length}"),
        Lang::Ko => format!("멈춤 {length}"),
    }
}

/// Title of one period.
#[must_use]
pub fn stretch_title(lang: Lang, stretch: &Stretch) -> String {
    let used = format::nanos(stretch.used_ns);
    let quota = format::nanos(stretch.quota_ns);
    let stopped = format::nanos(stretch.stopped_ns());
    let from = format::instant(stretch.start_ns);
    match lang {
        Lang::En => format!("Period from {from}: {used} of {quota} CPU time used, stopped for {stopped}"),
        Lang::Ko => format!("{from}에 시작한 주기: CPU 시간 {quota} 중 {used} 사용, {stopped} 동안 멈춤"),
    }
}

/// Name of the throttling strip.
#[must_use]
pub fn strip_name(lang: Lang, name: &str) -> String {
    match lang {
        Lang::En => format!("quota of {name}: used up, then stopped"),
        Lang::Ko => format!("{name}의 할당량: 다 쓰면 멈춤"),
    }
}

/// What the throttling strip shows.
#[must_use]
pub fn strip_summary(lang: Lang, name: &str, recording: &Recording, tenant: u32) -> String {
    let periods = recording.periods(tenant).count();
    let throttled = recording.periods(tenant).filter(|(period, _)| period.throttled).count();
    let quota = recording.periods(tenant).next().map_or(0, |(period, _)| period.quota_ns);
    let length = recording.periods(tenant).next().map_or(0, |(period, end_ns)| end_ns - period.start_ns);
    let (quota, length) = (format::nanos(quota), format::nanos(length));
    match lang {
        Lang::En => format!(
            "{name} may use {quota} of CPU time in every {length}. In {throttled} of {periods} periods it used that up and was stopped."
        ),
        Lang::Ko => format!(
            "{name}{} {length}마다 CPU 시간 {quota}까지 쓸 수 있어요. 주기 {periods}개 중 {throttled}개에서 다 써서 멈췄어요.",
            Josa::EunNeun.after(name)
        ),
    }
}

/// Where the head stands in the run.
#[must_use]
pub fn position(lang: Lang, time_ns: u64, end_ns: u64) -> String {
    let (time, end) = (format::clock(time_ns), format::clock(end_ns));
    match lang {
        Lang::En => format!("{time} of {end}"),
        Lang::Ko => format!("{end} 중 {time}"),
    }
}

/// A speed: so many milliseconds of the run in a second of one's own.
#[must_use]
pub fn speed_name(lang: Lang, speed_ms_per_s: u32) -> String {
    if speed_ms_per_s == 1_000 {
        return match lang {
            Lang::En => "real time".to_owned(),
            Lang::Ko => "실제 속도".to_owned(),
        };
    }
    let (times, faster) = match speed_ms_per_s {
        0..1_000 => (1_000 / speed_ms_per_s.max(1), false),
        _ => (speed_ms_per_s / 1_000, true),
    };
    match (lang, faster) {
        (Lang::En, false) => format!("{times}× slower"),
        (Lang::En, true) => format!("{times}× faster"),
        (Lang::Ko, false) => format!("{times}배 느리게"),
        (Lang::Ko, true) => format!("{times}배 빠르게"),
    }
}

/// Width of the window.
#[must_use]
pub fn window_name(lang: Lang, window_ns: u64) -> String {
    let width = format::nanos(window_ns);
    match lang {
        Lang::En => format!("{width} shown"),
        Lang::Ko => format!("{width} 표시"),
    }
}

/// What a latency chart shows, for whoever can't see it.
#[must_use]
pub fn histogram_summary(lang: Lang, name: &str, count: u64, quantiles: [f64; 3]) -> String {
    let [p50, p95, p99] = quantiles.map(format::seconds);
    let count = format::grouped(count);
    match lang {
        Lang::En => format!(
            "Latencies of {count} requests to {name}: half within {p50}, 95 of 100 within {p95}, 99 of 100 within {p99}."
        ),
        Lang::Ko => format!(
            "{name}에 온 요청 {count}개의 지연 시간: 절반은 {p50} 안에, 100개 중 95개는 {p95} 안에, 99개는 {p99} 안에 끝났어요."
        ),
    }
}

/// Names the latency chart's server.
#[must_use]
pub fn histogram_name(lang: Lang, name: &str) -> String {
    match lang {
        Lang::En => format!("How long requests to {name} take"),
        Lang::Ko => format!("{name}에 온 요청이 걸리는 시간"),
    }
}

/// An entry of the simulator's trace in words; one of a kind that is not known here is shown as it stands.
#[must_use]
pub fn trace_sentence(lang: Lang, entry: &Entry) -> String {
    let (actor, target) = (trace_name(lang, &entry.actor), trace_name(lang, &entry.target));
    let (actor, target) = (actor.as_str(), target.as_str());
    match (entry.what.as_str(), lang) {
        ("throttle", Lang::En) => format!("The quota of {target} is used up on {actor}."),
        ("throttle", Lang::Ko) => format!("{actor}에서 {target}의 할당량을 다 썼어요."),
        ("unthrottle", Lang::En) => format!("{target} may run on {actor} again."),
        ("unthrottle", Lang::Ko) => {
            format!("{target}{} {actor}에서 다시 실행할 수 있어요.", Josa::IGa.after(target))
        }
        ("preempt", Lang::En) => format!("{actor} wakes and takes the core from {target}."),
        ("preempt", Lang::Ko) => {
            format!("{actor}{} 깨어나 {target}의 코어를 가져가요.", Josa::IGa.after(actor))
        }
        ("migrate", Lang::En) => format!("{target} moves to {actor}."),
        ("migrate", Lang::Ko) => {
            let (subject, to) = (Josa::IGa.after(target), Josa::EuroRo.after(actor));
            format!("{target}{subject} {actor}{to} 옮겨 가요.")
        }
        ("out-of-memory", Lang::En) => {
            format!("{actor} wants more memory than {} has.", bound_name(lang, target))
        }
        ("out-of-memory", Lang::Ko) => {
            let (subject, bound) = (Josa::IGa.after(actor), bound_name(lang, target));
            format!("{actor}{subject} {bound}에 남은 것보다 많은 메모리를 원해요.")
        }
        ("oom-kill", Lang::En) => format!("The kernel kills {target} for its memory."),
        ("oom-kill", Lang::Ko) => {
            format!("커널이 메모리를 얻으려고 {target}{} 끝내요.", Josa::EulReul.after(target))
        }
        ("memory-high", Lang::En) => {
            format!("{target} is beyond its memory.high: from now on {actor} is slowed down.")
        }
        ("memory-high", Lang::Ko) => {
            let subject = Josa::IGa.after(target);
            format!("{target}{subject} memory.high를 넘었어요. 이제부터 {actor}의 속도가 느려져요.")
        }
        (what, lang) => {
            file_sentence(lang, what, target).unwrap_or_else(|| format!("{actor}: {what} {target}."))
        }
    }
}

/// What happens to a file of a layer.
fn file_sentence(lang: Lang, what: &str, target: &str) -> Option<String> {
    Some(match (what, lang) {
        ("page-cache-miss", Lang::En) => {
            format!("{target} has to wait for the disk: nobody has read this file of the layer yet.")
        }
        ("page-cache-miss", Lang::Ko) => {
            let topic = Josa::EunNeun.after(target);
            format!("{target}{topic} 디스크를 기다려야 해요. 레이어의 이 파일을 아직 아무도 읽지 않았어요.")
        }
        ("copy-up", Lang::En) => {
            format!("{target} writes to a file of a layer: all of it is copied up first.")
        }
        ("copy-up", Lang::Ko) => {
            let subject = Josa::IGa.after(target);
            format!("{target}{subject} 레이어의 파일에 쓰려고 해요. 먼저 파일 전체를 위로 복사해요.")
        }
        ("copied-up", Lang::En) => format!("{target} has a copy of its own now, and writes to that."),
        ("copied-up", Lang::Ko) => {
            format!("{target}{} 이제 자기 사본이 있고, 거기에 써요.", Josa::EunNeun.after(target))
        }
        ("page-cache-reclaim", Lang::En) => {
            format!("No memory is left in {}: pages of files give way first.", bound_name(lang, target))
        }
        ("page-cache-reclaim", Lang::Ko) => {
            format!("{}에 남은 메모리가 없어요. 파일의 페이지가 먼저 비켜요.", bound_name(lang, target))
        }
        _ => return None,
    })
}

/// A name of the trace as the page writes it: `cpu1` is a core, replica 0 (`web/0.3`) goes without its number.
fn trace_name(lang: Lang, name: &str) -> String {
    match name.strip_prefix("cpu").and_then(|number| number.parse().ok()) {
        Some(core) => core_name(lang, core),
        None => name.replacen("/0", "", 1),
    }
}

/// How far a native run is.
#[must_use]
pub fn run_progress(lang: Lang, elapsed_s: f64, total_s: f64) -> String {
    let (elapsed, total) = (format::seconds(elapsed_s), format::seconds(total_s));
    match lang {
        Lang::En => format!("Running on this machine: {elapsed} of about {total}"),
        Lang::Ko => format!("이 컴퓨터에서 실행 중: 약 {total} 중 {elapsed}"),
    }
}

/// A moment in the life of a request.
#[must_use]
pub fn moment_sentence(lang: Lang, moment: Moment) -> String {
    match (moment, lang) {
        (Moment::Arrived { ahead: 0 }, Lang::En) => "The request arrives; nothing is before it.".to_owned(),
        (Moment::Arrived { ahead: 0 }, Lang::Ko) => "요청이 도착해요. 앞에 아무것도 없어요.".to_owned(),
        (Moment::Arrived { ahead: 1 }, Lang::En) => {
            "The request arrives; one is under way before it.".to_owned()
        }
        (Moment::Arrived { ahead }, Lang::En) => {
            format!("The request arrives; {ahead} are under way before it.")
        }
        (Moment::Arrived { ahead }, Lang::Ko) => {
            format!("요청이 도착해요. 앞에 처리 중인 요청이 {ahead}개 있어요.")
        }
        (Moment::Stopped { used_ns }, Lang::En) => {
            format!(
                "The quota is gone: {} of CPU time used in this period. Everything in the group stops.",
                format::nanos(used_ns)
            )
        }
        (Moment::Stopped { used_ns }, Lang::Ko) => {
            let used = format::nanos(used_ns);
            let object = Josa::EulReul.after(&used);
            format!("할당량이 바닥났어요. 이 주기에 CPU 시간 {used}{object} 썼어요. 그룹 전체가 멈춰요.")
        }
        (Moment::Resumed, Lang::En) => {
            "A new period begins with a new quota: the group may run again.".to_owned()
        }
        (Moment::Resumed, Lang::Ko) => {
            "새 주기가 시작되고 할당량이 다시 차요. 그룹이 다시 달려요.".to_owned()
        }
        (Moment::TakenUp, Lang::En) => "A thread takes the request up.".to_owned(),
        (Moment::TakenUp, Lang::Ko) => "스레드가 요청을 처리하기 시작해요.".to_owned(),
        (Moment::Answered { latency_ns, stopped_ns }, lang) => answered(lang, latency_ns, stopped_ns),
    }
}

fn answered(lang: Lang, latency_ns: u64, stopped_ns: u64) -> String {
    let (latency, stopped) = (format::nanos(latency_ns), format::nanos(stopped_ns));
    let share = format::percent(stopped_ns as f64 / latency_ns.max(1) as f64);
    match (lang, stopped_ns) {
        (Lang::En, 0) => format!("Answered after {latency}; the group was never stopped meanwhile."),
        (Lang::Ko, 0) => format!("{latency} 만에 끝나요. 그동안 그룹은 한 번도 멈추지 않았어요."),
        (Lang::En, _) => {
            format!("Answered after {latency}. For {stopped} of that ({share}) the group was stopped.")
        }
        (Lang::Ko, _) => format!("{latency} 만에 끝나요. 그중 {stopped}({share}) 동안 그룹이 멈춰 있었어요."),
    }
}

/// Name of a hint.
#[must_use]
pub fn hint_name(lang: Lang, number: u8) -> String {
    match lang {
        Lang::En => format!("Hint {number}"),
        Lang::Ko => format!("힌트 {number}"),
    }
}

/// Number of a lesson in the curriculum.
#[must_use]
pub fn lesson_number(lang: Lang, number: u32) -> String {
    match lang {
        Lang::En => format!("Lesson {number}"),
        Lang::Ko => format!("수업 {number}"),
    }
}

/// How many beats of a lesson were visited.
#[must_use]
pub fn beats_done(lang: Lang, done: usize) -> String {
    match lang {
        Lang::En => format!("{done} of 7 beats"),
        Lang::Ko => format!("일곱 단계 중 {done}단계"),
    }
}
