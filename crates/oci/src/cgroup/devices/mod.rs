//! `linux.resources.devices`: which device files may be opened or made. Rules apply in the order in which they are listed, so
//! for each kind of access the last rule that fits decides; where none fits, nothing is allowed. After the rules of the
//! configuration come those that every container needs (config-linux.md, "Default Devices").

mod bpf;
mod program;
mod v1;

use std::ops::BitOr;

use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType};

use super::Manager;
use super::apply::Control;
use super::hierarchy::Version;
use crate::Problem;

const AT: &str = "linux.resources.devices";

/// Kind of a device, numbered as `BPF_DEVCG_DEV_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Block = 1,
    Char = 2,
}

/// What may be done with a device, by the bits `BPF_DEVCG_ACC_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Access(u8);

impl Access {
    const MKNOD: Self = Self(1);
    const READ: Self = Self(2);
    const WRITE: Self = Self(4);
    const ALL: Self = Self(7);

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Access {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Devices, by what is given of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Devices {
    kind: Option<Kind>,
    major: Option<u32>,
    minor: Option<u32>,
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    allow: bool,
    devices: Devices,
    access: Access,
}

impl Rule {
    const fn allow(kind: Kind, major: Option<u32>, minor: Option<u32>, access: Access) -> Self {
        Self { allow: true, devices: Devices { kind: Some(kind), major, minor }, access }
    }

    /// Whether it leaves nothing of the rules before it.
    fn is_for_all(&self) -> bool {
        let Devices { kind, major, minor } = self.devices;
        kind.is_none() && major.is_none() && minor.is_none() && self.access == Access::ALL
    }
}

/// What every container may do: make any device file, as making is not opening, and use the devices that it is given. runc
/// before 1.2 adds tun (10:200), which nobody asked for.
const DEFAULT: [Rule; 10] = [
    Rule::allow(Kind::Char, None, None, Access::MKNOD),
    Rule::allow(Kind::Block, None, None, Access::MKNOD),
    // null, zero, full, random, urandom
    Rule::allow(Kind::Char, Some(1), Some(3), Access::ALL),
    Rule::allow(Kind::Char, Some(1), Some(5), Access::ALL),
    Rule::allow(Kind::Char, Some(1), Some(7), Access::ALL),
    Rule::allow(Kind::Char, Some(1), Some(8), Access::ALL),
    Rule::allow(Kind::Char, Some(1), Some(9), Access::ALL),
    // tty, ptmx, pts/*
    Rule::allow(Kind::Char, Some(5), Some(0), Access::ALL),
    Rule::allow(Kind::Char, Some(5), Some(2), Access::ALL),
    Rule::allow(Kind::Char, Some(136), None, Access::ALL),
];

/// Applies the rules of the configuration and the default ones. Devices are the kernel's to guard for whoever is not root:
/// a rootless container does without, as runc does.
pub(super) fn apply(manager: &Manager, configured: &[LinuxDeviceCgroup]) -> Result<(), Problem> {
    let rules = rules(configured)?;
    let applied = apply_rules(manager, &rules);
    if manager.rootless { Ok(()) } else { applied }
}

fn apply_rules(manager: &Manager, rules: &[Rule]) -> Result<(), Problem> {
    let v2 = || manager.groups.iter().find(|group| group.version == Version::V2);
    let Some(group) = manager.v1("devices").or_else(v2) else {
        let why = "no control group can guard them: neither the controller devices nor version 2 is mounted";
        return Err(Problem::system(format!("apply {AT}"), why));
    };
    let control = Control::of(group, AT)?;
    match control.version {
        Version::V1 => v1::apply(&control, rules),
        Version::V2 => {
            let attached = bpf::replace(&control.folder, &program::assemble(rules));
            attached.map_err(|errno| {
                let place = control.folder.path().display();
                Problem::system(format!("apply {AT}: attach an eBPF program to {place}"), errno)
            })
        }
    }
}

/// Rules of the configuration, and the default ones after them.
fn rules(configured: &[LinuxDeviceCgroup]) -> Result<Vec<Rule>, Problem> {
    let configured = configured.iter().enumerate().map(|(at, rule)| read(rule, &format!("{AT}[{at}]")));
    configured.chain(DEFAULT.map(Ok)).collect()
}

fn read(rule: &LinuxDeviceCgroup, at: &str) -> Result<Rule, Problem> {
    let kind = match rule.typ() {
        None | Some(LinuxDeviceType::A) => None,
        Some(LinuxDeviceType::B) => Some(Kind::Block),
        Some(LinuxDeviceType::C | LinuxDeviceType::U) => Some(Kind::Char),
        Some(LinuxDeviceType::P) => {
            return Err(Problem::config(format!("{at}.type"), "p", "a, b or c: a FIFO is no device"));
        }
    };
    let number = |value: Option<i64>, name: &str| match value {
        // runc's word for all of them.
        None | Some(-1) => Ok(None),
        Some(value) => u32::try_from(value).map(Some).map_err(|_| {
            Problem::config(format!("{at}.{name}"), value.to_string(), "a number of 32 bits, or none for all")
        }),
    };
    let devices =
        Devices { kind, major: number(rule.major(), "major")?, minor: number(rule.minor(), "minor")? };
    let mut access = Access::default();
    for letter in rule.access().as_deref().unwrap_or_default().chars() {
        access = access
            | match letter {
                'r' => Access::READ,
                'w' => Access::WRITE,
                'm' => Access::MKNOD,
                _ => {
                    let found = format!("{:?}", rule.access());
                    return Err(Problem::config(format!("{at}.access"), found, "letters of r, w and m"));
                }
            };
    }
    // As with the other fields: what is not given stands for all.
    let access = if access.is_none() { Access::ALL } else { access };
    Ok(Rule { allow: rule.allow(), devices, access })
}

#[cfg(test)]
mod twin;
