//! The stage of servers: the bill, how busy each is, the cores over the day.

use std::rc::Rc;

use catamaran_scenario::Plan;
use yew::prelude::*;

use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::{Axis, Frame, Gantt, ServerBar, Swatch};
use crate::format;
use crate::i18n::{self, Lang, Servers, counted_servers, dollars, say, server_words, watts};
use crate::picture::{Recording, ServerUse, servers};

/// What a [`ServersPicture`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct ServersProps {
    /// What all lanes share.
    pub(super) frame: Frame,
    /// The server of each tenant, by index.
    pub(super) places: Rc<Vec<u32>>,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// The server of each tenant of a plan, in the order of its instances.
pub(super) fn places(plan: &Plan) -> Vec<u32> {
    plan.instances().filter_map(|(index, _)| plan.tenants().get(index)).map(|tenant| tenant.node).collect()
}

/// The three parts.
#[component]
pub(super) fn ServersPicture(props: &ServersProps) -> Html {
    let lang = use_lang();
    let ServersProps { frame, places, on_seek } = props;
    let recording = &frame.recording;
    let bar = |server: &ServerUse| {
        let label = words(lang, recording, places, server);
        html! {
            <div class="lane-box" data-testid={format!("server-{}", server.node)} data-bought={server.bought.to_string()}>
                <span class="lane-name" aria-hidden="true">{ &label }</span>
                <ServerBar server={server.clone()} width_px={frame.width_px} label={label.clone()} />
            </div>
        }
    };
    html! {
        <>
            <h3 class="stage-part">{ say(lang, Servers::Bill) }</h3>
            { bill(lang, recording) }
            <ul class="legend" aria-label={say(lang, i18n::Player::Tenants)}>
                { for (0..recording.report.tenants.len() as u32).map(|tenant| html! {
                    <li><Swatch {tenant} /><span class="tenant-name">{ recording.name(tenant) }</span>
                        <span class="tenant-state">{ p99(recording, tenant) }</span><AskWhy {tenant} /></li>
                }) }
            </ul>
            <Answers />
            <h3 class="stage-part">{ say(lang, Servers::Shares) }</h3>
            <div class="lanes bars">{ for servers(recording, places, 0, frame.head_ns).iter().map(bar) }</div>
            <h3 class="stage-part">{ say(lang, Servers::Now) }</h3>
            <div class="lanes">
                <Axis frame={frame.clone()} label={say(lang, i18n::Player::TimeAxis)} on_seek={on_seek.clone()} />
                <Gantt frame={frame.clone()} on_seek={on_seek.clone()} />
            </div>
        </>
    }
}

fn p99(recording: &Recording, tenant: u32) -> String {
    let value = recording.report.value(&format!("tenant.{}.latency_s.p99", recording.name(tenant)));
    value.map(|seconds| format!("p99 {}", format::seconds(seconds))).unwrap_or_default()
}

/// What the whole run costs, whatever the play head says.
fn bill(lang: Lang, recording: &Recording) -> Html {
    let value = |path: &str, write: fn(f64) -> String| {
        recording.report.value(path).map_or_else(|| say(lang, Servers::Unknown).to_owned(), write)
    };
    // One of the reference size has nothing to be said of it.
    let counted = recording
        .report
        .host
        .reference_servers
        .map(|servers| (Servers::Counted, counted_servers(lang, servers)));
    let rows = [
        (Servers::Bought, value("host.servers", |servers| format!("{servers:.0}"))),
        (Servers::Busy, value("host.cpu_utilisation", format::percent)),
        (Servers::Watts, value("host.watts", watts)),
        (Servers::Dollars, value("host.usd_per_h", dollars)),
        (Servers::Slowest, value("tenants.greatest.latency_s.p99", format::seconds)),
    ];
    html! {
        <dl class="bill" data-testid="bill">
            { for counted.into_iter().chain(rows).map(|(name, figure)| html! {
                <div><dt>{ say(lang, name) }</dt><dd>{ figure }</dd></div>
            }) }
        </dl>
    }
}

fn words(lang: Lang, recording: &Recording, places: &[u32], server: &ServerUse) -> String {
    let own = (0_u32..).zip(places).filter(|(_, place)| **place == server.node);
    let names: Vec<String> = own.map(|(tenant, _)| recording.name(tenant)).collect();
    server_words(lang, server.node, &names, server.busy())
}

/// How busy each server has been until that instant.
pub(super) fn describe_servers(lang: Lang, recording: &Recording, places: &[u32], at_ns: u64) -> String {
    let found = servers(recording, places, 0, at_ns);
    let parts: Vec<String> = found.iter().map(|server| words(lang, recording, places, server)).collect();
    format!("{}. {}.", format::instant(at_ns), parts.join("; "))
}
