//! Quantities with their unit in the type: time, memory, bandwidth, CPU; how they are written, and read back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decimal::{self, Decimal, QuantityError, Unit};

/// A span or an instant of time in integer nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

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

/// Units of time in ns, the longest first.
const TIME: &[Unit] = &[
    Unit::new("h", 3_600_000_000_000),
    Unit::new("m", 60_000_000_000),
    Unit::new("s", 1_000_000_000),
    Unit::new("ms", 1_000_000),
    Unit::new("us", 1_000),
    Unit::new("ns", 1),
];

/// Units of memory in bytes, the largest first.
const MEMORY: &[Unit] = &[
    Unit::new("TiB", 1 << 40),
    Unit::new("TB", 1_000_000_000_000),
    Unit::new("GiB", 1 << 30),
    Unit::new("GB", 1_000_000_000),
    Unit::new("MiB", 1 << 20),
    Unit::new("MB", 1_000_000),
    Unit::new("KiB", 1 << 10),
    Unit::new("kB", 1_000),
    Unit::new("KB", 1_000),
    Unit::new("B", 1),
];

/// Units of bandwidth in bits per second.
const BITS: &[Unit] = &[
    Unit::new("Tbit", 1_000_000_000_000),
    Unit::new("Gbit", 1_000_000_000),
    Unit::new("Mbit", 1_000_000),
    Unit::new("kbit", 1_000),
    Unit::new("bit", 1),
];

/// What `rate` may count by, in seconds.
const PER: &[Unit] = &[Unit::new("s", 1), Unit::new("m", 60), Unit::new("h", 3600)];

impl Nanos {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// The same span in seconds (s); exact to the nearest `f64`.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl MilliCpu {
    /// The same amount in cores.
    #[must_use]
    pub fn cores(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl FromStr for Nanos {
    type Err = QuantityError;

    /// `"20s"`, `"1.3ms"`, and compounds with falling units as in `"1m30s"`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        // The micro sign is what people copy out of other tools' output.
        let text = &text.replace(['µ', 'μ'], "u");
        let mut rest = text.as_str();
        let mut total: u64 = 0;
        let mut allowed = TIME;
        loop {
            let (number, after) = Decimal::split(rest)?;
            let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, left) = after.split_at(end);
            let index = decimal::unit_index(unit, allowed, TIME, text)?;
            total = total
                .checked_add(number.times(allowed.get(index).map_or(1, |unit| unit.factor), "1ns")?)
                .ok_or_else(QuantityError::too_large)?;
            if left.is_empty() {
                return Ok(Self(total));
            }
            allowed = allowed.get(index + 1..).unwrap_or_default();
            rest = left;
        }
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    /// `"128MiB"`, `"1GB"`, `"4KiB"`, `"512B"`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = Decimal::split(text)?;
        let factor = decimal::unit(unit, MEMORY, text)?;
        number.times(factor, "1B").map(Self)
    }
}

impl FromStr for BytesPerSecond {
    type Err = QuantityError;

    /// `"500MB/s"`, `"10Gbit/s"`, `"0MiB/s"`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = Decimal::split(text)?;
        let Some(amount) = unit.strip_suffix("/s") else {
            let error = QuantityError::new(format!("{} has no \"/s\"", crate::diagnostic::quoted(text)));
            let bits = text.strip_suffix("bps").map(|number| format!("{number}bit/s"));
            return Err(error.meaning(bits.unwrap_or_else(|| format!("{}/s", text.trim_end_matches("ps")))));
        };
        let text = text.strip_suffix("/s").unwrap_or(text);
        let per_second = |error: QuantityError| QuantityError {
            suggestion: error.suggestion.map(|amount| format!("{amount}/s")),
            ..error
        };
        if amount.ends_with("bit") {
            let factor = decimal::unit(amount, BITS, text).map_err(per_second)?;
            let bits = number.times(factor, "1bit/s")?;
            return if bits % 8 == 0 { Ok(Self(bits / 8)) } else { Err(QuantityError::finer_than("8bit/s")) };
        }
        let factor = decimal::unit(amount, MEMORY, text).map_err(per_second)?;
        number.times(factor, "1B/s").map(Self)
    }
}

impl FromStr for MilliCpu {
    type Err = QuantityError;

