//! What a platform adds to a system call, to a request to the disk and to a message, beyond the machine itself.
//!
//! **Law.** A request through virtio costs its exits, the monitor's thread and its interrupt: what one request at a time takes longer in
//! a guest than on the same machine (1/IOPS − 1/IOPS). A system call under gVisor is answered by the Sentry: what a call that does
//! nothing takes longer. A message through Docker's bridge is translated, and goes through a veth pair. A page table under a
//! page table is walked with at most (n+1)(m+1)−1 references in place of n.
//! **Source.** FC-IO-2m/2f/2q, FEL-RR-Tn/Tk, FC-PNG-1/2, FEL-RED-1n/1b, GV-01, GV-03, GV-06, VX-4: each difference is of two rows
//! of one test bed.
//! **Judge.** `differences_are_those_of_the_rows`. A system call's cost goes into every sleep; the others are said in the report's
//! `identity.machine`.

use std::collections::BTreeMap;

use catamaran_scenario::Platform;

use super::figures::{
    FC_IO_2F, FC_IO_2M, FC_IO_2Q, FC_PNG_1, FC_PNG_2, FEL_RED_1B, FEL_RED_1N, FEL_RR_TK, FEL_RR_TN, GV_01,
    GV_03, GV_06, VX_4,
};

/// Places in GV-01 and GV-06: on the machine, under gVisor with KVM.
const BARE: usize = 0;
const GVISOR: usize = 3;
/// The place of gVisor in GV-03.
const GVISOR_OPEN: usize = 2;

/// Costs beyond the machine's own (ns of each); none where nobody has measured them, or there are none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Extra {
    pub(crate) system_call: Option<f64>,
    open_and_close: Option<f64>,
    read_4_kib: Option<f64>,
    disk_request: Option<f64>,
    pub(crate) round_trip: Option<f64>,
    /// Memory references of a walk at worst, on the machine and nested.
    walk: Option<(f64, f64)>,
}

pub(crate) fn extra(platform: Platform) -> Extra {
    let walk = Some((VX_4.value(1), VX_4.value(0)));
    match platform {
        // Their monitor is QEMU.
        Platform::Vm | Platform::Kata => Extra {
            disk_request: Some(FC_IO_2Q.per_second(0) - FC_IO_2M.per_second(0)),
            round_trip: Some(FEL_RR_TK.us(0) - FEL_RR_TN.us(0)),
            walk,
            ..Extra::default()
        },
        Platform::Microvm => Extra {
            disk_request: Some(FC_IO_2F.per_second(0) - FC_IO_2M.per_second(0)),
            round_trip: Some((FC_PNG_2.ms(0) - FC_PNG_1.ms(0)) as f64),
            walk,
            ..Extra::default()
        },
        Platform::VmHosted => Extra { walk, ..Extra::default() },
        Platform::Docker => Extra {
            round_trip: Some(FEL_RED_1B.per_second(0) - FEL_RED_1N.per_second(0)),
            ..Extra::default()
        },
        Platform::Gvisor => Extra {
            system_call: Some(GV_01.us(GVISOR) - GV_01.us(BARE)),
            open_and_close: Some(GV_03.us(GVISOR_OPEN) - GV_03.us(BARE)),
            read_4_kib: Some(GV_06.us(GVISOR) - GV_06.us(BARE)),
            ..Extra::default()
        },
        _ => Extra::default(),
    }
}

impl Extra {
    /// What a report says of them.
    pub(crate) fn facts(&self) -> BTreeMap<String, String> {
        let costs = [
            ("extra_system_call_ns", self.system_call),
            ("extra_open_and_close_ns", self.open_and_close),
            ("extra_read_4_kib_ns", self.read_4_kib),
            ("extra_disk_request_ns", self.disk_request),
            ("extra_round_trip_ns", self.round_trip),
        ];
        let cost =
            |(name, ns): (&str, Option<f64>)| Some((name.to_owned(), format!("{}", (ns? + 0.5) as u64)));
        let mut facts: BTreeMap<String, String> = costs.into_iter().filter_map(cost).collect();
        if let Some((own, nested)) = self.walk {
            let words = format!("at most {nested} memory references, {own} on the machine itself");
            facts.insert("page_walk".into(), words);
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_of_the_rows() {
        // System call, request to the disk, round trip, to the nearest nanosecond.
        let table = [
            (Platform::Container, None, None, None),
            (Platform::Docker, None, None, Some(17_429)),
            (Platform::Vm, None, Some(72_397), Some(30_360)),
            (Platform::Microvm, None, Some(57_722), Some(111_000)),
            (Platform::VmHosted, None, None, None),
            (Platform::Gvisor, Some(697), None, None),
        ];
        for (platform, system_call, disk_request, round_trip) in table {
            let extra = extra(platform);
            let whole = |ns: Option<f64>| ns.map(|ns| (ns + 0.5) as u64);
            let found = (whole(extra.system_call), whole(extra.disk_request), whole(extra.round_trip));
            assert_eq!(found, (system_call, disk_request, round_trip), "{platform}");
        }
    }
}
