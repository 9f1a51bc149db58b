//! How distributions descend from one another, as a tree that grows with the play head.

use catamaran_lessons::Base;
use yew::prelude::*;

use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::i18n::tree_summary;
use crate::picture::family::{depth, root};

const ROW_PX: f64 = 42.0;
const STEP_PX: f64 = 18.0;
const LEFT_PX: f64 = 10.0;
const DOT_PX: f64 = 6.0;

/// What a [`FamilyTree`] needs.
#[derive(Properties, PartialEq)]
pub struct FamilyTreeProps {
    /// The distributions, each below the one that it comes from.
    pub bases: &'static [Base],
    /// Where the play head stands in the years.
    pub years: f64,
    /// Width (px).
    pub width_px: f64,
}

/// The tree.
#[component]
pub fn FamilyTree(props: &FamilyTreeProps) -> Html {
    let lang = use_lang();
    let FamilyTreeProps { bases, years, width_px } = *props;
    let height_px = bases.len() as f64 * ROW_PX;
    let x = |base: &Base| LEFT_PX + depth(bases, base) as f64 * STEP_PX;
    let y = |row: usize| row as f64 * ROW_PX + ROW_PX / 2.0;
    let edge = |(row, base): (usize, &'static Base)| {
        let above = base.from.and_then(|from| bases.iter().position(|other| other.id == from));
        let Some((above, parent)) = above.and_then(|at| Some((at, bases.get(at)?))) else {
            return Html::default();
        };
        let there = years >= base.first.years() && years >= parent.first.years();
        let path =
            format!("M{:.1} {:.1}V{:.1}H{:.1}", x(parent), y(above) + DOT_PX, y(row), x(base) - DOT_PX);
        html! { <path class={classes!("descent", (!there).then_some("ahead"))} d={path} /> }
    };
    let node = |(row, base): (usize, &'static Base)| {
        let there = years >= base.first.years();
        let (cx, cy) = (x(base), y(row));
        let fill = if there { tenant_fill(root(bases, base) as u32) } else { "none".to_owned() };
        html! {
            <g class={classes!("node", (!there).then_some("ahead"))} data-there={there.to_string()}>
                <circle cx={format!("{cx:.1}")} cy={format!("{cy:.1}")} r={DOT_PX.to_string()} {fill} />
                <text class="node-name" x={format!("{:.1}", cx + 12.0)} y={format!("{:.1}", cy - 3.0)}>
                    { format!("{} · {}", base.name, base.first.year) }
                </text>
                <text class="node-relation" x={format!("{:.1}", cx + 12.0)} y={format!("{:.1}", cy + 12.0)}>
                    { base.relation.get(lang) }
                </text>
            </g>
        }
    };
    html! {
        <svg class="lane still" role="img" aria-label={tree_summary(lang, bases, years)} width={format!("{width_px:.2}")}
            height={height_px.to_string()} viewBox={format!("0 0 {width_px} {height_px}")} data-testid="family-tree">
            { for bases.iter().enumerate().map(edge) }
            { for bases.iter().enumerate().map(node) }
        </svg>
    }
}
