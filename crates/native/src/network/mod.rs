//! The network of a run in which tenants talk to each other: never the machine's own.
//!
//! **Law.** All tenants are in network namespaces of the run. Those that share the machine's network elsewhere share one
//! here and talk over its loopback; each that has one of its own has a pair of virtual Ethernet devices, the other end of
//! which is a port of a bridge in the run's; of a guest that is a device of its monitor's. Tenant number n of the run has the address 10.87.0.1 + n and listens on the
//! TCP port 20000 + n.
//! **What stays behind.** Nothing: a namespace ends with its last process and the last handle on it, and its devices with
//! it (`network_namespaces(7)`). The handle is the runner's, so that this holds whatever ends the runner.

use std::fmt::Display;
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use catamaran_scenario::network_work::{self, NetworkWork};
use catamaran_scenario::plan::Plan;
use netlink_packet_route::link::InfoKind;
use rustix::io::Errno;

use self::link::Link;
use self::links::{Device, LOOPBACK};
use self::netlink::Netlink;
use crate::problem::{self, Problem};

pub(crate) mod bench;
mod by_hand;
mod checks;
pub(crate) mod link;
mod links;
mod netlink;
mod taps;

pub(crate) use by_hand::ByHand;
pub(crate) use checks::checks;
pub(crate) use netlink::in_namespace;
pub(crate) use taps::Tap;

/// Addresses of the tenants are from this network.
const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 87, 0, 0);
/// Bits of an address that say so.
const PREFIX: u8 = 16;
/// TCP port of the first tenant: below those that the kernel gives to clients (`net.ipv4.ip_local_port_range`).
const FIRST_PORT: u16 = 20_000;
/// Number of the bridge, and of a tenant's only device, in the namespace of either. Kernels may give new namespaces some
/// devices unasked (`net.core.fb_tunnels_only_for_init_net`), from 2 on.
const OUR_DEVICE: u32 = 1000;
/// Number of the device through which everything goes where the bandwidth is bounded.
const THE_LINE: u32 = 1001;
/// Number of the device on which everything stays for a while where the latency is given and there is no bridge.
const THE_WAY: u32 = 1002;
/// Number of the first port of the bridge.
const FIRST_DEVICE: u32 = 2000;

/// What tenants are, to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wiring {
    /// All are in one namespace, that of the run.
    Shared,
    /// Each has a namespace of its own.
    Namespaces,
    /// Each is a guest, whose monitor is in the run's namespace.
    Guests,
}

/// Where one tenant is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) ip: Ipv4Addr,
    pub(crate) port: u16,
}

/// Where number `instance` of a plan's tenants and replicas is reached; there are never so many that this is not enough.
fn address(instance: usize) -> Address {
    let number = u16::try_from(instance).unwrap_or(u16::MAX);
    let ip = Ipv4Addr::from_bits(NETWORK.to_bits() + 1 + u32::from(number));
    Address { ip, port: FIRST_PORT.saturating_add(number) }
}

/// Whether some tenant of the plan talks to another.
pub(crate) fn is_used(plan: &Plan) -> bool {
    plan.tenants().iter().any(|tenant| network_work::talks(&tenant.workload))
}

/// Where a replica's messages of such work go.
pub(crate) fn peer_of(plan: &Plan, replica: u32, work: &NetworkWork) -> Option<Address> {
    let (index, tenant) = plan.tenants().iter().enumerate().find(|(_, tenant)| tenant.name == work.to)?;
    let peer = (index, network_work::peer(replica, tenant.replicas));
    Some(address(plan.instances().position(|instance| instance == peer)?))
}

/// On which port a replica of tenant number `index` serves others, and how many connections; none where nobody talks to it.
pub(crate) fn served(plan: &Plan, index: usize, replica: u32) -> Option<(u16, u64)> {
    let tenant = plan.tenants().get(index).filter(|_| network_work::serves(plan, index))?;
    let clients = plan.instances().filter_map(|(client, number)| Some((plan.tenants().get(client)?, number)));
    let connections = clients.flat_map(|(client, number)| {
        let to_it = NetworkWork::all(&client.workload).filter(|work| work.to == tenant.name);
        to_it.filter(move |_| network_work::peer(number, tenant.replicas) == replica)
    });
    let instance = plan.instances().position(|instance| instance == (index, replica))?;
    Some((address(instance).port, connections.count() as u64))
}

