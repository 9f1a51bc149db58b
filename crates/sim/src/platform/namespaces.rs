//! `namespaces`: each tenant sees a world of its own, and competes as on a plain machine: namespaces decide what a process
//! sees, not what it may use.

use catamaran_scenario::Calibration;
use catamaran_scenario::plan::Tenant;

use super::{CpuClaim, without_limits};

pub(super) fn claim(tenant: &Tenant, _: &Calibration) -> CpuClaim {
    without_limits(tenant, "namespaces isolate and do not limit")
}
