//! What is said instead of a picture, or beside one: busy, refused, broken. Names the cause and the way out.

use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{Lang, Player, say};
use crate::sim::Failure;

/// What a [`Notice`] needs.
#[derive(Properties, PartialEq)]
pub struct NoticeProps {
    /// Why there is no newer simulation.
    pub failure: Option<Failure>,
}

/// A failure in words: heading, cause, way out.
#[must_use]
pub fn failure_text(lang: Lang, failure: &Failure) -> (&'static str, String, &'static str) {
    match failure {
        Failure::Refused(reason) => (say(lang, Player::SimulationRefused), reason.clone(), ""),
        Failure::Broken(reason) => {
            (say(lang, Player::SimulationBroken), reason.clone(), say(lang, Player::BrokenFix))
        }
    }
}

/// The failure, if there is one.
#[component]
pub fn Notice(props: &NoticeProps) -> Html {
    let lang = use_lang();
    let Some(failure) = &props.failure else { return Html::default() };
    let (heading, cause, fix) = failure_text(lang, failure);
    html! {
        <div class="notice" role="alert" data-testid="failure">
            <p><strong>{ heading }</strong></p>
            <pre>{ cause }</pre>
            <p>{ fix }</p>
        </div>
    }
}
