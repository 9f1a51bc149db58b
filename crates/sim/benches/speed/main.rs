//! `cargo bench -p catamaran-sim`: the speed workloads, each beside its bare loop, and the picks of the exact model.

mod bare;
mod picks;

use std::hint::black_box;

use catamaran_sim::bench::{SharedHosts, hold, mm1, shared_hosts};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn hosts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("w1");
    group.sample_size(10);
    for (hosts, tasks) in [(10, 100), (100, 100)] {
        let size =
            |in_machines| SharedHosts { hosts, tasks, weights: Vec::new(), cap_cores: None, in_machines };
        let unequal = SharedHosts { weights: vec![1.0, 2.0, 5.0], cap_cores: Some(0.7), ..size(false) };
        group.throughput(Throughput::Elements(hosts * 16 * tasks));
        group.bench_function(BenchmarkId::new("bare", hosts), |b| {
            b.iter(|| bare::bare_w1(black_box(hosts), tasks));
        });
        for (name, size) in [("engine", size(false)), ("machines", size(true)), ("unequal", unequal)] {
            group
                .bench_function(BenchmarkId::new(name, hosts), |b| b.iter(|| shared_hosts(black_box(&size))));
        }
    }
}

fn queue(criterion: &mut Criterion) {
    const EVENTS: u64 = 1_000_000;
    let mut group = criterion.benchmark_group("w2");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS));
    for pending in [1_000, 100_000] {
        group.bench_function(BenchmarkId::new("bare", pending), |b| {
            b.iter(|| bare::bare_w2(black_box(pending), EVENTS));
        });
        group.bench_function(BenchmarkId::new("engine", pending), |b| {
            b.iter(|| hold(black_box(pending), EVENTS));
        });
    }
}

fn server(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mm1");
    group.throughput(Throughput::Elements(100_000));
    group.bench_function("engine", |b| b.iter(|| mm1(black_box(100_000))));
}

fn exact(criterion: &mut Criterion) {
    let Some((picks, count)) =
        picks::Picks::new().and_then(|picks| picks.count().map(|count| (picks, count)))
    else {
        return;
    };
    let mut group = criterion.benchmark_group("exact");
    group.sample_size(10).throughput(Throughput::Elements(count));
    group.bench_function("picks", |b| b.iter(|| picks.run(false)));
}

criterion_group!(speed, hosts, queue, server, exact);
criterion_main!(speed);
