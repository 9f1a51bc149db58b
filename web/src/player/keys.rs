//! The keyboard. The keys work only while the focus is inside the player, so they never take a key from anything else.

use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use super::state::Action;
use crate::app::use_lang;
use crate::i18n::{Player, say};

/// What the focus is on, as far as it matters to keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// A button or link: the space bar is its own.
    Button,
    /// Something that needs most keys itself: a list, a text, a slider of its own.
    Field,
    /// The picture or the scrub slider.
    Picture,
}

impl Focus {
    fn of(event: &KeyboardEvent) -> Self {
        let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(element) = element else { return Self::Picture };
        match element.tag_name().as_str() {
            "BUTTON" | "A" | "SUMMARY" => Self::Button,
            "INPUT" if element.matches(".scrub").unwrap_or_default() => Self::Picture,
            "INPUT" | "SELECT" | "TEXTAREA" => Self::Field,
            _ => Self::Picture,
        }
    }
}

/// What a key does; `None`: nothing, it belongs to the browser.
#[must_use]
pub fn action_of_key(event: &KeyboardEvent) -> Option<Action> {
    let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
    if modified {
        return None;
    }
    action(&event.key(), event.shift_key(), Focus::of(event))
}

fn action(key: &str, shift: bool, focus: Focus) -> Option<Action> {
    if focus == Focus::Field {
        return None;
    }
    Some(match (key, shift) {
        (" ", _) if focus == Focus::Button => return None,
        (" ", _) => Action::Toggle,
        ("ArrowRight", false) => Action::StepForward,
        ("ArrowLeft", false) => Action::StepBack,
        ("ArrowRight", true) => Action::Jump(0.1),
        ("ArrowLeft", true) => Action::Jump(-0.1),
        ("PageDown", _) => Action::Jump(1.0),
        ("PageUp", _) => Action::Jump(-1.0),
        ("Home", _) => Action::Rewind,
        ("End", _) => Action::End,
        ("+" | "=", _) => Action::Zoom { nearer: true },
        ("-" | "_", _) => Action::Zoom { nearer: false },
        _ => return None,
    })
}

/// The keys, for whoever asks.
#[component]
pub fn KeyHelp() -> Html {
    let lang = use_lang();
    let space = say(lang, Player::KeySpace);
    let rows: [(&[&str], Player); 6] = [
        (&[space], Player::KeyToggle),
        (&["→", "←"], Player::KeyStep),
        (&["⇧ →", "⇧ ←"], Player::KeyJump),
        (&["Page Down", "Page Up"], Player::KeyPage),
        (&["Home", "End"], Player::KeyEnds),
        (&["+", "−"], Player::KeyZoom),
    ];
    let row = |(keys, what): (&[&str], Player)| {
        html! {
            <div>
                <dt>{ for keys.iter().map(|key| html! { <kbd>{ *key }</kbd> }) }</dt>
                <dd>{ say(lang, what) }</dd>
            </div>
        }
    };
    html! {
        <details class="keys" data-testid="keyboard">
            <summary>{ say(lang, Player::Keyboard) }</summary>
            <dl>{ for rows.into_iter().map(row) }</dl>
            <p>{ say(lang, Player::KeysWhere) }</p>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_what_the_help_says() {
        let name = |key, shift, focus| action(key, shift, focus).map(|action| format!("{action:?}"));
        let table = [
            (" ", false, Focus::Picture, Some("Toggle")),
            (" ", false, Focus::Button, None),
            ("ArrowRight", false, Focus::Button, Some("StepForward")),
            ("ArrowLeft", true, Focus::Picture, Some("Jump(-0.1)")),
            ("ArrowRight", false, Focus::Field, None),
            ("Home", false, Focus::Picture, Some("Rewind")),
            ("a", false, Focus::Picture, None),
            ("Tab", false, Focus::Picture, None),
        ];
        for (key, shift, focus, expected) in table {
            assert_eq!(name(key, shift, focus).as_deref(), expected, "{key} {focus:?}");
        }
    }
}
