//! Any bytes that claim to be a `config.json`: everything that is decided before a process exists gives an answer or a refusal
//! with words, never a panic.

#![no_main]

use catamaran_oci::capabilities::{self, Grantable};
use catamaran_oci::check::{self, Facts};
use catamaran_oci::{mounts, seccomp};
use libfuzzer_sys::fuzz_target;
use oci_spec::runtime::Spec;

/// Last capability of Linux 6.18.
const LAST: u32 = 40;

fuzz_target!(|bytes: &[u8]| {
    let Some(spec) = read(bytes) else { return };
    for facts in [Facts::default(), all()] {
        if let Err(problem) = check::check(&spec, &facts) {
            assert!(!problem.to_string().trim().is_empty(), "a refusal without words");
        }
    }
    for mount in spec.mounts().iter().flatten() {
        drop(mounts::of(mount, "mounts[]"));
    }
    if let Some(wanted) = spec.process().as_ref().and_then(|process| process.capabilities().as_ref()) {
        let (sets, _) = capabilities::sets(wanted, Grantable::new(LAST, u64::MAX));
        assert_eq!(sets.ambient & !sets.permitted, 0, "ambient without permitted");
    }
    if let Some(profile) = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()) {
        if let Ok((filter, _)) = seccomp::compile(profile) {
            assert!((1..=4096).contains(&filter.instructions.len()), "{} instructions", filter.instructions.len());
        }
    }
});

/// As a runtime reads it: a file that the parser refuses is prepared and read again.
fn read(bytes: &[u8]) -> Option<Spec> {
    serde_json::from_slice(bytes).ok().or_else(|| {
        let mut value = serde_json::from_slice(bytes).ok()?;
        check::prepare(&mut value);
        serde_json::from_value(value).ok()
    })
}

/// A machine that has everything.
fn all() -> Facts {
    Facts {
        unified: true,
        rootless: false,
        apparmor: true,
        selinux: true,
        resctrl: true,
        hugepage_sizes: vec!["2MB".to_owned()],
        joins_own_network: false,
        joins_own_mounts: false,
    }
}
