//! One network device: what of it has to stay the same in another namespace.

use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope,
};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};

use super::netlink::Netlink;

/// A device as it was found in a namespace. Its hardware address and MTU go along by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) name: String,
    /// Its number in that namespace.
    pub(super) number: u32,
    up: bool,
    addresses: Vec<AddressMessage>,
}

impl Device {
    /// The device of that name, if it is there.
    pub(super) fn find(kernel: &Netlink, name: &str) -> io::Result<Option<Self>> {
        let Some(link) = link(kernel, name)? else { return Ok(None) };
        let number = link.header.index;
        let all = kernel.list(RouteNetlinkMessage::GetAddress(AddressMessage::default()))?;
        let own = all.into_iter().filter_map(|one| match one {
            RouteNetlinkMessage::NewAddress(address) if address.header.index == number => Some(address),
            _ => None,
        });
        Ok(Some(Self {
            name: name.to_owned(),
            number,
            up: link.header.flags.contains(LinkFlags::Up),
            addresses: own.collect(),
        }))
    }

    /// Gives the device that has the number `number` now what the specification has it keep, and takes it into service.
    pub(super) fn equip(&self, kernel: &Netlink, number: u32) -> io::Result<()> {
        for address in self.addresses.iter().filter(|address| is_lasting(address)) {
            kernel.add(RouteNetlinkMessage::NewAddress(again(address, number)))?;
        }
        kernel.change(up(number))
    }

    /// The same for a device that came back: as it was, also where it was out of service.
    pub(super) fn restore(&self, kernel: &Netlink, number: u32) -> io::Result<()> {
        if self.up {
            return self.equip(kernel, number);
        }
        let lasting = self.addresses.iter().filter(|address| is_lasting(address));
        lasting
            .map(|address| RouteNetlinkMessage::NewAddress(again(address, number)))
            .try_for_each(|one| kernel.add(one))
    }
}

/// The device of that name in the kernel's words.
fn link(kernel: &Netlink, name: &str) -> io::Result<Option<LinkMessage>> {
    let mut question = LinkMessage::default();
    question.attributes.push(LinkAttribute::IfName(name.to_owned()));
    match kernel.look(RouteNetlinkMessage::GetLink(question)) {
        Ok(Some(RouteNetlinkMessage::NewLink(link))) => Ok(Some(link)),
        Ok(_) => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The number of the device of that name.
pub(super) fn number_of(kernel: &Netlink, name: &str) -> io::Result<Option<u32>> {
    Ok(link(kernel, name)?.map(|link| link.header.index))
}

/// "all permanent IP addresses (IFA_F_PERMANENT flag) of any family with global scope (RT_SCOPE_UNIVERSE value)"
fn is_lasting(address: &AddressMessage) -> bool {
    address.header.scope == AddressScope::Universe
        && address.header.flags.contains(AddressHeaderFlags::Permanent)
}

/// The same address for the device `number`. What the kernel finds out by itself stays out: whether the address is in use
/// elsewhere, when it was made. So does the label, which begins with the device's name.
fn again(address: &AddressMessage, number: u32) -> AddressMessage {
    let kept = AddressFlags::Nodad
        | AddressFlags::Homeaddress
        | AddressFlags::Managetempaddr
        | AddressFlags::Noprefixroute
        | AddressFlags::Mcautojoin;
    let mut same = AddressMessage::default();
    same.header.family = address.header.family;
    same.header.prefix_len = address.header.prefix_len;
    same.header.scope = address.header.scope;
    same.header.index = number;
    same.attributes = address
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            AddressAttribute::Address(_)
            | AddressAttribute::Local(_)
            | AddressAttribute::Broadcast(_)
            | AddressAttribute::RoutePriority(_) => Some(attribute.clone()),
            AddressAttribute::Flags(flags) => Some(AddressAttribute::Flags(*flags & kept)),
            _ => None,
        })
        .collect();
    same
}

fn up(number: u32) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = number;
    (message.header.flags, message.header.change_mask) = (LinkFlags::Up, LinkFlags::Up);
    RouteNetlinkMessage::SetLink(message)
}

/// Moves the device `number` into another namespace, under that name.
pub(super) fn moved(number: u32, name: &str, namespace: i32) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = number;
    message.attributes = vec![LinkAttribute::NetNsFd(namespace), LinkAttribute::IfName(name.to_owned())];
    RouteNetlinkMessage::SetLink(message)
}

/// Another name for the device `number`; the kernel puts a free number for `%d`.
pub(super) fn renamed(number: u32, name: &str) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = number;
    message.attributes = vec![LinkAttribute::IfName(name.to_owned())];
    RouteNetlinkMessage::SetLink(message)
}
