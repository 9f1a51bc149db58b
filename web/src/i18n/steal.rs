//! Texts and sentences of the picture of stolen time.

use catamaran_scenario::Lang;

use crate::format;

super::texts! {
    /// The picture of stolen time.
    Steal {
        Shares = "How each guest spent the time until now", "지금까지 게스트마다 시간을 보낸 방법";
        Legend = "filled: ran · hatched: would run, had no core (stolen) · empty: halted",
            "색: 실행 · 빗금: 실행하려는데 코어가 없음(빼앗긴 시간) · 빈칸: 멈춰서 쉼";
        HostCore = "The host: who has the core", "호스트: 누가 코어를 쓰나";
        Guests = "The guests: what each would like", "게스트: 저마다 하려는 일";
    }
}

/// What was measured of the whole run: `measured 38 %`.
#[must_use]
pub fn measured_steal(lang: Lang, share: f64) -> String {
    let share = format::percent(share);
    match lang {
        Lang::En => format!("measured in the whole run: stolen {share}"),
        Lang::Ko => format!("실행 전체에서 잰 값: 빼앗긴 시간 {share}"),
    }
}

/// `guest/3: ran 12 %, stolen 74 %`.
#[must_use]
pub fn share_words(lang: Lang, name: &str, ran: f64, stolen: f64) -> String {
    let (ran, stolen) = (format::percent(ran), format::percent(stolen));
    match lang {
        Lang::En => format!("{name}: ran {ran}, stolen {stolen}"),
        Lang::Ko => format!("{name}: 실행 {ran}, 빼앗긴 시간 {stolen}"),
    }
}
