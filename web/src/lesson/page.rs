//! The lesson page: the open beat beside the picture.

use std::collections::BTreeSet;
use std::rc::Rc;

use catamaran_lessons::{Beat, Lesson, Run, Stage};
use catamaran_report::why::Advice;
use catamaran_scenario::Plan;
use web_sys::HtmlElement;
use yew::prelude::*;

use super::advice::Advised;
use super::beats::{BeatNav, BeatSteps};
use super::bet::{BetForm, BetResult};
use super::debrief::Debrief;
use super::goal::Task;
use super::knobs::Knobs;
use super::progress::Progress;
use super::prose::Prose;
use super::real::{Command, ForReal};
use super::state::{LessonState, use_lesson};
use super::why::{Chain, Why};
use crate::app::{Preferences, absolute, use_preferences};
use crate::i18n::{self, lesson_number, say};
use crate::link::Link;
use crate::native::NativeRun;
use crate::stage::Stage as Picture;
use crate::widgets::CopyButton;

/// What a [`LessonPage`] needs.
#[derive(Properties, PartialEq)]
pub struct LessonPageProps {
    /// Which lesson.
    pub lesson: &'static Lesson,
    /// The link with which it was opened.
    pub link: Link,
    /// What `catamaran serve` gave this page, where it did.
    pub token: Option<String>,
}

/// A lesson.
#[component]
pub fn LessonPage(props: &LessonPageProps) -> Html {
    let (preferences, _) = use_preferences();
    let lang = preferences.lang;
    let state = use_lesson(props.lesson, &props.link);
    let stage = use_node_ref();
    let lesson = props.lesson;
    let section = lesson.beat(state.beat, lang);
    let heading = use_heading(state.beat);
    html! {
        <article class="lesson" data-testid={format!("lesson-{}", lesson.id)}>
            <header class="lesson-head">
                <div class="lesson-top">
                    <p class="lesson-number">{ lesson_number(lang, lesson.number) }</p>
                    { share(&state, preferences) }
                </div>
                <h1>{ lesson.title.get(lang) }</h1>
                <p class="lead">{ lesson.one_idea.get(lang) }</p>
            </header>
            <BeatNav beat={state.beat} progress={state.progress.clone()} open={state.open.clone()} />
            <div class="lesson-grid">
                <section class="beat" aria-labelledby="beat-title" data-testid="beat">
                    <h2 id="beat-title" tabindex="-1" ref={heading}>{ section.title }</h2>
                    if state.beat == Beat::ForReal {
                        <Command text={lesson.command} />
                    }
                    <Prose text={section.html} figures={state.figures.clone()} />
                    { parts(&state, &stage, props) }
                    <BeatSteps beat={state.beat} progress={state.progress.clone()} open={state.open.clone()} />
                </section>
                <div class="bench">
                    { knobs(&state, lang) }
                    <Picture bench={state.bench.clone()} player={state.player.clone()} goal_s={goal_s(lesson)}
                        overlay={overlay(&state)} kind={lesson.stage} natives={state.reports.clone()} node={stage.clone()}
                        advise={advising(&state)} />
                </div>
            </div>
        </article>
    }
}

/// The link to the picture as it stands.
fn share(state: &LessonState, preferences: Preferences) -> Html {
    let now = state.clone();
    let link = Callback::from(move |()| absolute(&now.link(preferences)));
    let lang = preferences.lang;
    html! {
        <div title={say(lang, i18n::Lesson::ShareHelp)}>
            <CopyButton label={say(lang, i18n::Lesson::CopyLink)} text={link} testid="copy-link" />
        </div>
    }
}

/// When another beat opens, the focus goes to its heading: what was pressed may be gone.
#[hook]
fn use_heading(beat: Beat) -> NodeRef {
    let heading = use_node_ref();
    let first = use_mut_ref(|| true);
    let node = heading.clone();
    use_effect_with(beat, move |_| {
        if !first.replace(false)
            && let Some(element) = node.cast::<HtmlElement>()
        {
            let _ = element.focus();
        }
    });
    heading
}

/// The bound on p99 among the goal's conditions, for the latency chart.
fn goal_s(lesson: &Lesson) -> Option<f64> {
    lesson
        .goal
        .conditions
        .iter()
        .find(|condition| condition.metric.ends_with(".latency_s.p99"))
        .map(|c| c.value)
}

/// The native latencies to draw over the simulated ones.
fn overlay(state: &LessonState) -> Option<crate::charts::Overlay> {
    let recording = state.bench.recording()?;
    let server = *recording.servers().first()?;
    NativeRun::over(&recording.report, &state.reports).ok()?.overlay(&recording.name(server))
}

