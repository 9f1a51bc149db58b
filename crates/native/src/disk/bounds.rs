//! Bounds on operations, as the kernel's throttling takes them: `blkio.throttle.*` (v1), `io.max` (v2).
//!
//! **Source.** Linux `Documentation/admin-guide/cgroup-v1/blkio-controller.rst`, `cgroup-v2.rst` (IO), `block/blk-throttle.c`.
//! On version 1 a bound holds for a group alone, not for the groups below it (`throtl_pd_init`).

use std::path::Path;

use catamaran_scenario::plan::{HostDisk, Io};
use catamaran_worker::script::Step;

/// Most operations and bytes a second on one disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// `MAJOR:MINOR`.
    pub(crate) device: String,
    /// Bytes read a second.
    pub(crate) read: Option<u64>,
    /// Bytes written a second.
    pub(crate) write: Option<u64>,
    /// Operations a second, of reads and of writes each.
    pub(crate) iops: Option<u64>,
}

impl Bounds {
    /// A tenant's; none where it has none.
    pub(crate) fn of_tenant(io: &Io, device: &str) -> Option<Self> {
        let bytes = |speed: Option<catamaran_scenario::BytesPerSecond>| speed.map(|speed| speed.0);
        super::has_bounds(io).then(|| Self {
            device: device.to_owned(),
            read: bytes(io.read),
            write: bytes(io.write),
            iops: io.iops,
        })
    }

    /// The machine's.
    pub(crate) fn of_host(disk: &HostDisk, device: &str) -> Self {
        let bytes = |speed: Option<catamaran_scenario::BytesPerSecond>| speed.map(|speed| speed.0);
        Self { device: device.to_owned(), read: bytes(disk.read), write: bytes(disk.write), iops: disk.iops }
    }

    /// What sets them on a group of version 1.
    pub(crate) fn v1(&self, group: &Path) -> Vec<Step> {
        let files = [
            ("read_bps_device", self.read),
            ("write_bps_device", self.write),
            ("read_iops_device", self.iops),
            ("write_iops_device", self.iops),
        ];
        let step = |(file, most): (&str, Option<u64>)| {
            let file = group.join(format!("blkio.throttle.{file}"));
            Some(Step::Write { value: format!("{} {}", self.device, most?), file })
        };
        files.into_iter().filter_map(step).collect()
    }

    /// What sets them on a group of version 2.
    pub(crate) fn v2(&self, group: &Path) -> Vec<Step> {
        let keys = [("rbps", self.read), ("wbps", self.write), ("riops", self.iops), ("wiops", self.iops)];
        let words = keys.into_iter().filter_map(|(key, most)| Some(format!(" {key}={}", most?)));
        let value: String = std::iter::once(self.device.clone()).chain(words).collect();
        vec![Step::Write { value, file: group.join("io.max") }]
    }

    /// What takes any bound on the disk from a group of version 1.
    pub(crate) fn lift_v1(device: &str, group: &Path) -> Vec<Step> {
        // 0 is none there (`tg_set_conf`).
        let none = Self { device: device.to_owned(), read: Some(0), write: Some(0), iops: Some(0) };
        none.v1(group)
    }

    /// The same of version 2.
    pub(crate) fn lift_v2(device: &str, group: &Path) -> Step {
        let value = format!("{device} rbps=max wbps=max riops=max wiops=max");
        Step::Write { value, file: group.join("io.max") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_each_version_reads_them() {
        let bounds = Bounds { device: "254:0".into(), read: Some(20_000_000), write: None, iops: Some(500) };
        let lines = |steps: Vec<Step>| -> Vec<String> {
            let line = |step: &Step| match step {
                Step::Write { value, file } => format!("{} < {value}", file.display()),
                other => format!("{other:?}"),
            };
            steps.iter().map(line).collect()
        };
        let v1 = [
            "/g/blkio.throttle.read_bps_device < 254:0 20000000",
            "/g/blkio.throttle.read_iops_device < 254:0 500",
            "/g/blkio.throttle.write_iops_device < 254:0 500",
        ];
        assert_eq!(lines(bounds.v1(Path::new("/g"))), v1);
        let v2 = ["/g/io.max < 254:0 rbps=20000000 riops=500 wiops=500"];
        assert_eq!(lines(bounds.v2(Path::new("/g"))), v2);
        assert_eq!(lines(Bounds::lift_v1("254:0", Path::new("/g"))).len(), 4);
        let lifted = lines(vec![Bounds::lift_v2("254:0", Path::new("/g"))]);
        assert_eq!(lifted, ["/g/io.max < 254:0 rbps=max wbps=max riops=max wiops=max"]);
    }
}
