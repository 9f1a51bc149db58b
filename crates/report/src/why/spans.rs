//! Stretches of time (ns), ascending and apart.

/// From, to.
pub(super) type Span = (u64, u64);

/// Puts stretches in order and joins those that meet.
pub(super) fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for (from, to) in spans.into_iter().filter(|(from, to)| from < to) {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// What of `spans` is within `whole`.
pub(super) fn within(spans: &[Span], whole: Span) -> Vec<Span> {
    let cut = |(from, to): &Span| ((*from).max(whole.0), (*to).min(whole.1));
    spans.iter().map(cut).filter(|(from, to)| from < to).collect()
}

/// What of `spans` is in none of `others`.
pub(super) fn without(spans: &[Span], others: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    for &(mut from, to) in spans {
        for other in others {
            if other.1 <= from || other.0 >= to {
                continue;
            }
            if other.0 > from {
                left.push((from, other.0));
            }
            from = from.max(other.1);
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}

/// How long they are together (ns).
pub(super) fn length(spans: &[Span]) -> u64 {
    spans.iter().map(|(from, to)| to - from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_cut_joined_and_taken_away() {
        let joined = joined(vec![(40, 50), (10, 20), (20, 25), (15, 18), (30, 30)]);
        assert_eq!(joined, [(10, 25), (40, 50)]);
        assert_eq!(within(&joined, (12, 45)), [(12, 25), (40, 45)]);
        // What is taken away, and what is left.
        let table: [(&[Span], &[Span]); 5] = [
            (&[], &[(10, 25), (40, 50)]),
            (&[(0, 100)], &[]),
            (&[(12, 14), (16, 42)], &[(10, 12), (14, 16), (42, 50)]),
            (&[(25, 40)], &[(10, 25), (40, 50)]),
            (&[(0, 11), (49, 60)], &[(11, 25), (40, 49)]),
        ];
        for (others, left) in table {
            assert_eq!(without(&joined, others), left, "without {others:?}");
            assert_eq!(length(left) + length(&joined) - length(&without(&joined, left)), length(left) * 2);
        }
    }
}
