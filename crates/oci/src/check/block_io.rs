//! Block devices (config-linux.md, "Block IO").

use oci_spec::runtime::LinuxBlockIo;

use super::{Found, devices, refuse};

const AT: &str = "linux.resources.blockIO";

pub(super) fn check(block_io: &LinuxBlockIo) -> Found {
    weight(block_io.weight(), &format!("{AT}.weight"))?;
    weight(block_io.leaf_weight(), &format!("{AT}.leafWeight"))?;
    for (place, device) in block_io.weight_device().iter().flatten().enumerate() {
        let at = format!("{AT}.weightDevice[{place}]");
        device_number(device.major(), device.minor(), &at)?;
        if device.weight().is_none() && device.leaf_weight().is_none() {
            refuse(at.as_str(), "neither", "\"You MUST specify at least one of `weight` or `leafWeight`\"")?;
        }
        weight(device.weight(), &format!("{at}.weight"))?;
        weight(device.leaf_weight(), &format!("{at}.leafWeight"))?;
    }
    let throttles = [
        ("throttleReadBpsDevice", block_io.throttle_read_bps_device()),
        ("throttleWriteBpsDevice", block_io.throttle_write_bps_device()),
        ("throttleReadIOPSDevice", block_io.throttle_read_iops_device()),
        ("throttleWriteIOPSDevice", block_io.throttle_write_iops_device()),
    ];
    for (field, list) in throttles {
        for (place, device) in list.iter().flatten().enumerate() {
            device_number(device.major(), device.minor(), &format!("{AT}.{field}[{place}]"))?;
        }
    }
    Ok(())
}

/// `blkio.weight` takes 10 to 1000; engines write 0 for none.
fn weight(weight: Option<u16>, at: &str) -> Found {
    match weight {
        Some(weight) if weight != 0 && !(10..=1000).contains(&weight) => {
            refuse(at, weight.to_string(), "10 to 1000")
        }
        _ => Ok(()),
    }
}

fn device_number(major: i64, minor: i64, at: &str) -> Found {
    devices::number(major, devices::LARGEST.0, &format!("{at}.major"))?;
    devices::number(minor, devices::LARGEST.1, &format!("{at}.minor"))
}
