//! The one link of a run's network, its bandwidth and its latency, as messages to the kernel: a token bucket through which every
//! packet goes, and a delay after it.
//!
//! **Law.** Where tenants share a namespace, all that they send leaves by its loopback, and the bucket is there. Where each has a
//! namespace of its own, each port of the bridge hands whatever comes in to one device (`ifb`), which has the bucket and hands it
//! back. Either way both directions of all tenants share the rate, headers and acknowledgements included, and whatever finds
//! no tokens waits in one line. The delay comes after the bucket, on devices that a packet passes once: where whatever comes in by the
//! loopback is handed to one (`ifb`), or where a port of the bridge hands it to its tenant. On the bucket's own device it would take
//! each packet from its sender's account, so that TCP would fill the line (`skb_orphan_partial` against `tcp_small_queue_check`).
//! **Source.** Linux `net/sched/sch_tbf.c`, `net/sched/sch_netem.c`, `net/sched/act_mirred.c`, `drivers/net/ifb.c`; tc-tbf(8),
//! tc-netem(8).

use catamaran_scenario::Plan;
use netlink_packet_core::{DefaultNla, Emitable as _};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{
    TcAction, TcActionAttribute, TcActionMirrorOption, TcActionOption, TcActionType, TcAttribute,
    TcFilterU32Option, TcHandle, TcMessage, TcMirror, TcMirrorActionType, TcOption, TcU32Key, TcU32Selector,
    TcU32SelectorFlags,
};

/// Largest packet that a device hands on in one piece: 64 KiB of payload, and for each of its at most 46 segments the headers
/// that go with it on a wire (bytes; `qdisc_pkt_len_init` in Linux `net/core/dev.c`).
const PACKET_BYTES: u32 = (64 << 10) + 46 * 66;
/// For so long (s) the bucket goes on filling where its timer is late, as those of guests are by up to that much.
const LATE_S: f64 = 1e-4;
/// Bytes that may wait: more than all windows together, as a wire loses nothing either.
pub(super) const WAITING_BYTES: u32 = 1 << 30;

/// Packets that may be on their way, more than ever are: a wire loses nothing.
pub(super) const ON_THE_WAY: u32 = 1 << 24;

/// `TCA_OPTIONS` (`include/uapi/linux/rtnetlink.h`).
const TCA_OPTIONS: u16 = 2;
/// An attribute of `netem` (`include/uapi/linux/pkt_sched.h`).
const TCA_NETEM_LATENCY64: u16 = 10;
/// Attributes of `tbf` (`include/uapi/linux/pkt_sched.h`).
const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_RATE64: u16 = 4;
const TCA_TBF_BURST: u16 = 6;
/// Packets are as on an Ethernet (`TC_LINKLAYER_ETHERNET`).
const ETHERNET: u8 = 1;
/// Every protocol (`ETH_P_ALL` in `include/uapi/linux/if_ether.h`).
const ALL_PROTOCOLS: u16 = 3;
/// Whatever is taken, the filter says so at its end (`TC_U32_TERMINAL`).
const TERMINAL: u8 = 1;

/// What `host.network` says of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Link {
    /// Bytes a second; none where it is not bounded.
    pub(crate) bandwidth: Option<u64>,
    /// One way (ns); none where there is nothing to add.
    pub(crate) latency: Option<u64>,
}

impl Link {
    pub(super) fn of(plan: &Plan) -> Self {
        let Some(network) = plan.host().network.as_ref() else { return Self::default() };
        let latency = network.latency.map(|latency| latency.0);
        Self {
            bandwidth: network.bandwidth.map(|bandwidth| bandwidth.0),
            latency: latency.filter(|latency| *latency > 0),
        }
    }
}

/// Bytes that the bucket holds at so many bytes a second.
pub(super) fn burst_bytes(rate: u64) -> u32 {
    PACKET_BYTES.saturating_add((rate as f64 * LATE_S) as u32)
}

