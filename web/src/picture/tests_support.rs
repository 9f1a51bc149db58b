//! Small recordings made by hand, for tests only.

use std::collections::BTreeMap;

use catamaran_report::report::{BackendKind, HostReport, Identity, Report, SCHEMA, TenantReport};
use catamaran_report::timeline::{Slice, Timeline};
use catamaran_scenario::Platform;

use super::Recording;

pub(crate) fn slice(core: u32, tenant: u32, start_ns: u64, end_ns: u64) -> Slice {
    Slice { core, tenant, thread: 0, start_ns, end_ns }
}

pub(crate) fn report() -> Report {
    Report {
        schema: SCHEMA.into(),
        scenario: "by-hand".into(),
        platform: Platform::Cgroups,
        backend: BackendKind::Simulated,
        seed: 7,
        trial: 0,
        elapsed_s: 1e-6,
        tenants: vec![TenantReport::blank("web", 0), TenantReport::blank("batch", 0)],
        host: HostReport::blank(),
        isolation: Vec::new(),
        processes: Vec::new(),
        samples: None,
        events: Vec::new(),
        identity: Identity {
            scenario_digest: "d".into(),
            engine: "by hand".into(),
            calibration_digest: None,
            machine: Some(BTreeMap::new()),
        },
    }
}

pub(crate) fn recording(slices: &[Slice]) -> Recording {
    let mut slices = slices.to_vec();
    slices.sort_by_key(|slice| (slice.start_ns, slice.core));
    Recording::new(report(), Timeline { cores: 2, slices, ..Timeline::default() })
}
