//! What a platform makes of a tenant's claims on the disk: bounds and a weight where it has limits.

use catamaran_scenario::Calibration;
use catamaran_scenario::plan::{HostDisk, Tenant};

use crate::resources::disk::Bounds;

/// The only scheduler of requests that knows the weights of control groups (`BFQ_GROUP_IOSCHED`).
const WEIGHS: &str = "bfq";
/// Largest weight that it takes (`BFQ_MAX_WEIGHT` in Linux `block/bfq-iosched.h`).
const WEIGHT_MOST: u32 = 1000;
/// That of a group which was given none (`CGROUP_WEIGHT_DFL`).
const WEIGHT_DEFAULT: u64 = 100;

/// A tenant's claims on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiskClaim {
    pub(crate) bounds: Bounds,
    pub(crate) weight: u64,
    /// Settings of the scenario that are not applied: (field, reason).
    pub(crate) absent: Vec<(&'static str, String)>,
}

/// The claims of a tenant on a platform that applies limits, or not, to it.
pub(crate) fn claim(tenant: &Tenant, calibration: &Calibration, limited: bool) -> DiskClaim {
    let io = &tenant.io;
    if !limited {
        // That they are not applied is said with the claims on the CPU.
        return DiskClaim { bounds: Bounds::default(), weight: WEIGHT_DEFAULT, absent: Vec::new() };
    }
    let bytes = |speed: Option<catamaran_scenario::BytesPerSecond>| speed.map(|speed| speed.0);
    let bounds = Bounds { read: bytes(io.read), write: bytes(io.write), ops: io.iops };
    let mut absent = Vec::new();
    let mut weight = None;
    if let Some(asked) = io.weight {
        match &calibration.disk {
            Some(disk) if weighs(&disk.scheduler) => {
                weight = Some(u64::from(asked.min(WEIGHT_MOST)));
                let most = format!("bfq takes at most {WEIGHT_MOST}, which was applied");
                absent.extend((asked > WEIGHT_MOST).then_some(("io.weight", most)));
            }
            Some(disk) => {
                let why =
                    format!("the disk's scheduler is {}, and weights count with bfq only", disk.scheduler);
                absent.push(("io.weight", why));
            }
            None => absent.push(("io.weight", "the machine was calibrated without its disk".to_owned())),
        }
    }
    DiskClaim { bounds, weight: weight.unwrap_or(WEIGHT_DEFAULT), absent }
}

/// Whether a scheduler of requests knows weights.
pub(crate) fn weighs(scheduler: &str) -> bool {
    scheduler == WEIGHS
}

/// The bounds of the machine's own disk.
pub(crate) fn host_bounds(disk: Option<&HostDisk>) -> Bounds {
    let bytes = |speed: Option<catamaran_scenario::BytesPerSecond>| speed.map(|speed| speed.0);
    disk.map_or_else(Bounds::default, |disk| Bounds {
        read: bytes(disk.read),
        write: bytes(disk.write),
        ops: disk.iops,
    })
}
