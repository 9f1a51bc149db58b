//! How long the speed workloads take, natively and in WebAssembly: printed, never asserted. `cargo xtask speed` runs both.
//! What is asserted is that engine and bare loop agree.

#[path = "../../benches/speed/bare.rs"]
mod bare;
#[path = "../../benches/speed/picks.rs"]
mod picks;

use catamaran_sim::bench::{Responses, SharedHosts, hold, shared_hosts};

/// The best of so many repetitions counts: others had the machine meanwhile, or the compiler of WebAssembly was at work.
const REPETITIONS: u32 = 5;
/// A repetition lasts so long at least: a browser's clock tells milliseconds.
const LEAST_MS: f64 = 150.0;

#[cfg(target_arch = "wasm32")]
fn now_ms() -> f64 {
    js_sys::Date::now()
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is where the simulator is timed, from outside"
)]
fn now_ms() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(f64::NAN, |since| since.as_secs_f64() * 1e3)
}

/// `timing NAME MILLIONS_PER_SECOND`, as `cargo xtask speed` reads it.
fn say(name: &str, items: u64, best_ms: f64) {
    let line = format!("timing {name} {:.4}", items as f64 / best_ms / 1e3);
    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_test::console_log!("{line}");
    #[cfg(not(target_arch = "wasm32"))]
    println!("{line}");
}

fn time<T>(name: &str, items: u64, mut work: impl FnMut() -> T) -> T {
    let mut best_ms = f64::INFINITY;
    let mut answer = work();
    for _ in 0..REPETITIONS {
        let (began, mut rounds, mut passed_ms) = (now_ms(), 0.0, 0.0);
        while passed_ms < LEAST_MS {
            answer = work();
            rounds += 1.0;
            passed_ms = now_ms() - began;
        }
        best_ms = best_ms.min(passed_ms / rounds);
    }
    say(name, items, best_ms);
    answer
}

fn near(bare: Responses, engine: Responses) {
    for (bare, engine) in [
        (bare.makespan_s, engine.makespan_s),
        (bare.mean_response_s, engine.mean_response_s),
        (bare.rms_response_s, engine.rms_response_s),
    ] {
        assert!((bare - engine).abs() < 1e-9, "bare {bare}, engine {engine}");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(debug_assertions, ignore = "the speed of a debug build says nothing: cargo xtask speed")]
fn timings() {
    for hosts in [10, 100, 1000] {
        const TASKS: u64 = 100;
        let items = hosts * 16 * TASKS;
        let size = |in_machines| SharedHosts {
            hosts,
            tasks: TASKS,
            weights: Vec::new(),
            cap_cores: None,
            in_machines,
        };
        let bare = time(&format!("w1/{hosts}/bare"), items, || bare::bare_w1(hosts, TASKS));
        for (name, size) in [("engine", size(false)), ("machines", size(true))] {
            near(bare, time(&format!("w1/{hosts}/{name}"), items, || shared_hosts(&size)));
        }
    }
    const EVENTS: u64 = 1_000_000;
    for pending in [1_000, 100_000] {
        let bare = time(&format!("w2/{pending}/bare"), EVENTS, || bare::bare_w2(pending, EVENTS));
        let engine = time(&format!("w2/{pending}/engine"), EVENTS, || hold(pending, EVENTS));
        assert_eq!(bare.to_bits(), engine.clock_s.to_bits());
    }
    let picks = picks::Picks::new().unwrap();
    let count = picks.count().unwrap();
    assert!(count > 10_000, "the scenario is at work: {count}");
    time("exact/picks", count, || picks.run(false));
}
