//! Reports and event logs, byte for byte, natively and in WebAssembly (`--target wasm32-unknown-unknown`, in headless
//! Chromium). Both hold the same golden files against what the simulator answers: if both pass, both give the same bytes.
//!
//! `UPDATE_GOLDEN=1` (`cargo xtask golden`) writes them anew, natively.

#![expect(clippy::expect_used, clippy::panic, reason = "tests say what they expect by panicking")]

use catamaran_tests::golden;
use catamaran_tests::shipped::{self, Shipped};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// One test for each shipped scenario; the build script writes the list.
macro_rules! golden_test {
    ($name:ident, $key:literal) => {
        #[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
        #[cfg_attr(not(target_arch = "wasm32"), test)]
        fn $name() {
            let shipped = shipped::find($key).expect("the build script found it");
            if !updated(shipped) {
                golden::check(shipped).unwrap_or_else(|fault| panic!("{fault}"));
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

#[cfg(target_arch = "wasm32")]
fn updated(_: &Shipped) -> bool {
    false
}

/// Writes the golden files of a scenario where that is asked for.
#[cfg(not(target_arch = "wasm32"))]
fn updated(shipped: &Shipped) -> bool {
    if std::env::var_os("UPDATE_GOLDEN").is_none() {
        return false;
    }
    let folder = folder().join(shipped.key);
    let texts = golden::texts(shipped).unwrap_or_else(|fault| panic!("{fault}"));
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("a folder for golden files");
    for (platform, text) in texts {
        std::fs::write(folder.join(platform.name()).with_extension("txt"), text).expect("a golden file");
    }
    true
}

#[cfg(not(target_arch = "wasm32"))]
fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// A folder whose scenario is gone would never be looked at again.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn every_folder_of_golden_files_has_its_scenario() {
    let folders = std::fs::read_dir(folder()).expect("tests/golden");
    for name in folders.map(|entry| entry.expect("an entry").file_name()) {
        let name = name.to_string_lossy();
        let known = shipped::find(&name).is_some();
        if !known && std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::remove_dir_all(folder().join(&*name)).expect("a stale folder");
        } else {
            assert!(known, "tests/golden/{name} belongs to no scenario: run `cargo xtask golden`");
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_speed_workloads_answer_to_the_bit() {
    let found = catamaran_tests::speed::answers();
    #[cfg(not(target_arch = "wasm32"))]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let file = folder().with_file_name("speed").join("answers.txt");
        return std::fs::write(file, found).expect("a golden file");
    }
    assert_eq!(found, include_str!("../speed/answers.txt"), "run `cargo xtask golden` where this is meant");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_changed_answer_is_found() {
    let shipped = shipped::ALL.first().expect("a shipped scenario");
    let texts = golden::texts(shipped).expect("it parses");
    let (platform, text) = texts.first().expect("a platform");
    let changed = Box::leak(text.replacen("elapsed_s = ", "elapsed_s = 1", 1).into_boxed_str());
    assert_ne!(changed, text, "the text has that figure");
    let goldens = Box::leak(Box::new([(platform.name(), &*changed), ("vm", "")]));
    let fault = golden::check(&Shipped { goldens, ..*shipped }).expect_err("it was changed");
    for expected in
        ["golden: elapsed_s = 1", "now:    elapsed_s = ", "vm: the scenario no longer has this platform"]
    {
        assert!(fault.contains(expected), "{expected} in\n{fault}");
    }
}
