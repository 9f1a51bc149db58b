//! What guests of one host can have in common, and give back.
//!
//! **Law.** Guests with the same kernel hold its image (code, tables, what it keeps at its start) once each, page by page equal; a
//! page that a guest was given and does not use holds zeros. ksmd looks at 100 pages every 20 ms, and keeps a record for
//! each page frame. A host takes unused memory back from its guests when it has less than 4 % left, until it has 6 %.
//!
//! **Source.** Linux `Documentation/admin-guide/mm/ksm.rst` (`pages_to_scan`, `sleep_millisecs`: defaults), `mm/ksm.c`; FC-MEM-4:
//! what a guest's kernel keeps beyond 64 bytes for each page is its image; ESX-1 for the records, ESX-6 for the bounds (there
//! the policy is that of a hypervisor of type 1; virtio-balloon has none of its own, its management has).
//!
//! **Where the model is wrong.** The part of a kernel's image that it writes to differs from guest to guest; files that guests read
//! from equal images would be equal too. What ksmd takes of the CPU for a page nobody has published.

use catamaran_scenario::plan::PlatformSettings;

use super::figures::{ESX_1, ESX_6, FC_MEM_4};
use crate::resources::memory::Balloon;

/// `pages_to_scan`.
const PAGES_TO_SCAN: u64 = 100;
/// `sleep_millisecs` (ns).
const SLEEP_NS: u64 = 20_000_000;
/// MiB of the guest of FC-MEM-4 with the least memory.
const LEAST_MIB: f64 = 128.0;
/// Pages of memory for each that its structures take: 4096 bytes to 64.
const PAGES_PER_KEPT: f64 = 64.0;
const MIB: f64 = 1_048_576.0;

/// The image of a guest's kernel (bytes).
pub(crate) const KERNEL_IMAGE: u64 =
    ((LEAST_MIB - FC_MEM_4.value(0) - LEAST_MIB / PAGES_PER_KEPT) * MIB) as u64;

/// Pages that ksmd looks at in so long (ns), whole sleeps.
pub(crate) const fn scanned_in(ns: u64) -> u64 {
    ns / SLEEP_NS * PAGES_TO_SCAN
}

/// What the records of all page frames take (bytes), where the host looks for equal pages.
pub(crate) fn records_bytes(settings: &PlatformSettings, frames: u64) -> u64 {
    if settings.page_sharing == Some(true) { frames.saturating_mul(ESX_1.value(1) as u64) } else { 0 }
}

/// When a host asks its guests for memory, and how much.
pub(crate) fn balloon(settings: &PlatformSettings) -> Option<Balloon> {
    let share = |percent: f64| percent / 100.0;
    let balloon = Balloon { below: share(ESX_6.value(1)), until: share(ESX_6.value(0)) };
    (settings.balloon == Some(true)).then_some(balloon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_thousand_pages_a_second() {
        assert_eq!(
            (scanned_in(1_000_000_000), scanned_in(100_000_000), scanned_in(19_999_999)),
            (5000, 500, 0)
        );
    }

    #[test]
    fn a_kernels_image_is_what_it_keeps_whatever_the_guest_has() {
        // Of 128, 256 and 1024 MiB.
        for (index, mib) in [128.0, 256.0, 1024.0].into_iter().enumerate() {
            let image = mib - FC_MEM_4.value(index) - mib / PAGES_PER_KEPT;
            assert!((image * MIB - KERNEL_IMAGE as f64).abs() < 2.0, "{mib} MiB: {image}");
        }
    }
}
