//! The speed workloads as bare loops without any engine: the ceiling, measured in the same run as the engine.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use catamaran_sim::bench::Responses;

/// `expo(seed, i)` for i = `index`, `index` + 1, …
struct Draws(u64);

impl Draws {
    fn from(seed: u64, index: u64) -> Self {
        Self(seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        -libm::log(((z >> 11) as f64 + 0.5) / (1_u64 << 53) as f64)
    }
}

/// W1 with equal weights and nothing else, without an engine: for each event a look at sixteen numbers.
pub(crate) fn bare_w1(hosts: u64, tasks: u64) -> Responses {
    let (mut makespan_s, mut sum, mut squares) = (0.0_f64, 0.0, 0.0);
    for host in 0..hosts {
        let mut draws: [Draws; 16] =
            std::array::from_fn(|own| Draws::from(42, (host * 16 + own as u64) * tasks));
        let mut ends: [f64; 16] = std::array::from_fn(|own| draws[own].next());
        let (mut starts, mut left) = ([0.0; 16], [tasks; 16]);
        let (mut now, mut shared, mut busy) = (0.0, 0.0, 16_u32);
        while busy > 0 {
            let mut first = 0;
            for own in 1..16 {
                first = if ends[own] < ends[first] { own } else { first };
            }
            now += (ends[first] - shared) / (8.0 / f64::from(busy)).min(1.0);
            shared = ends[first];
            let response = now - starts[first];
            sum += response;
            squares += response * response;
            starts[first] = now;
            left[first] -= 1;
            if left[first] > 0 {
                ends[first] = shared + draws[first].next();
            } else {
                ends[first] = f64::INFINITY;
                busy -= 1;
            }
        }
        makespan_s = makespan_s.max(now);
    }
    let work_items = hosts * 16 * tasks;
    let count = work_items as f64;
    Responses {
        makespan_s,
        mean_response_s: sum / count,
        rms_response_s: (squares / count).sqrt(),
        work_items,
    }
}

/// W2 with the standard library's heap: the clock at the end (s).
pub(crate) fn bare_w2(pending: u32, events: u64) -> f64 {
    let mut draws = Draws::from(42, 0);
    let mut heap: BinaryHeap<_> =
        (0..pending).map(|process| Reverse((draws.next().to_bits(), process))).collect();
    let mut now = 0.0;
    for _ in 0..events {
        let Some(Reverse((at, process))) = heap.pop() else { break };
        now = f64::from_bits(at);
        heap.push(Reverse(((now + draws.next()).to_bits(), process)));
    }
    now
}
