//! Arithmetic over metrics, parsed at build time and kept in postfix order.

/// One step of a postfix formula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Push a number.
    Number(f64),
    /// Push the value of a metric path of the report (`tenant.web.latency_s.p99`).
    Metric(&'static str),
    /// Replace the two topmost values a, b by a + b.
    Add,
    /// … by a − b.
    Subtract,
    /// … by a · b.
    Multiply,
    /// … by a / b.
    Divide,
}

impl Op {
    /// The path of the metric that is pushed, if one is.
    #[must_use]
    pub const fn metric(&self) -> Option<&'static str> {
        match self {
            Self::Metric(path) => Some(path),
            _ => None,
        }
    }
}

/// The value of a formula; `None` where a metric is unknown or the result is not finite.
pub(crate) fn evaluate(formula: &[Op], metric: &mut dyn FnMut(&str) -> Option<f64>) -> Option<f64> {
    let mut stack = Vec::new();
    for op in formula {
        let value = match op {
            Op::Number(number) => *number,
            Op::Metric(path) => metric(path)?,
            Op::Add => binary(&mut stack, |a, b| a + b)?,
            Op::Subtract => binary(&mut stack, |a, b| a - b)?,
            Op::Multiply => binary(&mut stack, |a, b| a * b)?,
            Op::Divide => binary(&mut stack, |a, b| a / b)?,
        };
        stack.push(value);
    }
    stack.pop().filter(|value| value.is_finite())
}

fn binary(stack: &mut Vec<f64>, apply: fn(f64, f64) -> f64) -> Option<f64> {
    let b = stack.pop()?;
    let a = stack.pop()?;
    Some(apply(a, b))
}

#[cfg(test)]
mod tests {
    use super::{Op, evaluate};

    #[test]
    fn formulas_are_evaluated_in_postfix_order() {
        let table: [(&[Op], Option<f64>); 5] = [
            (&[Op::Metric("a")], Some(6.0)),
            (&[Op::Metric("a"), Op::Number(4.0), Op::Subtract], Some(2.0)),
            (&[Op::Metric("a"), Op::Number(4.0), Op::Number(2.0), Op::Multiply, Op::Divide], Some(0.75)),
            (&[Op::Metric("unknown"), Op::Number(1.0), Op::Add], None),
            (&[Op::Metric("a"), Op::Number(0.0), Op::Divide], None),
        ];
        for (formula, expected) in table {
            let found = evaluate(formula, &mut |path| (path == "a").then_some(6.0));
            assert_eq!(found, expected, "{formula:?}");
        }
    }
}
