//! Quantities with their unit in the type: time, memory, CPU.

use serde::{Deserialize, Serialize};

/// A span or an instant of time in integer nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// The same span in seconds (s); exact to the nearest `f64`.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// An amount of memory or disk space in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A bandwidth in bytes per second (`"500MB/s"`, `"10Gbit/s"`, `"0MiB/s"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BytesPerSecond(pub u64);

/// An amount of CPU in thousandths of a core, the smallest step that Kubernetes quantities keep (`"500m"`, `"1"`, `"0.5"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MilliCpu(pub u64);

impl MilliCpu {
    /// The same amount in cores.
    #[must_use]
    pub fn cores(self) -> f64 {
        self.0 as f64 / 1e3
    }
}
