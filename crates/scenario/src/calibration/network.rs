//! What `catamaran calibrate` measures of the machine's own network: its loopback interface, and pairs of virtual Ethernet
//! devices on a bridge.
//!
//! **Law.** A piece of a message takes CPU time of whoever sends it, whose thread also carries it up to the receiver's socket
//! (`net_rx_action` runs in the sender's softirq), and of whoever reads it. Where the receiver sleeps, the sender wakes it, which
//! takes more of it where the receiver's core idles and has to be interrupted; the receiver pays for having slept. No more than
//! a window is on its way: a sender waits until a third of it is free again.

use serde::{Deserialize, Serialize};

/// The machine's own network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkCosts {
    /// CPU time of the sender, beyond the message, for waking a receiver that sleeps (ns).
    pub wake_ns: u64,
    /// CPU time of the sender beyond that where the receiver's core idles: the interrupt (ns).
    pub wake_idle_ns: u64,
    /// From the end of the sender's system call to the receiver's first instruction, on an idle core (ns).
    pub wakeup_idle_ns: u64,
    /// CPU time of a receiver for finding nothing, going to sleep and coming back, beyond the switches (ns).
    pub sleep_ns: u64,
    /// Bytes that may be on their way in one direction of a connection, sent and not read.
    pub window_bytes: u64,
    /// Between tenants that share a network namespace.
    pub loopback: MessageCosts,
    /// Between tenants that have one each, over a veth pair each and a bridge.
    pub veth: MessageCosts,
}

/// What a piece of a message costs: a system call with at most [`PIECE_BYTES`](crate::network_work::PIECE_BYTES).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageCosts {
    /// CPU time of whoever sends it, its receiver being awake (ns).
    pub send_ns: u64,
    /// The same for each byte (ns).
    pub send_ns_per_byte: f64,
    /// CPU time of whoever reads it, which is there already (ns).
    pub receive_ns: u64,
    /// The same for each byte (ns).
    pub receive_ns_per_byte: f64,
    /// What the bytes of messages cost that take turns; as those of a stream where it was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_turn: Option<TurnCosts>,
}

/// What the bytes of a message cost that is answered before the next one is sent, and that one piece holds: the same few pages go
/// to and fro, and stay in the nearest cache, where those of a stream go through a whole window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnCosts {
    /// CPU time of whoever sends, for each byte (ns).
    pub send_ns_per_byte: f64,
    /// CPU time of whoever reads, for each byte (ns).
    pub receive_ns_per_byte: f64,
    /// CPU time more of whoever sends what does not fit one segment (ns): it is acknowledged at once (`__tcp_ack_snd_check` in
    /// Linux `net/ipv4/tcp_input.c`), and the sender's thread carries that as well.
    pub segments_send_ns: u64,
    /// CPU time more of whoever reads it (ns).
    pub segments_receive_ns: u64,
    /// What the sender's system call goes on for once its reader has been woken (ns), part of what sending takes.
    pub after_ns: u64,
    /// The same more for what does not fit one segment (ns).
    pub segments_after_ns: u64,
}
