//! Bounds of memory, as the files of either version take them.

use std::path::Path;

use catamaran_worker::script::Step;

use super::write;

/// Bounds of a group's memory (bytes).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MemoryLimits {
    /// Beyond it the kernel reclaims and kills.
    pub(crate) max: Option<u64>,
    /// v2: beyond it the kernel slows down.
    pub(crate) high: Option<u64>,
    /// Swap beside the memory.
    pub(crate) swap: Option<u64>,
    /// v2: whether all processes are killed together.
    pub(crate) oom_group: bool,
}

impl MemoryLimits {
    /// For a machine of so much memory; `swap` where the machine beneath has any.
    pub(crate) fn of_machine(max: u64, swap: Option<u64>) -> Self {
        Self { max: Some(max), swap, ..Self::default() }
    }

    /// Version 1: memory and swap are bounded together, and only where memory is; set in this order, as the sum may never
    /// be below the memory.
    pub(crate) fn v1(&self, group: &Path) -> Vec<Step> {
        let Some(max) = self.max else { return Vec::new() };
        let both =
            self.swap.map(|swap| write(group.join("memory.memsw.limit_in_bytes"), max.saturating_add(swap)));
        std::iter::once(write(group.join("memory.limit_in_bytes"), max)).chain(both).collect()
    }

    /// Version 2.
    pub(crate) fn v2(&self, group: &Path) -> Vec<Step> {
        let bounds = [("memory.max", self.max), ("memory.high", self.high), ("memory.swap.max", self.swap)];
        let set = bounds.into_iter().filter_map(|(file, value)| Some(write(group.join(file), value?)));
        let group_kill = self.oom_group.then(|| write(group.join("memory.oom.group"), 1));
        set.chain(group_kill).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_by_version() {
        let limits = MemoryLimits { max: Some(100), high: Some(80), swap: Some(10), oom_group: true };
        let at = |file: &str, value: &str| write(Path::new("/g").join(file), value);
        let v1 = [at("memory.limit_in_bytes", "100"), at("memory.memsw.limit_in_bytes", "110")];
        assert_eq!(limits.v1(Path::new("/g")), v1);
        let v2 = [
            at("memory.max", "100"),
            at("memory.high", "80"),
            at("memory.swap.max", "10"),
            at("memory.oom.group", "1"),
        ];
        assert_eq!(limits.v2(Path::new("/g")), v2);
        let swap_alone = MemoryLimits { swap: Some(10), ..MemoryLimits::default() };
        assert_eq!(swap_alone.v1(Path::new("/g")), [], "version 1 cannot bound swap alone");
    }
}
