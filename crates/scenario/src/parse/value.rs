//! Single values: from TOML to quantities, within their bounds.

use std::str::FromStr;

use toml::de::DeValue;

use crate::decimal::QuantityError;
use crate::diagnostic::{Problem, nearest, quoted};
use crate::schema::{CORES_MOST, RATE_MOST, Takes};
use crate::{Bytes, BytesPerSecond, MilliCpu, Nanos, quantity};

use super::reader::{Reader, wrong};

/// Longest name, as Kubernetes has it for a label.
const NAME_CHARS_MAX: usize = 63;

/// A value as the reader of a diagnostic would call it.
pub(super) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => format!("the number {}", shortened(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date or time".into(),
        DeValue::Array(_) => "an array".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

fn shortened(number: &str) -> String {
    number.chars().take(40).collect()
}

/// Adds what to do to the problem of a value of the wrong type.
pub(super) fn advise(problem: Problem, found: &DeValue<'_>, takes: Takes) -> Problem {
    let number = match found {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        _ => String::new(),
    };
    let text = found.as_str().unwrap_or_default();
    match takes {
        Takes::Duration { .. } if !number.is_empty() => problem.suggests(Some(format!("{number}s"))),
        Takes::Rate if !number.is_empty() => problem.suggests(Some(format!("{number}/s"))),
        Takes::Flag if matches!(text, "true" | "false") => problem.advises("leave out the quotes"),
        Takes::Count { .. } | Takes::OomScoreAdj | Takes::Nice | Takes::Node | Takes::Real { .. }
            if text.parse::<i64>().is_ok() =>
        {
            problem.advises("leave out the quotes")
        }
        Takes::Platforms | Takes::Texts | Takes::Choices(_) if found.is_str() => {
            problem.advises(format!("write [{}]", quoted(text)))
        }
        Takes::Table(_) if found.is_array() => {
            problem.advises("write the header with single brackets, or a table in braces")
        }
        Takes::Tables(_) if found.is_table() => problem.advises("write the header with two brackets, [[…]]"),
        _ => problem,
    }
}

/// A typed text, or a problem.
type Taken<T> = Result<T, Problem>;

impl Reader<'_> {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name, take_text)
    }

    pub(super) fn kebab(&self, name: &str) -> Option<String> {
        self.read(name, take_name)
    }

    pub(super) fn image_name(&self, name: &str) -> Option<String> {
        self.read(name, take_image_name)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.read(name, take_flag)
    }

    pub(super) fn duration(&self, name: &str) -> Option<Nanos> {
        self.read(name, take_duration)
    }

    pub(super) fn bytes(&self, name: &str) -> Option<Bytes> {
        self.read(name, take_bytes)
    }

    pub(super) fn bandwidth(&self, name: &str) -> Option<BytesPerSecond> {
        self.read(name, take_bandwidth)
    }

    pub(super) fn cpu(&self, name: &str) -> Option<MilliCpu> {
        self.read(name, take_cpu)
    }

    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.read(name, take_count)
    }

    /// A count whose bounds are within `u32`.
    pub(super) fn count32(&self, name: &str) -> Option<u32> {
        self.count(name).and_then(|count| u32::try_from(count).ok())
    }

    /// A count whose bounds are within `u16`.
    pub(super) fn count16(&self, name: &str) -> Option<u16> {
        self.count(name).and_then(|count| u16::try_from(count).ok())
    }

    /// A number that may be below 0.
    pub(super) fn signed(&self, name: &str) -> Option<i32> {
        self.read(name, take_signed)
    }

    /// Events per second.
    pub(super) fn rate(&self, name: &str) -> Option<f64> {
        self.read(name, take_rate)
    }

    pub(super) fn real(&self, name: &str) -> Option<f64> {
        self.read(name, take_real)
    }

    pub(super) fn choice(&self, name: &str) -> Option<&'static str> {
        self.read(name, take_choice)
    }

    /// Some of a few words, each once; an empty list is one, too.
    pub(super) fn choices(&self, name: &str) -> Option<Vec<&'static str>> {
        self.read(name, take_choices)
    }

    pub(super) fn cpu_set(&self, name: &str, cores: u32) -> Option<Vec<u32>> {
        self.read(name, |takes, value| take_cpu_set(takes, value, cores))
    }
}

