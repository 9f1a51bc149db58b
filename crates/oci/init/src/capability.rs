//! The five capability sets of a thread (capabilities(7)), bit n being capability n of `include/uapi/linux/capability.h`.

use serde::{Deserialize, Serialize};

/// Bits of each set, as capset(2) and prctl(2) take them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sets {
    /// What the process and its children may ever get; everything else is dropped (`PR_CAPBSET_DROP`).
    pub bounding: u64,
    /// What is checked by the kernel. A part of [`Self::permitted`].
    pub effective: u64,
    /// What may become effective.
    pub permitted: u64,
    /// What stays over exec where the file has it too.
    pub inheritable: u64,
    /// What stays over exec of any program (`PR_CAP_AMBIENT_RAISE`). A part of the permitted and of the inheritable set.
    pub ambient: u64,
}
