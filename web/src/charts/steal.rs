//! How a guest spent the time until the play head: it ran, it would have run and had no core, it was halted.

use yew::prelude::*;

use super::patterns::tenant_fill;

/// Height of a bar (px).
const BAR_PX: f64 = 18.0;

/// What a [`StealBar`] needs.
#[derive(Properties, PartialEq)]
pub struct StealBarProps {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Share of the time that it ran, 0–1.
    pub ran: f64,
    /// Share of the time that was stolen, 0–1.
    pub stolen: f64,
    /// The share that was stolen in a native run, 0–1.
    #[prop_or_default]
    pub measured: Option<f64>,
    /// Width (px).
    pub width_px: f64,
    /// The same in words.
    pub label: AttrValue,
}

/// The bar.
#[component]
pub fn StealBar(props: &StealBarProps) -> Html {
    let StealBarProps { tenant, ran, stolen, measured, width_px, label } = props;
    let px = |value: f64| format!("{value:.2}");
    let height = px(BAR_PX);
    html! {
        <svg class="lane still" role="img" aria-label={label.clone()} width={px(*width_px)} height={height.clone()}
            viewBox={format!("0 0 {width_px} {BAR_PX}")}>
            <rect class="row-ground" x="0" y="0" width={px(*width_px)} height={height.clone()} />
            <rect x="0" y="0" width={px(ran * width_px)} height={height.clone()} fill={tenant_fill(*tenant)} />
            <rect x={px(ran * width_px)} y="0" width={px(stolen * width_px)} height={height.clone()} fill="url(#stopped)" />
            if let Some(measured) = measured {
                <rect class="native-outline" x={px(ran * width_px)} y="2" width={px((measured * width_px).max(1.0))}
                    height={px(BAR_PX - 4.0)} />
            }
        </svg>
    }
}
