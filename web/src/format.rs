//! Numbers as people read them: units and a sensible number of digits. The digits and signs are the same in English and
//! Korean.

/// No-break space: a number never stands on another line than its unit.
const GAP: char = '\u{a0}';

/// `value` with three significant digits at most and no trailing zeros.
fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    trimmed(format!("{value:.decimals$}"))
}

fn trimmed(mut number: String) -> String {
    if number.contains('.') {
        number.truncate(number.trim_end_matches('0').trim_end_matches('.').len());
    }
    number
}

/// A span of time (s) in the unit that suits it: `94 ms`, `1.3 ms`, `250 µs`, `12.4 s`.
#[must_use]
pub fn seconds(value_s: f64) -> String {
    let (shown, unit) = match value_s.abs() {
        0.0 => (0.0, "ms"),
        size if size < 0.000_999_5 => (value_s * 1e6, "µs"),
        size if size < 0.999_5 => (value_s * 1e3, "ms"),
        _ => (value_s, "s"),
    };
    format!("{}{GAP}{unit}", three_digits(shown))
}

/// A span of time (ns) in the unit that suits it.
#[must_use]
pub fn nanos(value_ns: u64) -> String {
    seconds(value_ns as f64 / 1e9)
}

/// An instant (ns) of the run in milliseconds, to the microsecond: `1 204.300 ms`.
#[must_use]
pub fn instant(at_ns: u64) -> String {
    let micros = (at_ns + 500) / 1000;
    format!("{}.{:03}{GAP}ms", grouped(micros / 1000), micros % 1000)
}

/// An instant (ns) of the run in seconds, to the millisecond: `1.204 s`.
#[must_use]
pub fn clock(at_ns: u64) -> String {
    let millis = (at_ns + 500_000) / 1_000_000;
    format!("{}.{:03}{GAP}s", millis / 1000, millis % 1000)
}

/// Thousands set apart by a narrow no-break space, as ISO 31-0 has it.
#[must_use]
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A share in per cent: `75 %`, `0.4 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{}{GAP}%", three_digits(share * 100.0))
}

/// Memory in binary units: `12 MiB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut shown = value as f64;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while shown >= 1024.0 {
        let Some(next) = units.next() else { break };
        shown /= 1024.0;
        unit = Some(next);
    }
    format!("{}{GAP}{}", three_digits(shown), unit.unwrap_or(&"B"))
}

/// A bare number with three significant digits: `49.8`, and counts as [`grouped`].
#[must_use]
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
        return grouped(value as u64);
    }
    three_digits(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_choose_their_unit() {
        let table = [
            (0.0, "0 ms"),
            (0.000_25, "250 µs"),
            (0.000_999_9, "1 ms"),
            (0.001_3, "1.3 ms"),
            (0.094_4, "94.4 ms"),
            (0.250_4, "250 ms"),
            (0.999_9, "1 s"),
            (12.44, "12.4 s"),
            (90.0, "90 s"),
        ];
        for (value, expected) in table {
            assert_eq!(seconds(value).replace(GAP, " "), expected, "{value}");
        }
    }

    #[test]
    fn instants_keep_microseconds_and_group_thousands() {
        assert_eq!(instant(1_204_300_499), "1\u{202f}204.300\u{a0}ms");
        assert_eq!(instant(999), "0.001\u{a0}ms");
        assert_eq!(clock(1_204_300_000), "1.204\u{a0}s");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(100), "100");
    }

    #[test]
    fn shares_memory_and_counts() {
        assert_eq!(percent(0.754), "75.4\u{a0}%");
        assert_eq!(percent(0.004), "0.4\u{a0}%");
        assert_eq!(bytes(12_582_912), "12\u{a0}MiB");
        assert_eq!(bytes(512), "512\u{a0}B");
        assert_eq!(number(10_800.0), "10\u{202f}800");
        assert_eq!(number(49.83), "49.8");
    }
}
