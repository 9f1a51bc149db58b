//! For real: the command, the run on this machine, the dropped report, and the comparison.

use std::rc::Rc;

use catamaran_lessons::Lesson;
use catamaran_report::Report;
use catamaran_scenario::Plan;
use yew::prelude::*;

use super::goal::solved;
use super::settings::{Edit, History, Settings};
use crate::app::use_lang;
use crate::i18n::{Native, say};
use crate::native::{Compared, DropZone, Mismatch, NativeRun, RecordedRun, RunHere, with_code};
use crate::sim::Bench;
use crate::widgets::CopyButton;

/// What [`ForReal`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct ForRealProps {
    /// Whose command.
    pub lesson: &'static Lesson,
    /// What is simulated.
    pub bench: Bench,
    /// The settings, to bring back those of a report.
    pub history: UseReducerHandle<History>,
    /// What `catamaran serve` gave this page, where it did.
    pub token: Option<String>,
    /// Native reports that were dropped or run.
    pub reports: Rc<Vec<Report>>,
    /// Told of other ones; none: taken away.
    pub replace: Callback<Vec<Report>>,
}

/// The beat's interactive parts.
#[component]
pub(super) fn ForReal(props: &ForRealProps) -> Html {
    let lang = use_lang();
    let reported = props.replace.reform(|report: Report| vec![report]);
    let done = props.bench.done.as_ref();
    html! {
        <div class="for-real">
            { match (&props.token, done) {
                (Some(token), Some((_, wanted))) => html! {
                    <RunHere token={token.clone()} scenario={wanted.scenario.clone()} platform={wanted.platform} {reported} />
                },
                _ => html! { <p class="fine" data-testid="run-native-hint">{ with_code(say(lang, Native::ServeHint)) }</p> },
            } }
            if let Some(text) = props.lesson.recorded {
                <RecordedRun {text} lesson={props.lesson} show={props.replace.clone()} />
            }
            <DropZone dropped={props.replace.clone()} />
            { overlaid(props) }
        </div>
    }
}

/// What a [`Command`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct CommandProps {
    /// The command.
    pub(super) text: &'static str,
}

/// The command that does it for real, to be copied.
#[component]
pub(super) fn Command(props: &CommandProps) -> Html {
    let text = props.text;
    html! {
        <div class="command">
            <code data-testid="command">{ text }</code>
            <CopyButton text={Callback::from(move |()| text.to_owned())} testid="copy-command" />
        </div>
    }
}

/// The comparison, or why there is none.
fn overlaid(props: &ForRealProps) -> Html {
    let Some(recording) = props.bench.recording().filter(|_| !props.reports.is_empty()) else {
        return Html::default();
    };
    let remove = props.replace.reform(|()| Vec::new());
    match NativeRun::over(&recording.report, &props.reports) {
        Ok(native) => {
            html! { <Compared recording={recording.clone()} {native} {remove} kind={props.lesson.stage} /> }
        }
        // While another scenario is simulated, the digest is still that of the one before.
        Err(_) if props.bench.busy => Html::default(),
        Err(mismatch) => html! {
            <Refusal {mismatch} {remove} lesson={props.lesson} history={props.history.clone()} />
        },
    }
}

#[derive(Properties, PartialEq)]
struct RefusalProps {
    lesson: &'static Lesson,
    history: UseReducerHandle<History>,
    mismatch: Mismatch,
    remove: Callback<()>,
}

/// Why a report is not laid over the simulation, with the settings that would fit it, where they can be found.
#[component]
fn Refusal(props: &RefusalProps) -> Html {
    let lang = use_lang();
    let fitting = fitting(props);
    let (words, detail) = match &props.mismatch {
        Mismatch::Scenario(digest) => (Native::DigestDiffers, digest.clone()),
        Mismatch::Platform(platform) => (Native::PlatformDiffers, platform.to_string()),
    };
    let remove = props.remove.reform(|_: MouseEvent| ());
    html! {
        <div class="problem" role="alert" data-testid="drop-problem">
            <p><strong>{ say(lang, words) }</strong></p>
            <p><code class="digest">{ detail }</code></p>
            { match fitting {
                Some(settings) => {
                    let history = props.history.dispatcher();
                    let show = Callback::from(move |_: MouseEvent| history.dispatch(Edit::Replace(settings.clone())));
                    html! {
                        <button type="button" class="button small" onclick={show} data-testid="drop-fit">
                            { say(lang, Native::TryShown) }
                        </button>
                    }
                }
                None => html! { <p>{ say(lang, Native::ElsewhereFix) }</p> },
            } }
            <button type="button" class="button small quiet" onclick={remove}>{ say(lang, Native::Remove) }</button>
        </div>
    }
}

/// Settings whose scenario has the report's digest: the lesson's own, the solution's, or one that the learner had before.
fn fitting(props: &RefusalProps) -> Option<Settings> {
    match &props.mismatch {
        Mismatch::Platform(platform) => {
            let offered = props.lesson.platforms.contains(platform);
            offered.then(|| Settings { platform: *platform, ..props.history.now.clone() })
        }
        Mismatch::Scenario(digest) => {
            let known = [Settings::start(props.lesson), solved(props.lesson)];
            let mut candidates = known.into_iter().chain(props.history.others().cloned());
            candidates.find(|settings| digest_of(props.lesson, settings).as_ref() == Some(digest))
        }
    }
}

fn digest_of(lesson: &Lesson, settings: &Settings) -> Option<String> {
    let text = settings.scenario(lesson.scenario()).ok()?;
    Plan::from_toml(&text, "scenario").ok().map(|plan| plan.digest())
}