/// The network of one run.
#[derive(Debug)]
pub(crate) struct Network {
    namespace: OwnedFd,
    netlink: Netlink,
    wiring: Wiring,
    link: Link,
}

impl Network {
    /// Makes the network of a run, where some tenant talks to another.
    pub(crate) fn make(plan: &Plan, wiring: Wiring) -> Result<Option<Self>, Problem> {
        if !is_used(plan) {
            return Ok(None);
        }
        let network = Self::new(wiring, Link::of(plan))?;
        if wiring == Wiring::Shared {
            plan.instances().enumerate().try_for_each(|(instance, _)| network.add_address(instance))?;
        }
        Ok(Some(network))
    }

    fn new(wiring: Wiring, link: Link) -> Result<Self, Problem> {
        let namespace = netlink::make_namespace().map_err(|error| failed("a network namespace", &error))?;
        let netlink = Netlink::open_in(namespace.as_fd()).map_err(|error| failed("rtnetlink", &error))?;
        let network = Self { namespace, netlink, wiring, link };
        if network.has_bridge() {
            let bridge = Device { number: OUR_DEVICE, name: "catamaran".to_owned() };
            let made = network.netlink.make(links::device(&bridge, InfoKind::Bridge));
            made.map_err(|error| failed("a bridge", &error))?;
        } else {
            let up = network.netlink.ask(links::up(LOOPBACK));
            up.map_err(|error| failed("the loopback", &error))?;
        }
        link.bandwidth.map_or(Ok(()), |bandwidth| network.bound(bandwidth))?;
        link.latency.map_or(Ok(()), |latency| network.lengthen(latency))?;
        Ok(network)
    }

    fn has_bridge(&self) -> bool {
        self.wiring != Wiring::Shared
    }

    /// Bounds what all tenants together send, whichever way (bytes/s).
    fn bound(&self, bandwidth: u64) -> Result<(), Problem> {
        let mut device = LOOPBACK;
        if self.has_bridge() {
            self.intermediate(THE_LINE, "line")?;
            device = THE_LINE;
        }
        let bounded = self.netlink.make(link::bucket(device, bandwidth));
        bounded.map_err(|error| failed("a token bucket (CONFIG_NET_SCH_TBF)", &error))
    }

    /// Has whatever is sent come so much later (ns).
    fn lengthen(&self, latency: u64) -> Result<(), Problem> {
        if self.has_bridge() {
            // Each port will have it. Nothing goes over this loopback: that it takes it shows that the ports can, too.
            return self.delay(LOOPBACK, latency);
        }
        self.intermediate(THE_WAY, "way")?;
        self.delay(THE_WAY, latency)?;
        self.redirect(LOOPBACK, THE_WAY)
    }

    fn delay(&self, device: u32, latency: u64) -> Result<(), Problem> {
        let delayed = self.netlink.make(link::delay(device, latency));
        delayed.map_err(|error| failed("host.network.latency, a delay (CONFIG_NET_SCH_NETEM)", &error))
    }

    /// Makes a device that hands back whatever it is handed.
    fn intermediate(&self, number: u32, name: &str) -> Result<(), Problem> {
        let device = Device { number, name: name.to_owned() };
        let made = self.netlink.make(links::device(&device, InfoKind::Ifb));
        made.map_err(|error| failed("an intermediate device (CONFIG_IFB)", &error))
    }

    /// Hands whatever comes in by a device to another.
    fn redirect(&self, device: u32, to: u32) -> Result<(), Problem> {
        let ready = self.netlink.make(link::ingress(device));
        ready
            .and_then(|()| self.netlink.make(link::redirect(device, to)))
            .map_err(|error| failed("a redirection (CONFIG_NET_ACT_MIRRED)", &error))
    }

    fn add_address(&self, instance: usize) -> Result<(), Problem> {
        let ip = address(instance).ip;
        let added = self.netlink.make(links::address(LOOPBACK, ip, 32));
        added.map_err(|error| failed(&format!("the address {ip}"), &error))
    }

