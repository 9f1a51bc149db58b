//! The stage of chains: who does what until a program runs, and which processes are there meanwhile and after.

use std::rc::Rc;

use catamaran_report::process::{INIT, PROGRAM, Stays};
use catamaran_report::report::StageRow;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::{Frame, ProcessTree};
use crate::format;
use crate::i18n::{
    ChainWords, Lang, Native, chain_sentence, contract_words, ending_words, kill_words, measured_words,
    process_name, say, standing_words, stay_words, step_clock, step_words, user_words,
};
use crate::picture::{Branch, ChainFilm, MeasuredStart, Recording, maps_users};

/// Wider pictures have the steps and the tree side by side (px).
const BESIDE_PX: f64 = 700.0;
/// Between the two (px).
const GAP_PX: f64 = 20.0;

/// What a [`ChainPicture`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct ChainProps {
    /// What all parts share.
    pub(super) frame: Frame,
    /// What is drawn.
    pub(super) film: Rc<ChainFilm>,
    /// The same start as it was measured, where a native run is laid over.
    pub(super) measured: Option<Rc<MeasuredStart>>,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// The steps, the tree, and what can be ended in it.
#[component]
pub(super) fn ChainPicture(props: &ChainProps) -> Html {
    let lang = use_lang();
    let ChainProps { frame, film, measured, on_seek } = props;
    let killed = use_state_eq(|| None::<(usize, bool)>);
    {
        // Another platform has other processes.
        let killed = killed.setter();
        use_effect_with(film.clone(), move |_| killed.set(None));
    }
    let stage = film.stage_at(frame.head_ns, frame.recording.end_ns);
    let ending = killed.and_then(|(at, stopped)| film.ending(at, stopped));
    let ended = ending.clone().or_else(|| Some(vec![killed.as_ref()?.0])).unwrap_or_default();
    let beside = frame.width_px >= BESIDE_PX;
    let width_px = if beside { (frame.width_px - GAP_PX) / 2.0 } else { frame.width_px };
    let choose = {
        let (killed, on_seek, end_ns) = (killed.setter(), on_seek.clone(), frame.recording.end_ns);
        Callback::from(move |choice: Option<(usize, bool)>| {
            if choice.is_some() {
                on_seek.emit(end_ns);
            }
            killed.set(choice);
        })
    };
    html! {
        <>
            <div class={classes!("actors", beside.then_some("beside"))} data-testid="chain">
                <section aria-labelledby="chain-steps">
                    <h3 class="stage-part" id="chain-steps">{ say(lang, ChainWords::Steps) }</h3>
                    if measured.is_some() {
                        <p class="actor-heads" aria-hidden="true">
                            <span>{ say(lang, Native::Model) }</span><span>{ say(lang, Native::Machine) }</span>
                        </p>
                    }
                    <ol class={classes!("actor-steps", measured.is_some().then_some("measured"))}>
                        { for film.stages.iter().enumerate().map(|(at, row)| step(lang, film, at, row, stage, props)) }
                    </ol>
                    if let Some(measured) = measured {
                        <p class="users" data-testid="measured-start">{ measured_words(lang, measured) }</p>
                    }
                    <p class="fine">{ say(lang, ChainWords::Order) }</p>
                </section>
                <section aria-labelledby="chain-tree">
                    <p class="lane-head">
                        <strong class="stage-part" id="chain-tree">{ say(lang, ChainWords::Tree) }</strong>
                        <AskWhy tenant={0} />
                    </p>
                    if film.branches.is_empty() {
                        <p class="fine">{ say(lang, ChainWords::Nobody) }</p>
                    } else {
                        <ProcessTree film={film.clone()} {stage} {ended} {width_px} />
                        { ender(lang, film, *killed, ending.as_deref(), &choose) }
                    }
                    { users(lang, &frame.recording) }
                    <ChainTable film={film.clone()} {stage} />
                </section>
            </div>
            <Answers />
        </>
    }
}

/// A step, marked by where the play head is.
fn step(lang: Lang, film: &ChainFilm, at: usize, row: &StageRow, now: usize, props: &ChainProps) -> Html {
    let state = match at.cmp(&now) {
        std::cmp::Ordering::Less => "done",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "ahead",
    };
    let to_ns = film.changes(props.frame.recording.end_ns).get(at).copied().unwrap_or(0);
    let onclick = {
        let on_seek = props.on_seek.clone();
        Callback::from(move |_: MouseEvent| on_seek.emit(to_ns))
    };
    html! {
        <li class={classes!("actor-step", state)} data-step={row.name.clone()} data-actor={row.actor.clone()}
            aria-current={(at == now).then_some("step")} {onclick}>
            if let Some(contract) = film.contract(at) {
                <span class="contract">{ say(lang, contract_words(contract)) }</span>
            }
            <span class="actor-name">{ &row.actor }{ " " }<code>{ &row.name }</code></span>
            { match &props.measured {
                None => length(lang, "actor-length", row.length(), None, ChainWords::Unmeasured),
                Some(measured) => html! {
                    <>
                        { length(lang, "actor-length", row.length(), Some(Native::Model), ChainWords::NoFigure) }
                        { length(lang, "actor-measured", measured.lengths_s.get(at).copied().flatten(),
                            Some(Native::Machine), ChainWords::NotSeen) }
                    </>
                },
            } }
            <span class="actor-what">{ chain_sentence(lang, &row.name) }</span>
        </li>
    }
}

