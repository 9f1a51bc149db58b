//! `catamaran sim --why`: answers in words.

use catamaran_report::why::{answer, questions};
use catamaran_report::words;
use catamaran_scenario::{Lang, Plan};
use catamaran_sim::Outcome;

use crate::terminal::Terminal;

/// Each question that the outcome is worth, a paragraph for each answer.
pub(crate) fn text(plan: &Plan, outcome: &Outcome, lang: Lang, terminal: &Terminal) -> String {
    let Outcome { report, timeline } = outcome;
    let title = format!("{} · {}", report.scenario, report.platform);
    let mut text = format!("\n{}\n", terminal.bold(&title));
    for question in questions(report, timeline) {
        if let Some(answer) = answer(plan, report, timeline, question) {
            text.push('\n');
            text.push_str(&terminal.wrapped(&words::why(lang, &answer).join(" ")));
        }
    }
    text
}