    /// Kubernetes' CPU quantities: `"500m"`, `"1"`, `"0.5"`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = Decimal::split(text)?;
        match unit {
            "" => number.times(1000, "1m").map(Self),
            "m" => number.times(1, "1m").map(Self),
            other => Err(QuantityError::new(format!("unknown unit {}", crate::diagnostic::quoted(other)))),
        }
    }
}

/// Reads a mean rate such as `"60/s"`, `"5/m"`, `"0.5/s"` as events per second (1/s).
///
/// # Errors
/// Where it is no number, has no unit or has another one.
pub fn parse_rate(text: &str) -> Result<f64, QuantityError> {
    let Some((number, per)) = text.split_once('/') else {
        let error = QuantityError::new(format!("{} has no unit", crate::diagnostic::quoted(text)));
        return Err(error.meaning(format!("{text}/s")));
    };
    let (decimal, rest) = Decimal::split(number)?;
    if !rest.is_empty() {
        return Err(QuantityError::new(format!("unknown unit {}", crate::diagnostic::quoted(rest))));
    }
    let per = decimal::unit(per, PER, text)?;
    Ok(decimal.to_f64() / per as f64)
}

/// Reads a list of cores such as `"0-1,3"`, ascending and without repeats; cores are below `cores_max`.
///
/// # Errors
/// Where it is no such list, is empty, repeats a core or names one that is not below `cores_max`.
pub fn parse_cpu_set(text: &str, cores_max: u32) -> Result<Vec<u32>, QuantityError> {
    let mut set = std::collections::BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (core_number(first, part)?, core_number(last, part)?);
        if first > last {
            return Err(
                QuantityError::new(format!("the range {part:?} falls")).meaning(format!("{last}-{first}"))
            );
        }
        if last >= cores_max {
            return Err(QuantityError::new(format!("core {last} is not one of the {cores_max}")));
        }
        for core in first..=last {
            if !set.insert(core) {
                return Err(QuantityError::new(format!("core {core} is named twice")));
            }
        }
    }
    Ok(set.into_iter().collect())
}

fn core_number(text: &str, part: &str) -> Result<u32, QuantityError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| QuantityError::new(format!("{part:?} is neither a core nor a range of cores")))
}

impl fmt::Display for Nanos {
    /// As scenario files have it, exact: `1.3ms`, `2m`, `45s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let long =
            TIME.iter().take(2).find(|unit| self.0 >= unit.factor && self.0.is_multiple_of(unit.factor));
        let fitting = || TIME.iter().skip(2).find(|unit| self.0 >= unit.factor);
        match long.or_else(fitting) {
            Some(unit) => f.pad(&format!("{}{}", decimal::quotient(self.0, unit.factor), unit.name)),
            None => f.pad("0s"),
        }
    }
}

impl fmt::Display for Bytes {
    /// As scenario files have it, exact: `128MiB`, `1GB`, `1234B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = MEMORY.iter().find(|unit| self.0 >= unit.factor && self.0.is_multiple_of(unit.factor));
        match unit {
            Some(unit) => f.pad(&format!("{}{}", self.0 / unit.factor, unit.name)),
            None => f.pad("0B"),
        }
    }
}

impl fmt::Display for BytesPerSecond {
    /// As scenario files have it, exact: `500MB/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/s", Bytes(self.0)))
    }
}

