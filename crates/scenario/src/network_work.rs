//! What a `network` workload does on its connection, one message after the other: both backends follow this rule.
//!
//! **Law.** Replica r of the client has one connection to replica r mod R of the R first replicas of its peer, of which one
//! thread more answers all its connections. A stream is `bytes` in messages of `size`, the last one shorter; it is done when
//! the peer has read all of it. Requests are a closed loop: `size` bytes there, `size` bytes back, then the next; a latency
//! runs from the first byte of a request being sent to the last of its response being read. A message goes to the kernel,
//! and comes from it, in pieces of at most [`PIECE_BYTES`].

use crate::plan::{NetworkWhat, Plan, Workload};

/// Most bytes that one system call is given, or asks for: the buffer of either side.
pub const PIECE_BYTES: u64 = 64 << 10;
/// Bytes of a message that a segment holds, over the loopback and over virtual Ethernet: what is left of the device's MTU by the
/// headers of IPv4 and of TCP with time stamps.
pub const LOOPBACK_SEGMENT_BYTES: u64 = 65_536 - 52;
/// See [`LOOPBACK_SEGMENT_BYTES`].
pub const ETHERNET_SEGMENT_BYTES: u64 = 1500 - 52;

/// The work of one `network` workload or phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkWork {
    /// Name of the tenant that it talks to.
    pub to: String,
    /// Messages that it sends in all, at least 1.
    pub messages: u64,
    /// Bytes of each but the last.
    pub message_bytes: u64,
    /// Bytes of the last one.
    pub last_bytes: u64,
    /// Whether each is answered by as many bytes before the next is sent.
    pub answered: bool,
}

impl NetworkWork {
    /// Of a workload; none where it does no such work itself.
    #[must_use]
    pub fn of(workload: &Workload) -> Option<Self> {
        let Workload::Network { to, what, size } = workload else { return None };
        let message_bytes = size.0.max(1);
        let (messages, last_bytes, answered) = match what {
            NetworkWhat::Requests(requests) => ((*requests).max(1), message_bytes, true),
            NetworkWhat::Bytes(bytes) => {
                let messages = bytes.0.div_ceil(message_bytes).max(1);
                (messages, bytes.0 - (messages - 1).saturating_mul(message_bytes).min(bytes.0), false)
            }
        };
        Some(Self { to: to.clone(), messages, message_bytes, last_bytes, answered })
    }

    /// Of a workload and its phases, in order.
    pub fn all(workload: &Workload) -> impl Iterator<Item = Self> + '_ {
        workload.and_its_phases().filter_map(Self::of)
    }

    /// Bytes of message `number`, counted from 0.
    #[must_use]
    pub fn bytes_of(&self, number: u64) -> u64 {
        if number + 1 == self.messages { self.last_bytes } else { self.message_bytes }
    }

    /// Pieces in which a message of so many bytes goes to the kernel.
    #[must_use]
    pub fn pieces(bytes: u64) -> u64 {
        bytes.div_ceil(PIECE_BYTES).max(1)
    }

    /// Pieces that come of it in all, there and back.
    #[must_use]
    pub fn expected(&self) -> f64 {
        let ways = if self.answered { 2.0 } else { 1.0 };
        self.messages as f64 * Self::pieces(self.message_bytes) as f64 * ways
    }
}

/// What the simulator, or a native run, takes a workload to be: what stands for a program in `like`, where it does.
fn works<'a>(workload: &'a Workload) -> Box<dyn Iterator<Item = NetworkWork> + 'a> {
    match workload {
        Workload::Command { like: Some(like), .. } => works(like),
        other => Box::new(NetworkWork::all(other)),
    }
}

/// Whether a workload talks to another tenant, in a phase or as what stands for a program in `like`.
#[must_use]
pub fn talks(workload: &Workload) -> bool {
    works(workload).next().is_some()
}

/// Whether somebody talks to tenant number `tenant` of a plan, so that each of its replicas has one thread more, which answers.
#[must_use]
pub fn serves(plan: &Plan, tenant: usize) -> bool {
    let Some(name) = plan.tenants().get(tenant).map(|tenant| &tenant.name) else { return false };
    plan.tenants().iter().any(|client| works(&client.workload).any(|work| work.to == *name))
}

/// The replica of a peer with `replicas` to which a client's replica talks.
#[must_use]
pub fn peer(replica: u32, replicas: u32) -> u32 {
    replica % replicas.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bytes;

    fn work(what: NetworkWhat, size: u64) -> NetworkWork {
        NetworkWork::of(&Workload::Network { to: "shop".into(), what, size: Bytes(size) }).unwrap()
    }

    #[test]
    fn a_stream_is_messages_of_which_the_last_is_shorter() {
        let stream = work(NetworkWhat::Bytes(Bytes(10_000)), 4096);
        assert_eq!((stream.messages, stream.bytes_of(0), stream.bytes_of(2)), (3, 4096, 1808));
        assert!(!stream.answered);
        let whole = work(NetworkWhat::Bytes(Bytes(8192)), 4096);
        assert_eq!((whole.messages, whole.last_bytes), (2, 4096));
        let small = work(NetworkWhat::Bytes(Bytes(1)), 1 << 30);
        assert_eq!((small.messages, small.last_bytes), (1, 1));
    }

    #[test]
    fn requests_are_answered_by_as_much() {
        let requests = work(NetworkWhat::Requests(5), 100_000);
        assert_eq!((requests.messages, requests.bytes_of(4), requests.answered), (5, 100_000, true));
        assert_eq!((NetworkWork::pieces(100_000), NetworkWork::pieces(PIECE_BYTES)), (2, 1));
        assert_eq!(requests.expected(), 20.0);
    }

    #[test]
    fn whoever_is_talked_to_has_a_thread_that_answers() {
        let text = r#"
            schema = "catamaran/scenario/v1"
            name = "talk"
            duration = "5s"
            platforms = ["bare-metal"]
            [[tenant]]
            name = "shop"
            workload = { kind = "idle" }
            [[tenant]]
            name = "ann"
            workload = { phases = [{ kind = "idle", for = "1s" }, { kind = "network", to = "shop", requests = 5, size = "1KiB" }] }
            [[tenant]]
            name = "bob"
            workload = { kind = "command", argv = ["x"], like = { kind = "network", to = "ann", bytes = "1MiB", size = "1KiB" } }
        "#;
        let plan = Plan::from_toml(text, "x.toml").unwrap();
        assert_eq!([0, 1, 2, 3].map(|tenant| serves(&plan, tenant)), [true, true, false, false]);
        assert!(plan.tenants().iter().skip(1).all(|tenant| talks(&tenant.workload)));
        assert_eq!([0, 1, 2, 3].map(|replica| peer(replica, 3)), [0, 1, 2, 0]);
    }
}
