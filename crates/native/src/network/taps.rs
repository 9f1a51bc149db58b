//! Where tenants are guests: QEMU is in the run's namespace, and makes a device there whose other end is a card in its guest. We
//! make that a port of the bridge.
//!
//! **Source.** Linux `Documentation/networking/tuntap.rst`: such a device lasts as long as who has made it.

use std::net::Ipv4Addr;

use super::{Network, PREFIX, address, failed, links};
use crate::problem::Problem;

/// One guest's device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tap {
    /// Its name on our side.
    pub(crate) device: String,
    /// The card's number: one of those that anybody may give (`52:54:00`), and then the tenant's.
    pub(crate) hardware: String,
    /// The guest's address, and how many of its bits are the network's.
    pub(crate) ip: Ipv4Addr,
    pub(crate) prefix: u8,
}

impl Tap {
    /// That of a replica of the run.
    pub(crate) fn of(instance: usize) -> Self {
        let ip = address(instance).ip;
        let [_, a, b, c] = ip.octets();
        let hardware = format!("52:54:00:{a:02x}:{b:02x}:{c:02x}");
        Self { device: format!("tenant{instance}"), hardware, ip, prefix: PREFIX }
    }
}

impl Network {
    /// Connects a guest whose monitor has made its device.
    pub(crate) fn attach_tap(&self, tap: &Tap) -> Result<(), Problem> {
        let what = format!("the device {} of a guest", tap.device);
        let number = self.netlink.number(&tap.device).map_err(|error| failed(&what, &error))?;
        let port = self.netlink.ask(links::port(number, super::OUR_DEVICE));
        port.map_err(|error| failed(&what, &error))?;
        self.line_up(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_guests_have_one_card() {
        let (first, later) = (Tap::of(0), Tap::of(300));
        assert_eq!(
            (first.hardware.as_str(), later.hardware.as_str()),
            ("52:54:00:57:00:01", "52:54:00:57:01:2d")
        );
        assert_eq!((first.ip, first.prefix), (Ipv4Addr::new(10, 87, 0, 1), 16));
    }
}
