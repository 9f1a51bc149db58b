//! Texts and sentences of the picture of servers and their bill.

use catamaran_scenario::Lang;

use crate::format;

super::texts! {
    /// The picture of servers.
    Servers {
        Bill = "The bill", "청구서";
        Bought = "servers bought", "산 서버";
        Counted = "each counted as (assumed)", "한 대를 이렇게 계산(가정)";
        Busy = "of their cores busy", "바쁜 코어의 비율";
        Watts = "power", "전력";
        Dollars = "an hour", "1시간에";
        Slowest = "slowest p99", "가장 느린 p99";
        Unknown = "unknown", "알 수 없음";
        Shares = "How busy each server was until now", "지금까지 서버마다 바쁜 정도";
        Now = "Each core, over the day", "하루 동안의 코어";
    }
}

/// `server 1: mail, shop; 38 % busy`.
#[must_use]
pub fn server_words(lang: Lang, node: u32, names: &[String], busy: f64) -> String {
    let busy = format::percent(busy);
    let who = names.join(", ");
    match (names.is_empty(), lang) {
        (true, Lang::En) => format!("server {node}: empty, not bought"),
        (true, Lang::Ko) => format!("서버 {node}: 비어 있어 사지 않아요"),
        (false, Lang::En) => format!("server {node}: {who}; {busy} busy"),
        (false, Lang::Ko) => format!("서버 {node}: {who}, {busy} 바쁨"),
    }
}

/// `2 servers of two cores`.
#[must_use]
pub fn counted_servers(lang: Lang, servers: f64) -> String {
    match lang {
        Lang::En => format!("{servers} of two cores"),
        Lang::Ko => format!("코어 두 개짜리 {servers}대"),
    }
}

/// Dollars an hour: `$0.26`.
#[must_use]
pub fn dollars(usd: f64) -> String {
    format!("${usd:.2}")
}

/// `186 W`.
#[must_use]
pub fn watts(value: f64) -> String {
    format!("{value:.0}\u{a0}W")
}
