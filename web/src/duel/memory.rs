//! How much of the machine's memory an era holds once it serves.

use yew::prelude::*;

use crate::app::use_lang;
use crate::charts::tenant_fill;
use crate::i18n::{memory_held, memory_unknown};

/// Height of the bar (px), and the least width of what is held: what is there is seen.
const HEIGHT_PX: f64 = 14.0;
const LEAST_PX: f64 = 1.0;

/// What a [`MemoryBar`] needs.
#[derive(Properties, PartialEq)]
pub(super) struct MemoryProps {
    /// Bytes that each tenant holds, in their order, or why that is not known.
    pub(super) held: Result<Vec<u64>, String>,
    /// Memory of the machine (bytes).
    pub(super) of: u64,
    pub(super) width_px: f64,
}

/// The bar, with the same in words below it.
#[component]
pub(super) fn MemoryBar(props: &MemoryProps) -> Html {
    let lang = use_lang();
    let held = match &props.held {
        Ok(held) => held,
        Err(reason) => return html! { <p class="lane-name">{ memory_unknown(lang, reason) }</p> },
    };
    let (width, words) = (props.width_px, memory_held(lang, held.iter().sum(), props.of));
    let mut at = 0.0;
    let part = |(tenant, &bytes): (u32, &u64)| {
        let wide = (bytes as f64 / props.of.max(1) as f64 * width).max(LEAST_PX);
        let x = at;
        at += wide;
        html! {
            <rect class="run" x={format!("{x:.2}")} y="0" width={format!("{wide:.2}")} height={HEIGHT_PX.to_string()}
                fill={tenant_fill(tenant)} />
        }
    };
    let parts: Html = (0..).zip(held).map(part).collect();
    html! {
        <div class="memory-bar" data-testid="memory-bar">
            <svg class="lane still" role="img" aria-label={words.clone()} width={width.to_string()}
                height={HEIGHT_PX.to_string()} viewBox={format!("0 0 {width} {HEIGHT_PX}")}>
                <rect class="row-ground" x="0" y="0" width={width.to_string()} height={HEIGHT_PX.to_string()} />
                { parts }
            </svg>
            <span class="lane-name" aria-hidden="true">{ words }</span>
        </div>
    }
}
