//! The stage of layers: the image as a pile, and what of it comes over the link.

use std::rc::Rc;

use yew::prelude::*;

use super::asked::{Answers, AskWhy};
use crate::app::use_lang;
use crate::charts::{Axis, Frame, LayerLanes, Swatch};
use crate::i18n::{self, Lang, Layers, coming_word, layer_words, megabytes, pile_words, say};
use crate::picture::{Coming, LayerView, Pile, Recording};

/// What a [`LayersPicture`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct LayersProps {
    /// What all lanes share.
    pub(super) frame: Frame,
    /// The images.
    pub(super) piles: Rc<Vec<Pile>>,
    /// Told the instant (ns) that was pointed at.
    pub(super) on_seek: Callback<u64>,
}

/// A pile for each tenant, and the lanes of what comes.
#[component]
pub(super) fn LayersPicture(props: &LayersProps) -> Html {
    let lang = use_lang();
    let LayersProps { frame, piles, on_seek } = props;
    let lanes = |pile: &Pile| {
        let layers: Vec<LayerView> =
            pile.layers.iter().filter(|layer| layer.pull.is_some()).cloned().collect();
        let name = frame.recording.name(pile.tenant);
        let label = pile_words(lang, &name, pile);
        html! {
            <>
                <p class="lane-head"><span class="lane-name">{ &label }</span><AskWhy tenant={pile.tenant} /></p>
                if layers.is_empty() {
                    <p class="fine">{ say(lang, Layers::Nothing) }</p>
                } else {
                    <LayerLanes frame={frame.clone()} {layers} label={label.clone()} on_seek={on_seek.clone()} />
                }
            </>
        }
    };
    html! {
        <>
            <h3 class="stage-part">{ say(lang, Layers::Pile) }</h3>
            <div class="image-piles">{ for piles.iter().map(|pile| heap(lang, &frame.recording, pile, frame.head_ns)) }</div>
            <h3 class="stage-part">{ say(lang, Layers::Lanes) }</h3>
            <ul class="legend">
                <li><Swatch tenant={0} /><span>{ say(lang, Layers::Pull) }</span></li>
                <li><Swatch tenant={2} /><span>{ say(lang, Layers::Unpack) }</span></li>
            </ul>
            <div class="lanes">
                <Axis frame={frame.clone()} label={say(lang, i18n::Player::TimeAxis)} on_seek={on_seek.clone()} />
                { for piles.iter().map(lanes) }
            </div>
            <Answers />
        </>
    }
}

fn heap(lang: Lang, recording: &Recording, pile: &Pile, at_ns: u64) -> Html {
    let most = pile.layers.iter().map(|layer| layer.bytes).max().unwrap_or(1).max(1);
    let layer = |layer: &LayerView| {
        let state = layer.at(at_ns);
        let share = format!("width:{:.1}%", 100.0 * layer.bytes as f64 / most as f64);
        let class = match state {
            Coming::There => "there",
            Coming::Ahead => "ahead",
            Coming::Flowing | Coming::Fetched => "coming",
            Coming::Ready => "ready",
        };
        html! {
            <li class={classes!("layer", class)} data-layer={layer.id.clone()} data-comes={layer.pull.is_some().to_string()}>
                <span class="layer-size" style={share} aria-hidden="true"></span>
                <code>{ &layer.id }</code>
                <span>{ megabytes(layer.bytes) }</span>
                <span>{ say(lang, coming_word(state)) }</span>
            </li>
        }
    };
    html! {
        <section aria-label={recording.name(pile.tenant)} data-testid={format!("pile-{}", recording.name(pile.tenant))}>
            <ol class="image-pile" reversed=true>{ for pile.layers.iter().rev().map(layer) }</ol>
        </section>
    }
}

/// How each layer stands at that instant.
pub(super) fn describe_layers(lang: Lang, recording: &Recording, piles: &[Pile], at_ns: u64) -> String {
    let of = |pile: &Pile| {
        let layers: Vec<String> = pile.layers.iter().map(|layer| layer_words(lang, layer, at_ns)).collect();
        format!("{}. {}", pile_words(lang, &recording.name(pile.tenant), pile), layers.join("; "))
    };
    format!("{}. {}.", crate::format::instant(at_ns), piles.iter().map(of).collect::<Vec<_>>().join(". "))
}
