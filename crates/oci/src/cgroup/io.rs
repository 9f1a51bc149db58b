//! `linux.resources.blockIO`: weights and rates of block devices.
//!
//! Weights are for whatever scheduler the disk has: CFQ (version 1, Linux before 5.0) and BFQ count from 10 to 1000, `io.weight`
//! of version 2 from 1 to 10 000.

use oci_spec::runtime::{LinuxBlockIo, LinuxThrottleDevice, LinuxWeightDevice};

use super::Manager;
use super::apply::{Control, ONLY_V1};
use super::hierarchy::Version;
use crate::Problem;

const WEIGHT: &str = "linux.resources.blockIO.weight";
const LEAF_WEIGHT: &str = "linux.resources.blockIO.leafWeight";
const WEIGHT_DEVICE: &str = "linux.resources.blockIO.weightDevice";
const BOUNDS: std::ops::RangeInclusive<u16> = 10..=1000;

/// Rates of one kind: where they stand in the configuration, their file in version 1, their key in `io.max`.
struct Rates<'a> {
    at: &'static str,
    v1: &'static str,
    v2: &'static str,
    devices: &'a [LinuxThrottleDevice],
}

pub(super) fn apply(manager: &Manager, io: &LinuxBlockIo) -> Result<(), Problem> {
    let given = |weight: Option<u16>| weight.filter(|weight| *weight != 0);
    let (weight, leaf_weight) = (given(io.weight()), given(io.leaf_weight()));
    let by_device = io.weight_device().as_deref().unwrap_or_default();
    let rates = rates(io);
    let asked = [
        (WEIGHT, weight.is_some()),
        (LEAF_WEIGHT, leaf_weight.is_some()),
        (WEIGHT_DEVICE, !by_device.is_empty()),
    ];
    let asked = asked.into_iter().chain(rates.iter().map(|rates| (rates.at, !rates.devices.is_empty())));
    let Some((at, _)) = asked.into_iter().find(|(_, asked)| *asked) else { return Ok(()) };
    let control = control(manager, at)?;
    if let Some(weight) = weight {
        weigh(&control, WEIGHT, None, weight)?;
    }
    if let Some(weight) = leaf_weight {
        weigh_leaf(&control, LEAF_WEIGHT, None, weight)?;
    }
    for device in by_device {
        weigh_device(&control, device)?;
    }
    rates.iter().try_for_each(|rates| throttle(&control, rates))
}

/// The controller has a name in each version.
fn control(manager: &Manager, at: &str) -> Result<Control, Problem> {
    let name = if manager.v1("blkio").is_some() { "blkio" } else { "io" };
    manager.controller(name, at)
}

fn rates(io: &LinuxBlockIo) -> [Rates<'_>; 4] {
    [
        Rates {
            at: "linux.resources.blockIO.throttleReadBpsDevice",
            v1: "blkio.throttle.read_bps_device",
            v2: "rbps",
            devices: io.throttle_read_bps_device().as_deref().unwrap_or_default(),
        },
        Rates {
            at: "linux.resources.blockIO.throttleWriteBpsDevice",
            v1: "blkio.throttle.write_bps_device",
            v2: "wbps",
            devices: io.throttle_write_bps_device().as_deref().unwrap_or_default(),
        },
        Rates {
            at: "linux.resources.blockIO.throttleReadIOPSDevice",
            v1: "blkio.throttle.read_iops_device",
            v2: "riops",
            devices: io.throttle_read_iops_device().as_deref().unwrap_or_default(),
        },
        Rates {
            at: "linux.resources.blockIO.throttleWriteIOPSDevice",
            v1: "blkio.throttle.write_iops_device",
            v2: "wiops",
            devices: io.throttle_write_iops_device().as_deref().unwrap_or_default(),
        },
    ]
}

fn throttle(control: &Control, rates: &Rates) -> Result<(), Problem> {
    for device in rates.devices {
        let (major, minor, rate) = (device.major(), device.minor(), device.rate());
        match control.version {
            // 0 takes the bound away.
            Version::V1 => control.set(rates.at, rates.v1, format!("{major}:{minor} {rate}"))?,
            Version::V2 => {
                let rate = if rate == 0 { "max".to_owned() } else { rate.to_string() };
                control.set(rates.at, "io.max", format!("{major}:{minor} {}={rate}", rates.v2))?;
            }
        }
    }
    Ok(())
}

fn weigh_device(control: &Control, device: &LinuxWeightDevice) -> Result<(), Problem> {
    let number = Some((device.major(), device.minor()));
    if device.weight().is_none() && device.leaf_weight().is_none() {
        let found = format!("{}:{} has no weight", device.major(), device.minor());
        return Err(Problem::config(WEIGHT_DEVICE, found, "give weight, leafWeight or both"));
    }
    if let Some(weight) = device.weight() {
        weigh(control, WEIGHT_DEVICE, number, weight)?;
    }
    match device.leaf_weight() {
        Some(weight) => weigh_leaf(control, WEIGHT_DEVICE, number, weight),
        None => Ok(()),
    }
}

fn weigh(control: &Control, at: &str, device: Option<(i64, i64)>, weight: u16) -> Result<(), Problem> {
    if !BOUNDS.contains(&weight) {
        return Err(Problem::config(at, weight.to_string(), "10 to 1000"));
    }
    let line = |weight: u64| match device {
        Some((major, minor)) => format!("{major}:{minor} {weight}"),
        None => weight.to_string(),
    };
    let same = line(u64::from(weight));
    match (control.version, device) {
        (Version::V1, None) if control.folder.has("blkio.weight") => control.set(at, "blkio.weight", same),
        (Version::V1, None) => control.set(at, "blkio.bfq.weight", same),
        (Version::V1, Some(_)) if control.folder.has("blkio.weight_device") => {
            control.set(at, "blkio.weight_device", same)
        }
        (Version::V1, Some(_)) => control.set(at, "blkio.bfq.weight_device", same),
        (Version::V2, _) if control.folder.has("io.bfq.weight") => control.set(at, "io.bfq.weight", same),
        (Version::V2, _) => control.set(at, "io.weight", line(spread(weight))),
    }
}

fn weigh_leaf(control: &Control, at: &str, device: Option<(i64, i64)>, weight: u16) -> Result<(), Problem> {
    match (control.version, device) {
        (Version::V1, None) => control.set(at, "blkio.leaf_weight", weight),
        (Version::V1, Some((major, minor))) => {
            control.set(at, "blkio.leaf_weight_device", format!("{major}:{minor} {weight}"))
        }
        (Version::V2, _) => Err(Problem::config(at, format!("leafWeight {weight}"), ONLY_V1)),
    }
}

/// 10 to 1000 spread over 1 to 10 000, as runc and crun do.
fn spread(weight: u16) -> u64 {
    let above = u64::from(weight.saturating_sub(*BOUNDS.start()));
    1 + above * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_spread() {
        let table = [(10, 1), (11, 11), (100, 910), (500, 4950), (1000, 10_000)];
        for (weight, expected) in table {
            assert_eq!(spread(weight), expected, "{weight}");
        }
    }
}