    /// A file of the namespace for tenants, and monitors, that have none of their own.
    pub(crate) fn shared(&self) -> Option<PathBuf> {
        let number = self.namespace.as_raw_fd();
        (self.wiring != Wiring::Namespaces)
            .then(|| format!("/proc/{}/fd/{number}", std::process::id()).into())
    }

    /// What `/proc/PID/ns/net` shows of whoever is in the namespace.
    pub(crate) fn name(&self) -> Option<String> {
        let link = rustix::fs::readlink(format!("/proc/self/fd/{}", self.namespace.as_raw_fd()), Vec::new());
        link.ok().map(|name| name.to_string_lossy().into_owned())
    }

    /// Connects a tenant that has a namespace of its own and whose process is there.
    pub(crate) fn attach(&self, pid: u32, instance: usize) -> Result<(), Problem> {
        if self.wiring != Wiring::Namespaces {
            return Ok(());
        }
        self.attach_to(namespace_of(pid)?.as_fd(), instance)
    }

    fn attach_to(&self, namespace: BorrowedFd<'_>, instance: usize) -> Result<(), Problem> {
        let inside = Netlink::open_in(namespace).map_err(|error| failed("rtnetlink", &error))?;
        let number = FIRST_DEVICE + u32::try_from(instance).unwrap_or_default();
        let port = Device { number, name: format!("tenant{instance}") };
        let end = Device { number: OUR_DEVICE, name: "eth0".to_owned() };
        let pair = self.netlink.make(links::pair(&port, OUR_DEVICE, &end, namespace));
        pair.map_err(|error| failed("a pair of virtual Ethernet devices", &error))?;
        self.line_up(number)?;
        let ip = address(instance).ip;
        let ready = inside.ask(links::up(LOOPBACK));
        ready
            .and_then(|()| inside.ask(links::up(OUR_DEVICE)))
            .and_then(|()| inside.make(links::address(OUR_DEVICE, ip, PREFIX)))
            .map_err(|error| failed(&format!("the address {ip}"), &error))
    }

    /// What a port of the bridge does with what comes in by it, and with what leaves by it.
    fn line_up(&self, number: u32) -> Result<(), Problem> {
        if self.link.bandwidth.is_some() {
            self.redirect(number, THE_LINE)?;
        }
        self.link.latency.map_or(Ok(()), |latency| self.delay(number, latency))
    }
}

/// The network namespace of a tenant's process.
fn namespace_of(pid: u32) -> Result<File, Problem> {
    let file = format!("/proc/{pid}/ns/net");
    File::open(&file).map_err(|error| {
        Problem::new(
            format!("the network of a tenant: cannot open {file}: {error}"),
            "see `dmesg` for what the kernel did to the tenant",
        )
    })
}

/// Takes the loopback into service that a tenant's process has.
pub(crate) fn take_loopback_into_service(pid: u32) -> Result<(), Problem> {
    let namespace = namespace_of(pid)?;
    let up = Netlink::open_in(namespace.as_fd()).and_then(|inside| inside.ask(links::up(LOOPBACK)));
    up.map_err(|error| failed("the loopback", &error))
}

/// What could not be made. What we are not let make, and what the kernel does not know, is not to be had on this machine.
fn failed(what: &str, error: &dyn Display) -> Problem {
    let text = format!("the network between tenants: {what}: {error}");
    match problem::errno(&text) {
        Some(Errno::OPNOTSUPP | Errno::NOENT) => Problem::unavailable(
            text,
            "take a kernel with CONFIG_VETH and CONFIG_BRIDGE, for `host.network.bandwidth` also CONFIG_NET_SCH_TBF, CONFIG_IFB, CONFIG_NET_CLS_U32 and CONFIG_NET_ACT_MIRRED, for `host.network.latency` CONFIG_NET_SCH_NETEM, or simulate",
        ),
        Some(Errno::PERM | Errno::ACCESS | Errno::NOSYS) => {
            Problem::by_errno(text, "run as root").into_unavailable()
        }
        _ => Problem::by_errno(text, "`catamaran doctor` tells what works here"),
    }
}
