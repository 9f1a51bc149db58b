//! What each platform hides and holds back, measured from inside and held against what it promises.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use catamaran_native::{Probe, Verdict, probe};
use catamaran_report::RunError;
use catamaran_report::report::Sees;
use catamaran_scenario::Platform;

/// The matrix, or `None` with a printed reason where this machine does not offer the platform.
fn tried(platform: Platform) -> Option<Probe> {
    match probe(platform, &Arc::default()) {
        Ok(probe) => Some(probe),
        Err(RunError::Unavailable { why, .. }) => {
            println!("skipped: probe on {platform}: {why}");
            None
        }
        Err(error) => panic!("{platform}: {error}"),
    }
}

/// Platforms are probed in one test, one after the other: an attack on the CPU must not run beside another.
#[test]
fn every_platform_keeps_what_it_promises() {
    let platforms = [
        Platform::BareMetal,
        Platform::Chroot,
        Platform::Namespaces,
        Platform::Cgroups,
        Platform::Container,
        Platform::Runc,
        Platform::Crun,
        Platform::Youki,
        Platform::Podman,
        Platform::Containerd,
        Platform::Docker,
        Platform::Lxc,
        Platform::Vm,
    ];
    // Engines let their containers more, each what it says of itself.
    let engines = [Platform::Podman, Platform::Containerd, Platform::Docker, Platform::Lxc];
    let outside = [Platform::BareMetal, Platform::Chroot, Platform::Namespaces, Platform::Cgroups];
    for platform in platforms {
        let Some(probe) = tried(platform) else { continue };
        assert_eq!((probe.views.len(), probe.attacks.len()), (11, 12), "{platform}");
        assert!(probe.holds(), "{platform}: {probe:#?}");
        let kernel = probe.views.iter().find(|view| view.resource == "kernel").expect("a kernel");
        let expected = if platform == Platform::Vm { Sees::Own } else { Sees::Host };
        assert_eq!(kernel.seen, Some(expected), "{platform}: nothing short of a guest hides the kernel");
        if !outside.contains(&platform) && !engines.contains(&platform) {
            for attack in &probe.attacks {
                let seen = attack.seen.expect("every attack was tried");
                assert_ne!(seen, Verdict::Permitted, "{attack:?}");
            }
        }
    }
}

#[test]
fn a_platform_without_code_is_not_available() {
    for platform in [Platform::Rkt, Platform::Gvisor, Platform::Microvm] {
        match probe(platform, &Arc::default()) {
            Err(RunError::Unavailable { platform: named, .. }) => assert_eq!(named, platform),
            other => panic!("{platform}: {other:?}"),
        }
    }
}