/// Bounds what leaves by a device (bytes/s).
pub(super) fn bucket(device: u32, rate: u64) -> RouteNetlinkMessage {
    let mut message = TcMessage::default();
    message.header.index = device.cast_signed();
    (message.header.parent, message.header.handle) = (TcHandle::ROOT, TcHandle { major: 1, minor: 0 });
    let attribute = |kind, bytes: &[u8]| TcOption::Other(DefaultNla::new(kind, bytes.to_vec()));
    let options = vec![
        attribute(TCA_TBF_PARMS, &parameters(rate)),
        attribute(TCA_TBF_RATE64, &rate.to_ne_bytes()),
        attribute(TCA_TBF_BURST, &burst_bytes(rate).to_ne_bytes()),
    ];
    message.attributes = vec![TcAttribute::Kind("tbf".to_owned()), TcAttribute::Options(options)];
    RouteNetlinkMessage::NewQueueDiscipline(message)
}

/// `struct tc_tbf_qopt`: two `struct tc_ratespec` of 12 bytes, of which the second is for a peak rate, then how much may wait, and
/// two words that the attributes beside it stand for.
fn parameters(rate: u64) -> [u8; 36] {
    let mut bytes = [0; 36];
    let mut put = |at: usize, value: &[u8]| {
        for (place, byte) in bytes.iter_mut().skip(at).zip(value) {
            *place = *byte;
        }
    };
    put(1, &[ETHERNET]);
    put(8, &u32::try_from(rate).unwrap_or(u32::MAX).to_ne_bytes());
    put(24, &WAITING_BYTES.to_ne_bytes());
    bytes
}

/// Has whatever leaves by a device leave so much later (ns).
pub(super) fn delay(device: u32, latency: u64) -> RouteNetlinkMessage {
    let mut message = TcMessage::default();
    message.header.index = device.cast_signed();
    (message.header.parent, message.header.handle) = (TcHandle::ROOT, TcHandle { major: 1, minor: 0 });
    let options = DefaultNla::new(TCA_OPTIONS, delay_options(latency));
    message.attributes = vec![TcAttribute::Kind("netem".to_owned()), TcAttribute::Other(options)];
    RouteNetlinkMessage::NewQueueDiscipline(message)
}

/// `struct tc_netem_qopt`: six words, of which the second is how many packets may be there; then attributes, of which one stands for
/// the first word.
fn delay_options(latency: u64) -> Vec<u8> {
    let words = [0, ON_THE_WAY, 0, 0, 0, 0];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_ne_bytes()).collect();
    let exact = DefaultNla::new(TCA_NETEM_LATENCY64, latency.to_ne_bytes().to_vec());
    let begin = bytes.len();
    bytes.resize(begin + exact.buffer_len(), 0);
    exact.emit(bytes.get_mut(begin..).unwrap_or_default());
    bytes
}

/// Makes ready for a rule on what comes in by a device.
pub(super) fn ingress(device: u32) -> RouteNetlinkMessage {
    let mut message = TcMessage::default();
    message.header.index = device.cast_signed();
    (message.header.parent, message.header.handle) =
        (TcHandle::INGRESS, TcHandle { major: u16::MAX, minor: 0 });
    message.attributes = vec![TcAttribute::Kind("ingress".to_owned())];
    RouteNetlinkMessage::NewQueueDiscipline(message)
}

/// Has whatever comes in by a device leave by another.
pub(super) fn redirect(device: u32, to: u32) -> RouteNetlinkMessage {
    let mut mirror = TcMirror::default();
    mirror.generic.action = TcActionType::Stolen;
    (mirror.eaction, mirror.ifindex) = (TcMirrorActionType::EgressRedir, to);
    let mut action = TcAction::default();
    action.attributes = vec![
        TcActionAttribute::Kind("mirred".to_owned()),
        TcActionAttribute::Options(vec![TcActionOption::Mirror(TcActionMirrorOption::Parms(mirror))]),
    ];
    let mut all = TcU32Selector::default();
    all.flags = TcU32SelectorFlags::from_bits_retain(TERMINAL);
    (all.nkeys, all.keys) = (1, vec![TcU32Key::default()]);
    let options = [TcFilterU32Option::Selector(all), TcFilterU32Option::Action(vec![action])];
    let mut message = TcMessage::default();
    message.header.index = device.cast_signed();
    message.header.parent = TcHandle { major: u16::MAX, minor: 0 };
    message.header.info = 1 << 16 | u32::from(ALL_PROTOCOLS.to_be());
    let options = options.into_iter().map(TcOption::U32).collect();
    message.attributes = vec![TcAttribute::Kind("u32".to_owned()), TcAttribute::Options(options)];
    RouteNetlinkMessage::NewTrafficFilter(message)
}
