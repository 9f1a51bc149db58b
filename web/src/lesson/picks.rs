//! The choice of a base for each need of a task.

use std::collections::BTreeSet;

use catamaran_lessons::{Base, Lesson, Pick};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{FamilyWords, Lang, say};

/// What [`Picks`] need.
#[derive(Properties, PartialEq)]
pub(super) struct PicksProps {
    /// Whose task.
    pub lesson: &'static Lesson,
    /// What was marked.
    pub marked: BTreeSet<String>,
    /// Told what is marked.
    pub mark: Callback<BTreeSet<String>>,
}

/// A list to choose from for each need.
#[component]
pub(super) fn Picks(props: &PicksProps) -> Html {
    let lang = use_lang();
    html! {
        <fieldset class="picks">
            <legend>{ say(lang, FamilyWords::Picks) }</legend>
            { for props.lesson.goal.picks.iter().map(|pick| choose(props, lang, pick)) }
        </fieldset>
    }
}

fn choose(props: &PicksProps, lang: Lang, pick: &'static Pick) -> Html {
    let id = format!("pick-{}", pick.id);
    let chosen = pick.chosen(&props.marked).unwrap_or_default().to_owned();
    let onchange = {
        let (mark, marked, before) = (props.mark.clone(), props.marked.clone(), pick.mark(&chosen));
        Callback::from(move |event: Event| {
            if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
                let mut next = marked.clone();
                next.remove(&before);
                if !select.value().is_empty() {
                    next.insert(pick.mark(&select.value()));
                }
                mark.emit(next);
            }
        })
    };
    let option = |base: &'static Base| {
        html! { <option value={base.id} selected={base.id == chosen}>{ base_name(base) }</option> }
    };
    html! {
        <div class="pick">
            <label for={id.clone()}>{ pick.label.get(lang) }</label>
            <select id={id.clone()} data-testid={id.clone()} {onchange}>
                <option value="" selected={chosen.is_empty()}>{ say(lang, FamilyWords::PickNone) }</option>
                { for props.lesson.bases.iter().map(option) }
            </select>
        </div>
    }
}

fn base_name(base: &Base) -> String {
    match base.latest() {
        Some(release) => format!("{} {}", base.name, release.name),
        None => base.name.to_owned(),
    }
}
