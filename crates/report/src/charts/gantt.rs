//! Who is on which core, when, what becomes of a guest's cores, and who is stopped by a quota.

use std::collections::BTreeSet;
use std::ops::Range;

use catamaran_scenario::Lang;

use super::axis::round_step;
use super::canvas::{Anchor, Canvas, ChartError, Drawn, Ink, Size, svg};
use crate::timeline::Timeline;

const WIDTH: i32 = 1200;
const MARGIN: i32 = 36;
const LABELS: i32 = 150;
const HEAD: i32 = 92;
const LANE: i32 = 34;
const BAR: i32 = 24;
const FOOT: i32 = 56;

/// The window `window_ns` of a timeline as an SVG: a lane for each core, then one for each virtual CPU that runs or is stolen
/// in it, then one for each tenant that is throttled in it. `tenants` are the labels of `Report::tenants`, which the timeline's indices mean.
///
/// # Errors
/// [`ChartError`] where plotters fails.
pub fn gantt(
    lang: Lang,
    timeline: &Timeline,
    tenants: &[String],
    window_ns: Range<u64>,
) -> Result<String, ChartError> {
    let start_ns = window_ns.start.min(u64::MAX - 1);
    let view = View { start_ns, end_ns: window_ns.end.max(start_ns + 1) };
    let throttled = throttled_tenants(timeline, &view);
    let vcpus = vcpus(timeline, &view);
    let lanes = timeline.cores as i32 + (vcpus.len() + throttled.len()) as i32;
    let height = HEAD + lanes * LANE + FOOT;
    let (title, description) = words(lang, timeline, &view);
    svg((WIDTH as u32, height as u32), &title, &description, |canvas| {
        canvas.text((MARGIN, 36), &title, Ink::Text, Size::Title, Anchor::Start)?;
        legend(canvas, tenants)?;
        draw_time(canvas, &view, HEAD + lanes * LANE)?;
        for core in 0..timeline.cores {
            draw_core(canvas, lang, timeline, &view, core)?;
        }
        for (index, &vcpu) in vcpus.iter().enumerate() {
            let top = HEAD + (timeline.cores as i32 + index as i32) * LANE;
            draw_vcpu(canvas, timeline, &view, (vcpu, tenants), top)?;
        }
        for (index, tenant) in throttled.iter().enumerate() {
            let top = HEAD + (timeline.cores as i32 + (vcpus.len() + index) as i32) * LANE;
            draw_throttles(canvas, lang, timeline, &view, (*tenant, tenants), top)?;
        }
        Ok(())
    })
}

/// A window of time over the pixels of a lane.
struct View {
    start_ns: u64,
    end_ns: u64,
}

impl View {
    fn shows(&self, start_ns: u64, end_ns: u64) -> bool {
        start_ns < self.end_ns && end_ns > self.start_ns
    }

    fn x(&self, at_ns: u64) -> i32 {
        let (left, right) = (MARGIN + LABELS, WIDTH - MARGIN);
        let inside = at_ns.clamp(self.start_ns, self.end_ns) - self.start_ns;
        let share = inside as f64 / (self.end_ns - self.start_ns) as f64;
        left + (share * f64::from(right - left)).round() as i32
    }
}

fn words(lang: Lang, timeline: &Timeline, view: &View) -> (String, String) {
    let (from, to) = (milliseconds(view.start_ns), milliseconds(view.end_ns));
    let cores = timeline.cores;
    match lang {
        Lang::En => (
            format!("Who runs where, {from} to {to} ms"),
            format!("Gantt chart of {cores} cores from {from} ms to {to} ms of the run."),
        ),
        Lang::Ko => (
            format!("누가 어디에서 실행되는가, {from}–{to} ms"),
            format!("실행 {from} ms부터 {to} ms까지 코어 {cores}개의 간트 차트예요."),
        ),
    }
}

