//! The disk under the tenants' files, by small scenarios: one operation at a time, large ones, many at a time, with a flush,
//! through the page cache, and under a bound.

use catamaran_report::Report;
use catamaran_report::statistics::median;
use catamaran_scenario::Platform;
use catamaran_scenario::calibration::{CachedCosts, DiskCosts, FlushCosts, OperationCosts};

use super::scenario::Scenario;
use crate::disk::Place;
use crate::interrupt::Interrupt;
use crate::problem::Problem;
use crate::run::Run;

/// Rounds, of which the median counts.
const ROUNDS: usize = 3;
/// The small block and the large one (bytes).
const SMALL: f64 = 4096.0;
const LARGE: f64 = 1_048_576.0;
/// Operations in flight when the device shall always have another.
const MANY: f64 = 16.0;
/// As many as tell whether it batches.
const SOME: f64 = 4.0;
/// The two lengths of a slice that the kernel has, by ticks a second (`DFL_THROTL_SLICE_HD`, `DFL_THROTL_SLICE_SSD`).
const SLICES_PER_S: [f64; 2] = [10.0, 50.0];

/// Measures; none on a machine without a disk that can be used.
pub(crate) fn measure(
    switch_ns: u64,
    hz: u32,
    turns_per_cpu_s: f64,
    interrupt: &Interrupt,
) -> Result<Option<DiskCosts>, Problem> {
    let Ok(place) = Place::find() else { return Ok(None) };
    let bench = Bench { turns_per_cpu_s, interrupt };
    let switch_ns = switch_ns as f64;
    let read = bench.operation("randread", "read")?;
    let write = bench.operation("randwrite", "write")?;
    let batches = read.batches();
    let (read, write, write_point) = (read.costs(switch_ns, batches), write.costs(switch_ns, batches), write);
    let flush = bench.flush(&write_point, &write, switch_ns, batches)?;
    Ok(Some(DiskCosts {
        scheduler: place.scheduler(),
        throttle_slice_ns: bench.throttle_slice_ns(hz)?,
        batches,
        read,
        write,
        flush,
        cached_read: bench.cached("read")?,
        cached_write: bench.cached("write")?,
    }))
}

/// What came of one scenario.
#[derive(Debug, Clone, Copy)]
struct Point {
    /// Median latency (ns).
    latency_ns: f64,
    /// CPU time of an operation (ns).
    cpu_ns: f64,
    /// From one completion to the next (ns).
    gap_ns: f64,
}

/// One kind of operation: one at a time, large, some and many at a time.
#[derive(Debug, Clone, Copy)]
struct Operation {
    one: Point,
    large: Point,
    some: Point,
    many: Point,
}

impl Operation {
    /// What each further one takes of a device that batches, or does not.
    fn service_ns(&self, batches: bool) -> f64 {
        if batches {
            ((MANY * self.many.gap_ns - self.one.latency_ns) / (MANY - 1.0)).max(0.0)
        } else {
            self.many.gap_ns
        }
    }

    /// Which of the two laws is nearer to what some at a time took.
    fn batches(&self) -> bool {
        let took = SOME * self.some.gap_ns;
        let in_batches = self.one.latency_ns + (SOME - 1.0) * self.service_ns(true);
        let in_line = self.one.latency_ns.max(SOME * self.service_ns(false));
        (in_batches - took).abs() < (in_line - took).abs()
    }

    fn costs(&self, switch_ns: f64, batches: bool) -> OperationCosts {
        let service_ns = self.service_ns(batches);
        let cpu_ns = self.many.cpu_ns.min(self.one.cpu_ns);
        let more = LARGE - SMALL;
        let cpu_more = (self.large.cpu_ns - self.one.cpu_ns).max(0.0);
        let service_more = (self.large.latency_ns - self.one.latency_ns - cpu_more).max(0.0);
        OperationCosts {
            cpu_ns: whole(cpu_ns - switch_ns),
            cpu_ns_per_byte: by_the_byte(cpu_more / more),
            notify_ns: whole(self.one.cpu_ns - cpu_ns),
            service_ns: whole(service_ns),
            service_ns_per_byte: by_the_byte(service_more / more),
            latency_ns: whole(self.one.latency_ns - self.one.cpu_ns - service_ns),
            // What larger ones take longer is the device's: nothing tells the two apart.
            latency_ns_per_byte: 0.0,
        }
    }
}

