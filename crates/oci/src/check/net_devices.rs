//! Network devices that move into the container (config-linux.md of 1.3, "Network Devices").

use oci_spec::runtime::{Linux, LinuxNamespaceType as Kind};

use super::namespaces::Namespaces;
use super::{Facts, Found, refuse, sorted};

/// Bytes of a name without its NUL (`include/uapi/linux/if.h`, `IFNAMSIZ`).
const LONGEST: usize = 15;

pub(super) fn check(linux: &Linux, namespaces: &Namespaces<'_>, facts: &Facts) -> Found {
    let Some(devices) = linux.net_devices().as_ref().filter(|devices| !devices.is_empty()) else {
        return Ok(());
    };
    const AT: &str = "linux.netDevices";
    if !namespaces.has(Kind::Network) || facts.joins_own_network {
        refuse(AT, "devices", "there is nowhere to move them to; add the namespace `network`")?;
    }
    if facts.rootless {
        refuse(AT, "devices", "the machine's devices are root's to move; start the runtime as root")?;
    }
    let mut inside = Vec::new();
    for (outside, device) in sorted(devices) {
        let at = format!("{AT}.{outside}");
        let name = device.name().as_deref().filter(|name| !name.is_empty()).unwrap_or(outside);
        for name in [outside, name] {
            // `net/core/dev.c`, `dev_valid_name`.
            let odd = |one: char| one == '/' || one == ':' || one.is_whitespace();
            if name.is_empty() || name.len() > LONGEST || name == "." || name == ".." || name.contains(odd) {
                let accepted = format!("1 to {LONGEST} bytes without `/`, `:` and blanks");
                refuse(at.as_str(), format!("{name:?}"), accepted)?;
            }
        }
        // A template ends with `%d` (`net/core/dev.c`, `__dev_alloc_name`).
        if name.strip_suffix("%d").unwrap_or(name).contains('%') {
            refuse(at.as_str(), format!("{name:?}"), "a name without `%`, or one that ends with `%d`")?;
        }
        let is_template = name.ends_with("%d");
        if inside.contains(&name) && !is_template {
            refuse(at, format!("{name:?} again"), "a name of its own inside of the container")?;
        }
        inside.push(name);
    }
    Ok(())
}