/// What is made of an advice: while the bet's scenario is looked at there is nothing to turn.
fn advising(state: &LessonState) -> Callback<Advice, Html> {
    let (lesson, history, beat) = (state.lesson, state.history.clone(), state.beat);
    Callback::from(move |advice: Advice| match beat {
        Beat::Run => Html::default(),
        _ => html! { <Advised {lesson} history={history.clone()} in_task={beat == Beat::Goal} {advice} /> },
    })
}

fn knobs(state: &LessonState, lang: i18n::Lang) -> Html {
    if state.beat == Beat::Run {
        return html! { <p class="bet-stage">{ say(lang, i18n::Lesson::BetStage) }</p> };
    }
    let invalid = state.scenario.as_ref().err().map(|reason| AttrValue::from(reason.clone()));
    html! {
        <Knobs lesson={state.lesson} history={state.history.clone()} in_task={state.beat == Beat::Goal}
            seed={state.start.as_ref().as_ref().map(Plan::seed)} {invalid} />
    }
}

/// What a beat has beside its prose.
fn parts(state: &LessonState, stage: &NodeRef, props: &LessonPageProps) -> Html {
    let lesson = state.lesson;
    match state.beat {
        Beat::Play => Html::default(),
        Beat::Bet => html! { <BetForm {lesson} progress={state.progress.clone()} placed={placing(state)} /> },
        Beat::Run => html! {
            <BetResult {lesson} progress={state.progress.clone()} figures={state.figures.clone()} />
        },
        // A request to follow is a matter of time; what is seen is told by the prose and the picture.
        Beat::Why if matches!(lesson.stage, Stage::Sight | Stage::Family | Stage::Layers | Stage::Chain) => {
            Html::default()
        }
        Beat::Why => state.bench.recording().map_or_else(Html::default, |recording| {
            html! { <Why recording={recording.clone()} player={state.player.clone()} chain={chain(state)} /> }
        }),
        Beat::Goal => html! {
            <Task {lesson} verdict={state.verdict.clone()} figures={state.figures.clone()} history={state.history.clone()}
                hints={state.progress.hints} hinted={hinting(state)} marked={state.progress.marked.clone()}
                mark={marking(state)} />
        },
        Beat::ForReal => html! {
            <ForReal {lesson} bench={state.bench.clone()} history={state.history.clone()} token={props.token.clone()}
                reports={state.reports.clone()} replace={state.set_reports.clone()} />
        },
        Beat::Debrief => html! {
            <Debrief {lesson} figures={state.figures.clone()} scenario={state.scenario.clone().unwrap_or_default()}
                recording={state.bench.recording().cloned()} kind={lesson.stage} stage={stage.clone()} />
        },
    }
}

/// What the lesson follows from cause to effect.
fn chain(state: &LessonState) -> Chain {
    let wanted = state.bench.done.as_ref().map(|(_, wanted)| wanted);
    match state.lesson.stage {
        Stage::Cpu
        | Stage::Sight
        | Stage::Steal
        | Stage::Family
        | Stage::Servers
        | Stage::Layers
        | Stage::Chain => Chain::Request,
        Stage::Memory => {
            let plan = wanted.and_then(|wanted| Plan::from_toml(&wanted.scenario, "scenario").ok());
            plan.map_or(Chain::Request, |plan| Chain::Kill(Rc::new(plan)))
        }
        Stage::Weight => {
            let start = |platform: &catamaran_scenario::Platform| {
                let run = Run {
                    file: "scenario",
                    scenario: state.lesson.scenario(),
                    platform: *platform,
                    changes: &[],
                };
                state.figures.library.report(&run).cloned()
            };
            Chain::Starts(state.lesson.platforms.iter().filter_map(start).collect())
        }
    }
}

/// A bet that is placed or skipped opens the next beat.
fn placing(state: &LessonState) -> Callback<(std::collections::BTreeMap<String, f64>, Option<String>)> {
    let (keep, open, progress) = (state.keep.clone(), state.open.clone(), state.progress.clone());
    Callback::from(move |(bet, confidence)| {
        let mut progress = Progress { bet, confidence, bet_done: true, ..progress.clone() };
        progress.beats.extend([Beat::Bet.id().to_owned(), Beat::Run.id().to_owned()]);
        progress.last_beat = Some(Beat::Run.id().to_owned());
        open.emit(Beat::Run);
        keep.emit(progress);
    })
}

fn marking(state: &LessonState) -> Callback<BTreeSet<String>> {
    let (keep, progress) = (state.keep.clone(), state.progress.clone());
    Callback::from(move |marked| keep.emit(Progress { marked, ..progress.clone() }))
}

fn hinting(state: &LessonState) -> Callback<u8> {
    let (keep, progress) = (state.keep.clone(), state.progress.clone());
    Callback::from(move |hints| keep.emit(Progress { hints, ..progress.clone() }))
}
