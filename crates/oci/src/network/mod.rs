//! Network devices of the machine that move into a container.
//!
//! **Source.** Runtime specification 1.3, config-linux.md, "Network Devices".
//! **Law.** A device keeps its hardware address, its MTU and its lasting addresses, and is in service inside, by the name that it
//! is given there; a name that is taken there is an error before anything has moved. What was moved for a container that could
//! not be made comes back as it was. At the container's end nothing is moved: the kernel gives a physical device back with the
//! namespace, and a virtual one goes.

mod device;
mod netlink;

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd as _, AsRawFd as _};

use oci_spec::runtime::LinuxNetDevice;

use crate::Problem;
use device::Device;
use netlink::Netlink;

const AT: &str = "linux.netDevices";

/// What has been moved, for as long as it may have to come back. It keeps the container's namespace, so that nothing is lost with
/// a container that ends before it was made.
#[derive(Debug)]
pub(crate) struct Moved {
    outside: Side,
    inside: Side,
    /// Each as it was, with its number inside.
    devices: Vec<(Device, u32)>,
}

/// A network namespace.
#[derive(Debug)]
struct Side {
    namespace: File,
    kernel: Netlink,
}

/// A device that is asked for.
struct Wish<'a> {
    at: String,
    outside: &'a str,
    inside: &'a str,
}

/// Moves devices into the network namespace of a process. What was moved before a failure comes back.
pub(crate) fn give(devices: &HashMap<String, LinuxNetDevice>, pid: i32) -> Result<Moved, Problem> {
    let outside = Side::of("self", |_| Netlink::here())?;
    let inside = Side::of(&pid.to_string(), |namespace| Netlink::open_in(namespace.as_fd()))?;
    let mut moved = Moved { outside, inside, devices: Vec::new() };
    let mut wishes: Vec<Wish<'_>> = devices.iter().map(|(outside, wish)| Wish::of(outside, wish)).collect();
    wishes.sort_by_key(|wish| wish.outside);
    let found = wishes.iter().map(|wish| moved.look(wish)).collect::<Result<Vec<_>, _>>()?;
    for (wish, device) in wishes.iter().zip(found) {
        if let Err(problem) = moved.one(wish, device, pid) {
            // Of what fails here the first reason is of more use.
            let _ = moved.take_back();
            return Err(problem);
        }
    }
    Ok(moved)
}

impl Side {
    fn of(process: &str, open: impl FnOnce(&File) -> std::io::Result<Netlink>) -> Result<Self, Problem> {
        let path = format!("/proc/{process}/ns/net");
        let opened = File::open(&path).and_then(|namespace| {
            let kernel = open(&namespace)?;
            Ok(Self { namespace, kernel })
        });
        opened.map_err(|error| Problem::system(format!("{AT}: ask the kernel about {path}"), error))
    }
}

impl<'a> Wish<'a> {
    fn of(outside: &'a str, wish: &'a LinuxNetDevice) -> Self {
        let inside = wish.name().as_deref().filter(|name| !name.is_empty()).unwrap_or(outside);
        Self { at: format!("{AT}.{outside}"), outside, inside }
    }

    fn refused(&self, what: &str, error: impl std::fmt::Display) -> Problem {
        Problem::system(format!("{}: {what}", self.at), error)
    }
}

impl Moved {
    /// The device, if it may move: it is there, and its name is free inside.
    fn look(&self, wish: &Wish<'_>) -> Result<Device, Problem> {
        let found = Device::find(&self.outside.kernel, wish.outside);
        let found = found.map_err(|error| wish.refused("look at the device", error))?;
        let Some(device) = found else {
            let accepted =
                "there is no such device in the runtime's network namespace; `ip link` shows those that are";
            return Err(Problem::config(wish.at.clone(), format!("{:?}", wish.outside), accepted));
        };
        // The name of a template is found by the kernel.
        let taken = device::number_of(&self.inside.kernel, wish.inside);
        match taken.map_err(|error| wish.refused("look for its name inside", error))? {
            None => Ok(device),
            Some(_) => Err(Problem::config(
                wish.at.clone(),
                format!("{:?}", wish.inside),
                "the container's network namespace has a device of this name; give another name, or one that ends with %d",
            )),
        }
    }

    fn one(&mut self, wish: &Wish<'_>, device: Device, pid: i32) -> Result<(), Problem> {
        // A name that nobody has, until it is known what number the device got there.
        let between = format!("ctm{pid}-{}", self.devices.len());
        let namespace = self.inside.namespace.as_raw_fd();
        let go = device::moved(device.number, &between, namespace);
        self.outside.kernel.change(go).map_err(|error| {
            wish.refused(
                "move the device (one that is bound to its namespace, such as a loopback, can't be moved)",
                error,
            )
        })?;
        let kernel = &self.inside.kernel;
        let number =
            device::number_of(kernel, &between).map_err(|error| wish.refused("find it inside", error))?;
        let number = number.ok_or_else(|| wish.refused("find it inside", "it is gone"))?;
        self.devices.push((device, number));
        let kernel = &self.inside.kernel;
        kernel
            .change(device::renamed(number, wish.inside))
            .map_err(|error| wish.refused(&format!("call it {:?} inside", wish.inside), error))?;
        let Some((device, _)) = self.devices.last() else { return Ok(()) };
        device
            .equip(kernel, number)
            .map_err(|error| wish.refused("give it its addresses and take it into service inside", error))
    }

    /// Everything back to where it was. All are tried, the first failure is told.
    pub(crate) fn take_back(&self) -> Result<(), Problem> {
        let back = |(device, number): &(Device, u32)| -> std::io::Result<()> {
            let namespace = self.outside.namespace.as_raw_fd();
            self.inside.kernel.change(device::moved(*number, &device.name, namespace))?;
            let number = device::number_of(&self.outside.kernel, &device.name)?;
            let number = number.ok_or_else(|| std::io::Error::other("it is gone"))?;
            device.restore(&self.outside.kernel, number)
        };
        let all = self.devices.iter().map(|one| {
            back(one).map_err(|error| Problem::system(format!("{AT}.{}: move it back", one.0.name), error))
        });
        all.collect::<Vec<_>>().into_iter().collect()
    }
}
