//! A valid scenario, drawn from the fuzzer's bytes by the generators that the property tests use: one that is all carried out on
//! every platform, or one of the whole format on its own. A report that knows a reason for what it does not know, or a
//! refusal by name.

#![no_main]

use catamaran_report::RunError;
use catamaran_scenario::arbitrary::{computing_toml, scenario_toml};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::{Options, simulate};
use libfuzzer_sys::fuzz_target;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Bytes of a seed.
const SEED: usize = 32;

/// The fuzzer's bytes are a seed: the generator nests, and proptest halves a stream that is passed through at each level, until
/// it draws zeros for ever.
fn dice(bytes: &[u8]) -> TestRng {
    let mut seed = [0; SEED];
    for (place, byte) in bytes.iter().enumerate() {
        seed[place % SEED] ^= byte;
    }
    TestRng::from_seed(RngAlgorithm::ChaCha, &seed)
}

fuzz_target!(|bytes: &[u8]| {
    let dice = dice(bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), dice);
    let whole = bytes.first().is_some_and(|byte| byte % 4 == 0);
    let text = if whole { draw(scenario_toml(), &mut runner) } else { draw(computing_toml(), &mut runner) };
    let Some(text) = text else { return };
    let plan = Plan::from_toml(&text, "generated.toml").unwrap_or_else(|error| panic!("{error}\n{text}"));
    let platforms = if whole { plan.platforms() } else { Platform::ALL };
    platforms.iter().for_each(|platform| carry_out(&plan, *platform));
});

fn draw(strategy: impl Strategy<Value = String>, runner: &mut TestRunner) -> Option<String> {
    strategy.new_tree(runner).ok().map(|tree| tree.current())
}

fn carry_out(plan: &Plan, platform: Platform) {
    let options = Options { timeline: true, ..Options::default() };
    match simulate(plan, platform, &Calibration::reference(), &options) {
        Ok(outcome) => assert_eq!(outcome.report.unexplained(), Vec::<String>::new(), "{platform}"),
        Err(RunError::Unsupported { field, .. }) => {
            assert!(!field.is_empty(), "{platform}: a refusal without a field")
        }
        Err(error) => panic!("{platform}: {error}"),
    }
}
