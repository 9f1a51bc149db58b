//! What a container has used, in the fields of runc's `events --stats` (its `types/events.go`): figures that are 0 are left out
//! where runc leaves them out. Times are nanoseconds, sizes bytes.

mod block;
mod text;
mod v1;
mod v2;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hierarchy::Version;
use super::{Folder, Manager};
use crate::Problem;

/// Figures of a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Statistics {
    pub cpu: Cpu,
    pub cpuset: Cpuset,
    pub memory: Memory,
    pub pids: Pids,
    pub blkio: Blkio,
    /// By the size of pages: `2MB`.
    pub hugetlb: BTreeMap<String, Hugetlb>,
}

/// CPU time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Cpu {
    pub usage: CpuUsage,
    pub throttling: Throttling,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub psi: Option<Psi>,
}

/// CPU time that was used (ns).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct CpuUsage {
    #[serde(skip_serializing_if = "is_zero", default)]
    pub total: u64,
    /// By CPU: version 1 alone tells.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub percpu: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub percpu_kernel: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub percpu_user: Vec<u64>,
    pub kernel: u64,
    pub user: u64,
}

/// Periods in which the quota was used up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Throttling {
    #[serde(skip_serializing_if = "is_zero", default)]
    pub periods: u64,
    #[serde(skip_serializing_if = "is_zero", default)]
    pub throttled_periods: u64,
    /// Summed over CPUs (ns).
    #[serde(skip_serializing_if = "is_zero", default)]
    pub throttled_time: u64,
}

/// Files of the cpuset controller of version 1, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Cpuset {
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cpus: Vec<u16>,
    pub cpu_exclusive: u64,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mems: Vec<u16>,
    pub mem_hardwall: u64,
    pub mem_exclusive: u64,
    pub memory_migrate: u64,
    pub memory_spread_page: u64,
    pub memory_spread_slab: u64,
    pub memory_pressure: u64,
    pub sched_load_balance: u64,
    pub sched_relax_domain_level: i64,
}

/// Memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Memory {
    #[serde(skip_serializing_if = "is_zero", default)]
    pub cache: u64,
    pub usage: MemoryEntry,
    /// Memory and swap together.
    pub swap: MemoryEntry,
    pub kernel: MemoryEntry,
    #[serde(rename = "kernelTCP")]
    pub kernel_tcp: MemoryEntry,
    /// `memory.stat`
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub raw: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub psi: Option<Psi>,
}

/// One kind of memory (bytes).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct MemoryEntry {
    /// Without one, version 2 has the largest number of 64 bits here.
    pub limit: u64,
    #[serde(skip_serializing_if = "is_zero", default)]
    pub usage: u64,
    /// The most that was used so far.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub max: u64,
    /// How often the limit was met.
    pub failcnt: u64,
}

/// Processes and threads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Pids {
    #[serde(skip_serializing_if = "is_zero", default)]
    pub current: u64,
    /// 0 without one.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub limit: u64,
}

/// Pages of one size (bytes).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Hugetlb {
    #[serde(skip_serializing_if = "is_zero", default)]
    pub usage: u64,
    #[serde(skip_serializing_if = "is_zero", default)]
    pub max: u64,
    pub failcnt: u64,
}

/// Operations on block devices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Blkio {
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub io_service_bytes_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub io_serviced_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub io_queue_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub io_service_time_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub io_wait_time_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub io_merged_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub io_time_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sectors_recursive: Vec<BlkioEntry>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub psi: Option<Psi>,
}

/// A figure of one device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct BlkioEntry {
    #[serde(skip_serializing_if = "is_zero", default)]
    pub major: u64,
    #[serde(skip_serializing_if = "is_zero", default)]
    pub minor: u64,
    /// `Read`, `Write` and so on.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub op: String,
    #[serde(skip_serializing_if = "is_zero", default)]
    pub value: u64,
}

/// Pressure: how long some and all of the tasks waited for a resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Psi {
    pub some: PsiLine,
    pub full: PsiLine,
}

/// Shares of the last 10, 60 and 300 s (%), and all time (µs).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PsiLine {
    pub avg10: f64,
    pub avg60: f64,
    pub avg300: f64,
    pub total: u64,
}

// By reference, as serde asks.
fn is_zero(figure: &u64) -> bool {
    *figure == 0
}

impl Manager {
    /// What the container has used. What no group of its tells is 0.
    ///
    /// # Errors
    /// Where none of its groups is there any longer.
    pub fn statistics(&self) -> Result<Statistics, Problem> {
        let mut statistics = Statistics::default();
        let mut read = self.groups.is_empty();
        for group in &self.groups {
            let Ok(folder) = group.open() else { continue };
            read = true;
            match group.version {
                Version::V1 => {
                    group.controllers.iter().for_each(|name| v1::add(&mut statistics, name, &folder));
                }
                Version::V2 => v2::add(&mut statistics, &folder),
            }
        }
        if read {
            Ok(statistics)
        } else {
            Err(Problem::system("read statistics", "the container has no control group any longer"))
        }
    }
}

/// Sizes of huge pages whose figures a group has, by their files.
fn sizes_of_pages(folder: &Folder, suffix: &str) -> Vec<String> {
    let size = |name: &String| Some(name.strip_prefix("hugetlb.")?.strip_suffix(suffix)?.to_owned());
    let names = folder.files().unwrap_or_default();
    let sizes = names.iter().filter_map(size).filter(|size| !size.contains('.'));
    sizes.collect()
}

#[cfg(test)]
mod tests;
