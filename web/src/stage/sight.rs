//! Who sees what: the machine outside, each tenant's view inside, what is hidden shown as hidden.

use std::rc::Rc;

use catamaran_report::timeline::View;
use yew::prelude::*;

use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::Swatch;
use crate::i18n::{Lang, Sight as Words, inside_of, process_words, say, sight_summary, thing_words};
use crate::picture::Recording;
use crate::picture::sight::{Group, inside, is_there, outside};

/// What a [`Sight`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct SightProps {
    /// What is drawn.
    pub(super) recording: Rc<Recording>,
    /// Play head (ns).
    pub(super) head_ns: u64,
}

/// The panels side by side.
#[component]
pub(super) fn Sight(props: &SightProps) -> Html {
    let lang = use_lang();
    let (recording, at_ns) = (&props.recording, props.head_ns);
    let tenants = 0..recording.report.tenants.len() as u32;
    html! {
        <>
        <div class="sight" data-testid="sight">
            <section class="panel" aria-labelledby="sight-outside" data-testid="sight-outside">
                <h3 id="sight-outside">{ say(lang, Words::Outside) }</h3>
                { for outside(recording, at_ns).iter().map(|group| resource(lang, group, None)) }
            </section>
            { for tenants.map(|tenant| panel(lang, recording, tenant, at_ns)) }
        </div>
        <Answers />
        </>
    }
}

/// What one tenant sees.
fn panel(lang: Lang, recording: &Recording, tenant: u32, at_ns: u64) -> Html {
    let name = recording.name(tenant);
    let id = format!("sight-{name}").replace('/', "-");
    html! {
        <section class="panel inside" aria-labelledby={id.clone()} data-testid={id.clone()}>
            <h3 {id}><Swatch {tenant} />{ inside_of(lang, &name) }</h3>
            <AskWhy {tenant} />
            if is_there(recording, tenant, at_ns) {
                { for inside(recording, tenant, at_ns).iter().map(|group| resource(lang, group, Some(tenant))) }
            } else {
                <p class="empty">{ say(lang, Words::NotStarted) }</p>
            }
        </section>
    }
}

/// The things of one resource; `observer` is nobody on the machine itself, to which all is open.
fn resource(lang: Lang, group: &Group<'_>, observer: Option<u32>) -> Html {
    let class = format!("things {}", group.resource);
    html! {
        <div class="resource">
            <h4>{ say(lang, title(group.resource)) }</h4>
            <ul {class}>{ for group.things.iter().map(|view| thing(lang, view, observer.is_some())) }</ul>
        </div>
    }
}

fn title(resource: &str) -> Words {
    match resource {
        "process" => Words::Processes,
        "file" => Words::Files,
        "mount" => Words::Mounts,
        "host-name" => Words::HostName,
        "network" => Words::Network,
        "user" => Words::Users,
        "ipc" => Words::Ipc,
        _ => Words::Cgroups,
    }
}

fn thing(lang: Lang, view: &View, from_inside: bool) -> Html {
    let hidden = from_inside && !view.seen;
    let out_of_reach = from_inside && view.reach == Some(false);
    let class = classes!(
        "thing",
        hidden.then_some("is-hidden"),
        (from_inside && view.own).then_some("is-own"),
        (from_inside && !view.own && !hidden).then_some("is-machines"),
    );
    let (name, state) = match view.resource.as_str() {
        "process" => process_words(lang, view, from_inside),
        _ => thing_words(lang, view, from_inside),
    };
    html! {
        <li {class} data-thing={view.thing.clone()} data-seen={(!hidden).to_string()}
            data-reach={view.reach.map(|_| (!out_of_reach).to_string())}>
            <span class="thing-name">{ name }</span>
            if !state.is_empty() {
                // Of many small things the stroke says it to the eye.
                <span class={classes!("thing-state", (view.resource == "file").then_some("visually-hidden"))}>{ state }</span>
            }
        </li>
    }
}

/// The same in a sentence for each tenant.
pub(super) fn describe_sight(lang: Lang, recording: &Recording, at_ns: u64) -> String {
    let tenants = 0..recording.report.tenants.len() as u32;
    tenants.map(|tenant| sight_summary(lang, recording, tenant, at_ns)).collect::<Vec<_>>().join(" ")
}
