//! The page: the calls as a list to walk through, the one that is looked at, and the matrix before and after it.

use std::rc::Rc;

use catamaran_report::words;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::trace::{Step, Trace, Who, changes, matrix, prepares, trace};
use crate::app::{self, use_preferences};
use crate::i18n::{
    ContainerWords, Lang, call_words, prepared_words, recorded_words, say, step_of, who_words,
};
use crate::link::{Link, Route};

/// What a [`ContainerPage`] needs.
#[derive(Properties, PartialEq)]
pub struct ContainerPageProps {
    /// The link with which it was opened.
    pub link: Link,
}

/// The twelve calls.
#[component]
pub fn ContainerPage(props: &ContainerPageProps) -> Html {
    let (preferences, _) = use_preferences();
    let lang = preferences.lang;
    let trace = use_memo((), |()| trace());
    let last = trace.steps.len().saturating_sub(1);
    let first = usize::from(props.link.beat.unwrap_or(1)).saturating_sub(1).min(last);
    let at = use_state_eq(|| first);
    let go = {
        let at = at.setter();
        Callback::from(move |to: usize| at.set(to.min(last)))
    };
    let now = *at;
    use_effect_with((now, preferences), move |&(now, preferences)| {
        app::replace(&Link {
            route: Route::Container,
            beat: u8::try_from(now + 1).ok(),
            lang: Some(preferences.lang),
            theme: Some(preferences.theme),
            ..Link::default()
        });
    });
    let onkeydown = {
        let go = go.clone();
        Callback::from(move |event: KeyboardEvent| {
            let to = match event.key().as_str() {
                "ArrowRight" | "ArrowDown" => now + 1,
                "ArrowLeft" | "ArrowUp" => now.saturating_sub(1),
                "Home" => 0,
                "End" => usize::MAX,
                _ => return,
            };
            event.prevent_default();
            go.emit(to);
        })
    };
    html! {
        <article class="lesson container-page" data-testid="container">
            <header class="lesson-head">
                <h1>{ say(lang, ContainerWords::Title) }</h1>
                <p class="lead">{ say(lang, ContainerWords::Lead) }</p>
            </header>
            <section class="twelve" aria-label={say(lang, ContainerWords::Title)} {onkeydown}>
                { list(lang, &trace, now, &go) }
                <div class="twelve-now">
                    { detail(lang, &trace, now, &go) }
                    { rows(lang, &trace, now) }
                </div>
            </section>
            <section class="twelve-notes" aria-labelledby="twelve-how">
                <h2 id="twelve-how">{ say(lang, ContainerWords::How) }</h2>
                <p data-testid="recorded">{ recorded_words(lang, &trace.command, &trace.kernel, trace.cgroup_version) }</p>
                <pre><code>{ "sudo cargo xtask trace-container" }</code></pre>
                <p>{ say(lang, ContainerWords::Left) }</p>
            </section>
        </article>
    }
}

const fn caller(who: Who) -> ContainerWords {
    match who {
        Who::Runtime => ContainerWords::Runtime,
        Who::FirstStage => ContainerWords::FirstStage,
        Who::Container => ContainerWords::Inside,
    }
}

/// All calls, each a button that goes to it.
fn list(lang: Lang, trace: &Rc<Trace>, now: usize, go: &Callback<usize>) -> Html {
    let item = |(at, step): (usize, &Step)| {
        let onclick = {
            let go = go.clone();
            Callback::from(move |_: MouseEvent| go.emit(at))
        };
        let state = match at.cmp(&now) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "ahead",
        };
        html! {
            <li>
                <button type="button" class={classes!("call", state)} aria-current={(at == now).then_some("step")} {onclick}
                    data-testid={format!("call-{}", step.call)}>
                    <span class="call-number">{ at + 1 }</span>
                    <code>{ &step.call }</code>
                    <span class="call-who">{ who_words(lang, caller(step.who)) }</span>
                </button>
            </li>
        }
    };
    html! { <ol class="calls">{ for trace.steps.iter().enumerate().map(item) }</ol> }
}

/// The call that is looked at.
fn detail(lang: Lang, trace: &Trace, now: usize, go: &Callback<usize>) -> Html {
    let Some(step) = trace.steps.get(now) else { return Html::default() };
    let button = |word: ContainerWords, to: Option<usize>, testid: &'static str| {
        let onclick = {
            let go = go.clone();
            Callback::from(move |_: MouseEvent| {
                if let Some(to) = to {
                    go.emit(to);
                }
            })
        };
        html! {
            <button type="button" class="button" disabled={to.is_none()} {onclick} data-testid={testid}>{ say(lang, word) }</button>
        }
    };
    let next = (now + 1 < trace.steps.len()).then_some(now + 1);
    html! {
        <section class="call-detail" aria-labelledby="call-title">
            <p class="fine">{ step_of(lang, now + 1, trace.steps.len(), who_words(lang, caller(step.who)), step.times) }</p>
            <h2 id="call-title"><code>{ &step.call }</code></h2>
            <p aria-live="polite" data-testid="call-words">{ call_words(lang, &step.call) }</p>
            if let Some(row) = prepares(&step.call) {
                <p class="prepares">{ prepared_words(lang, words::resource(lang, row)) }</p>
            }
            <div class="table-scroll" tabindex="0" role="region" aria-label={say(lang, ContainerWords::Arguments)}>
                <pre><code>{ format!("{}({})", step.call, step.arguments) }</code></pre>
            </div>
            <p class="twelve-buttons">
                { button(ContainerWords::Back, now.checked_sub(1), "call-back") }
                { button(ContainerWords::Next, next, "call-next") }
            </p>
        </section>
    }
}

/// Who sees what, before and after the call.
fn rows(lang: Lang, trace: &Trace, now: usize) -> Html {
    let changed = trace.steps.get(now).map(changes).unwrap_or_default();
    let (before, after) = (matrix(&trace.steps, now), matrix(&trace.steps, now + 1));
    let row = |((name, was), (_, is)): (&(&'static str, _), &(&'static str, _))| {
        let now = changed.iter().any(|(row, _)| row == name);
        html! {
            <tr class={classes!(now.then_some("changes"))} data-row={*name} data-sees={words::sees(Lang::En, *is)}
                data-changes={now.to_string()}>
                <th scope="row">{ words::resource(lang, name) }</th>
                <td>{ words::sees(lang, *was) }</td>
                <td>{ if now { format!("→ {}", words::sees(lang, *is)) } else { words::sees(lang, *is).to_owned() } }</td>
            </tr>
        }
    };
    html! {
        <div>
            <h2 id="matrix-title">{ say(lang, ContainerWords::Matrix) }</h2>
            <div class="table-scroll whole" tabindex="0" role="region" aria-labelledby="matrix-title">
                <table class="matrix" data-testid="matrix">
                    <thead>
                        <tr>
                            { for [ContainerWords::What, ContainerWords::Before, ContainerWords::After]
                                .map(|head| html! { <th scope="col">{ say(lang, head) }</th> }) }
                        </tr>
                    </thead>
                    <tbody>{ for before.iter().zip(&after).map(row) }</tbody>
                </table>
            </div>
        </div>
    }
}
