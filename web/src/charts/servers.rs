//! One server: which part of its cores each application used.

use yew::prelude::*;

use super::patterns::tenant_fill;
use crate::picture::ServerUse;

/// Height of a bar (px).
const BAR_PX: f64 = 20.0;

/// What a [`ServerBar`] needs.
#[derive(Properties, PartialEq)]
pub struct ServerBarProps {
    /// Which, and who used it.
    pub server: ServerUse,
    /// Width (px) of all its cores.
    pub width_px: f64,
    /// The same in words.
    pub label: AttrValue,
}

/// The bar.
#[component]
pub fn ServerBar(props: &ServerBarProps) -> Html {
    let ServerBarProps { server, width_px, label } = props;
    let px = |value: f64| format!("{value:.2}");
    let mut left = 0.0;
    let piece = |(tenant, share): &(u32, f64)| {
        let (x, width) = (left, share * width_px);
        left += width;
        html! { <rect x={px(x)} y="0" width={px(width)} height={px(BAR_PX)} fill={tenant_fill(*tenant)} /> }
    };
    html! {
        <svg class="lane still" role="img" aria-label={label.clone()} width={px(*width_px)} height={px(BAR_PX)}
            viewBox={format!("0 0 {width_px} {BAR_PX}")}>
            if server.bought {
                <rect class="row-ground" x="0" y="0" width={px(*width_px)} height={px(BAR_PX)} />
            } else {
                <rect class="not-bought" x="0.5" y="0.5" width={px((width_px - 1.0).max(0.0))} height={px(BAR_PX - 1.0)} />
            }
            { for server.shares.iter().map(piece).collect::<Vec<_>>() }
        </svg>
    }
}