/// Whether a field that takes `takes` takes this value, by itself.
pub(crate) fn check(takes: Takes, value: &DeValue<'_>) -> Taken<()> {
    let shape = |fits: bool| if fits { Ok(()) } else { Err(wrong(value, takes)) };
    match takes {
        Takes::Exactly(_) => take_exactly(takes, value),
        Takes::Name => take_name(takes, value).map(drop),
        Takes::ImageName => take_image_name(takes, value).map(drop),
        Takes::Text | Takes::Tenant | Takes::Image | Takes::Layer => take_text(takes, value).map(drop),
        Takes::Flag => take_flag(takes, value).map(drop),
        Takes::Duration { .. } => take_duration(takes, value).map(drop),
        Takes::Bytes { .. } => take_bytes(takes, value).map(drop),
        Takes::Bandwidth { .. } => take_bandwidth(takes, value).map(drop),
        Takes::Rate => take_rate(takes, value).map(drop),
        Takes::Cpu { .. } => take_cpu(takes, value).map(drop),
        Takes::CpuSet => take_cpu_set(takes, value, CORES_MOST).map(drop),
        Takes::Count { .. } | Takes::Node => take_count(takes, value).map(drop),
        Takes::OomScoreAdj | Takes::Nice => take_signed(takes, value).map(drop),
        Takes::Real { .. } => take_real(takes, value).map(drop),
        Takes::Choice(_) => take_choice(takes, value).map(drop),
        Takes::Choices(_) => take_choices(takes, value).map(drop),
        Takes::Platforms | Takes::Texts | Takes::Ports | Takes::Tables(_) => shape(value.is_array()),
        Takes::Map | Takes::Table(_) | Takes::ByPlatform(_) => shape(value.is_table()),
    }
}

fn take_flag(takes: Takes, value: &DeValue<'_>) -> Taken<bool> {
    value.as_bool().ok_or_else(|| wrong(value, takes))
}

fn take_duration(takes: Takes, value: &DeValue<'_>) -> Taken<Nanos> {
    bounded(takes, value, quantity_text::<Nanos>(takes, value)?, |ns| ns.0)
}

fn take_bytes(takes: Takes, value: &DeValue<'_>) -> Taken<Bytes> {
    let bytes = match value {
        DeValue::Integer(_) => Bytes(take_whole(takes, value)?),
        _ => quantity_text(takes, value)?,
    };
    bounded(takes, value, bytes, |bytes| bytes.0)
}

fn take_bandwidth(takes: Takes, value: &DeValue<'_>) -> Taken<BytesPerSecond> {
    bounded(takes, value, quantity_text::<BytesPerSecond>(takes, value)?, |bandwidth| bandwidth.0)
}

fn take_cpu(takes: Takes, value: &DeValue<'_>) -> Taken<MilliCpu> {
    let number = match value {
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        _ => None,
    };
    let cpu = match number {
        Some(number) => number.parse().map_err(|error| quantity_problem(takes, value, error))?,
        None => quantity_text::<MilliCpu>(takes, value)?,
    };
    bounded(takes, value, cpu, |cpu| cpu.0)
}

fn take_cpu_set(takes: Takes, value: &DeValue<'_>, cores: u32) -> Taken<Vec<u32>> {
    let text = value.as_str().ok_or_else(|| wrong(value, takes))?;
    quantity::parse_cpu_set(text, cores).map_err(|error| quantity_problem(takes, value, error))
}

fn take_count(takes: Takes, value: &DeValue<'_>) -> Taken<u64> {
    bounded(takes, value, take_whole(takes, value)?, |count| *count)
}

pub(super) fn take_text(takes: Takes, value: &DeValue<'_>) -> Taken<String> {
    match value.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(wrong(value, takes)),
    }
}

/// The one text that is accepted.
pub(super) fn take_exactly(takes: Takes, value: &DeValue<'_>) -> Taken<()> {
    match (takes, value.as_str()) {
        (Takes::Exactly(expected), Some(found)) if found == expected => Ok(()),
        _ => Err(wrong(value, takes)),
    }
}

fn take_name(takes: Takes, value: &DeValue<'_>) -> Taken<String> {
    let name = value.as_str().ok_or_else(|| wrong(value, takes))?;
    if is_kebab(name) {
        return Ok(name.to_owned());
    }
    let suggestion = kebab(name);
    Err(wrong(value, takes).suggests(is_kebab(&suggestion).then_some(suggestion)))
}

