//! A filter of system calls as the kernel takes it (seccomp(2), `include/uapi/linux/filter.h`).

use serde::{Deserialize, Serialize};

/// One instruction of classic BPF, `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip if a comparison holds.
    pub jt: u8,
    /// Instructions to skip if it does not.
    pub jf: u8,
    /// Constant: offset, operand or answer.
    pub k: u32,
}

/// Who decides on calls whose action is `SCMP_ACT_NOTIFY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Absolute path of a Unix socket outside of the container, to which the runtime sends the descriptor
    /// (config-linux.md, "Seccomp": `listenerPath`).
    pub path: String,
    /// Sent along as it stands (`listenerMetadata`).
    pub metadata: String,
}

/// A filter, ready to be loaded by seccomp(2) with `SECCOMP_SET_MODE_FILTER`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// At most 4096 (`BPF_MAXINSNS`), in the order of the program.
    pub instructions: Vec<Instruction>,
    /// `SECCOMP_FILTER_FLAG_…` bits; `NEW_LISTENER` is among them where [`Self::listener`] is there.
    pub flags: u64,
    /// There if a call may be answered by somebody else.
    pub listener: Option<Listener>,
}
