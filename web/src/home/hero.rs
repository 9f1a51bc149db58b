//! The live picture of the home page: the real simulator, in the worker, on a scenario of its own.

use catamaran_lessons::Stage as Kind;
use catamaran_scenario::{Platform, edit};
use yew::prelude::*;

use crate::app::use_lang;
use crate::format;
use crate::i18n::{Home, say};
use crate::link::Route;
use crate::picture::Recording;
use crate::player::{Action, Motion, Player, use_player};
use crate::sim::{Wanted, use_bench};
use crate::stage::Stage;

const SCENARIO: &str = include_str!("../../scenarios/home.toml");

/// The field that is turned, and to what.
const LIMIT_PATH: &str = "tenant.web.cpu.limit";
const LIMITS: [&str; 4] = ["0.4", "0.5", "0.8", "2"];

const WINDOW_NS: u64 = 500_000_000;
const SPEED_MS_PER_S: u32 = 100;

/// The picture with its one knob.
#[component]
pub fn Hero() -> Html {
    let lang = use_lang();
    let limit = use_state_eq(|| LIMITS[0]);
    let wanted = edit::set(SCENARIO, LIMIT_PATH, *limit).ok();
    let bench = use_bench(wanted.map(|scenario| Wanted { scenario, platform: Platform::Cgroups }), Kind::Cpu);
    let player = use_player(|| Player::new(WINDOW_NS, SPEED_MS_PER_S));
    use_playing(bench.recording().cloned(), &player);
    let knob = |value: &'static str| {
        let now = limit.clone();
        let onclick = Callback::from(move |_: MouseEvent| now.set(value));
        html! {
            <button type="button" class="segment" aria-pressed={(*limit == value).to_string()} {onclick}
                data-testid={format!("home-limit-{value}")}>{ value }</button>
        }
    };
    html! {
        <section class="hero" aria-labelledby="hero-title">
            <div class="hero-head">
                <div>
                    <h2 id="hero-title">{ say(lang, Home::LiveTitle) }</h2>
                    <p>{ say(lang, Home::LiveText) }</p>
                </div>
                <div class="hero-knob" role="group" aria-labelledby="hero-limit">
                    <span id="hero-limit">{ say(lang, Home::LimitOfWeb) }</span>
                    <div class="segments">{ for LIMITS.map(knob) }</div>
                </div>
            </div>
            <Stage bench={(*bench).clone()} {player} small=true />
            <div class="hero-foot">
                <dl class="facts" aria-live="polite">{ facts(bench.recording().map(AsRef::as_ref), lang) }</dl>
                <a class="button main" href={Route::Lesson("cgroups".to_owned()).href()}>{ say(lang, Home::WhyStop) }</a>
            </div>
        </section>
    }
}

/// It plays from the first simulation on, unless less motion is wanted; and begins again at its end.
#[hook]
fn use_playing(recording: Option<std::rc::Rc<Recording>>, player: &UseReducerHandle<Player>) {
    let dispatcher = player.dispatcher();
    let first = use_mut_ref(|| true);
    use_effect_with(recording, move |recording| {
        if let Some(recording) = recording {
            dispatcher.dispatch(Action::Load(recording.clone()));
            if first.replace(false) && Motion::wanted() == Motion::Smooth {
                dispatcher.dispatch(Action::Play);
            }
        }
    });
}

fn facts(recording: Option<&Recording>, lang: crate::i18n::Lang) -> Html {
    let unknown = || "…".to_owned();
    let p99 = recording.and_then(|recording| recording.report.value("tenant.web.latency_s.p99"));
    let stopped = recording.and_then(|recording| {
        Some(recording.report.value("tenant.web.throttled_s")? / recording.report.elapsed_s)
    });
    let fact =
        |name: Home, value: String| html! { <div><dt>{ say(lang, name) }</dt><dd>{ value }</dd></div> };
    html! {
        <>
            { fact(Home::P99Is, p99.map_or_else(unknown, format::seconds)) }
            { fact(Home::StoppedFor, stopped.map_or_else(unknown, format::percent)) }
        </>
    }
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::Plan;

    use super::*;

    #[test]
    fn every_limit_makes_a_scenario() {
        for limit in LIMITS {
            let text = edit::set(SCENARIO, LIMIT_PATH, limit).unwrap();
            let plan = Plan::from_toml(&text, "home").unwrap();
            assert!(plan.tenants()[0].cpu.limit.is_some(), "{limit}");
        }
    }
}
