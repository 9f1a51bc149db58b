//! What a platform makes of a message from one tenant to another: which way it goes, and what that costs beyond the machine's
//! own network.
//!
//! **Law.** Tenants that share the machine's network talk over its loopback interface; tenants with a network namespace each over
//! a veth pair each and a bridge, whoever made them (between two containers on one bridge no address is translated). A
//! guest's message goes through virtio: the guest tells its monitor (one exit), the monitor's thread carries it over on a core
//! of its own, and the other guest is interrupted (two exits, as of a timer, where its thread slept; one that is at work finds
//! it by polling, as NAPI does). What a round trip takes longer than on the machine, less those exits, passes for both
//! messages alike.
//! **Source.** Linux `drivers/net/veth.c`, `drivers/net/virtio_net.c` (`virtnet_poll`, `virtqueue_kick`), FEL-RR-Tn, FEL-RR-Tk,
//! FC-PNG-1, FC-PNG-2 by way of `costs`.
//! **Left out.** The CPU time of the monitor's (or vhost's) thread, which was not published; the guest's own stack is taken to
//! cost what the machine's loopback does.

use catamaran_scenario::Platform;
use catamaran_scenario::calibration::{MessageCosts, NetworkCosts};
use catamaran_scenario::network_work::{ETHERNET_SEGMENT_BYTES, LOOPBACK_SEGMENT_BYTES};
use catamaran_scenario::plan::{Namespace, PlatformSettings};

use super::visibility::Surroundings;
use super::vm::Guest;
use super::{costs, has_guests};

/// Exits of a guest for one message: the sender's, and the receiver's when it is interrupted.
const EXITS_PER_MESSAGE: u64 = 3;

/// What messages cost on a platform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Way {
    pub(crate) message: MessageCosts,
    /// CPU time of the sender beyond that, of each piece (ns).
    pub(crate) kick_ns: u64,
    /// What passes between sending and coming (ns).
    pub(crate) passes_ns: u64,
    /// Bytes of a message that a segment holds.
    pub(crate) segment_bytes: u64,
}

impl Way {
    /// CPU time of sending a piece (ns); `in_turn`: it is answered before the next is sent.
    pub(crate) fn send_ns(&self, bytes: u64, in_turn: bool) -> u64 {
        let message = &self.message;
        let turn = message.in_turn.filter(|_| in_turn);
        let rates = turn.map(|turn| (turn.send_ns_per_byte, turn.segments_send_ns));
        message.send_ns + self.bytes_ns(bytes, rates.unwrap_or((message.send_ns_per_byte, 0)))
    }

    /// What of that comes after its reader was woken (ns).
    pub(crate) fn after_ns(&self, bytes: u64) -> u64 {
        let turn = self.message.in_turn.filter(|_| self.passes_ns == 0);
        turn.map_or(0, |turn| turn.after_ns + self.bytes_ns(bytes, (0.0, turn.segments_after_ns)))
    }

    /// CPU time of reading it (ns).
    pub(crate) fn receive_ns(&self, bytes: u64, in_turn: bool) -> u64 {
        let message = &self.message;
        let turn = message.in_turn.filter(|_| in_turn);
        let rates = turn.map(|turn| (turn.receive_ns_per_byte, turn.segments_receive_ns));
        message.receive_ns + self.bytes_ns(bytes, rates.unwrap_or((message.receive_ns_per_byte, 0)))
    }

    /// What bytes take, at so much each and so much once where they need more than a segment (ns).
    fn bytes_ns(&self, bytes: u64, (each, once): (f64, u64)) -> u64 {
        let more = if bytes > self.segment_bytes { once } else { 0 };
        (each * bytes as f64) as u64 + more
    }
}

/// Why a platform has no network that could be modelled; none where it has.
pub(crate) fn unknown(platform: Platform) -> Option<&'static str> {
    match platform {
        Platform::Gvisor => {
            Some("messages under gVisor, of whose own network nobody has published what one costs")
        }
        _ if has_guests(platform) && costs::extra(platform).round_trip.is_none() => {
            Some("messages between such guests, of which nobody has published what one costs")
        }
        _ => None,
    }
}

/// The way of a platform with these settings, whose guests are like that.
pub(crate) fn way(
    platform: Platform,
    settings: &PlatformSettings,
    measured: &NetworkCosts,
    guest: Option<&Guest>,
) -> Way {
    if let Some(guest) = guest {
        let exit_ns = guest.timer_ns / u64::from(super::vm::EXITS_PER_TIMER);
        let one_way = costs::extra(platform).round_trip.map_or(0, |ns| (ns / 2.0) as u64);
        return Way {
            message: measured.loopback,
            kick_ns: exit_ns,
            passes_ns: one_way.saturating_sub(EXITS_PER_MESSAGE * exit_ns),
            segment_bytes: ETHERNET_SEGMENT_BYTES,
        };
    }
    let own = Surroundings::of(platform, settings).has(Namespace::Net);
    let (message, segment_bytes) = if own {
        (measured.veth, ETHERNET_SEGMENT_BYTES)
    } else {
        (measured.loopback, LOOPBACK_SEGMENT_BYTES)
    };
    Way { message, kick_ns: 0, passes_ns: 0, segment_bytes }
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::Calibration;

    use super::*;

    #[test]
    fn who_has_a_network_of_its_own_goes_over_the_bridge() {
        let mut measured = Calibration::reference().network.unwrap();
        measured.veth.send_ns = measured.loopback.send_ns + 1;
        for (platform, veth) in [
            (Platform::BareMetal, false),
            (Platform::Cgroups, false),
            (Platform::Chroot, false),
            (Platform::Namespaces, true),
            (Platform::Container, true),
            (Platform::Docker, true),
            (Platform::Kubernetes, true),
        ] {
            let way = way(platform, &PlatformSettings::default(), &measured, None);
            assert_eq!(way.message.send_ns == measured.veth.send_ns, veth, "{platform}");
        }
        let mut shared = PlatformSettings::default();
        shared.unshare = Some(vec![Namespace::Pid]);
        assert_eq!(way(Platform::Namespaces, &shared, &measured, None).message, measured.loopback);
    }

    #[test]
    fn what_nobody_has_published_is_unknown() {
        let known = [Platform::Vm, Platform::Kata, Platform::Microvm, Platform::Docker, Platform::BareMetal];
        assert!(known.into_iter().all(|platform| unknown(platform).is_none()));
        assert!(
            [Platform::Gvisor, Platform::VmHosted].into_iter().all(|platform| unknown(platform).is_some())
        );
    }
}
