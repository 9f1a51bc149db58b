//! The run's network as shell lines (`ip` and `tc` of iproute2, `nsenter` of util-linux).

use std::path::PathBuf;

use catamaran_scenario::Plan;

use super::link::{self, Link};
use super::{PREFIX, Wiring, address, is_used};

/// Name of the namespace, and folder in which `ip netns` keeps those with names.
const NAME: &str = "catamaran-by-hand";
const NAMED: &str = "/run/netns";

/// The network of a plan, where some tenant talks to another.
pub(crate) struct ByHand {
    wiring: Wiring,
    link: Link,
    instances: usize,
}

impl ByHand {
    pub(crate) fn of(plan: &Plan, wiring: Wiring) -> Option<Self> {
        let instances = plan.instances().count();
        is_used(plan).then(|| Self { wiring, link: Link::of(plan), instances })
    }

    /// What is made before any tenant is there.
    pub(crate) fn make(&self) -> Vec<String> {
        let mut lines = vec![
            "# The network between tenants, in a namespace of its own.".to_owned(),
            format!("ip netns add {NAME}"),
        ];
        let has_bridge = self.wiring != Wiring::Shared;
        if has_bridge {
            lines.push(format!("ip -n {NAME} link add catamaran type bridge"));
            lines.push(format!("ip -n {NAME} link set catamaran up"));
        } else {
            lines.push(format!("ip -n {NAME} link set lo up"));
            let ips = (0..self.instances).map(|instance| address(instance).ip);
            lines.extend(ips.map(|ip| format!("ip -n {NAME} address add {ip}/32 dev lo")));
        }
        if let Some(rate) = self.link.bandwidth {
            let device = if has_bridge { "line" } else { "lo" };
            if has_bridge {
                lines.extend(intermediate(device));
            }
            lines.push(format!(
                "tc -n {NAME} qdisc add dev {device} root handle 1: tbf rate {rate}bps burst {} limit {}",
                link::burst_bytes(rate),
                link::WAITING_BYTES
            ));
        }
        if let Some(latency) = self.link.latency.filter(|_| !has_bridge) {
            lines.extend(intermediate("way"));
            lines.push(delay("way", latency));
            lines.extend(redirect("lo", "way"));
        }
        lines
    }

    /// File of the namespace that a tenant, or a monitor, enters which has none of its own.
    pub(crate) fn shared(&self) -> Option<PathBuf> {
        (self.wiring != Wiring::Namespaces).then(|| PathBuf::from(NAMED).join(NAME))
    }

    /// Connects the tenant that was started last, in a namespace of its own.
    pub(crate) fn attach(&self, instance: usize) -> Vec<String> {
        let port = format!("tenant{instance}");
        let (there, device) = match self.wiring {
            Wiring::Shared => return Vec::new(),
            Wiring::Namespaces => (
                "# Once it is in its network namespace.",
                format!("ip -n {NAME} link add {port} master catamaran type veth peer name eth0 netns $!"),
            ),
            Wiring::Guests => (
                "# Once QEMU has made the device; its guest takes the address by itself.",
                format!("ip -n {NAME} link set {port} master catamaran"),
            ),
        };
        let mut lines = vec![there.to_owned(), "sleep 0.5".to_owned(), device];
        lines.push(format!("ip -n {NAME} link set {port} up"));
        if self.link.bandwidth.is_some() {
            lines.extend(redirect(&port, "line"));
        }
        lines.extend(self.link.latency.map(|latency| delay(&port, latency)));
        if self.wiring == Wiring::Guests {
            return lines;
        }
        let inside = [
            "link set lo up".to_owned(),
            "link set eth0 up".to_owned(),
            format!("address add {}/{PREFIX} dev eth0", address(instance).ip),
        ];
        lines.extend(inside.iter().map(|what| format!("nsenter --target $! --net ip {what}")));
        lines
    }

    /// What is removed at the end.
    pub(crate) fn remove(&self) -> String {
        format!("ip netns del {NAME}")
    }
}

fn intermediate(device: &str) -> [String; 2] {
    [format!("ip -n {NAME} link add {device} type ifb"), format!("ip -n {NAME} link set {device} up")]
}

fn redirect(device: &str, to: &str) -> [String; 2] {
    [
        format!("tc -n {NAME} qdisc add dev {device} ingress"),
        format!(
            "tc -n {NAME} filter add dev {device} parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev {to}"
        ),
    ]
}

/// `tc` knows no shorter unit than a microsecond, but parts of one.
fn delay(device: &str, latency: u64) -> String {
    let limit = link::ON_THE_WAY;
    format!(
        "tc -n {NAME} qdisc add dev {device} root handle 1: netem delay {}us limit {limit}",
        latency as f64 / 1e3
    )
}
