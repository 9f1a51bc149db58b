//! What a field takes, within which bounds, and how that is said.

use crate::{Bytes, MilliCpu, Nanos};

use super::Table;

/// What a field takes.
#[derive(Clone, Copy)]
pub(crate) enum Takes {
    /// This very text.
    Exactly(&'static str),
    /// A kebab-case name.
    Name,
    /// A reference to an image.
    ImageName,
    /// Any text that is not empty.
    Text,
    /// `true` or `false`.
    Flag,
    /// A duration (ns).
    Duration { least: u64, most: u64 },
    /// An amount of memory (bytes).
    Bytes { least: u64, most: u64 },
    /// Bytes per second.
    Bandwidth { least: u64 },
    /// Events per second, above 0.
    Rate,
    /// Thousandths of a core.
    Cpu { least: u64 },
    /// Cores below `host.cores`.
    CpuSet,
    /// A whole number.
    Count { least: u64, most: u64 },
    /// A whole number from -1000 to 1000, as `/proc/PID/oom_score_adj` takes it.
    OomScoreAdj,
    /// A whole number from -20 to 19, as setpriority(2) takes it.
    Nice,
    /// A real number above 0.
    Real { most: f64 },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Some of these words, in a list.
    Choices(&'static [&'static str]),
    /// Names of platforms.
    Platforms,
    /// Texts, at least one.
    Texts,
    /// Ports.
    Ports,
    /// Keys of one's own, each with a text.
    Map,
    /// The name of a tenant.
    Tenant,
    /// The name of an image.
    Image,
    /// The id of a layer of the tenant's image.
    Layer,
    /// The number of a node.
    Node,
    /// A table.
    Table(&'static Table),
    /// An array of tables.
    Tables(&'static Table),
    /// A table with a field for each platform.
    ByPlatform(&'static Table),
}

/// One second (ns).
pub(super) const SECOND: u64 = 1_000_000_000;
/// One millisecond (ns).
pub(super) const MILLISECOND: u64 = 1_000_000;
/// Longest run (ns).
pub(super) const DAY: u64 = 24 * 3600 * SECOND;
/// Largest amount of memory or disk, 1 PiB: no sum of a scenario's amounts overflows.
pub(super) const BYTES_MOST: u64 = 1 << 50;
/// Most cores that a machine, a request or a limit may have.
pub(crate) const CORES_MOST: u32 = 1024;
/// Bounds of `oom_score_adj` in both directions (`OOM_SCORE_ADJ_MAX` in `include/uapi/linux/oom.h`).
const OOM_SCORE_ADJ_MOST: i32 = 1000;
/// Bounds of a nice value (`MIN_NICE`, `MAX_NICE` in `include/linux/sched/prio.h`).
const NICE: (i32, i32) = (-20, 19);
/// Most events a second of one tenant's replica.
pub(crate) const RATE_MOST: f64 = 10_000_000.0;

impl Takes {
    /// Any duration above 0 that a run may have.
    pub(super) const SPAN: Self = Self::Duration { least: 1, most: DAY };
    /// An instant of the run.
    pub(super) const INSTANT: Self = Self::Duration { least: 0, most: DAY };
    /// Any amount of bytes above 0.
    pub(super) const SIZE: Self = Self::Bytes { least: 1, most: BYTES_MOST };
    /// Any bandwidth above 0.
    pub(super) const SPEED: Self = Self::Bandwidth { least: 1 };
    /// Operations a second.
    pub(super) const IOPS: Self = Self::Count { least: 1, most: 1_000_000_000 };

    /// Least and most, in the unit of the quantity; without bounds of its own, all of `u64`.
    pub(crate) fn bounds(self) -> (u64, u64) {
        match self {
            Self::Duration { least, most } | Self::Bytes { least, most } | Self::Count { least, most } => {
                (least, most)
            }
            Self::Bandwidth { least } => (least, BYTES_MOST),
            Self::Cpu { least } => (least, u64::from(CORES_MOST) * 1000),
            _ => (0, u64::MAX),
        }
    }

    /// Least and most of a number that may be below 0; any else has none.
    pub(crate) fn signed_bounds(self) -> Option<(i32, i32)> {
        match self {
            Self::OomScoreAdj => Some((-OOM_SCORE_ADJ_MOST, OOM_SCORE_ADJ_MOST)),
            Self::Nice => Some(NICE),
            _ => None,
        }
    }

    /// The type of value, in a word or three.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Exactly(_) | Self::Text => "text",
            Self::Name | Self::ImageName => "name",
            Self::Flag => "flag",
            Self::Duration { .. } => "duration",
            Self::Bytes { .. } => "bytes",
            Self::Bandwidth { .. } => "bandwidth",
            Self::Rate => "rate",
            Self::Cpu { .. } => "CPU quantity",
            Self::CpuSet => "set of cores",
            Self::Count { .. } | Self::OomScoreAdj | Self::Nice => "whole number",
            Self::Real { .. } => "number",
            Self::Choice(_) => "choice",
            Self::Choices(_) => "list of choices",
            Self::Platforms => "list of platforms",
            Self::Texts => "list of texts",
            Self::Ports => "list of ports",
            Self::Map => "table of texts",
            Self::Tenant => "name of a tenant",
            Self::Image => "name of an image",
            Self::Layer => "id of a layer",
            Self::Node => "number of a node",
            Self::Table(_) => "table",
            Self::Tables(_) => "array of tables",
            Self::ByPlatform(_) => "table by platform",
        }
    }

    /// The units that a value is written with.
    pub(crate) fn unit(self) -> Option<&'static str> {
        match self {
            Self::Duration { .. } => Some("ns, us, ms, s, m or h"),
            Self::Bytes { .. } => {
                Some("B, kB, MB, GB, TB, KiB, MiB, GiB or TiB; a number without a unit is bytes")
            }
            Self::Bandwidth { .. } => Some("B/s, kB/s … TiB/s, or bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s"),
            Self::Rate => Some("/s, /m or /h"),
            Self::Cpu { .. } => Some("cores, or thousandths of a core with m"),
            _ => None,
        }
    }

