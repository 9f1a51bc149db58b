//! The devices of a run's network as messages to the kernel. Whoever makes a device chooses its number, so that nobody has
//! to be asked for it afterwards.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd as _, BorrowedFd};

use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

/// Number of the loopback in every network namespace (`loopback_net_init` in Linux `drivers/net/loopback.c`).
pub(super) const LOOPBACK: u32 = 1;

/// A device: its number and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) number: u32,
    pub(super) name: String,
}

/// Takes a device into service.
pub(super) fn up(number: u32) -> RouteNetlinkMessage {
    RouteNetlinkMessage::SetLink(in_service(number))
}

fn in_service(number: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = number;
    (message.header.flags, message.header.change_mask) = (LinkFlags::Up, LinkFlags::Up);
    message
}

/// Makes a device of that kind and takes it into service.
pub(super) fn device(device: &Device, kind: InfoKind) -> RouteNetlinkMessage {
    let mut message = named(device);
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]));
    RouteNetlinkMessage::NewLink(message)
}

/// Makes a device a port of a bridge, in service.
pub(super) fn port(number: u32, bridge: u32) -> RouteNetlinkMessage {
    let mut message = in_service(number);
    message.attributes.push(LinkAttribute::Controller(bridge));
    RouteNetlinkMessage::SetLink(message)
}

/// Makes a pair of virtual Ethernet devices: one is a port of the bridge, the other is in another namespace
/// and not in service yet.
pub(super) fn pair(
    port: &Device,
    bridge: u32,
    end: &Device,
    namespace: BorrowedFd<'_>,
) -> RouteNetlinkMessage {
    let mut there = named(end);
    // `veth_open` refuses a device whose pair is not there yet.
    there.header.flags = LinkFlags::empty();
    there.attributes.push(LinkAttribute::NetNsFd(namespace.as_raw_fd()));
    let mut here = named(port);
    here.attributes.push(LinkAttribute::Controller(bridge));
    let data = LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(there)));
    here.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), data]));
    RouteNetlinkMessage::NewLink(here)
}

fn named(device: &Device) -> LinkMessage {
    let mut message = in_service(device.number);
    message.attributes.push(LinkAttribute::IfName(device.name.clone()));
    message
}

/// Gives a device an address.
pub(super) fn address(number: u32, address: Ipv4Addr, prefix: u8) -> RouteNetlinkMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    (message.header.index, message.header.prefix_len) = (number, prefix);
    let address = IpAddr::V4(address);
    message.attributes = vec![AddressAttribute::Local(address), AddressAttribute::Address(address)];
    RouteNetlinkMessage::NewAddress(message)
}
