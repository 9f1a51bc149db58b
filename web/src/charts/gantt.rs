//! Who is on which core, when.

use yew::prelude::*;

use super::lane::{Frame, Lane, Layer};
use super::patterns::tenant_fill;
use crate::app::use_lang;
use crate::i18n::{Lang, core_name, gantt_summary, run_title, server_name};
use crate::picture::{Column, Recording, Run, columns};

/// Runs in a chunk beyond which single ones are no longer drawn, but columns.
const MOST_RUNS: usize = 1_200;

/// Width of a column (px).
const COLUMN_PX: f64 = 3.0;

/// Narrower runs carry no name (px).
const NAMED_PX: f64 = 64.0;

/// Between two rows (px).
const ROW_GAP_PX: f64 = 5.0;

/// What a [`Gantt`] needs.
#[derive(Properties, PartialEq)]
pub struct GanttProps {
    /// What all lanes share.
    pub frame: Frame,
    /// Told the instant (ns) that was pointed at.
    pub on_seek: Callback<u64>,
}

/// The cores.
#[component]
pub fn Gantt(props: &GanttProps) -> Html {
    let lang = use_lang();
    let cores = props.frame.recording.cores.len();
    let row_px = row_height(cores);
    let height_px = cores as f64 * (row_px + ROW_GAP_PX) - ROW_GAP_PX;
    html! {
        <div class="lane-box" data-testid="gantt">
            <Lane frame={props.frame.clone()} {height_px} label={gantt_summary(lang, &props.frame)}
                on_seek={props.on_seek.clone()}>
                <GanttLayer layer={props.frame.layer()} {row_px} {lang} />
            </Lane>
            <div class="row-names" aria-hidden="true">
                { for (0..cores).map(|core| row_name(lang, &props.frame.recording, core, row_px)) }
            </div>
        </div>
    }
}

/// Few cores get tall rows.
fn row_height(cores: usize) -> f64 {
    match cores {
        0..=2 => 46.0,
        3..=4 => 32.0,
        5..=8 => 22.0,
        _ => 15.0,
    }
}

fn row_name(lang: Lang, recording: &Recording, core: usize, row_px: f64) -> Html {
    let node = recording.node_of(core).map(|node| format!(" · {}", server_name(lang, node)));
    let top = core as f64 * (row_px + ROW_GAP_PX);
    html! { <span class="row-name" style={format!("top:{top}px")}>{ core_name(lang, core) }{ node }</span> }
}

#[derive(Properties, PartialEq)]
struct GanttLayerProps {
    layer: Layer,
    row_px: f64,
    lang: Lang,
}

/// The rows; drawn once for each chunk.
#[component]
fn GanttLayer(props: &GanttLayerProps) -> Html {
    let Layer { recording, chunk, .. } = &props.layer;
    let (from_ns, to_ns) = (chunk.start_ns, chunk.end_ns());
    let runs: usize = (0..recording.cores.len()).map(|core| recording.runs(core, from_ns, to_ns).len()).sum();
    let row = |core: usize| {
        let content = if runs > MOST_RUNS { far(props, core) } else { near(props, core) };
        let top = core as f64 * (props.row_px + ROW_GAP_PX);
        let end = props.layer.scale().x(to_ns.min(recording.end_ns));
        html! {
            <g transform={format!("translate(0 {top})")}>
                <rect class="row-ground" x="0" y="0" width={format!("{end:.2}")} height={props.row_px.to_string()} />
                { content }
            </g>
        }
    };
    html! { <>{ for (0..recording.cores.len()).map(row) }</> }
}

/// Every run by itself.
fn near(props: &GanttLayerProps, core: usize) -> Html {
    let Layer { recording, chunk, .. } = &props.layer;
    let runs = recording.runs(core, chunk.start_ns, chunk.end_ns());
    html! { <>{ for runs.iter().map(|run| single(props, core, run)) }</> }
}

fn single(props: &GanttLayerProps, core: usize, run: &Run) -> Html {
    let scale = props.layer.scale();
    let x = scale.x(run.start_ns);
    let width = scale.width(run.end_ns - run.start_ns);
    let name = props.layer.recording.name(run.tenant);
    html! {
        <g>
            <rect class="run" x={format!("{x:.2}")} y="0" width={format!("{:.2}", width.max(0.4))}
                height={props.row_px.to_string()} rx={if width > 8.0 { "3" } else { "0" }} fill={tenant_fill(run.tenant)}>
                <title>{ run_title(props.lang, &name, core, run) }</title>
            </rect>
            if width > NAMED_PX && props.row_px > 20.0 {
                <g class="run-name">
                    <rect class="run-name-ground" x={format!("{:.2}", x + 4.0)} y={format!("{:.1}", props.row_px - 20.0)}
                        width={format!("{:.1}", 8.0 + 7.0 * name.chars().count() as f64)} height="16" rx="3" />
                    <text x={format!("{:.2}", x + 8.0)} y={format!("{:.1}", props.row_px - 8.0)}>{ &name }</text>
                </g>
            }
        </g>
    }
}

/// Columns whose parts are the tenants' shares: one path for each tenant.
fn far(props: &GanttLayerProps, core: usize) -> Html {
    let Layer { recording, chunk, width_px } = &props.layer;
    let width_ns = ((chunk.window_ns as f64 / width_px.max(1.0) * COLUMN_PX) as u64).max(1);
    let columns = columns(recording, core, chunk.start_ns, chunk.end_ns(), width_ns);
    let path = |tenant: usize| {
        let shape: String = columns.iter().filter_map(|column| bar(props, column, tenant)).collect();
        html! { <path class="share" d={shape} fill={tenant_fill(tenant as u32)} /> }
    };
    html! { <>{ for (0..recording.report.tenants.len()).map(path) }</> }
}

/// The tenant's part of a column: those before it stand below.
fn bar(props: &GanttLayerProps, column: &Column, tenant: usize) -> Option<String> {
    let span = (column.end_ns - column.start_ns).max(1) as f64;
    let busy = *column.busy_ns.get(tenant)?;
    if busy == 0 {
        return None;
    }
    let below: u64 = column.busy_ns.iter().take(tenant).sum();
    let height = props.row_px * busy as f64 / span;
    let top = props.row_px * (1.0 - (below + busy) as f64 / span);
    let scale = props.layer.scale();
    let (x, width) = (scale.x(column.start_ns), scale.width(column.end_ns - column.start_ns));
    Some(format!("M{x:.1} {top:.1}h{width:.1}v{height:.1}h-{width:.1}z"))
}
