//! The score: every era's figures side by side, each computed, with its unit; what is not known says why.

use catamaran_scenario::Calibration;
use yew::prelude::*;

use super::figures::{Blast, Figure, Figures};
use super::settings::ERAS;
use super::state::Era;
use crate::app::use_lang;
use crate::format;
use crate::i18n::{Duel, Lang, computed_from, era_name, failed_of, say, shares, who_failed};

/// What a [`Score`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct ScoreProps {
    /// In the order of [`ERAS`].
    pub(super) eras: [Era; 3],
}

/// A figure as it is shown: in large, and in small what is to be said with it.
type Shown = (String, String);

/// A row: name, unit, and how its figure of an era is shown.
type Row = (Duel, Duel, fn(Lang, &Figures) -> Figure<Shown>);

const ROWS: [Row; 6] = [
    (Duel::Density, Duel::DensityUnit, density),
    (Duel::Latency, Duel::LatencyUnit, latency),
    (Duel::Boot, Duel::BootUnit, boot),
    (Duel::Idle, Duel::IdleUnit, idle),
    (Duel::Crash, Duel::CrashUnit, crash),
    (Duel::Cost, Duel::CostUnit, cost),
];

/// How each row comes about.
const HOW: [(Duel, Duel); 7] = [
    (Duel::Density, Duel::HowDensity),
    (Duel::Latency, Duel::HowLatency),
    (Duel::Boot, Duel::HowBoot),
    (Duel::Idle, Duel::HowIdle),
    (Duel::Leak, Duel::HowLeak),
    (Duel::Crash, Duel::HowCrash),
    (Duel::Cost, Duel::HowCost),
];

/// The table.
#[component]
pub(super) fn Score(props: &ScoreProps) -> Html {
    let lang = use_lang();
    let reports = props.eras.iter().filter_map(|era| era.bench.recording());
    let seed = reports.map(|recording| recording.report.seed).next();
    let machine = Calibration::reference().machine;
    let row = |&(name, unit, show): &Row| {
        let cells = props.eras.iter().map(|era| {
            let shown = era.figures.as_ref().map(|figures| show(lang, figures));
            cell(lang, shown)
        });
        line(lang, name, unit, cells.collect())
    };
    let leaks = props.eras.iter().map(|era| cell(lang, leak(lang, era))).collect();
    html! {
        <div class="score" data-testid="score">
            <h2 id="score-title">{ say(lang, Duel::TableTitle) }</h2>
            <div class="table-scroll whole" tabindex="0" role="region" aria-labelledby="score-title">
                // The roles are those that the elements have: on a phone, where rows become grids, browsers forget them.
                <table role="table">
                    if let Some(seed) = seed {
                        <caption>{ computed_from(lang, &machine.kernel, machine.cores, seed) }</caption>
                    }
                    <thead role="rowgroup">
                        <tr role="row">
                            <th scope="col" role="columnheader">{ say(lang, Duel::What) }</th>
                            { for ERAS.map(|era| html! {
                                <th scope="col" role="columnheader">{ era_name(lang, era) }</th>
                            }) }
                        </tr>
                    </thead>
                    <tbody role="rowgroup">
                        { for ROWS.iter().take(4).map(row) }
                        { line(lang, Duel::Leak, Duel::LeakUnit, leaks) }
                        { for ROWS.iter().skip(4).map(row) }
                    </tbody>
                </table>
            </div>
            <details class="how" data-testid="how">
                <summary>{ say(lang, Duel::HowTitle) }</summary>
                <dl>
                    { for HOW.map(|(name, how)| html! { <><dt>{ say(lang, name) }</dt><dd>{ say(lang, how) }</dd></> }) }
                </dl>
            </details>
        </div>
    }
}

fn line(lang: Lang, name: Duel, unit: Duel, cells: Html) -> Html {
    html! {
        <tr role="row">
            <th scope="row" role="rowheader">{ say(lang, name) }<span class="unit">{ say(lang, unit) }</span></th>
            { cells }
        </tr>
    }
}

/// `None`: still being computed.
fn cell(lang: Lang, shown: Option<Figure<Shown>>) -> Html {
    match shown {
        None => html! { <td role="cell" class="pending">{ say(lang, Duel::Computing) }</td> },
        Some(Err(reason)) => html! {
            <td role="cell" class="unknown">{ say(lang, Duel::Unknown) }<span class="unit">{ reason }</span></td>
        },
        Some(Ok((large, small))) => html! {
            <td role="cell"><strong>{ large }</strong><span class="unit">{ small }</span></td>
        },
    }
}

fn density(_: Lang, figures: &Figures) -> Figure<Shown> {
    let fit = figures.density.clone()?;
    Ok((format::grouped(fit), format::bytes(figures.machine_bytes)))
}

fn latency(_: Lang, figures: &Figures) -> Figure<Shown> {
    let latency = figures.latency.clone()?;
    let (p50, p95) = (format::seconds(latency.p50), format::seconds(latency.p95));
    Ok((format!("p95 {p95}"), format!("p50 {p50}")))
}

fn boot(lang: Lang, figures: &Figures) -> Figure<Shown> {
    let boot = figures.boot.clone()?;
    let under = figures.accelerator.map(|accelerator| say(lang, accelerator.words()).to_owned());
    Ok((format::seconds(boot), under.unwrap_or_default()))
}

fn idle(_: Lang, figures: &Figures) -> Figure<Shown> {
    Ok((format::bytes(figures.idle.clone()?), String::new()))
}

fn crash(lang: Lang, figures: &Figures) -> Figure<Shown> {
    let blast = figures.crash.clone()?;
    let why = if blast.failed.len() > 1 { Duel::SharedKernel } else { Duel::OwnKernel };
    Ok((failed_of(lang, blast.failed.len(), blast.of), say(lang, why).to_owned()))
}

fn cost(lang: Lang, figures: &Figures) -> Figure<Shown> {
    let cost = figures.cost.clone()?;
    Ok((format::seconds(cost.machine_s), shares(lang, cost.of_cpu, cost.of_memory, cost.cpu_s)))
}

fn leak(lang: Lang, era: &Era) -> Option<Figure<Shown>> {
    let in_guest = era.figures.as_ref().is_some_and(|figures| figures.accelerator.is_some());
    let show = |blast: &Blast| {
        let mut who = who_failed(lang, &blast.failed, blast.first_s);
        if in_guest && !blast.failed.is_empty() {
            who = format!("{who}, {}", say(lang, Duel::InGuest));
        }
        (failed_of(lang, blast.failed.len(), blast.of), who)
    };
    Some(era.leak.clone()?.map(|blast| show(&blast)))
}
