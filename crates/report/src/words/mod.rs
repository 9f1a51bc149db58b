//! Differences between a simulated and a native report in words, for the command line and the page.

mod figure;
mod label;
mod seen;
mod why;

pub use self::why::{Told, told, why};
pub use figure::figure;
pub use label::label;
pub use seen::{Seen, nothing_is_hidden, resource, seen, seen_summary, sees};

use catamaran_scenario::{Josa, Lang};

use crate::compare::{PlatformComparison, Prediction, Row, Summary};
use crate::metric::{Metric, Unit};

/// One row of a comparison: "p99 of web: the model says 41 ms, the machine 43 ms (5 % more)", with what its noise means.
/// `None` where the metric is not known to this program.
#[must_use]
pub fn row(lang: Lang, row: &Row) -> Option<String> {
    let metric = Metric::from_name(&row.metric)?;
    let tenant =
        if row.replica == 0 { row.tenant.clone() } else { format!("{}/{}", row.tenant, row.replica) };
    let sentence = difference(lang, metric, &tenant, row.simulated, row.native);
    Some(match scatter(lang, row) {
        Some(verdict) => format!("{sentence} {verdict}"),
        None => sentence,
    })
}

/// A metric of a tenant in the model and on the machine: "p99 of web: the model says 41 ms, the machine 43 ms (5 % more)."
#[must_use]
pub fn difference(lang: Lang, metric: Metric, tenant: &str, simulated: f64, native: f64) -> String {
    let (model, machine) = (figure(lang, metric, simulated), figure(lang, metric, native));
    let label = label(lang, metric);
    if model == machine {
        return match lang {
            Lang::En => format!("{label} of {tenant}: the model and the machine both say {model}."),
            Lang::Ko => {
                let is = Josa::IeyoYeyo.after(&model);
                format!("{tenant}의 {label}: 모델과 실제 머신이 모두 {model}{is}.")
            }
        };
    }
    let more = more(lang, metric, simulated, native).map_or(String::new(), |words| format!(" ({words})"));
    match lang {
        Lang::En => format!("{label} of {tenant}: the model says {model}, the machine {machine}{more}."),
        Lang::Ko => format!(
            "{tenant}의 {label}: 모델은 {model}{} 예측했고, 실제 머신에서는 {machine}{}{}.",
            Josa::EuroRo.after(&model),
            Josa::IeossYeoss.after(&machine),
            more.trim_start(),
        ),
    }
}

/// How much more or less the machine has than the model; `None` where the model says 0 and no ratio exists.
fn more(lang: Lang, metric: Metric, simulated: f64, native: f64) -> Option<String> {
    if simulated <= 0.0 {
        return None;
    }
    let ratio = native / simulated;
    if ratio >= 2.0 {
        let times = figure::significant(ratio, 2);
        return Some(match lang {
            Lang::En if metric.unit() == Unit::Count => format!("{times} times as many"),
            Lang::En if metric == Metric::Finished => format!("{times} times as late"),
            Lang::En => format!("{times} times as much"),
            Lang::Ko => format!("{times}배예요"),
        });
    }
    let percent = (ratio - 1.0).abs() * 100.0;
    let percent = if percent < 1.0 { figure::significant(percent, 1) } else { format!("{percent:.0}") };
    let word = comparative(lang, metric, ratio > 1.0);
    Some(match lang {
        Lang::En => format!("{percent} % {word}"),
        Lang::Ko => format!("{percent} % 더 {word}"),
    })
}

fn comparative(lang: Lang, metric: Metric, more: bool) -> &'static str {
    let (up, down) = match (lang, metric, metric.unit()) {
        (Lang::En, Metric::Finished, _) => ("later", "earlier"),
        (Lang::En, _, Unit::Count) => ("more", "fewer"),
        (Lang::En, ..) => ("more", "less"),
        (Lang::Ko, Metric::Finished, _) => ("늦어요", "빨라요"),
        (Lang::Ko, _, Unit::Latency | Unit::Seconds) => ("길어요", "짧아요"),
        (Lang::Ko, _, Unit::PerSecond) => ("높아요", "낮아요"),
        (Lang::Ko, _, Unit::Count | Unit::Bytes) => ("많아요", "적어요"),
    };
    if more { up } else { down }
}