fn whole(ns: f64) -> u64 {
    ns.max(0.0).round() as u64
}

/// Noise can make nothing of something very small; nothing at all costs nothing.
fn by_the_byte(ns: f64) -> f64 {
    ns.max(1e-6)
}

struct Bench<'a> {
    turns_per_cpu_s: f64,
    interrupt: &'a Interrupt,
}

impl Bench<'_> {
    fn operation(&self, random: &str, in_order: &str) -> Result<Operation, Problem> {
        Ok(Operation {
            one: self.point(&work(random, "8MiB", "4KiB", 1, ""))?,
            large: self.point(&work(in_order, "32MiB", "1MiB", 1, ""))?,
            some: self.point(&work(random, "16MiB", "4KiB", SOME as u32, ""))?,
            many: self.point(&work(random, "32MiB", "4KiB", MANY as u32, ""))?,
        })
    }

    /// What a flush takes beyond the write before it. Two batches, one of writes, one of flushes, take what one of each takes
    /// and a service of both for each other.
    fn flush(
        &self,
        write: &Operation,
        costs: &OperationCosts,
        switch_ns: f64,
        batches: bool,
    ) -> Result<FlushCosts, Problem> {
        let one = self.point(&work("randwrite", "4MiB", "4KiB", 1, ", fsync = true"))?;
        let some = self.point(&work("randwrite", "8MiB", "4KiB", SOME as u32, ", fsync = true"))?;
        let of_both =
            if batches { (SOME * some.gap_ns - one.latency_ns) / (SOME - 1.0) } else { some.gap_ns };
        let service_ns = (of_both - costs.service_ns as f64).max(0.0);
        let cpu_ns = (one.cpu_ns - write.one.cpu_ns).max(0.0);
        let latency_ns = one.latency_ns - write.one.latency_ns - cpu_ns - service_ns;
        Ok(FlushCosts {
            cpu_ns: whole(cpu_ns - switch_ns),
            service_ns: whole(service_ns),
            latency_ns: whole(latency_ns),
        })
    }

    fn cached(&self, op: &str) -> Result<CachedCosts, Problem> {
        let small = self.point(&work(op, "32MiB", "4KiB", 1, ", cached = true"))?;
        let large = self.point(&work(op, "64MiB", "1MiB", 1, ", cached = true"))?;
        let more = (large.cpu_ns - small.cpu_ns) / (LARGE - SMALL);
        Ok(CachedCosts { cpu_ns: whole(small.cpu_ns), cpu_ns_per_byte: by_the_byte(more) })
    }

    /// A bound lets a slice's allowance through at once and then nothing until the next slice: the longest wait tells which of
    /// its two lengths the kernel has here. Without control groups there are no bounds, and the length has no meaning.
    fn throttle_slice_ns(&self, hz: u32) -> Result<u64, Problem> {
        let bounded = format!("io = {{ read = \"1MB/s\" }}\n{}", work("randread", "1MiB", "4KiB", 1, ""));
        let slices_ns = SLICES_PER_S.map(|per_s| (f64::from(hz) / per_s).floor() / f64::from(hz) * 1e9);
        let longest_ns = match self.run(Platform::Cgroups, &bounded) {
            Ok(report) => {
                let requests = report.tenants.first().and_then(|tenant| tenant.requests.as_ref());
                requests.and_then(|requests| Some(requests.latency_s?.max * 1e9)).unwrap_or(0.0)
            }
            Err(Problem::Unavailable(..)) => f64::INFINITY,
            Err(problem) => return Err(problem),
        };
        let [long_ns, short_ns] = slices_ns;
        Ok(whole(if longest_ns > (long_ns + short_ns) / 2.0 { long_ns } else { short_ns }))
    }

    fn point(&self, workload: &str) -> Result<Point, Problem> {
        let reports: Result<Vec<Report>, _> =
            (0..ROUNDS).map(|_| self.run(Platform::BareMetal, workload)).collect();
        let points: Vec<Point> = reports?.iter().filter_map(point).collect();
        let middle = |figure: fn(&Point) -> f64| median(&points.iter().map(figure).collect::<Vec<_>>());
        let figures = (middle(|one| one.latency_ns), middle(|one| one.cpu_ns), middle(|one| one.gap_ns));
        let (Some(latency_ns), Some(cpu_ns), Some(gap_ns)) = figures else {
            return Err(Problem::new(
                "no operation of the calibration was completed on the disk",
                "try again when the machine is quieter",
            ));
        };
        Ok(Point { latency_ns, cpu_ns, gap_ns })
    }

    fn run(&self, platform: Platform, tenant: &str) -> Result<Report, Problem> {
        let scenario = Scenario {
            name: "disk",
            duration: "10s",
            platforms: &[platform],
            cores: crate::machine::allowed_cpus().len().max(1),
            memory: "256MiB",
            tenants: &format!("[[tenant]]\nname = \"disk\"\n{tenant}"),
        };
        let plan = scenario.plan()?;
        Run::start(&plan, platform, self.turns_per_cpu_s, self.interrupt)?.carry_out(0, &mut None)
    }
}

