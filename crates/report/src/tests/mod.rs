//! Tests across the modules of this crate, and the reports that they share.

mod advice;
mod charts;
mod closed_loop;
mod compare;
mod compare_properties;
mod json;
mod saved;
mod value;
mod why;
mod why_disk;
mod words;

use std::collections::BTreeMap;

use catamaran_scenario::Platform;

use crate::report::{BackendKind, HostReport, Identity, Report, Requests, SCHEMA, TenantReport};

/// A report of tenants that are all blank.
pub(crate) fn report(backend: BackendKind, tenants: &[(&str, u32)]) -> Report {
    Report {
        schema: SCHEMA.into(),
        scenario: "two-tenants".into(),
        platform: Platform::Cgroups,
        backend,
        seed: 7,
        trial: 0,
        elapsed_s: 20.0,
        tenants: tenants.iter().map(|(name, replica)| TenantReport::blank(name, *replica)).collect(),
        host: HostReport::blank(),
        isolation: Vec::new(),
        processes: Vec::new(),
        samples: None,
        events: Vec::new(),
        identity: Identity {
            scenario_digest: "5ca1ab1e".into(),
            engine: "test".into(),
            calibration_digest: None,
            machine: Some(BTreeMap::from([("kernel".into(), "6.18".into())])),
        },
    }
}

/// A server with these latencies (ms) among others.
pub(crate) fn requests_ms(latencies_ms: &[u64]) -> Requests {
    let mut ns: Vec<u64> = latencies_ms.iter().map(|ms| ms * 1_000_000).collect();
    Requests::from_latencies_ns(latencies_ms.len() as u64 + 1, 1, &mut ns)
}
