//! Virtual CPUs: when each ran, and when it would have run and had no core.

use catamaran_report::timeline::GuestSlice;

/// A virtual CPU and when it was not halted, by start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vcpu {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// From 0, of its guest.
    pub number: u32,
    /// When it was not halted, by start.
    pub slices: Vec<GuestSlice>,
}

impl Vcpu {
    /// What touches `[from_ns, to_ns)`.
    #[must_use]
    pub fn between(&self, from_ns: u64, to_ns: u64) -> &[GuestSlice] {
        let first = self.slices.partition_point(|slice| slice.end_ns <= from_ns);
        let end = self.slices.partition_point(|slice| slice.start_ns < to_ns);
        self.slices.get(first..end.max(first)).unwrap_or_default()
    }

    /// How long (ns) it ran and how long it was kept waiting for a core within `[from_ns, to_ns)`.
    #[must_use]
    pub fn ran_and_waited(&self, from_ns: u64, to_ns: u64) -> (u64, u64) {
        let mut sums = (0, 0);
        for slice in self.between(from_ns, to_ns) {
            let within = slice.end_ns.min(to_ns) - slice.start_ns.max(from_ns);
            match slice.thread {
                Some(_) => sums.0 += within,
                None => sums.1 += within,
            }
        }
        sums
    }
}

/// The slices of each virtual CPU.
#[must_use]
pub fn vcpus(slices: &[GuestSlice]) -> Vec<Vcpu> {
    let mut found: Vec<Vcpu> = Vec::new();
    for slice in slices {
        let own = |vcpu: &&mut Vcpu| (vcpu.tenant, vcpu.number) == (slice.tenant, slice.vcpu);
        match found.iter_mut().find(own) {
            Some(vcpu) => vcpu.slices.push(*slice),
            None => found.push(Vcpu { tenant: slice.tenant, number: slice.vcpu, slices: vec![*slice] }),
        }
    }
    found.sort_by_key(|vcpu| (vcpu.tenant, vcpu.number));
    found
}

/// The shares of the time until `at_ns` that each tenant's virtual CPUs ran, and would have run and had no core, by index;
/// of several virtual CPUs the mean.
#[must_use]
pub fn shares(vcpus: &[Vcpu], tenants: u32, at_ns: u64) -> Vec<(f64, f64)> {
    let of = |tenant: u32| {
        let own = vcpus.iter().filter(|vcpu| vcpu.tenant == tenant);
        let sums = own
            .map(|vcpu| vcpu.ran_and_waited(0, at_ns))
            .fold((0, 0, 0), |all: (u64, u64, u64), one| (all.0 + one.0, all.1 + one.1, all.2 + at_ns));
        let (ran_ns, waited_ns, all_ns) = sums;
        let share = |part_ns: u64| if all_ns == 0 { 0.0 } else { part_ns as f64 / all_ns as f64 };
        (share(ran_ns), share(waited_ns))
    };
    (0..tenants).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_until_the_play_head() {
        let slice =
            |tenant, vcpu, thread, start_ns, end_ns| GuestSlice { tenant, vcpu, thread, start_ns, end_ns };
        let found = vcpus(&[
            slice(0, 0, Some(0), 0, 40),
            slice(1, 0, None, 0, 40),
            slice(1, 0, Some(0), 40, 60),
            slice(1, 1, Some(1), 50, 100),
        ]);
        assert_eq!(shares(&found, 3, 0), [(0.0, 0.0); 3]);
        assert_eq!(shares(&found, 3, 20), [(1.0, 0.0), (0.0, 0.5), (0.0, 0.0)]);
        assert_eq!(shares(&found, 3, 100), [(0.4, 0.0), (0.35, 0.2), (0.0, 0.0)]);
    }
}
