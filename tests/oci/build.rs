//! Builds the static probe and hands its bytes to the suite, so that one `cargo build` is enough.

use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-musl";

fn main() {
    let manifest = PathBuf::from(env("CARGO_MANIFEST_DIR"));
    for watched in ["probe/src", "probe/Cargo.toml", "build.rs"] {
        println!("cargo::rerun-if-changed={}", manifest.join(watched).display());
    }
    match build(&manifest, &PathBuf::from(env("OUT_DIR")).join("probe")) {
        Ok(probe) => println!("cargo::rustc-env=CATAMARAN_PROBE={}", probe.display()),
        Err(failure) => println!(
            "cargo::error=the static probe can't be built; `rustup target add {TARGET}` may be missing.\n{}",
            failure.replace('\n', " | ")
        ),
    }
}

fn build(manifest: &Path, folder: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new(env("CARGO"));
    cargo
        .args(["build", "--release", "--package", "catamaran-probe", "--target", TARGET, "--target-dir"])
        .arg(folder)
        .current_dir(manifest)
        .env("RUSTFLAGS", "")
        // What cargo set for this crate must not reach the other build: another linter, other flags, other features.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTC_WRAPPER");
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        Ok(folder.join(TARGET).join("release/catamaran-probe"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
