//! The processes of a start as a tree, one below the other as `ps --forest` lists them.

use catamaran_report::process::{PROGRAM, RunsAs, Stays};
use yew::prelude::*;

use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::i18n::{Lang, branch_words, process_name, standing_words};
use crate::picture::{Branch, ChainFilm, Standing};

const ROW_PX: f64 = 42.0;
const STEP_PX: f64 = 20.0;
const LEFT_PX: f64 = 12.0;
const HALF_PX: f64 = 7.0;

/// What a [`ProcessTree`] needs.
#[derive(Properties, PartialEq)]
pub struct ProcessTreeProps {
    /// Who there is.
    pub film: std::rc::Rc<ChainFilm>,
    /// Which stage it is.
    pub stage: usize,
    /// Who has been ended: places in the tree.
    pub ended: Vec<usize>,
    /// Width (px).
    pub width_px: f64,
}

/// The tree.
#[component]
pub fn ProcessTree(props: &ProcessTreeProps) -> Html {
    let lang = use_lang();
    let ProcessTreeProps { film, stage, ended, width_px } = props;
    let height_px = film.branches.len() as f64 * ROW_PX;
    let standing = |at: usize, branch: &Branch| {
        if ended.contains(&at) { Standing::Gone } else { film.standing(branch, *stage) }
    };
    let edge = |(at, branch): (usize, &Branch)| {
        let Some(above) = branch.parent.and_then(|place| Some((place, film.branches.get(place)?))) else {
            return Html::default();
        };
        let faint = [standing(at, branch), standing(above.0, above.1)]
            .iter()
            .any(|standing| matches!(standing, Standing::Ahead | Standing::Gone));
        let (from, to) = (x(above.1), x(branch));
        let path = format!("M{from:.1} {:.1}V{:.1}H{:.1}", y(above.0) + HALF_PX, y(at), to - HALF_PX);
        html! { <path class={classes!("descent", faint.then_some("ahead"))} d={path} /> }
    };
    let node =
        |(at, branch): (usize, &Branch)| node(lang, at, branch, standing(at, branch), ended.contains(&at));
    html! {
        <svg class="lane still process-tree" role="img" aria-label={tree_words(lang, film, *stage, ended)}
            width={format!("{width_px:.2}")} height={height_px.to_string()}
            viewBox={format!("0 0 {width_px} {height_px}")} data-testid="process-tree">
            { for film.branches.iter().enumerate().map(edge) }
            { for film.branches.iter().enumerate().map(node) }
        </svg>
    }
}

fn x(branch: &Branch) -> f64 {
    LEFT_PX + branch.depth as f64 * STEP_PX
}

fn y(row: usize) -> f64 {
    row as f64 * ROW_PX + ROW_PX / 2.0
}

fn node(lang: Lang, at: usize, branch: &Branch, standing: Standing, ended: bool) -> Html {
    let (cx, cy) = (x(branch), y(at));
    let fill = match (standing, branch.row.user) {
        (Standing::Ahead | Standing::Gone, _) => "none".to_owned(),
        (_, RunsAs::Root) => tenant_fill(1),
        (_, RunsAs::User) => tenant_fill(0),
    };
    let state = match standing {
        Standing::Ahead => "ahead",
        Standing::Gone => "gone",
        Standing::Acting => "acting",
        Standing::There => "there",
    };
    // A daemon is square, who comes and goes is round.
    let round = if branch.row.stays == Stays::Machine { 1.0 } else { HALF_PX };
    let (left, top, size) = (cx - HALF_PX, cy - HALF_PX, HALF_PX * 2.0);
    let weight = (branch.row.name == PROGRAM).then_some("is-program");
    html! {
        <g class={classes!("node", "process", state, weight, ended.then_some("ended"))} data-process={branch.row.name.clone()}
            data-standing={state}>
            if standing == Standing::Acting {
                <rect class="ring" x={format!("{:.1}", left - 4.0)} y={format!("{:.1}", top - 4.0)}
                    width={format!("{:.1}", size + 8.0)} height={format!("{:.1}", size + 8.0)} rx={(round + 4.0).to_string()} />
            }
            <rect class="mark" x={format!("{left:.1}")} y={format!("{top:.1}")} width={size.to_string()} height={size.to_string()}
                rx={round.to_string()} {fill} />
            if ended {
                <path class="cross" d={format!("M{left:.1} {top:.1}l{size} {size}m0 -{size}l-{size} {size}")} />
            }
            <text class="node-name" x={format!("{:.1}", cx + 16.0)} y={format!("{:.1}", cy - 2.0)}>
                { process_name(lang, &branch.row.name) }
            </text>
            <text class="node-relation" x={format!("{:.1}", cx + 16.0)} y={format!("{:.1}", cy + 13.0)}>
                { branch_words(lang, branch) }
            </text>
        </g>
    }
}

/// The same in a sentence: who is there and whose child it is.
fn tree_words(lang: Lang, film: &ChainFilm, stage: usize, ended: &[usize]) -> String {
    let of = |(at, branch): (usize, &Branch)| {
        let standing = if ended.contains(&at) { Standing::Gone } else { film.standing(branch, stage) };
        let parent = branch.parent.and_then(|place| film.branches.get(place));
        let parent = parent.map(|parent| format!(" < {}", process_name(lang, &parent.row.name)));
        format!(
            "{}{} ({}; {})",
            process_name(lang, &branch.row.name),
            parent.unwrap_or_default(),
            branch_words(lang, branch),
            standing_words(lang, standing)
        )
    };
    film.branches.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
}
