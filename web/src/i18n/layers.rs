//! Texts and sentences of the picture of layers.

use catamaran_scenario::Lang;

use crate::format;
use crate::picture::{Coming, LayerView, Pile};

super::texts! {
    /// The picture of layers.
    Layers {
        Pile = "The image, its top layer first", "이미지(맨 위 레이어부터)";
        Lanes = "What comes over the link, then is unpacked", "회선으로 와서 풀리는 것";
        Pull = "fetched", "받기";
        Unpack = "unpacked", "풀기";
        There = "there already", "이미 있음";
        Ahead = "still to come", "아직 오지 않음";
        Flowing = "coming", "오는 중";
        Fetched = "fetched, not unpacked", "받았고 아직 풀지 않음";
        Ready = "unpacked", "풀었음";
        Nothing = "Nothing has to come.", "올 것이 없어요.";
    }
}

/// How a layer stands, in a word.
#[must_use]
pub fn coming_word(coming: Coming) -> Layers {
    match coming {
        Coming::There => Layers::There,
        Coming::Ahead => Layers::Ahead,
        Coming::Flowing => Layers::Flowing,
        Coming::Fetched => Layers::Fetched,
        Coming::Ready => Layers::Ready,
    }
}

/// Megabytes, as registries count them: `62 MB`.
#[must_use]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.0}\u{a0}MB", bytes as f64 / 1e6)
}

/// What an image needs to come, and when it runs.
#[must_use]
pub fn pile_words(lang: Lang, name: &str, pile: &Pile) -> String {
    let (missing, all) = (megabytes(pile.missing()), megabytes(pile.bytes()));
    let runs = pile.runs_ns.map(format::nanos);
    match (lang, runs) {
        (Lang::En, Some(runs)) => format!("{name}: {missing} of {all} have to come; it runs at {runs}"),
        (Lang::En, None) => format!("{name}: {missing} of {all} have to come"),
        (Lang::Ko, Some(runs)) => format!("{name}: {all} 가운데 {missing}가 와야 하고, {runs}에 돌아요"),
        (Lang::Ko, None) => format!("{name}: {all} 가운데 {missing}가 와야 해요"),
    }
}

/// A layer at an instant: `deps-2: 90 MB, coming`.
#[must_use]
pub fn layer_words(lang: Lang, layer: &LayerView, at_ns: u64) -> String {
    format!("{}: {}, {}", layer.id, megabytes(layer.bytes), super::say(lang, coming_word(layer.at(at_ns))))
}
