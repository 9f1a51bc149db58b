//! What a platform leaves running beside its tenants: daemons, shims, monitors.
//!
//! **Law.** A resident is there once for the machine, or once for each container. Its memory counts beside the tenants', and is
//! nobody's workload: it idles once a container runs.
//! **Source.** The platforms' own chains (`startup::chains`). What a shim or a daemon takes was published nowhere that we know
//! by itself; LVM-20 has a thousand Docker containers with a small interpreter each, all in all. KATA-1 is what upstream
//! books for a pod.

use catamaran_scenario::Platform;

use super::figures::LVM_20;

/// How many of a resident there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Per {
    Machine,
    Container,
}

/// Residents of a platform whose memory is unknown, by name.
pub(crate) fn residents(platform: Platform) -> &'static [(&'static str, Per)] {
    use Per::{Container, Machine};
    match platform {
        Platform::Lxc => &[("lxc monitor", Container)],
        Platform::Docker => &[("dockerd", Machine), ("containerd", Machine), ("containerd-shim", Container)],
        Platform::Podman => &[("conmon", Container)],
        Platform::Rkt => {
            &[("systemd-nspawn", Container), ("systemd", Container), ("systemd-journald", Container)]
        }
        Platform::Containerd => {
            &[("containerd", Machine), ("containerd-shim", Container), ("pause", Container)]
        }
        Platform::CriO => &[("crio", Machine), ("conmon", Container)],
        Platform::Gvisor => &[
            ("containerd", Machine),
            ("containerd-shim-runsc", Container),
            ("sentry", Container),
            ("gofer", Container),
        ],
        Platform::Kata => {
            &[("containerd", Machine), ("containerd-shim-kata", Container), ("virtiofsd", Container)]
        }
        Platform::Kubernetes => &[
            ("kubelet", Machine),
            ("containerd", Machine),
            ("containerd-shim", Container),
            ("pause", Container),
        ],
        _ => &[],
    }
}

/// Why the memory of a platform's residents is not known; none where it has none.
pub(crate) fn unknown(platform: Platform) -> Option<String> {
    let residents = residents(platform);
    let name = |(name, per): &(&str, Per)| match per {
        Per::Machine => (*name).to_owned(),
        Per::Container => format!("{name} (one for each container)"),
    };
    let names: Vec<String> = residents.iter().map(name).collect();
    let whole = match platform {
        Platform::Docker => format!(
            "; a thousand containers with a small interpreter each took {} GB in all ({})",
            LVM_20.value(0),
            LVM_20.id
        ),
        _ => String::new(),
    };
    (!names.is_empty()).then(|| format!("nobody has measured what these take: {}{whole}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_where_its_platform_has_one() {
        // Residents of the machine, of each container.
        let table = [
            (Platform::Container, 0, 0),
            (Platform::Runc, 0, 0),
            (Platform::Crun, 0, 0),
            (Platform::Docker, 2, 1),
            (Platform::Podman, 0, 1),
            (Platform::Rkt, 0, 3),
            (Platform::CriO, 1, 1),
            (Platform::Kubernetes, 2, 2),
        ];
        for (platform, machine, container) in table {
            let count = |per| residents(platform).iter().filter(|(_, own)| *own == per).count();
            assert_eq!((count(Per::Machine), count(Per::Container)), (machine, container), "{platform}");
            assert_eq!(unknown(platform).is_some(), machine + container > 0, "{platform}");
        }
    }
}
