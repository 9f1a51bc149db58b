//! "Why?" for each tenant: a small button wherever a tenant is named, and a panel with the answers, in the words of
//! `catamaran sim --why`.

use std::rc::Rc;

use catamaran_report::why::{Advice, Answer, answer, questions};
use catamaran_report::words::{Told, told};
use catamaran_scenario::Plan;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, window};
use yew::prelude::*;

use crate::app::use_lang;
use crate::i18n::{Lang, Why, question_words, say, why_of};
use crate::picture::Recording;

/// What the buttons and the panel of one picture share.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asking {
    /// What is asked about.
    pub(super) recording: Rc<Recording>,
    /// The scenario that it is of: TOML.
    pub(super) scenario: Rc<str>,
    /// The tenant that is asked about.
    pub(super) open: Option<u32>,
    /// Asks about a tenant, or about none.
    pub(super) ask: Callback<Option<u32>>,
    /// What the page makes of an advice.
    pub(super) advise: Callback<Advice, Html>,
}

const PANEL: &str = "answers";

/// What an [`AskWhy`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct AskProps {
    /// Whom it asks about.
    pub(super) tenant: u32,
}

/// The button; nothing where the picture answers no questions.
#[component]
pub(super) fn AskWhy(props: &AskProps) -> Html {
    let lang = use_lang();
    let Some(asking) = use_context::<Option<Asking>>().flatten() else { return Html::default() };
    let tenant = props.tenant;
    let open = asking.open == Some(tenant);
    let name = asking.recording.name(tenant);
    let onclick = {
        let ask = asking.ask.clone();
        Callback::from(move |_: MouseEvent| ask.emit((!open).then_some(tenant)))
    };
    html! {
        <button type="button" class="ask" id={button_id(tenant)} aria-expanded={open.to_string()}
            aria-controls={open.then_some(PANEL)} {onclick} data-testid={format!("ask-{tenant}")}>
            { say(lang, Why::Ask) }<span class="visually-hidden">{ " " }{ name }</span>
        </button>
    }
}

fn button_id(tenant: u32) -> String {
    format!("ask-{tenant}")
}

/// The panel; nothing while nobody is asked about.
#[component]
pub(super) fn Answers() -> Html {
    let Some(asking) = use_context::<Option<Asking>>().flatten() else { return Html::default() };
    let tenants = asking.recording.report.tenants.len() as u32;
    match asking.open.filter(|tenant| *tenant < tenants) {
        Some(tenant) => html! { <Panel key={tenant} {tenant} {asking} /> },
        None => Html::default(),
    }
}

#[derive(Properties, PartialEq)]
struct PanelProps {
    tenant: u32,
    asking: Asking,
}

#[component]
fn Panel(props: &PanelProps) -> Html {
    let lang = use_lang();
    let PanelProps { tenant, asking } = props;
    let made_of = (asking.recording.clone(), asking.scenario.clone(), *tenant);
    let found = use_memo(made_of, |(recording, scenario, tenant)| answers(recording, scenario, *tenant));
    let title = use_node_ref();
    use_effect_with((), {
        let title = title.clone();
        move |()| focus(&title)
    });
    let close = {
        let (ask, tenant) = (asking.ask.clone(), *tenant);
        move || {
            ask.emit(None);
            let document = window().and_then(|window| window.document());
            let button = document.and_then(|document| document.get_element_by_id(&button_id(tenant)));
            // Back to where it was asked; where that is gone there is nothing to go back to.
            if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                let _ = button.focus();
            }
        }
    };
    let onclick = {
        let close = close.clone();
        Callback::from(move |_: MouseEvent| close())
    };
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        // Keys that move the play head elsewhere in the picture scroll and press buttons here.
        event.stop_propagation();
        if event.key() == "Escape" {
            close();
        }
    });
    // What was pressed may be gone once its setting holds.
    let onpressed = Callback::from({
        let title = title.clone();
        move |event: MouseEvent| {
            if event.target_dyn_into::<Element>().is_some_and(|pressed| pressed.tag_name() == "BUTTON") {
                focus(&title);
            }
        }
    });
    let name = asking.recording.name(*tenant);
    html! {
        <section class="answers" id={PANEL} aria-labelledby="answers-title" {onkeydown} data-testid="answers">
            <div class="answers-head">
                <h3 id="answers-title" tabindex="-1" ref={title}>{ why_of(lang, &name) }</h3>
                <button type="button" class="button small quiet" {onclick} data-testid="answers-close">
                    { say(lang, Why::Close) }
                </button>
            </div>
            if found.is_empty() {
                <p class="empty">{ say(lang, Why::Nothing) }</p>
            }
            <div onclick={onpressed} role="presentation">
                { for found.iter().map(|answer| one(lang, asking, answer)) }
            </div>
        </section>
    }
}

fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// All that is worth a question about a tenant.
fn answers(recording: &Recording, scenario: &str, tenant: u32) -> Vec<Answer> {
    let Ok(plan) = Plan::from_toml(scenario, "scenario") else { return Vec::new() };
    let Recording { report, timeline, .. } = recording;
    let asked =
        questions(report, timeline).into_iter().filter(|question| question.tenant() == tenant as usize);
    asked.filter_map(|question| answer(&plan, report, timeline, question)).collect()
}

fn one(lang: Lang, asking: &Asking, answer: &Answer) -> Html {
    let Told { found, advice, otherwise } = told(lang, answer);
    let advised = |sentence: String, advice: Option<&Advice>| {
        html! {
            <div class="advice">
                <p>{ sentence }</p>
                { for advice.map(|advice| asking.advise.emit(advice.clone())) }
            </div>
        }
    };
    html! {
        <article class="answer">
            <h4>{ say(lang, question_words(&answer.facts)) }</h4>
            <p>{ found.join(" ") }</p>
            { advised(advice, answer.advice.as_ref()) }
            { for otherwise.map(|sentence| advised(sentence, answer.otherwise.as_ref())) }
        </article>
    }
}
