//! Published figures that the model is made of, by the id of their row in `docs/figures.csv`, which says who measured what on
//! which machine. Only rows with the role `calibrate` or `fact` are here; those for validation stay out of the code.
//!
//! **Judge.** `each_figure_is_its_row`: ids, units and values are those of the file.

/// A row of `docs/figures.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    pub(crate) id: &'static str,
    /// As in the file; empty where the value says it.
    unit: &'static str,
    /// The numbers of the value, in their order.
    values: &'static [f64],
}

impl Figure {
    /// Number `index` of the value, in the unit of the file; 0 where there is none, which the test rules out.
    pub(crate) const fn value(&self, index: usize) -> f64 {
        if index < self.values.len() { self.values[index] } else { 0.0 }
    }

    /// Number `index` of a value in milliseconds (ns).
    pub(crate) const fn ms(&self, index: usize) -> u64 {
        (self.value(index) * 1e6 + 0.5) as u64
    }

    /// Number `index` of a value in microseconds (ns).
    pub(crate) const fn us(&self, index: usize) -> f64 {
        self.value(index) * 1e3
    }

    /// Time for one, of a value that says how many there are in a second (ns).
    pub(crate) const fn per_second(&self, index: usize) -> f64 {
        1e9 / self.value(index)
    }
}

macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $unit:literal, [$($value:literal),+];)*) => {
        $($(#[$doc])* pub(crate) const $name: Figure = Figure { id: $id, unit: $unit, values: &[$($value),+] };)*

        #[cfg(test)]
        const ALL: &[Figure] = &[$($name),*];
    };
}

figures! {
    /// A round trip of 100 and 200 bytes over TCP from the machine itself.
    FEL_RR_TN = "FEL-RR-Tn", "us/transaction", [37.58];
    /// The same from a guest of KVM.
    FEL_RR_TK = "FEL-RR-Tk", "us/transaction", [67.94];
    /// Requests of one connection to Redis on the machine itself.
    FEL_RED_1N = "FEL-RED-1n", "req/s", [16421.0];
    /// The same through Docker's bridge and its translation of addresses.
    FEL_RED_1B = "FEL-RED-1b", "req/s", [12767.0];
    /// Random reads of 4 KiB by one job, 16 at a time, on the machine itself.
    FEL_FIO_6N = "FEL-FIO-6n", "IOPS", [58729.0];
    /// The same in a guest of KVM.
    FEL_FIO_6K = "FEL-FIO-6k", "IOPS", [24793.0];
    /// How long one takes by eight such jobs, on the machine itself and in a guest of KVM.
    FEL_FIO_L1 = "FEL-FIO-L1", "us", [1519.8, 3006.7];
    /// From `docker run` to the container at work.
    LVM_07 = "LVM-07", "ms", [200.0];
    /// Memory of a thousand Docker containers with a small interpreter each.
    LVM_20 = "LVM-20", "GB", [5.0];
    /// Firecracker, from `InstanceStart` to the guest's init: median, 99th percentile.
    FC_BS_02 = "FC-BS-02", "ms", [110.0, 116.0];
    /// QEMU with qboot, from its start to the guest's init: median, 99th percentile.
    FC_BS_07 = "FC-BS-07", "ms", [213.9, 221.4];
    /// Firecracker, from its start to its socket: CPU, least, most, typical.
    FC_S3 = "FC-S3", "ms", [8.0, 6.0, 60.0, 12.0];
    /// What Firecracker needs beside the guest's memory.
    FC_MEM_1 = "FC-MEM-1", "MB", [2.5];
    /// What QEMU needs beside the guest's memory.
    FC_MEM_3 = "FC-MEM-3", "MB", [131.3];
    /// Clark and others: copy of the last round, and what comes until the guest goes on.
    MIG_05 = "MIG-05", "ms", [201.0, 9.0];
    /// The same: Mbit/s that a round is faster than the guest wrote in the last one; KiB that are few enough to stop.
    MIG_14 = "MIG-14", "", [50.0, 256.0];
    /// The same: Mbit/s of the first round, and of any at the least.
    MIG_15 = "MIG-15", "", [100.0];
    /// ESX: share of the memory that its table of pages takes at the most, and bytes for each page frame.
    ESX_1 = "ESX-1", "", [0.5, 16.0];
    /// ESX: hundredths of the memory that are free in the states high, soft, hard and low.
    ESX_6 = "ESX-6", "%", [6.0, 4.0, 2.0, 1.0];
    /// Memory that guests of 128, 256, 1024 and 8192 MiB show.
    FC_MEM_4 = "FC-MEM-4", "MB", [112.1, 238.1, 994.1, 7985.7];
    /// Random reads of 4 KiB, 32 at a time, on the machine itself.
    FC_IO_1M = "FC-IO-1m", "IOPS", [301182.0];
    /// Random reads of 4 KiB, one at a time, on the machine itself.
    FC_IO_2M = "FC-IO-2m", "IOPS", [16473.0];
    /// The same in a guest of Firecracker.
    FC_IO_2F = "FC-IO-2f", "IOPS", [8444.0];
    /// The same in a guest of QEMU.
    FC_IO_2Q = "FC-IO-2q", "IOPS", [7513.0];
    /// Random reads of 128 KiB, one at a time, on the machine itself.
    FC_IO_6M = "FC-IO-6m", "IOPS", [4739.0];
    /// The same in a guest of Firecracker.
    FC_IO_6F = "FC-IO-6f", "IOPS", [1795.0];
    /// The same in a guest of QEMU.
    FC_IO_6Q = "FC-IO-6q", "IOPS", [2427.0];
    /// A ping over the loopback interface.
    FC_PNG_1 = "FC-PNG-1", "ms", [0.012];
    /// A ping from the machine to a guest of Firecracker.
    FC_PNG_2 = "FC-PNG-2", "ms", [0.123];
    /// A system call that does nothing: on the machine, under runc, under gVisor with ptrace and with KVM.
    GV_01 = "GV-01", "us", [0.284, 0.359, 10.62, 0.981];
    /// Opening and closing a file of the container's root: on the machine, under runc, under gVisor with KVM.
    GV_03 = "GV-03", "us", [2.11, 2.52, 288.2];
    /// Reading 4 KiB: on the machine, under runc, under gVisor with ptrace and with KVM.
    GV_06 = "GV-06", "us/op", [0.862, 1.02, 15.7, 12.6];
    /// What a pod under Kata is booked beside its containers: MiB, thousandths of a core.
    KATA_1 = "KATA-1", "", [160.0, 250.0];
    /// `sched_cfs_bandwidth_slice`.
    CFS_2 = "CFS-2", "ms", [5.0];
    /// `sched_latency`, `sched_min_granularity`, `sched_wakeup_granularity` before scaling.
    CFS_9 = "CFS-9", "ms", [6.0, 0.75, 1.0];
    /// `base_slice` before scaling (Linux 6.6 to 6.12).
    CFS_10 = "CFS-10", "ms", [0.75];
    /// `sched_migration_cost`.
    CFS_11 = "CFS-11", "ms", [0.5];
    /// Direct cost of an exit, on a core of 2.93 GHz.
    VX_2 = "VX-2", "cycles", [2000.0];
    /// Memory references of a walk of page tables, at worst: nested, and on the machine itself.
    VX_4 = "VX-4", "memory refs", [24.0, 4.0];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of a line in which commas and doubled quotes may stand between quotes.
    fn cells(line: &str) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                other => cells.last_mut().unwrap().push(other),
            }
        }
        cells
    }

    /// The numbers in a text, in their order: `8 CPU ms; wall 6-60, typ 12` has 8, 6, 60 and 12.
    fn numbers(text: &str) -> Vec<f64> {
        let parts = text.split(|character: char| !character.is_ascii_digit() && character != '.');
        parts.filter_map(|part| part.parse().ok()).collect()
    }

    #[test]
    fn each_figure_is_its_row() {
        let text = include_str!("../../../../docs/figures.csv");
        let mut lines = text.lines().map(cells);
        let head = lines.next().unwrap();
        let place = |name: &str| head.iter().position(|cell| cell == name).unwrap();
        let (id, value, unit, role) = (place("id"), place("value"), place("unit"), place("role"));
        let rows: Vec<Vec<String>> = lines.collect();
        for figure in ALL {
            let row = rows.iter().find(|row| row[id] == figure.id).unwrap_or_else(|| panic!("{}", figure.id));
            assert!(
                ["calibrate", "fact"].contains(&row[role].as_str()),
                "{} is for {}",
                figure.id,
                row[role]
            );
            assert_eq!(row[unit], figure.unit, "{}", figure.id);
            assert!(numbers(&row[value]).starts_with(figure.values), "{}: {}", figure.id, row[value]);
        }
    }

    #[test]
    fn no_figure_is_there_twice() {
        let ids: std::collections::BTreeSet<&str> = ALL.iter().map(|figure| figure.id).collect();
        assert_eq!(ids.len(), ALL.len());
    }
}