fn work(op: &str, size: &str, block: &str, depth: u32, more: &str) -> String {
    format!(
        "workload = {{ kind = \"disk\", op = \"{op}\", size = \"{size}\", block = \"{block}\", depth = {depth}{more} }}"
    )
}

fn point(report: &Report) -> Option<Point> {
    let tenant = report.tenants.first()?;
    let requests = tenant.requests.as_ref().filter(|requests| requests.completed > 0)?;
    let completed = requests.completed as f64;
    Some(Point {
        latency_ns: requests.latency_s?.p50 * 1e9,
        cpu_ns: tenant.cpu_s? * 1e9 / completed,
        gap_ns: tenant.finished_s? * 1e9 / completed,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn at(latency_us: f64, cpu_us: f64, gap_us: f64) -> Point {
        Point { latency_ns: latency_us * 1e3, cpu_ns: cpu_us * 1e3, gap_ns: gap_us * 1e3 }
    }

    #[test]
    fn a_device_that_batches_is_told_from_one_that_does_not() {
        // 40 µs for one, 10 µs for each other: in batches 70 µs for four and 190 for sixteen, in line 40 and 160.
        let one = at(40.0, 20.0, 40.0);
        let large = at(1090.0, 25.0, 1090.0);
        let in_batches =
            Operation { one, large, some: at(70.0, 10.0, 17.5), many: at(190.0, 6.0, 190.0 / 16.0) };
        let in_line = Operation { one, large, some: at(40.0, 10.0, 10.0), many: at(160.0, 6.0, 10.0) };
        assert!(in_batches.batches() && !in_line.batches());
        for (operation, batches) in [(in_batches, true), (in_line, false)] {
            let costs = operation.costs(1000.0, batches);
            assert_eq!(
                (costs.service_ns, costs.cpu_ns, costs.notify_ns),
                (10_000, 5000, 14_000),
                "{costs:?}"
            );
            assert_eq!(costs.latency_ns, 10_000);
            assert!((costs.service_ns_per_byte - 1.0).abs() < 5e-3, "{costs:?}");
        }
    }

    #[test]
    fn a_disk_takes_time_and_more_for_more() {
        let interrupt = Interrupt::new(Arc::default());
        match measure(1000, 250, 1e8, &interrupt) {
            Ok(Some(costs)) => {
                println!("{costs:?}");
                assert!(
                    costs.read.cpu_ns + costs.read.notify_ns > 0 && costs.read.service_ns > 0,
                    "{costs:?}"
                );
                assert!([100_000_000, 20_000_000].contains(&costs.throttle_slice_ns), "{costs:?}");
                let cached = &costs.cached_read;
                let alone = costs.read.cpu_ns + costs.read.notify_ns + costs.read.service_ns;
                assert!(cached.cpu_ns < alone + costs.read.latency_ns, "{costs:?}");
            }
            Ok(None) => println!("skipped: disk calibration: no disk"),
            Err(Problem::Unavailable(why, _)) => println!("skipped: disk calibration: {why}"),
            Err(problem) => panic!("{problem:?}"),
        }
    }
}
