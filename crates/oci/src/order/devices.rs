//! Devices of a container (config-linux.md, "Devices" and "Default Devices").

use catamaran_oci_init::order::{Device, DeviceKind};
use oci_spec::runtime::{LinuxDevice, LinuxDeviceType, Spec};

use super::text;
use crate::Problem;

/// Devices that every container has: path, major and minor number.
const DEFAULT: [(&str, u32, u32); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];
/// Permissions where the configuration gives none.
const MODE: u32 = 0o666;

pub(super) fn of(spec: &Spec) -> Result<Vec<Device>, Problem> {
    let listed = spec.linux().as_ref().and_then(|linux| linux.devices().as_ref());
    let mut devices = listed
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(at, device)| one(device, &format!("linux.devices[{at}]")))
        .collect::<Result<Vec<_>, _>>()?;
    for (path, major, minor) in DEFAULT {
        if !devices.iter().any(|device| device.path == path) {
            let kind = DeviceKind::Character;
            devices.push(Device { path: path.to_owned(), kind, major, minor, mode: MODE, uid: 0, gid: 0 });
        }
    }
    Ok(devices)
}

fn one(device: &LinuxDevice, at: &str) -> Result<Device, Problem> {
    let kind = match device.typ() {
        LinuxDeviceType::C | LinuxDeviceType::U => DeviceKind::Character,
        LinuxDeviceType::B => DeviceKind::Block,
        LinuxDeviceType::P => DeviceKind::Fifo,
        LinuxDeviceType::A => {
            return Err(Problem::config(format!("{at}.type"), "a", "is for rules; a device is c, b, u or p"));
        }
    };
    let number = |value: i64, name: &str| {
        u32::try_from(value).map_err(|_| {
            Problem::config(format!("{at}.{name}"), value.to_string(), "takes a number from 0 to 4294967295")
        })
    };
    Ok(Device {
        path: text(device.path(), &format!("{at}.path"))?,
        kind,
        major: number(device.major(), "major")?,
        minor: number(device.minor(), "minor")?,
        mode: device.file_mode().unwrap_or(MODE) & 0o7777,
        uid: device.uid().unwrap_or(0),
        gid: device.gid().unwrap_or(0),
    })
}
