//! `bare-metal`: processes side by side on one operating system. All threads compete in one group; nothing is limited.

use catamaran_scenario::Calibration;
use catamaran_scenario::plan::Tenant;

use super::{CpuClaim, without_limits};

pub(super) fn claim(tenant: &Tenant, _: &Calibration) -> CpuClaim {
    without_limits(tenant, "bare-metal has no limits and no weights")
}
