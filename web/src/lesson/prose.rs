//! The lesson's prose with its figures, computed from the simulations.

use std::rc::Rc;

use catamaran_lessons::{self as lessons, Source};
use yew::prelude::*;

use crate::sim::{Bench, Library};

/// Where the figures come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figures {
    /// What is on the screen now.
    pub bench: Bench,
    /// Simulations of their own.
    pub library: Rc<Library>,
}

impl Figures {
    /// The metric at `path` of `source`.
    #[must_use]
    pub(super) fn value(&self, source: &Source, path: &str) -> Option<f64> {
        match source {
            Source::Now => self.bench.recording()?.report.value(path),
            Source::Run(run) => self.library.value(run, path),
        }
    }
}

/// What [`Prose`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct ProseProps {
    /// The text.
    pub text: lessons::Html,
    /// Where its figures come from.
    pub figures: Figures,
}

/// A text of the lesson. It was rendered from the lesson's own Markdown when this program was built; nothing that a visitor
/// typed is part of it.
#[component]
pub(super) fn Prose(props: &ProseProps) -> Html {
    let filled = props.text.fill(&mut |source, path| props.figures.value(source, path));
    html! { <div class="prose">{ Html::from_html_unchecked(filled.into()) }</div> }
}
