//! A guest's disk as lines of a shell: its worker is not the person's, but its disk is.

use std::path::{Path, PathBuf};

use catamaran_scenario::plan::Tenant;

use super::file_bytes;
use crate::dry_run::quoted;

/// Where the disk of a tenant's guest is to lie; none where the tenant works on no file.
pub(crate) fn file(tenant: &Tenant, label: &str) -> Option<PathBuf> {
    file_bytes(tenant).map(|_| Path::new("/var/tmp").join(format!("catamaran-by-hand-{label}.disk")))
}

/// Lays it out, of bytes that no disk can pass over as nothing.
pub(crate) fn lay_out(tenant: &Tenant, file: &Path) -> Option<String> {
    file_bytes(tenant).map(|bytes| format!("head -c {bytes} /dev/urandom > {}", quoted(file)))
}
