//! `linux.resources.rdma`: handles and objects of each RDMA device. The file is the same in both versions.

use std::collections::HashMap;

use oci_spec::runtime::LinuxRdma;

use super::Manager;
use crate::Problem;

pub(super) fn apply(manager: &Manager, devices: &HashMap<String, LinuxRdma>) -> Result<(), Problem> {
    for (name, limits) in devices {
        let at = format!("linux.resources.rdma[{name:?}]");
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Problem::config(at, format!("{name:?}"), "the name of an RDMA device"));
        }
        let limits = [("hca_handle", limits.hca_handles()), ("hca_object", limits.hca_objects())];
        let limits: Vec<String> =
            limits.iter().filter_map(|(key, value)| Some(format!("{key}={}", (*value)?))).collect();
        if limits.is_empty() {
            return Err(Problem::config(at, "no limit", "give hcaHandles, hcaObjects or both"));
        }
        manager.controller("rdma", &at)?.set(&at, "rdma.max", format!("{name} {}", limits.join(" ")))?;
    }
    Ok(())
}
