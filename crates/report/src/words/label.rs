//! Names of metrics for people.

use catamaran_scenario::Lang;

use crate::metric::Metric;

/// What the metric is called in a sentence or a chart.
#[must_use]
pub const fn label(lang: Lang, metric: Metric) -> &'static str {
    let (english, korean) = both(metric);
    match lang {
        Lang::En => english,
        Lang::Ko => korean,
    }
}

const fn both(metric: Metric) -> (&'static str, &'static str) {
    match metric {
        Metric::LatencyP50 => ("p50", "p50"),
        Metric::LatencyP95 => ("p95", "p95"),
        Metric::LatencyP99 => ("p99", "p99"),
        Metric::LatencyMean => ("mean latency", "평균 지연 시간"),
        Metric::LatencyMax => ("greatest latency", "최대 지연 시간"),
        Metric::Throughput => ("throughput", "처리량"),
        Metric::Sent => ("requests", "들어온 요청"),
        Metric::Completed => ("completed requests", "완료된 요청"),
        Metric::Failed => ("failed requests", "실패한 요청"),
        Metric::InFlight => ("unfinished requests", "끝나지 않은 요청"),
        Metric::Cpu => ("CPU time", "CPU 시간"),
        Metric::Waited => ("waiting time", "실행 대기 시간"),
        Metric::Throttled => ("throttled time", "스로틀링 시간"),
        Metric::ThrottledPeriods => ("throttled periods", "스로틀링된 주기"),
        Metric::Stolen => ("stolen time", "빼앗긴 시간(steal)"),
        Metric::Startup => ("start-up", "시작 시간"),
        Metric::Finished => ("end of work", "작업이 끝난 시각"),
        Metric::MemoryPeak => ("memory peak", "최대 메모리"),
        Metric::OomKills => ("kills for memory", "메모리 부족 종료"),
        Metric::Restarts => ("restarts", "재시작"),
        Metric::Disk => ("disk traffic", "디스크 입출력"),
        Metric::Network => ("network traffic", "네트워크 전송"),
        Metric::Turns => ("turns of the loop", "루프 회전"),
    }
}
