//! What makes an operation on a file shorter.

use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::plan::{Layer, Workload};

use super::Run;
use super::setting::{Advice, of};

/// Bytes of the smallest block that takes less than a larger one: a page.
const PAGE: u64 = 4096;

/// The path of the workload or phase that an operation of that number is of, and the workload.
fn work_of<'a>(run: &'a Run<'_>, tenant: usize, index: u32) -> Option<(String, &'a Workload)> {
    let planned = run.planned(tenant)?;
    let own = of(planned, "workload");
    let Workload::Phases(phases) = &planned.workload else { return Some((own, &planned.workload)) };
    let mut left = u64::from(index);
    for (number, phase) in phases.iter().enumerate() {
        let Some(work) = FileWork::of(&phase.workload) else { continue };
        if left < work.operations {
            return Some((format!("{own}.phases[{number}]"), &phase.workload));
        }
        left -= work.operations;
    }
    None
}

/// Fewer operations in flight, no flush, or less in each.
pub(super) fn less_at_a_time(run: &Run<'_>, tenant: usize, index: u32) -> Option<Advice> {
    let (path, workload) = work_of(run, tenant, index)?;
    let work = FileWork::of(workload)?;
    if work.depth > 1 {
        return Advice::lower(format!("{path}.depth"));
    }
    if work.flushes {
        return Advice::set(format!("{path}.fsync"), "false");
    }
    smaller_blocks(run, tenant, index)
}

/// Less in each.
pub(super) fn smaller_blocks(run: &Run<'_>, tenant: usize, index: u32) -> Option<Advice> {
    let (path, workload) = work_of(run, tenant, index)?;
    FileWork::of(workload).filter(|work| work.block_bytes > PAGE)?;
    Advice::lower(format!("{path}.block"))
}

/// A layer with less in it, of which all is copied up.
pub(super) fn smaller_layer(run: &Run<'_>, tenant: usize, index: u32) -> Option<Advice> {
    let (_, workload) = work_of(run, tenant, index)?;
    let Workload::Disk { layer: Some(layer), .. } = workload else { return None };
    let name = run.planned(tenant)?.image.as_deref();
    let (image, made_of) =
        run.plan.images().iter().enumerate().find(|(_, image)| Some(image.name.as_str()) == name)?;
    let is_it = |one: &Layer| one == layer;
    let place = made_of.layers.iter().position(is_it)?;
    Advice::lower(format!("image[{image}].layers[{place}].size"))
}