/// How long a step takes, by whom where there are two answers; in words where it is unknown.
fn length(
    lang: Lang,
    class: &'static str,
    length_s: Option<f64>,
    by: Option<Native>,
    unknown: ChainWords,
) -> Html {
    html! {
        <span {class}>
            if let Some(by) = by {
                <span class="visually-hidden">{ say(lang, by) }{ ": " }</span>
            }
            if let Some(length_s) = length_s {
                { format::seconds(length_s) }
            } else {
                <span aria-hidden="true">{ "–" }</span>
                <span class="visually-hidden">{ say(lang, unknown) }</span>
            }
        </span>
    }
}

/// Ends one of those who stay, and says who ends with it.
fn ender(
    lang: Lang,
    film: &Rc<ChainFilm>,
    killed: Option<(usize, bool)>,
    ending: Option<&[usize]>,
    choose: &Callback<Option<(usize, bool)>>,
) -> Html {
    let choices = choices(film);
    let onchange = {
        let (choices, choose) = (choices.clone(), choose.clone());
        Callback::from(move |event: Event| {
            let index =
                event.target_dyn_into::<HtmlSelectElement>().map_or(0, |select| select.selected_index());
            // The first option is nobody.
            let chosen = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
            choose.emit(chosen.and_then(|index| choices.get(index).copied()));
        })
    };
    let option = |choice: &(usize, bool)| {
        let name = film.branches.get(choice.0).map_or("", |branch| branch.row.name.as_str());
        html! { <option selected={killed == Some(*choice)}>{ kill_words(lang, name, choice.1) }</option> }
    };
    html! {
        <div class="ender">
            <label>{ say(lang, ChainWords::Kill) }{ " " }
                <select {onchange} data-testid="end-one">
                    <option selected={killed.is_none()}>{ say(lang, ChainWords::KillNone) }</option>
                    { for choices.iter().map(option) }
                </select>
            </label>
            <p aria-live="polite" data-testid="ended">{ killed.map(|_| ending_words(lang, film, ending)) }</p>
        </div>
    }
}

/// Who can be ended, and how: whoever stays but the program; services are stopped, too.
fn choices(film: &ChainFilm) -> Vec<(usize, bool)> {
    let stays = film.branches.iter().enumerate();
    let stays = stays.filter(|(_, branch)| branch.row.stays != Stays::Start && branch.row.name != PROGRAM);
    stays
        .flat_map(|(at, branch)| {
            let stop = branch.row.stopped_with.is_some().then_some((at, true));
            std::iter::once((at, false)).chain(stop)
        })
        .collect()
}

fn users(lang: Lang, recording: &Recording) -> Html {
    let words = |maps: bool| if maps { ChainWords::Mapped } else { ChainWords::Unmapped };
    match maps_users(&recording.report) {
        Some(maps) => html! { <p class="users" data-testid="users">{ say(lang, words(maps)) }</p> },
        None => Html::default(),
    }
}

/// What a [`ChainTable`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct TableProps {
    /// Whose rows.
    pub(super) film: Rc<ChainFilm>,
    /// Which stage it is.
    pub(super) stage: usize,
}

/// The tree as a table, for whoever reads rather than looks.
#[component]
pub(super) fn ChainTable(props: &TableProps) -> Html {
    let lang = use_lang();
    let heads =
        [ChainWords::Name, ChainWords::Parent, ChainWords::RunsAsWho, ChainWords::HowLong, ChainWords::Now];
    let row = |branch: &Branch| {
        let parent = if branch.row.parent == INIT { "init (1)" } else { branch.row.parent.as_str() };
        html! {
            <tr>
                <th scope="row">{ process_name(lang, &branch.row.name) }</th>
                <td>{ parent }</td>
                <td>{ user_words(lang, branch.row.user) }</td>
                <td>{ stay_words(lang, branch.row.stays) }</td>
                <td>{ standing_words(lang, props.film.standing(branch, props.stage)) }</td>
            </tr>
        }
    };
    html! {
        <details class="twin" data-testid="process-table">
            <summary>{ say(lang, ChainWords::AsTable) }</summary>
            <div class="table-scroll" tabindex="0" role="region" aria-label={say(lang, ChainWords::AsTable)}>
                <table>
                    <thead><tr>{ for heads.map(|head| html! { <th scope="col">{ say(lang, head) }</th> }) }</tr></thead>
                    <tbody>{ for props.film.branches.iter().map(row) }</tbody>
                </table>
            </div>
        </details>
    }
}

/// Which step it is.
pub(super) fn chain_clock(lang: Lang, film: &ChainFilm, recording: &Recording, at_ns: u64) -> String {
    step_clock(lang, film, film.stage_at(at_ns, recording.end_ns))
}

/// The same in a sentence, with who is there.
pub(super) fn describe_chain(lang: Lang, film: &ChainFilm, recording: &Recording, at_ns: u64) -> String {
    let stage = film.stage_at(at_ns, recording.end_ns);
    step_words(lang, film, stage)
}
