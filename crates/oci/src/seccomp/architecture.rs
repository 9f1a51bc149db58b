//! Architectures whose calls are known by number. Names and numbers are the kernel's own tables, by the crate `syscalls`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use oci_spec::runtime::Arch;
use syscalls::{aarch64, arm, x86, x86_64};

/// A table of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    /// 64-bit x86.
    X86_64,
    /// x86-64 with 32-bit pointers: the same architecture to the kernel, with bit 30 of the number set.
    X32,
    /// 32-bit x86.
    X86,
    /// 64-bit ARM.
    Aarch64,
    /// 32-bit ARM (EABI).
    Arm,
}

// `include/uapi/linux/audit.h`: machine of ELF, 64 bits, little end first.
const AUDIT_X86_64: u32 = 0xC000_003E;
const AUDIT_X86: u32 = 0x4000_0003;
const AUDIT_AARCH64: u32 = 0xC000_00B7;
const AUDIT_ARM: u32 = 0x4000_0028;

/// `__X32_SYSCALL_BIT` (`arch/x86/include/uapi/asm/unistd.h`).
const X32_BIT: u32 = 1 << 30;
/// First of the numbers that x32 has for itself.
const X32_OWN: u32 = 512;
/// Calls that take structures of another layout under x32, by their numbers from [`X32_OWN`] on
/// (`arch/x86/entry/syscalls/syscall_64.tbl`).
const X32_NAMES: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

impl Table {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [Self::X86_64, Self::X32, Self::X86, Self::Aarch64, Self::Arm];

    /// The table of an architecture, if there is one.
    pub(super) const fn of(architecture: Arch) -> Option<Self> {
        match architecture {
            Arch::ScmpArchX86_64 => Some(Self::X86_64),
            Arch::ScmpArchX32 => Some(Self::X32),
            Arch::ScmpArchX86 => Some(Self::X86),
            Arch::ScmpArchAarch64 => Some(Self::Aarch64),
            Arch::ScmpArchArm => Some(Self::Arm),
            _ => None,
        }
    }

    /// This machine's.
    pub(super) const fn native() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }

    /// What the kernel calls it in `struct seccomp_data`.
    pub(super) const fn audit(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => AUDIT_X86_64,
            Self::X86 => AUDIT_X86,
            Self::Aarch64 => AUDIT_AARCH64,
            Self::Arm => AUDIT_ARM,
        }
    }

    /// The tables that share what the kernel calls `audit`, each with its first number.
    pub(super) const fn within(audit: u32) -> &'static [(Self, u32)] {
        match audit {
            AUDIT_X86_64 => &[(Self::X86_64, 0), (Self::X32, X32_BIT)],
            AUDIT_X86 => &[(Self::X86, 0)],
            AUDIT_AARCH64 => &[(Self::Aarch64, 0)],
            AUDIT_ARM => &[(Self::Arm, 0)],
            _ => &[],
        }
    }

    /// Whether arguments have 64 bits that count. As libseccomp has it, x32's have 32.
    pub(super) const fn is_wide(self) -> bool {
        matches!(self, Self::X86_64 | Self::Aarch64)
    }

    /// The number of the call `name`.
    pub(super) fn number(self, name: &str) -> Option<u32> {
        self.index().get(name).copied()
    }

    /// Numbers by name, put together when they are first asked for: a profile asks for hundreds, of two or three tables.
    fn index(self) -> &'static HashMap<&'static str, u32> {
        static X86_64: OnceLock<HashMap<&str, u32>> = OnceLock::new();
        static X32: OnceLock<HashMap<&str, u32>> = OnceLock::new();
        static X86: OnceLock<HashMap<&str, u32>> = OnceLock::new();
        static AARCH64: OnceLock<HashMap<&str, u32>> = OnceLock::new();
        static ARM: OnceLock<HashMap<&str, u32>> = OnceLock::new();
        match self {
            Self::X86_64 => X86_64.get_or_init(|| numbers(|id| x86_64::Sysno::new(id).map(|one| one.name()))),
            Self::X32 => X32.get_or_init(|| x32(Self::X86_64.index())),
            Self::X86 => X86.get_or_init(|| numbers(|id| x86::Sysno::new(id).map(|one| one.name()))),
            Self::Aarch64 => {
                AARCH64.get_or_init(|| numbers(|id| aarch64::Sysno::new(id).map(|one| one.name())))
            }
            Self::Arm => ARM.get_or_init(|| numbers(|id| arm::Sysno::new(id).map(|one| one.name()))),
        }
    }

    /// All names.
    #[cfg(test)]
    pub(super) fn names(self) -> Vec<&'static str> {
        self.index().keys().copied().collect()
    }
}

/// A table turned round. Numbers are small, but for a few that ARM has for itself (`__ARM_NR_BASE`).
fn numbers(name: impl Fn(usize) -> Option<&'static str>) -> HashMap<&'static str, u32> {
    const SMALL: u32 = 1024;
    const ARMS_OWN: Range<u32> = 0xf_0000..0xf_0010;
    (0..SMALL).chain(ARMS_OWN).filter_map(|number| Some((name(number as usize)?, number))).collect()
}

/// x86-64's calls with the bit; some have other numbers.
fn x32(all: &HashMap<&'static str, u32>) -> HashMap<&'static str, u32> {
    let own = X32_NAMES.iter().copied().zip(X32_OWN..);
    all.iter()
        .map(|(name, number)| (*name, *number))
        .chain(own)
        .map(|(name, number)| (name, X32_BIT | number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_kernels_tables() {
        // Name, x86-64, x32, x86, aarch64, arm.
        let cases = [
            ("read", Some(0), Some(0), Some(3), Some(63), Some(3)),
            ("execve", Some(59), Some(520), Some(11), Some(221), Some(11)),
            ("pwritev2", Some(328), Some(547), Some(379), Some(287), Some(393)),
            ("open", Some(2), Some(2), Some(5), None, Some(5)),
            ("chown32", None, None, Some(212), None, Some(212)),
            ("clone3", Some(435), Some(435), Some(435), Some(435), Some(435)),
            ("mseal", Some(462), Some(462), Some(462), Some(462), Some(462)),
            ("no_such_call", None, None, None, None, None),
        ];
        for (name, x86_64, x32, x86, aarch64, arm) in cases {
            let x32 = x32.map(|number| X32_BIT | number);
            assert_eq!(
                Table::ALL.map(|table| table.number(name)),
                [x86_64, x32, x86, aarch64, arm],
                "{name}"
            );
        }
    }

    #[test]
    fn no_two_calls_share_a_number() {
        for table in Table::ALL {
            let numbers: std::collections::BTreeSet<_> =
                table.names().iter().map(|name| table.number(name)).collect();
            assert_eq!(numbers.len(), table.names().len(), "{table:?}");
        }
    }
}