fn milliseconds(ns: u64) -> String {
    let text = format!("{:.3}", ns as f64 / 1e6);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn legend(canvas: &Canvas, tenants: &[String]) -> Drawn {
    let step = (WIDTH - 2 * MARGIN) / (tenants.len() as i32).max(5);
    for (index, tenant) in tenants.iter().enumerate() {
        let left = MARGIN + index as i32 * step;
        canvas.rectangle((left, 60), (left + 14, 74), Ink::Tenant(index as u32), 1.0)?;
        canvas.text((left + 20, 67), tenant, Ink::Text, Size::Body, Anchor::Start)?;
    }
    Ok(())
}

fn draw_time(canvas: &Canvas, view: &View, bottom: i32) -> Drawn {
    let step_ns = round_step((view.end_ns - view.start_ns) as f64, 10).max(1.0) as u64;
    let mut tick = view.start_ns.checked_next_multiple_of(step_ns).unwrap_or(u64::MAX);
    while tick <= view.end_ns {
        let x = view.x(tick);
        canvas.line((x, HEAD), (x, bottom + 6), Ink::Grid, 1)?;
        canvas.text((x, bottom + 18), &milliseconds(tick), Ink::Muted, Size::Small, Anchor::Middle)?;
        let Some(next) = tick.checked_add(step_ns) else { break };
        tick = next;
    }
    canvas.text((WIDTH - MARGIN, bottom + 38), "ms", Ink::Muted, Size::Small, Anchor::End)
}

fn draw_core(canvas: &Canvas, lang: Lang, timeline: &Timeline, view: &View, core: u32) -> Drawn {
    let top = HEAD + core as i32 * LANE + (LANE - BAR) / 2;
    let name = match lang {
        Lang::En => format!("core {core}"),
        Lang::Ko => format!("코어 {core}"),
    };
    canvas.text((MARGIN, top + BAR / 2), &name, Ink::Text, Size::Body, Anchor::Start)?;
    let on_core = timeline.slices.iter().filter(|slice| slice.core == core);
    let spans = on_core.map(|slice| (slice.start_ns, slice.end_ns, slice.tenant));
    for (from, to, tenant) in bars(spans, view) {
        canvas.rectangle((from, top), (to, top + BAR), Ink::Tenant(tenant), 1.0)?;
    }
    Ok(())
}

/// Spans (from, to, tenant) in pixels: neighbours of the same tenant that touch are one bar, and what is thinner than a pixel
/// goes to the tenant that came first, so that a window of any length gives no more bars than pixels.
fn bars(spans: impl Iterator<Item = (u64, u64, u32)>, view: &View) -> Vec<(i32, i32, u32)> {
    let mut bars: Vec<(i32, i32, u32)> = Vec::new();
    for (start_ns, end_ns, tenant) in spans.filter(|span| view.shows(span.0, span.1)) {
        let (from, to) = (view.x(start_ns), view.x(end_ns));
        match bars.last_mut() {
            Some(last) if last.2 == tenant && from <= last.1 => last.1 = to.max(last.1),
            Some(last) if from < last.1 => {
                if to > last.1 {
                    let from = last.1;
                    bars.push((from, to, tenant));
                }
            }
            _ => bars.push((from, to.max(from + 1), tenant)),
        }
    }
    bars
}

/// (tenant, virtual CPU) of those that are not halted all the time.
fn vcpus(timeline: &Timeline, view: &View) -> Vec<(u32, u32)> {
    let seen = timeline.guests.iter().filter(|slice| view.shows(slice.start_ns, slice.end_ns));
    let seen: BTreeSet<_> = seen.map(|slice| (slice.tenant, slice.vcpu)).collect();
    seen.into_iter().collect()
}

/// A virtual CPU: full where it runs, pale where it is stolen, blank where it is halted.
fn draw_vcpu(
    canvas: &Canvas,
    timeline: &Timeline,
    view: &View,
    ((tenant, vcpu), names): ((u32, u32), &[String]),
    lane_top: i32,
) -> Drawn {
    let top = lane_top + (LANE - BAR) / 2;
    let name = names.get(tenant as usize).map_or("?", String::as_str);
    canvas.text(
        (MARGIN, top + BAR / 2),
        &format!("{name} vCPU {vcpu}"),
        Ink::Text,
        Size::Body,
        Anchor::Start,
    )?;
    for (runs, ink, opacity) in [(true, Ink::Tenant(tenant), 1.0), (false, Ink::Throttle, 0.25)] {
        let own = timeline.guests.iter().filter(|slice| (slice.tenant, slice.vcpu) == (tenant, vcpu));
        let own = own.filter(|slice| slice.thread.is_some() == runs);
        for (from, to, _) in bars(own.map(|slice| (slice.start_ns, slice.end_ns, tenant)), view) {
            canvas.rectangle((from, top), (to, top + BAR), ink, opacity)?;
        }
    }
    Ok(())
}

fn throttled_tenants(timeline: &Timeline, view: &View) -> Vec<u32> {
    let mut tenants: Vec<u32> = timeline
        .throttles
        .iter()
        .filter(|throttle| view.shows(throttle.start_ns, throttle.end_ns))
        .map(|throttle| throttle.tenant)
        .collect();
    tenants.sort_unstable();
    tenants.dedup();
    tenants
}

fn draw_throttles(
    canvas: &Canvas,
    lang: Lang,
    timeline: &Timeline,
    view: &View,
    (tenant, names): (u32, &[String]),
    lane_top: i32,
) -> Drawn {
    let top = lane_top + (LANE - BAR) / 2;
    let name = names.get(tenant as usize).map_or("?", String::as_str);
    let label = match lang {
        Lang::En => format!("{name} throttled"),
        Lang::Ko => format!("{name} 스로틀링"),
    };
    canvas.text((MARGIN, top + BAR / 2), &label, Ink::Text, Size::Body, Anchor::Start)?;
    let of_tenant = timeline.throttles.iter().filter(|throttle| throttle.tenant == tenant);
    for throttle in of_tenant.filter(|throttle| view.shows(throttle.start_ns, throttle.end_ns)) {
        let (from, to) = (view.x(throttle.start_ns), view.x(throttle.end_ns));
        let to = to.max(from + 1);
        canvas.rectangle((from, top), (to, top + BAR), Ink::Throttle, 0.25)?;
        canvas.line((from, top), (from, top + BAR), Ink::Throttle, 1)?;
        canvas.line((to, top), (to, top + BAR), Ink::Throttle, 1)?;
    }
    Ok(())
}
