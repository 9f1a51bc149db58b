//! Looking back: where the usual story is imprecise, the glossary, the sources; and what can be taken along.

use std::rc::Rc;

use catamaran_lessons::{Lesson, Stage};
use web_sys::window;
use yew::prelude::*;

use super::export::Export;
use super::prose::{Figures, Prose};
use crate::app::use_lang;
use crate::i18n::{self, say};
use crate::picture::Recording;

/// What a [`Debrief`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct DebriefProps {
    /// Whose.
    pub lesson: &'static Lesson,
    /// Where the figures come from.
    pub figures: Figures,
    /// What is shown: TOML.
    pub scenario: String,
    /// What was simulated.
    pub recording: Option<Rc<Recording>>,
    /// What its picture shows.
    pub kind: Stage,
    /// Where the charts are.
    pub stage: NodeRef,
}

/// The beat's parts after its prose.
#[component]
pub(super) fn Debrief(props: &DebriefProps) -> Html {
    let lang = use_lang();
    let (lesson, figures) = (props.lesson, &props.figures);
    let imprecise = lesson.imprecise(lang);
    let sources = lesson.sources(lang);
    let print = Callback::from(|_: MouseEvent| {
        // A browser without printing does nothing, and says nothing either.
        let _ = window().map(|window| window.print());
    });
    html! {
        <>
            <aside class="imprecise" aria-labelledby="imprecise-title">
                <h3 id="imprecise-title">{ imprecise.title }</h3>
                <Prose text={imprecise.html} figures={figures.clone()} />
            </aside>
            <section aria-labelledby="export-title">
                <h3 id="export-title">{ say(lang, i18n::Lesson::Export) }</h3>
                <Export scenario={props.scenario.clone()} recording={props.recording.clone()} kind={props.kind} stage={props.stage.clone()} />
                <button type="button" class="button small quiet" onclick={print}>{ say(lang, i18n::Lesson::Print) }</button>
                <p class="fine">{ say(lang, i18n::Lesson::Kept) }</p>
            </section>
            <details class="glossary">
                <summary>{ say(lang, i18n::Lesson::Glossary) }</summary>
                <dl>
                    { for lesson.glossary(lang).iter().map(|term| html! {
                        <div>
                            <dt>{ term.term }</dt>
                            <dd><Prose text={term.html} figures={figures.clone()} /></dd>
                        </div>
                    }) }
                </dl>
            </details>
            <details class="sources">
                <summary>{ sources.title }</summary>
                <Prose text={sources.html} figures={figures.clone()} />
            </details>
        </>
    }
}
