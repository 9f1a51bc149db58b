//! `container`: namespaces, a root of its own and control groups together. Once it runs, a container is its groups: the
//! kernel schedules its threads exactly as under `cgroups`, and isolation costs nothing that is seen in a second.

use catamaran_scenario::Calibration;
use catamaran_scenario::plan::Tenant;

use super::{CpuClaim, cgroups};

pub(super) fn claim(tenant: &Tenant, calibration: &Calibration) -> CpuClaim {
    cgroups::claim(tenant, calibration)
}
