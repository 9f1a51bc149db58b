//! Steps, back and forth: every shipped scenario on every platform of it answers the same bytes as the run without them, and
//! to go back costs few events. Natively and in WebAssembly.

#![expect(clippy::expect_used, clippy::panic, reason = "tests say what they expect by panicking")]

use catamaran_scenario::{Calibration, Plan};
use catamaran_sim::{Options, Simulation, simulate};
use catamaran_tests::shipped::{self, Shipped};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Events that a seek back may simulate: at a million a second, which WebAssembly has, 50 ms.
const EVENTS_MOST: u64 = 50_000;

/// One test for each shipped scenario; the build script writes the list.
macro_rules! golden_test {
    ($name:ident, $key:literal) => {
        #[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
        #[cfg_attr(not(target_arch = "wasm32"), test)]
        fn $name() {
            check(shipped::find($key).expect("the build script found it"));
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

fn check(shipped: &Shipped) {
    let plan = Plan::from_toml(shipped.text, shipped.key).expect("a shipped scenario is valid");
    let calibration = Calibration::reference();
    let options = Options { timeline: true, ..Options::default() };
    for &platform in plan.platforms() {
        let plain = simulate(&plan, platform, &calibration, &options);
        let stepped = Simulation::new(&plan, platform, &calibration, &options);
        match (plain, stepped) {
            (Ok(plain), Ok(mut stepped)) => {
                let most = wander(&mut stepped, plan.duration().0, plan.seed());
                let name = format!("{} on {platform}", shipped.key);
                println!("{name}: a seek back simulates at most {most} of {} events", stepped.events());
                assert!(most <= EVENTS_MOST.min(stepped.events() / 16).max(1024), "{name}: {most} events");
                stepped.seek(plan.duration().0 / 3);
                let answer = stepped.finish().unwrap_or_else(|error| panic!("{error}"));
                assert!(answer.report.to_json() == plain.report.to_json(), "{name}: another report");
                assert!(answer.timeline == plain.timeline, "{name}: another timeline");
            }
            (plain, stepped) => assert_eq!(plain.err(), stepped.err(), "both refuse, or none"),
        }
    }
}

/// Seeks back and forth, ending at the end; the most events that a seek back has simulated.
fn wander(simulation: &mut Simulation, end_ns: u64, seed: u64) -> u64 {
    let (mut dice, mut most) = (seed, 0);
    for turn in 0..8 {
        // SplitMix64's step is enough to come to moments that nobody chose.
        dice = dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let moment = if turn == 3 { end_ns } else { (dice >> 11) % end_ns.max(1) };
        let back = moment < simulation.now_ns();
        let events = simulation.seek(moment);
        assert!(simulation.now_ns() == moment || simulation.is_over(), "at {moment}");
        most = if back { most.max(events) } else { most };
    }
    simulation.seek(end_ns);
    most
}
