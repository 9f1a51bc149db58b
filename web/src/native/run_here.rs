//! "Run it on this machine": what is shown, on the kernel of the computer that serves the page.

use std::rc::Rc;

use catamaran_report::Report;
use catamaran_scenario::Platform;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::drop_zone::with_code;
use super::serve::{Check, Job, ServeError, Server, State, Status};
use crate::app::use_lang;
use crate::format;
use crate::i18n::{Lang, Native, run_progress, say};

/// Between two questions how far the run is (ms).
const ASK_MS: u32 = 300;

/// What [`RunHere`] needs.
#[derive(Properties, PartialEq)]
pub struct RunHereProps {
    /// What `catamaran serve` gave this page.
    pub token: String,
    /// What is shown: TOML.
    pub scenario: String,
    /// On which platform.
    pub platform: Platform,
    /// Told of the report.
    pub reported: Callback<Report>,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq)]
enum Standing {
    Idle,
    Starting,
    Running { id: String, elapsed_s: f64, total_s: f64 },
    Cancelled,
    Failed(String),
}

/// The button, the progress and what went wrong.
#[component]
pub fn RunHere(props: &RunHereProps) -> Html {
    let lang = use_lang();
    let server = use_memo(props.token.clone(), |token| Server::new(token.clone()));
    let standing = use_state_eq(|| Standing::Idle);
    let status = use_status(server.clone());
    let start = {
        let (server, standing) = (server.clone(), standing.setter());
        let (scenario, platform, reported) = (props.scenario.clone(), props.platform, props.reported.clone());
        Callback::from(move |_: MouseEvent| {
            standing.set(Standing::Starting);
            let (server, standing, scenario, reported) =
                (server.clone(), standing.clone(), scenario.clone(), reported.clone());
            spawn_local(async move {
                match carry_out(&server, &scenario, platform, &standing, lang).await {
                    Ok(Some(report)) => {
                        standing.set(Standing::Idle);
                        reported.emit(report);
                    }
                    Ok(None) => standing.set(Standing::Cancelled),
                    Err(error) => standing.set(Standing::Failed(in_words(lang, error))),
                }
            });
        })
    };
    let check = match &*status {
        Some(Ok(status)) => {
            status.platforms.iter().find(|check| check.name == props.platform.name()).cloned()
        }
        _ => None,
    };
    let refused = check.as_ref().is_some_and(|check| !check.works);
    let at_work = matches!(*standing, Standing::Starting | Standing::Running { .. });
    html! {
        <section class="run-here" aria-labelledby="run-here-title">
            <h3 id="run-here-title">{ say(lang, Native::RunTitle) }</h3>
            <p>{ with_code(say(lang, Native::RunHelp)) }</p>
            { unavailable(lang, &status, check.as_ref()) }
            <button type="button" class="button main" disabled={at_work || refused} onclick={start} data-testid="run-native">
                { say(lang, Native::RunStart) }
            </button>
            <Progress standing={(*standing).clone()} {server} />
        </section>
    }
}

/// What the server says of itself; asked once.
#[hook]
fn use_status(server: Rc<Server>) -> UseStateHandle<Option<Result<Status, ServeError>>> {
    let status = use_state(|| None);
    let setter = status.setter();
    use_effect_with(server, move |server| {
        let server = server.clone();
        spawn_local(async move { setter.set(Some(server.status().await)) });
    });
    status
}

/// Why the machine can't, where it can't.
fn unavailable(lang: Lang, status: &Option<Result<Status, ServeError>>, check: Option<&Check>) -> Html {
    match (status, check) {
        (Some(Err(error)), _) => {
            html! { <p class="problem" role="alert">{ in_words(lang, error.clone()) }</p> }
        }
        (Some(Ok(status)), Some(check)) if !check.works => html! {
            <div class="problem" role="alert">
                <p>{ with_code(say(lang, Native::RunNotHere)) }</p>
                <p>{ format!("{}: {}", status.version, check.found) }</p>
                <p>{ check.remedy.clone() }</p>
            </div>
        },
        _ => Html::default(),
    }
}

#[derive(Properties, PartialEq)]
struct ProgressProps {
    standing: Standing,
    server: Rc<Server>,
}

#[component]
fn Progress(props: &ProgressProps) -> Html {
    let lang = use_lang();
    let words = match &props.standing {
        Standing::Idle => String::new(),
        Standing::Starting => say(lang, Native::RunStarting).to_owned(),
        Standing::Running { elapsed_s, total_s, .. } => run_progress(lang, *elapsed_s, *total_s),
        Standing::Cancelled => say(lang, Native::RunCancelled).to_owned(),
        Standing::Failed(reason) => format!("{} {reason}", say(lang, Native::RunFailed)),
    };
    let bar = match &props.standing {
        Standing::Running { id, elapsed_s, total_s } => {
            let (server, id) = (props.server.clone(), id.clone());
            let cancel = Callback::from(move |_: MouseEvent| {
                let (server, id) = (server.clone(), id.clone());
                // The answer comes to whoever is asking how far the run is.
                spawn_local(async move { drop(server.cancel(&id).await) });
            });
            html! {
                <>
                    <progress max={total_s.to_string()} value={elapsed_s.to_string()}
                        aria-label={say(lang, Native::RunTitle)}>{ format::seconds(*elapsed_s) }</progress>
                    <button type="button" class="button small" onclick={cancel} data-testid="run-cancel">
                        { say(lang, Native::RunCancel) }
                    </button>
                </>
            }
        }
        _ => Html::default(),
    };
    html! { <div class="run-progress"><p role="status" data-testid="run-status">{ words }</p>{ bar }</div> }
}

/// Starts the run and asks until it has ended; `None` where it was cancelled.
async fn carry_out(
    server: &Server,
    scenario: &str,
    platform: Platform,
    standing: &UseStateSetter<Standing>,
    lang: Lang,
) -> Result<Option<Report>, ServeError> {
    let id = server.start(scenario, platform).await?;
    loop {
        let Job { state, elapsed_s, total_s, report, error } = server.job(&id).await?;
        match (state, report) {
            (State::Running, _) => standing.set(Standing::Running { id: id.clone(), elapsed_s, total_s }),
            (State::Completed, Some(report)) => return Ok(Some(report)),
            (State::Cancelled, _) => return Ok(None),
            (State::Completed | State::Failed, _) => {
                let reason = error.unwrap_or_else(|| say(lang, Native::DropEmpty).to_owned());
                return Err(ServeError::Said(reason));
            }
        }
        TimeoutFuture::new(ASK_MS).await;
    }
}

fn in_words(lang: Lang, error: ServeError) -> String {
    match error {
        ServeError::Gone => say(lang, Native::ServeGone).replace('`', ""),
        ServeError::Token => say(lang, Native::TokenRefused).replace('`', ""),
        ServeError::Said(reason) => reason,
    }
}
