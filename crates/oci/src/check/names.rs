//! Host and domain name (config.md, "Hostname", "Domainname").

use oci_spec::runtime::{LinuxNamespaceType as Kind, Spec};

use super::namespaces::Namespaces;
use super::{Found, refuse};

/// Bytes that sethostname(2) and setdomainname(2) take (`include/uapi/linux/utsname.h`, `__NEW_UTS_LEN`).
const LONGEST: usize = 64;

pub(super) fn check(spec: &Spec, namespaces: &Namespaces<'_>) -> Found {
    for (at, name) in [("hostname", spec.hostname()), ("domainname", spec.domainname())] {
        let Some(name) = name.as_deref().filter(|name| !name.is_empty()) else { continue };
        if !namespaces.has(Kind::Uts) {
            // The specification lets the runtime's own namespace be the container's; the machine would be renamed.
            let accepted = "the container has the machine's UTS namespace, which keeps its names; add the namespace `uts`";
            refuse(at, format!("{name:?}"), accepted)?;
        }
        if name.len() > LONGEST {
            refuse(at, format!("{} bytes", name.len()), format!("the kernel takes {LONGEST}"))?;
        }
    }
    Ok(())
}
