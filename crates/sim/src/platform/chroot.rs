//! `chroot`: a root directory of one's own, and nothing else: threads compete as on a plain machine.

use catamaran_scenario::Calibration;
use catamaran_scenario::plan::Tenant;

use super::{CpuClaim, without_limits};

pub(super) fn claim(tenant: &Tenant, _: &Calibration) -> CpuClaim {
    without_limits(tenant, "chroot has no limits and no weights")
}
