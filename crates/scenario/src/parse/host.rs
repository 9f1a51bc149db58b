//! `[host]` and `[platform.NAME]`.

use std::collections::BTreeMap;

use crate::Platform;
use crate::diagnostic::Problem;
use crate::plan::{Guest, Host, HostDisk, HostNetwork, Migration, Namespace, PlatformSettings, Scheduler};

use super::reader::Reader;

/// Most cores of all nodes together: what a simulator holds in memory.
const CORES_IN_ALL_MAX: u64 = 1 << 20;

pub(super) fn read(root: &Reader<'_>) -> Option<Host> {
    let host = root.table_or_empty("host")?;
    let (cores, memory, nodes) = (host.count32("cores"), host.bytes("memory"), host.count32("nodes"));
    let swap = host.bytes("swap");
    let disk = host.table("disk").map(|disk| HostDisk {
        read: disk.bandwidth("read"),
        write: disk.bandwidth("write"),
        iops: disk.count("iops"),
    });
    let network = host.table("network").map(|network| HostNetwork {
        bandwidth: network.bandwidth("bandwidth"),
        latency: network.duration("latency"),
    });
    let unpack = host.bandwidth("unpack");
    let (cores, nodes) = (cores?, nodes?);
    if u64::from(cores) * u64::from(nodes) > CORES_IN_ALL_MAX {
        let problem = Problem::new(format!("{nodes} nodes of {cores} cores are too many"));
        host.fail(
            "nodes",
            problem.accepts(format!("at most {CORES_IN_ALL_MAX} cores in all")).advises("use fewer nodes"),
        );
    }
    Some(Host { cores, memory: memory?, swap: swap?, disk, network, unpack, nodes })
}

pub(super) fn read_settings(root: &Reader<'_>) -> BTreeMap<Platform, PlatformSettings> {
    let Some(reader) = root.table_or_empty("platform") else { return BTreeMap::new() };
    let settings = |platform: &Platform| Some((*platform, read_platform(&reader.table(platform.name())?)));
    Platform::ALL.iter().filter_map(settings).collect()
}

fn read_platform(reader: &Reader<'_>) -> PlatformSettings {
    PlatformSettings {
        runtime: reader.text("runtime"),
        rootless: reader.flag("rootless"),
        scheduler: reader
            .choice("scheduler")
            .map(|word| if word == "cfs" { Scheduler::Cfs } else { Scheduler::Eevdf }),
        hz: reader.count32("hz"),
        base_slice: reader.duration("base_slice"),
        autogroup: reader.flag("autogroup"),
        vcpus: reader.count32("vcpus"),
        memory: reader.bytes("memory"),
        guest: reader.choice("guest").map(|word| if word == "bare" { Guest::Bare } else { Guest::Linux }),
        accel: reader.choice("accel").map(str::to_owned),
        hypervisor_type: reader.count("type").map(|kind| if kind == 1 { 1 } else { 2 }),
        compat: reader.text("compat"),
        unshare: read_unshare(reader),
        migration: reader
            .choice("migration")
            .map(|word| if word == "clark" { Migration::Clark } else { Migration::Qemu }),
        downtime: reader.duration("downtime"),
        page_sharing: reader.flag("page_sharing"),
        balloon: reader.flag("balloon"),
    }
}

/// The namespaces in their own order, so that scenarios that list the same are the same.
fn read_unshare(reader: &Reader<'_>) -> Option<Vec<Namespace>> {
    let words = reader.choices("unshare")?;
    Some(Namespace::ALL.iter().copied().filter(|kind| words.contains(&kind.name())).collect())
}
