//! The stage of distributions: whose kernel the tenants run on, the family tree, how long releases are kept, all side by side.

use std::rc::Rc;

use catamaran_lessons::Base;
use catamaran_report::report::Sees;
use yew::prelude::*;

use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::{FamilyTree, Frame, ReleaseLanes, Swatch, YearAxis};
use crate::i18n::{FamilyWords, Lang, parts_words, releases_summary, say, tree_summary, year_clock};
use crate::picture::Recording;
use crate::picture::family::{Years, table};

/// What a [`FamilyPicture`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct FamilyProps {
    /// What all lanes share.
    pub(super) frame: Frame,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// The four parts.
#[component]
pub(super) fn FamilyPicture(props: &FamilyProps) -> Html {
    let lang = use_lang();
    let FamilyProps { frame, on_seek } = props;
    let bases = table();
    let years = Years::over(bases, frame.recording.end_ns).at(frame.head_ns);
    html! {
        <>
            <h3 class="stage-part">{ say(lang, FamilyWords::Kernels) }</h3>
            { kernels(lang, &frame.recording) }
            <Answers />
            <h3 class="stage-part">{ say(lang, FamilyWords::Tree) }</h3>
            <div class="lanes"><FamilyTree {bases} {years} width_px={frame.width_px} /></div>
            <h3 class="stage-part">{ say(lang, FamilyWords::Kept) }</h3>
            <div class="lanes">
                <YearAxis frame={frame.clone()} {bases} on_seek={on_seek.clone()} />
                <ReleaseLanes frame={frame.clone()} {bases} on_seek={on_seek.clone()} />
            </div>
        </>
    }
}

/// Userland over kernel, for each tenant; one kernel below all of those that share it.
fn kernels(lang: Lang, recording: &Rc<Recording>) -> Html {
    let tenants = 0..recording.report.tenants.len() as u32;
    let own: Vec<bool> = tenants.clone().map(|tenant| has_own_kernel(recording, tenant)).collect();
    let pile = |(tenant, own): (u32, bool)| {
        html! {
            <div class="pile" data-testid={format!("kernel-of-{}", recording.name(tenant))} data-own={own.to_string()}>
                <p class="userland"><Swatch {tenant} /><strong>{ recording.name(tenant) }</strong>
                    <span>{ say(lang, FamilyWords::Userland) }</span><AskWhy {tenant} /></p>
                if own {
                    <p class="kernel">{ say(lang, FamilyWords::OwnKernel) }</p>
                }
            </div>
        }
    };
    let below = if own.iter().any(|own| *own) { FamilyWords::HostBelow } else { FamilyWords::HostKernel };
    html! {
        <div class="kernels" data-testid="kernels">
            <div class="piles">{ for tenants.zip(own).map(pile) }</div>
            <p class="kernel host">{ say(lang, below) }</p>
        </div>
    }
}

fn has_own_kernel(recording: &Recording, tenant: u32) -> bool {
    let name = recording.name(tenant);
    let mut rows = recording.report.isolation.iter();
    rows.any(|row| row.observer == name && row.resource == "kernel" && row.sees == Sees::Own)
}

/// The table, for whoever chooses.
#[component]
pub(super) fn FamilyTable() -> Html {
    let lang = use_lang();
    let bases = table();
    let heads = [
        FamilyWords::Name,
        FamilyWords::ComesFrom,
        FamilyWords::Version,
        FamilyWords::Until,
        FamilyWords::Span,
        FamilyWords::Contract,
        FamilyWords::Libc,
        FamilyWords::Parts,
        FamilyWords::Packages,
        FamilyWords::Install,
        FamilyWords::Source,
    ];
    html! {
        <div data-testid="family-table">
            <h3 class="stage-part" id="family-table-title">{ say(lang, FamilyWords::Table) }</h3>
            <div class="table-scroll whole" tabindex="0" role="region" aria-labelledby="family-table-title">
                <table class="family-table">
                    <thead><tr>{ for heads.map(|head| html! { <th scope="col">{ say(lang, head) }</th> }) }</tr></thead>
                    <tbody>{ for bases.iter().map(|base| row(lang, bases, base)) }</tbody>
                </table>
            </div>
        </div>
    }
}

fn row(lang: Lang, bases: &'static [Base], base: &'static Base) -> Html {
    let from =
        base.from.and_then(|id| bases.iter().find(|other| other.id == id)).map_or("–", |other| other.name);
    let release = base.latest();
    let (version, until, years) = release.map_or_else(
        || (say(lang, FamilyWords::Rolling).to_owned(), "–".to_owned(), "–".to_owned()),
        |release| (release.name.to_owned(), release.to.to_string(), format!("{:.0}", release.years())),
    );
    let contract = if base.contract { FamilyWords::Needed } else { FamilyWords::NotNeeded };
    let sources = release
        .filter(|release| !base.source.contains(release.source))
        .map_or_else(|| base.source.to_owned(), |release| format!("{}, {}", base.source, release.source));
    html! {
        <tr>
            <th scope="row">{ base.name }</th>
            <td>{ from }</td>
            <td>{ version }</td>
            <td>{ until }</td>
            <td>{ years }</td>
            <td>{ say(lang, contract) }</td>
            <td>{ base.libc }</td>
            <td>{ parts_words(lang, base.parts_kib) }</td>
            <td>{ base.package }</td>
            <td><code>{ base.install }</code></td>
            <td>{ sources }</td>
        </tr>
    }
}

/// Where the play head stands in the years.
pub(super) fn family_clock(recording: &Recording, at_ns: u64) -> String {
    year_clock(table(), at_ns, recording.end_ns)
}

/// Who is there and which releases are kept.
pub(super) fn describe_family(lang: Lang, recording: &Recording, at_ns: u64) -> String {
    let bases = table();
    let years = Years::over(bases, recording.end_ns).at(at_ns);
    format!("{}. {}", tree_summary(lang, bases, years), releases_summary(lang, bases, years))
}
