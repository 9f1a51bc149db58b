//! Texts of "Why?": the questions. The answers are those of `catamaran_report::words`.

use catamaran_report::why::Facts;
use catamaran_scenario::{Josa, Lang};

super::texts! {
    /// The button, the panel, the questions.
    Why {
        Ask = "Why?", "왜?";
        Close = "Close", "닫기";
        Nothing = "Nothing happened to it that asks for a reason: it answered nothing, waited for nobody, and was not killed.",
            "까닭을 물을 일이 없었어요. 늦은 요청도, 기다린 일도, 강제로 끝난 일도 없어요.";
        Late = "Why was its slowest request late?", "가장 느린 요청은 왜 늦었나요?";
        Killed = "Why was it killed?", "왜 강제로 끝났나요?";
        Slow = "Where did the time of its start go?", "시작할 때 무엇이 오래 걸리나요?";
        Throttled = "Why was it stopped?", "왜 멈춰 세워졌나요?";
        Waited = "Why did it wait?", "왜 기다렸나요?";
        Refused = "Why were forks refused?", "포크가 왜 거절되었나요?";
        InTask = "It would help, but the task asks otherwise.", "도움은 되지만 과제의 조건에 맞지 않아요.";
    }
}

/// The question that an answer is to.
#[must_use]
pub const fn question_words(facts: &Facts) -> Why {
    match facts {
        Facts::Late(_) => Why::Late,
        Facts::Kill(_) => Why::Killed,
        Facts::Start(_) => Why::Slow,
        Facts::Throttled(_) => Why::Throttled,
        Facts::Waited(_) => Why::Waited,
        Facts::Refused(_) => Why::Refused,
    }
}

/// The title of the panel.
#[must_use]
pub fn why_of(lang: Lang, name: &str) -> String {
    match lang {
        Lang::En => format!("Why, {name}?"),
        Lang::Ko => format!("{name}{} 왜 그랬나요?", Josa::EunNeun.after(name)),
    }
}

/// What a button sets: `Set Period of web to 200ms`.
#[must_use]
pub fn set_words(lang: Lang, label: &str, value: &str) -> String {
    match lang {
        Lang::En => format!("Set “{label}” to {value}"),
        Lang::Ko => {
            format!("‘{label}’{} {value}{} 바꾸기", Josa::EulReul.after(label), Josa::EuroRo.after(value))
        }
    }
}