/// Lower-case letters and digits in words joined by single hyphens.
pub(super) fn is_kebab(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= NAME_CHARS_MAX && name.split('-').all(word)
}

fn take_image_name(takes: Takes, value: &DeValue<'_>) -> Taken<String> {
    value.as_str().filter(|name| is_image_name(name)).map(str::to_owned).ok_or_else(|| wrong(value, takes))
}

/// What references to images are made of.
pub(super) fn is_image_name(name: &str) -> bool {
    const CHARS_MAX: usize = 255;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
    !name.is_empty() && name.len() <= CHARS_MAX && name.bytes().all(fits)
}

fn kebab(name: &str) -> String {
    let lower = name.chars().take(2 * NAME_CHARS_MAX).collect::<String>().to_lowercase();
    lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

fn take_whole(takes: Takes, value: &DeValue<'_>) -> Taken<u64> {
    let number = value.as_integer().ok_or_else(|| wrong(value, takes))?;
    u64::from_str_radix(number.as_str(), number.radix()).map_err(|_| wrong(value, takes))
}

fn take_signed(takes: Takes, value: &DeValue<'_>) -> Taken<i32> {
    let number = value.as_integer().ok_or_else(|| wrong(value, takes))?;
    let (least, most) = takes.signed_bounds().ok_or_else(|| wrong(value, takes))?;
    let signed = i32::from_str_radix(number.as_str(), number.radix()).ok();
    signed.filter(|signed| (least..=most).contains(signed)).ok_or_else(|| wrong(value, takes))
}

fn take_rate(takes: Takes, value: &DeValue<'_>) -> Taken<f64> {
    let text = value.as_str().ok_or_else(|| wrong(value, takes))?;
    let rate = quantity::parse_rate(text).map_err(|error| quantity_problem(takes, value, error))?;
    if rate > 0.0 && rate <= RATE_MOST { Ok(rate) } else { Err(wrong(value, takes)) }
}

fn take_real(takes: Takes, value: &DeValue<'_>) -> Taken<f64> {
    let Takes::Real { most } = takes else { return Err(wrong(value, takes)) };
    let number = match value {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    };
    number.filter(|number| *number > 0.0 && *number <= most).ok_or_else(|| wrong(value, takes))
}

fn take_choice(takes: Takes, value: &DeValue<'_>) -> Taken<&'static str> {
    let Takes::Choice(words) = takes else { return Err(wrong(value, takes)) };
    let found = value.as_str().ok_or_else(|| wrong(value, takes))?;
    words
        .iter()
        .copied()
        .find(|word| *word == found)
        .ok_or_else(|| wrong(value, takes).suggests(nearest(found, words.iter().copied())))
}

fn take_choices(takes: Takes, value: &DeValue<'_>) -> Taken<Vec<&'static str>> {
    let Takes::Choices(words) = takes else { return Err(wrong(value, takes)) };
    let mut taken = Vec::new();
    for element in value.as_array().ok_or_else(|| wrong(value, takes))? {
        let word = take_choice(Takes::Choice(words), element.get_ref())?;
        if taken.contains(&word) {
            return Err(Problem::new(format!("{word:?} is listed twice")).advises("leave one out"));
        }
        taken.push(word);
    }
    Ok(taken)
}

fn quantity_text<T: FromStr<Err = QuantityError>>(takes: Takes, value: &DeValue<'_>) -> Taken<T> {
    let text = value.as_str().ok_or_else(|| wrong(value, takes))?;
    text.parse().map_err(|error| quantity_problem(takes, value, error))
}

fn quantity_problem(takes: Takes, value: &DeValue<'_>, error: QuantityError) -> Problem {
    let QuantityError { what, suggestion } = error;
    Problem::new(format!("found {}: {what}", describe(value))).accepts(takes.accepted()).suggests(suggestion)
}

fn bounded<T>(takes: Takes, value: &DeValue<'_>, taken: T, amount: impl Fn(&T) -> u64) -> Taken<T> {
    let (least, most) = takes.bounds();
    let side = match amount(&taken) {
        amount if amount < least => "too small",
        amount if amount > most => "too large",
        _ => return Ok(taken),
    };
    Err(Problem::new(format!("found {}, {side}", describe(value))).accepts(takes.accepted()))
}
