//! A guest's disk as lines of a shell: the worker in there is not the person's, but the disk is.

use std::path::{Path, PathBuf};

use catamaran_scenario::Plan;
use catamaran_scenario::plan::Tenant;

use super::file_bytes;
use crate::dry_run::quoted;

/// Where the disk of a tenant's guest is to lie; none where the tenant works on no file.
pub(crate) fn file(tenant: &Tenant, label: &str) -> Option<PathBuf> {
    file_bytes(tenant).map(|_| Path::new("/var/tmp").join(format!("catamaran-by-hand-{label}.disk")))
}

/// Lays it out, of bytes that no disk can pass over as nothing.
pub(crate) fn lay_out(tenant: &Tenant, label: &str) -> Option<String> {
    let file = file(tenant, label)?;
    Some(format!("head -c {} /dev/urandom > {}", file_bytes(tenant)?, quoted(&file)))
}

/// Removes those of all guests.
pub(crate) fn remove(plan: &Plan) -> Vec<String> {
    let file = |(index, replica)| {
        let tenant = plan.tenants().get(index)?;
        file(tenant, &format!("{}.{replica}", tenant.name))
    };
    plan.instances().filter_map(file).map(|file| format!("rm {}", quoted(&file))).collect()
}