/// What the scatter of the trials allows to say of a row that differs.
fn scatter(lang: Lang, row: &Row) -> Option<&'static str> {
    let within = row.excess == Some(0.0) && row.error > 0.0;
    match lang {
        Lang::En if row.undecidable => Some("The machine itself scatters too much to tell."),
        Lang::En if within => Some("That is no more than the machine differs from itself."),
        Lang::Ko if row.undecidable => Some("실제 머신의 값이 너무 흔들려서 판단할 수 없어요."),
        Lang::Ko if within => Some("실제 머신이 스스로 흔들리는 폭 안의 차이예요."),
        _ => None,
    }
}

/// A platform's comparison in a sentence or two.
#[must_use]
pub fn summary(lang: Lang, comparison: &PlatformComparison) -> String {
    let platform = comparison.platform;
    let summary = &comparison.summary;
    let Some(errors) = errors(lang, summary) else {
        return match lang {
            Lang::En => format!("On {platform} nothing could be judged: {}.", why_nothing(lang, comparison)),
            Lang::Ko => {
                format!("{platform}에서는 판단할 수 있는 값이 없어요: {}.", why_nothing(lang, comparison))
            }
        };
    };
    let mut parts = vec![match lang {
        Lang::En => format!("On {platform}, {errors}."),
        Lang::Ko => format!("{platform}에서 {errors}."),
    }];
    parts.extend(skill(lang, summary));
    parts.extend(left_out(lang, summary));
    parts.join(" ")
}

fn errors(lang: Lang, summary: &Summary) -> Option<String> {
    let (median, p90, worst) = (summary.median_excess?, summary.p90_excess?, summary.worst_excess?);
    let percent = |excess: f64| format!("{:.0} %", libm::expm1(excess) * 100.0);
    let (median, p90, worst) = (percent(median), percent(p90), percent(worst));
    let rows = summary.judged_rows - summary.undecidable_rows;
    Some(match lang {
        Lang::En => format!(
            "beyond the machine's own scatter the model is off by {median} in the middle one of {rows} judged figures, \
             by at most {p90} in nine of ten, by {worst} in the worst"
        ),
        Lang::Ko => format!(
            "실제 머신이 스스로 흔들리는 폭을 빼면, 모델의 오차는 판단한 값 {rows}개 가운데 중앙값이 {median}, \
             열에 아홉은 {p90} 이하, 가장 큰 것은 {worst}예요"
        ),
    })
}

fn skill(lang: Lang, summary: &Summary) -> Option<String> {
    let skill = format!("{:.2}", summary.skill?);
    let is = Josa::IeyoYeyo.after(&skill);
    Some(match (lang, summary.skill_against?) {
        (Lang::En, Prediction::Alone) => {
            format!("Skill {skill} against the guess that each tenant has the machine to itself.")
        }
        (Lang::En, Prediction::Fluid) => {
            format!("Skill {skill} against the guess that all share the processor evenly.")
        }
        (Lang::Ko, Prediction::Alone) => {
            format!("각 테넌트가 머신을 혼자 쓴다는 단순한 추측에 견준 예측력은 {skill}{is}.")
        }
        (Lang::Ko, Prediction::Fluid) => {
            format!("모두가 CPU를 고르게 나눠 쓴다는 단순한 추측에 견준 예측력은 {skill}{is}.")
        }
    })
}

fn left_out(lang: Lang, summary: &Summary) -> Option<String> {
    let (rows, trials) = (summary.undecidable_rows, summary.discarded_trials);
    if rows == 0 && trials == 0 {
        return None;
    }
    Some(match lang {
        Lang::En => format!("Left out: {rows} undecidable figures, {trials} disturbed trials."),
        Lang::Ko => format!("제외: 판단할 수 없는 값 {rows}개, 방해받은 실행 {trials}번."),
    })
}

fn why_nothing(lang: Lang, comparison: &PlatformComparison) -> &'static str {
    let trials = comparison.native.len();
    let judged = comparison.summary.judged_rows;
    match lang {
        Lang::En if trials == 0 => "no undisturbed trial is left",
        Lang::En if trials == 1 => "one trial does not show the machine's own scatter",
        Lang::En if judged == 0 => "no figure is known to both sides",
        Lang::En => "every figure scatters too much",
        Lang::Ko if trials == 0 => "방해받지 않은 실행이 하나도 없어요",
        Lang::Ko if trials == 1 => "한 번의 실행으로는 실제 머신이 얼마나 흔들리는지 알 수 없어요",
        Lang::Ko if judged == 0 => "양쪽이 모두 아는 값이 없어요",
        Lang::Ko => "모든 값이 너무 흔들려요",
    }
}