    /// What is accepted, in words.
    pub(crate) fn accepted(self) -> String {
        match self {
            Self::Exactly(text) => format!("{text:?}"),
            Self::Name => "a name in kebab-case of at most 63 characters, such as \"shop-db\"".into(),
            Self::ImageName => {
                "a name of letters, digits and . _ - / : @, at most 255, such as \"shop:1.2\"".into()
            }
            Self::Text => "a text in quotes that is not empty".into(),
            Self::Flag => "true or false".into(),
            Self::Duration { least, most } => {
                let range = range_text(least, most, |ns| Nanos(ns).to_string());
                format!("a duration with its unit such as \"20s\", \"1.3ms\", \"50us\" or \"1m30s\", {range}")
            }
            Self::Bytes { least, most } => {
                let range = range_text(least, most, |bytes| Bytes(bytes).to_string());
                format!(
                    "an amount with its unit such as \"128MiB\", \"1GB\" or \"4KiB\", or a whole number of bytes, {range}"
                )
            }
            Self::Bandwidth { least } => {
                let zero = if least == 0 { "" } else { ", above 0" };
                format!("a bandwidth such as \"500MB/s\" or \"10Gbit/s\"{zero}")
            }
            Self::Rate => "a rate such as \"60/s\", \"5/m\" or \"1/h\", above 0, at most 10000000/s".into(),
            Self::Cpu { least } => {
                let (_, most) = self.bounds();
                let range = range_text(least, most, |milli| MilliCpu(milli).to_string());
                format!("a Kubernetes CPU quantity such as \"500m\", \"1\" or 0.5, {range}")
            }
            Self::CpuSet => "cores in quotes such as \"0-1,3\", each below host.cores".into(),
            Self::Count { least, most } => format!("a whole number from {least} to {most}"),
            Self::OomScoreAdj | Self::Nice => {
                let (least, most) = self.signed_bounds().unwrap_or_default();
                format!("a whole number from {least} to {most}")
            }
            Self::Real { most } => format!("a number above 0, at most {most}"),
            Self::Choice(words) => one_of(words),
            Self::Choices(words) => {
                format!("a list in brackets, which may be empty, of {}, each once", one_of(words))
            }
            Self::Platforms => "a list of platforms in brackets, at least one, none twice".into(),
            Self::Texts => "a list of texts in brackets, at least one".into(),
            Self::Ports => {
                "a list of ports in brackets, each a whole number from 1 to 65535, none twice".into()
            }
            Self::Map => "a table of texts, such as { libssl = \"1.1\" }".into(),
            Self::Tenant => "the name of a tenant".into(),
            Self::Image => "the name of an [[image]]".into(),
            Self::Layer => "the id of a layer of the tenant's image, of at most 256MiB".into(),
            Self::Node => "the number of a node, from 0, below host.nodes".into(),
            Self::Table(_) => "a table".into(),
            Self::Tables(_) => "an array of tables".into(),
            Self::ByPlatform(_) => "a table with a key for each platform".into(),
        }
    }
}

fn range_text(least: u64, most: u64, show: impl Fn(u64) -> String) -> String {
    match least {
        0 => format!("at most {}", show(most)),
        1 => format!("above 0, at most {}", show(most)),
        _ => format!("from {} to {}", show(least), show(most)),
    }
}

/// `"a", "b" or "c"`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".into(),
        [only] => format!("{only:?}"),
        [head @ .., last] => {
            let head: Vec<_> = head.iter().map(|word| format!("{word:?}")).collect();
            format!("{} or {last:?}", head.join(", "))
        }
    }
}
