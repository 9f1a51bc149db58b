//! Decimal numbers with units, read exactly: no quantity passes through a float.

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct QuantityError {
    /// What was found.
    pub what: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl QuantityError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), suggestion: None }
    }

    pub(crate) fn meaning(mut self, suggestion: String) -> Self {
        self.suggestion = Some(suggestion);
        self
    }

    pub(crate) fn too_large() -> Self {
        Self::new("too large a number")
    }

    pub(crate) fn finer_than(step: &str) -> Self {
        Self::new(format!("finer than {step}"))
    }
}

/// A unit with its size in the smallest one.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) factor: u64,
}

impl Unit {
    pub(crate) const fn new(name: &'static str, factor: u64) -> Self {
        Self { name, factor }
    }
}

/// `mantissa / 10^places`.
pub(crate) struct Decimal<'a> {
    mantissa: u128,
    places: u32,
    digits: &'a str,
}

impl<'a> Decimal<'a> {
    /// Digits in all: more than any quantity has, few enough that no product overflows 128 bits.
    const DIGITS_MAX: usize = 20;

    /// The unsigned decimal number at the start of `text`, and what follows it.
    pub(crate) fn split(text: &'a str) -> Result<(Self, &'a str), QuantityError> {
        if text.starts_with('-') {
            return Err(QuantityError::new("a negative number"));
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() {
            return Err(QuantityError::new("no number"));
        }
        if digits.contains('.') && fraction.is_empty() {
            return Err(QuantityError::new("no digit after the point"));
        }
        if fraction.contains('.') {
            return Err(QuantityError::new("two points in a number"));
        }
        if whole.len() + fraction.len() > Self::DIGITS_MAX {
            return Err(QuantityError::new("too large or too long a number"));
        }
        let number = |part: &str| part.bytes().fold(0u128, |n, digit| n * 10 + u128::from(digit - b'0'));
        let places = fraction.len() as u32;
        let mantissa = number(whole) * 10u128.pow(places) + number(fraction);
        Ok((Self { mantissa, places, digits }, rest))
    }

    /// The product, which must be a whole number of `step`.
    pub(crate) fn times(&self, factor: u64, step: &str) -> Result<u64, QuantityError> {
        let product = self.mantissa.checked_mul(u128::from(factor)).ok_or_else(QuantityError::too_large)?;
        let scale = 10u128.pow(self.places);
        if product % scale != 0 {
            return Err(QuantityError::finer_than(step));
        }
        u64::try_from(product / scale).map_err(|_| QuantityError::too_large())
    }

    /// The nearest float.
    pub(crate) fn to_f64(&self) -> f64 {
        // Digits and a point always parse; the correctly rounded conversion is std's.
        self.digits.parse().unwrap_or(f64::NAN)
    }
}

/// The factor of the unit that ends `text`.
pub(crate) fn unit(name: &str, units: &[Unit], text: &str) -> Result<u64, QuantityError> {
    let index = unit_index(name, units, units, text)?;
    Ok(units.get(index).map_or(1, |unit| unit.factor))
}

/// The place of a unit in `allowed`, the ones of `all` that may still come in `text`.
pub(crate) fn unit_index(
    name: &str,
    allowed: &[Unit],
    all: &[Unit],
    text: &str,
) -> Result<usize, QuantityError> {
    if let Some(index) = allowed.iter().position(|unit| unit.name == name) {
        return Ok(index);
    }
    if name.is_empty() {
        return Err(QuantityError::new("no unit"));
    }
    if all.iter().any(|unit| unit.name == name) {
        return Err(QuantityError::new(format!("the unit {name:?} out of order")));
    }
    let error = QuantityError::new(format!("unknown unit {}", crate::diagnostic::quoted(name)));
    Err(match (meant(name.trim(), all), text.strip_suffix(name)) {
        (Some(unit), Some(before)) => error.meaning(format!("{before}{}", unit.name)),
        _ => error,
    })
}

/// The unit that another spelling stands for: other letter case, the beginning of it (`Gi`), or more than it (`sec`).
fn meant<'a>(name: &str, units: &'a [Unit]) -> Option<&'a Unit> {
    let begun_by = |unit: &&Unit| name.len() == 2 && unit.name.starts_with(name);
    let spelt_out = units.iter().filter(|unit| name.starts_with(unit.name));
    let same = units.iter().find(|unit| unit.name.eq_ignore_ascii_case(name));
    same.or_else(|| units.iter().find(begun_by)).or(spelt_out.max_by_key(|unit| unit.name.len()))
}

/// `value / factor` in decimals, exact where `factor` is a power of ten.
pub(crate) fn quotient(value: u64, factor: u64) -> String {
    let (whole, rest) = (value / factor, value % factor);
    if rest == 0 {
        return whole.to_string();
    }
    let places = factor.ilog10() as usize;
    format!("{whole}.{rest:0places$}").trim_end_matches('0').to_owned()
}
