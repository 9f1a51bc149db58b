//! The buttons, the scrub slider, speed and zoom.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::state::{Action, Player, SPEEDS};
use crate::app::use_lang;
use crate::format;
use crate::i18n::{self, position, say, speed_name, window_name};

/// What [`Controls`] need.
#[derive(Properties, PartialEq)]
pub struct ControlsProps {
    /// The play head.
    pub player: UseReducerHandle<Player>,
    /// The instant in words, where it is not one of the run.
    #[prop_or_default]
    pub clock: Option<String>,
}

/// The controls of a player.
#[component]
pub fn Controls(props: &ControlsProps) -> Html {
    let lang = use_lang();
    let player = &props.player;
    let button = |text: i18n::Player, icon: &'static str, testid: &'static str, action: Action| {
        let (player, name) = (player.dispatcher(), say(lang, text));
        let onclick = Callback::from(move |_: MouseEvent| player.dispatch(action.clone()));
        html! {
            <button type="button" class="icon-button" aria-label={name} title={name} data-testid={testid} {onclick}>
                <Icon path={icon} />
            </button>
        }
    };
    let toggle = match player.playing {
        true => button(i18n::Player::Pause, icons::PAUSE, "pause", Action::Pause),
        false => button(i18n::Player::Play, icons::PLAY, "play", Action::Toggle),
    };
    html! {
        <div class="controls" role="group" aria-label={say(lang, i18n::Player::Controls)}>
            <div class="scrub-row">
                <Scrub player={player.clone()} clock={props.clock.clone()} />
                <output class="time" aria-live="off">
                    { props.clock.clone().unwrap_or_else(|| format::clock(player.time_ns)) }
                </output>
            </div>
            <div class="transport">
                { button(i18n::Player::Rewind, icons::REWIND, "rewind", Action::Rewind) }
                { button(i18n::Player::StepBack, icons::BACK, "step-back", Action::StepBack) }
                <span class="toggle">{ toggle }</span>
                { button(i18n::Player::Step, icons::STEP, "step", Action::StepForward) }
            </div>
            <Speeds player={player.clone()} />
            <div class="zoom">
                { button(i18n::Player::Farther, icons::MINUS, "zoom-out", Action::Zoom { nearer: false }) }
                <span class="zoom-width">{ window_name(lang, player.view.window_ns) }</span>
                { button(i18n::Player::Nearer, icons::PLUS, "zoom-in", Action::Zoom { nearer: true }) }
            </div>
        </div>
    }
}

#[component]
fn Scrub(props: &ControlsProps) -> Html {
    let lang = use_lang();
    let player = &props.player;
    let oninput = {
        let player = player.dispatcher();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                player.dispatch(Action::Seek(input.value_as_number().max(0.0) as u64));
            }
        })
    };
    let words = props.clock.clone().unwrap_or_else(|| position(lang, player.time_ns, player.end_ns()));
    html! {
        <input type="range" class="scrub" min="0" max={player.end_ns().to_string()} step="1000"
            value={player.time_ns.to_string()} aria-label={say(lang, i18n::Player::Scrub)}
            aria-valuetext={words} {oninput} data-testid="scrub" />
    }
}

#[component]
fn Speeds(props: &ControlsProps) -> Html {
    let lang = use_lang();
    let player = &props.player;
    let onchange = {
        let player = player.dispatcher();
        Callback::from(move |event: Event| {
            let chosen =
                event.target_dyn_into::<HtmlSelectElement>().and_then(|select| select.value().parse().ok());
            if let Some(speed) = chosen {
                player.dispatch(Action::Speed(speed));
            }
        })
    };
    let option = |&speed: &u32| {
        html! {
            <option value={speed.to_string()} selected={speed == player.speed}>{ speed_name(lang, speed) }</option>
        }
    };
    html! {
        <label class="speed">
            <span class="visually-hidden">{ say(lang, i18n::Player::Speed) }</span>
            <select {onchange} data-testid="speed">{ for SPEEDS.iter().map(option) }</select>
        </label>
    }
}

#[derive(Properties, PartialEq)]
struct IconProps {
    path: &'static str,
}

#[component]
fn Icon(props: &IconProps) -> Html {
    html! {
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false"><path d={props.path} /></svg>
    }
}

mod icons {
    pub(super) const PLAY: &str = "M6 3.5 L16.5 10 L6 16.5 Z";
    pub(super) const PAUSE: &str = "M5 4 H8.5 V16 H5 Z M11.5 4 H15 V16 H11.5 Z";
    pub(super) const STEP: &str = "M5 4 L12 10 L5 16 Z M13.5 4 H15.5 V16 H13.5 Z";
    pub(super) const BACK: &str = "M15 4 L8 10 L15 16 Z M4.5 4 H6.5 V16 H4.5 Z";
    pub(super) const REWIND: &str = "M10 4 L4 10 L10 16 Z M17 4 L11 10 L17 16 Z";
    pub(super) const MINUS: &str = "M4 9 H16 V11 H4 Z";
    pub(super) const PLUS: &str = "M4 9 H9 V4 H11 V9 H16 V11 H11 V16 H9 V11 H4 Z";
}