impl fmt::Display for MilliCpu {
    /// As Kubernetes prints it: `500m`, `2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            f.pad(&(self.0 / 1000).to_string())
        } else {
            f.pad(&format!("{}m", self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, ns) in [
            ("20s", 20_000_000_000),
            ("1.3ms", 1_300_000),
            ("50us", 50_000),
            ("50µs", 50_000),
            ("7ns", 7),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h1ms", 3_600_001_000_000),
            ("0.000000001s", 1),
            ("0s", 0),
        ] {
            assert_eq!(text.parse(), Ok(Nanos(ns)), "{text}");
        }
    }

    #[test]
    fn refused_durations() {
        for (text, why) in [
            ("", "no number"),
            ("20", "no unit"),
            ("20 s", "unknown unit \" s\""),
            ("20sec", "unknown unit \"sec\""),
            ("30s1m", "the unit \"m\" out of order"),
            ("1s1s", "the unit \"s\" out of order"),
            ("1.5ns", "finer than 1ns"),
            ("-1s", "a negative number"),
            ("+1s", "no number"),
            (".5s", "no number"),
            ("1.s", "no digit after the point"),
            ("1e3s", "unknown unit \"e\""),
            ("9999999999999h", "too large"),
            ("99999999999999999999999999999999999999999999s", "too large"),
        ] {
            let error = text.parse::<Nanos>().expect_err(text);
            assert!(error.what.contains(why), "{text}: {}", error.what);
        }
    }

    #[test]
    fn bytes_and_bandwidth() {
        for (text, bytes) in [
            ("128MiB", 134_217_728),
            ("1GB", 1_000_000_000),
            ("4KiB", 4096),
            ("1.5GiB", 1_610_612_736),
            ("0MiB", 0),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for (text, per_second) in [
            ("500MB/s", 500_000_000),
            ("10Gbit/s", 1_250_000_000),
            ("0MiB/s", 0),
            ("8bit/s", 1),
            ("2.5Mbit/s", 312_500),
        ] {
            assert_eq!(text.parse(), Ok(BytesPerSecond(per_second)), "{text}");
        }
        assert!("1bit/s".parse::<BytesPerSecond>().is_err());
    }

    #[test]
    fn what_was_meant() {
        fn meant<T: FromStr<Err = QuantityError> + fmt::Debug>(text: &str) -> Option<String> {
            text.parse::<T>().expect_err(text).suggestion
        }
        for (found, expected) in [
            (meant::<Bytes>("128Mi"), "128MiB"),
            (meant::<Bytes>("1.5 gib"), "1.5GiB"),
            (meant::<BytesPerSecond>("5MB"), "5MB/s"),
            (meant::<BytesPerSecond>("5Mb/s"), "5MB/s"),
            (meant::<BytesPerSecond>("10Gbps"), "10Gbit/s"),
            (meant::<BytesPerSecond>("10gbit/s"), "10Gbit/s"),
            (meant::<Nanos>("20 s"), "20s"),
            (meant::<Nanos>("20sec"), "20s"),
            (meant::<Nanos>("1m30msec"), "1m30ms"),
            (meant::<Nanos>("5MS"), "5ms"),
            (parse_rate("60").expect_err("no unit").suggestion, "60/s"),
            (parse_rate("60/min").expect_err("no unit").suggestion, "60/m"),
        ] {
            assert_eq!(found.as_deref(), Some(expected));
        }
    }

    #[test]
    fn cpu_and_rates() {
        for (text, milli) in [("500m", 500), ("1", 1000), ("0.5", 500), ("1.25", 1250), ("2000m", 2000)] {
            assert_eq!(text.parse(), Ok(MilliCpu(milli)), "{text}");
        }
        assert!("0.5m".parse::<MilliCpu>().is_err());
        assert!("1 core".parse::<MilliCpu>().is_err());
        for (text, rate) in [("60/s", 60.0), ("6/m", 0.1), ("36/h", 0.01), ("0.5/s", 0.5)] {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
        for text in ["60", "/s", "60/", "60/d", "60 /s", "60x/s"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cpu_sets() {
        assert_eq!(parse_cpu_set("0-1,3", 4), Ok(vec![0, 1, 3]));
        assert_eq!(parse_cpu_set("3,0", 4), Ok(vec![0, 3]));
        for text in ["", "0-", "-1", "a", "1-0", "0,0", "0-1,1", "4", "0-4294967295", "0,,1", "0 - 1"] {
            assert!(parse_cpu_set(text, 4).is_err(), "{text}");
        }
    }

    #[test]
    fn written_as_read() {
        for text in ["20s", "1.3ms", "50us", "2m", "1h", "90s", "1.000000001s", "0s"] {
            assert_eq!(text.parse::<Nanos>().map(|ns| ns.to_string()), Ok(text.to_owned()));
        }
        for text in ["128MiB", "1GB", "4KiB", "500MB", "1kB", "1234B", "0B"] {
            assert_eq!(text.parse::<Bytes>().map(|bytes| bytes.to_string()), Ok(text.to_owned()));
        }
        for text in ["500m", "1", "1250m"] {
            assert_eq!(text.parse::<MilliCpu>().map(|cpu| cpu.to_string()), Ok(text.to_owned()));
        }
    }
}
