//! Any bytes that claim to be a scenario or a calibration: an answer or a diagnostic with words, never a panic.

#![no_main]

use catamaran_scenario::{Calibration, Plan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Plan::from_toml(text, "fuzzed.toml") {
        Ok(plan) => {
            let again = Plan::from_toml(text, "again.toml").expect("it was valid a moment ago");
            assert_eq!(plan.digest(), again.digest());
        }
        Err(error) => assert!(!error.to_string().trim().is_empty(), "a refusal without words"),
    }
    if let Err(error) = Calibration::from_toml(text, "host.toml") {
        assert!(!error.to_string().trim().is_empty(), "a refusal without words");
    }
});
