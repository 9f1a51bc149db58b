//! Tenants differ by colour and by pattern, so that nobody needs to tell colours apart.

use yew::prelude::*;

/// How many colours there are (`--tenant-0` and so on, in web/styles/tokens.css), and as many patterns.
pub(super) const COLOURS: u32 = 8;

/// How many looks there are: each colour with two patterns. Further tenants begin again.
const LOOKS: u32 = 2 * COLOURS;

/// What a tenant's shapes are filled with.
#[must_use]
pub fn tenant_fill(tenant: u32) -> String {
    format!("url(#tenant-{})", tenant % LOOKS)
}

/// The patterns, once in the page; every chart refers to them.
#[component]
pub fn Patterns() -> Html {
    html! {
        <svg id="patterns" width="0" height="0" aria-hidden="true" focusable="false">
            <defs>
                { for (0..LOOKS).map(tenant_pattern) }
                <pattern id="stopped" patternUnits="userSpaceOnUse" width="7" height="7" patternTransform="rotate(45)">
                    <rect class="stopped-ground" width="7" height="7" />
                    <rect class="stopped-stripe" width="2.5" height="7" />
                </pattern>
            </defs>
        </svg>
    }
}

fn tenant_pattern(look: u32) -> Html {
    let (colour, round) = (look % COLOURS, look / COLOURS);
    // The second time each colour has its neighbour's pattern.
    let marks = match (colour + round) % COLOURS {
        1 => html! { <path class="mark-line" d="M-2 10 L10 -2 M4 16 L16 4" /> },
        2 => {
            html! { <><circle class="mark-dot" cx="3" cy="3" r="1.5" /><circle class="mark-dot" cx="9" cy="9" r="1.5" /></> }
        }
        3 => html! { <path class="mark-line" d="M0 6 H12" /> },
        4 => html! { <path class="mark-line" d="M6 0 V12 M0 6 H12" /> },
        5 => html! { <path class="mark-line" d="M-2 2 L10 14 M4 -4 L16 8" /> },
        6 => html! { <path class="mark-line" d="M6 0 V12" /> },
        7 => html! { <circle class="mark-line" cx="6" cy="6" r="3.2" /> },
        _ => Html::default(),
    };
    html! {
        <pattern id={format!("tenant-{look}")} patternUnits="userSpaceOnUse" width="12" height="12">
            <rect class={format!("ground-{colour}")} width="12" height="12" />
            { marks }
        </pattern>
    }
}

/// What a [`Swatch`] needs.
#[derive(Properties, PartialEq)]
pub struct SwatchProps {
    /// Index of the tenant.
    pub tenant: u32,
}

/// A little square that looks like the tenant's shapes.
#[component]
pub fn Swatch(props: &SwatchProps) -> Html {
    html! {
        <svg class="swatch" width="18" height="18" aria-hidden="true" focusable="false">
            <rect class="run" x="0.5" y="0.5" width="17" height="17" rx="4" fill={tenant_fill(props.tenant)} />
        </svg>
    }
}
