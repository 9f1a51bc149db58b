//! Device nodes (config-linux.md, "Devices").

use std::collections::BTreeMap;

use oci_spec::runtime::{Linux, LinuxDevice, LinuxDeviceType as Kind};

use super::{Found, refuse, text};
use crate::Warning;

/// Largest major and minor number (`include/linux/kdev_t.h`: 12 and 20 bits).
pub(super) const LARGEST: (i64, i64) = (0xfff, 0xf_ffff);
/// Bits of a file's mode with its kind, which engines send along.
const MODE: u32 = 0o177_777;

pub(super) fn check(linux: &Linux, warnings: &mut Vec<Warning>) -> Found {
    let mut seen: BTreeMap<(u8, i64, i64), usize> = BTreeMap::new();
    for (place, device) in linux.devices().iter().flatten().enumerate() {
        let at = format!("linux.devices[{place}]");
        check_one(device, &at)?;
        if device.typ() == Kind::P {
            continue;
        }
        if let Some(first) = seen.insert((device.typ() as u8, device.major(), device.minor()), place) {
            let what = format!(
                "the same device as linux.devices[{first}], which \"SHOULD NOT be used for multiple devices\""
            );
            warnings.push(Warning::new(at, what));
        }
    }
    Ok(())
}

fn check_one(device: &LinuxDevice, at: &str) -> Found {
    text::absolute_path(device.path(), &format!("{at}.path"), "\"full path to device inside container\"")?;
    if device.typ() == Kind::A {
        refuse(format!("{at}.type"), "a", "`c`, `b`, `u` or `p`")?;
    }
    if device.typ() != Kind::P {
        number(device.major(), LARGEST.0, &format!("{at}.major"))?;
        number(device.minor(), LARGEST.1, &format!("{at}.minor"))?;
    }
    match device.file_mode() {
        Some(mode) if mode > MODE => {
            refuse(format!("{at}.fileMode"), mode.to_string(), "a mode of at most 0o7777")
        }
        _ => Ok(()),
    }
}

/// A part of a device's number.
pub(super) fn number(number: i64, largest: i64, at: &str) -> Found {
    if (0..=largest).contains(&number) {
        Ok(())
    } else {
        refuse(at, number.to_string(), format!("0 to {largest}"))
    }
}
