//! A core from afar: where runs are narrower than a pixel, each column shows how its time was shared.

use super::Recording;

/// A column of a core and how long each tenant ran in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// From (ns).
    pub start_ns: u64,
    /// To (ns).
    pub end_ns: u64,
    /// Time on the core (ns) by tenant index.
    pub busy_ns: Vec<u64>,
}

/// `[from_ns, to_ns)` of a core in columns of `width_ns`.
#[must_use]
pub fn columns(recording: &Recording, core: usize, from_ns: u64, to_ns: u64, width_ns: u64) -> Vec<Column> {
    let width_ns = width_ns.max(1);
    let tenants = recording.report.tenants.len();
    let count = to_ns.min(recording.end_ns).saturating_sub(from_ns).div_ceil(width_ns);
    let column = |index: u64| {
        let start_ns = from_ns + index * width_ns;
        Column { start_ns, end_ns: start_ns + width_ns, busy_ns: vec![0; tenants] }
    };
    let mut columns: Vec<Column> = (0..count).map(column).collect();
    for run in recording.runs(core, from_ns, to_ns) {
        let first = run.start_ns.saturating_sub(from_ns) / width_ns;
        let touched =
            columns.iter_mut().skip(first as usize).take_while(|column| column.start_ns < run.end_ns);
        for column in touched {
            let shared = run.end_ns.min(column.end_ns) - run.start_ns.max(column.start_ns);
            if let Some(busy) = column.busy_ns.get_mut(run.tenant as usize) {
                *busy += shared;
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests_support::{recording, slice};

    #[test]
    fn columns_share_out_every_nanosecond() {
        let film = recording(&[slice(0, 0, 0, 15), slice(0, 1, 18, 40)]);
        let columns = columns(&film, 0, 0, 40, 10);
        let busy: Vec<_> = columns.iter().map(|column| column.busy_ns.as_slice()).collect();
        assert_eq!(busy, [[10, 0], [5, 2], [0, 10], [0, 10]]);
    }

    #[test]
    fn columns_begin_inside_a_run() {
        let film = recording(&[slice(0, 0, 0, 40)]);
        let columns = columns(&film, 0, 5, 25, 10);
        assert_eq!(columns.iter().map(|column| column.busy_ns[0]).collect::<Vec<_>>(), [10, 10]);
    }
}
