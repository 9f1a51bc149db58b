//! Builds the static program that works inside of containers and hands its bytes to the crate.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Targets to try, the smaller program first; the second links the C library in by a flag. At a place of its own (decision
/// 1260) neither has to be moved before it runs.
const TARGETS: [(&str, &str); 2] = [
    ("x86_64-unknown-linux-musl", "-Crelocation-model=static"),
    ("x86_64-unknown-linux-gnu", "-Ctarget-feature=+crt-static -Crelocation-model=static"),
];

fn main() {
    let manifest = PathBuf::from(env("CARGO_MANIFEST_DIR"));
    for watched in ["init/src", "init/Cargo.toml", "build.rs"] {
        println!("cargo::rerun-if-changed={}", manifest.join(watched).display());
    }
    let out = PathBuf::from(env("OUT_DIR"));
    let mut failures = Vec::new();
    for (target, flags) in TARGETS {
        match build(&manifest, &out, target, flags) {
            Ok(program) => {
                println!("cargo::rustc-env=CATAMARAN_OCI_INIT={}", program.display());
                return;
            }
            Err(failure) => failures.push(format!("--target {target}:\n{failure}")),
        }
    }
    println!(
        "cargo::error=no target builds the static program; `rustup target add x86_64-unknown-linux-musl` gives one.\n{}",
        failures.join("\n").replace('\n', " | ")
    );
}

fn build(manifest: &Path, out: &Path, target: &str, flags: &str) -> Result<PathBuf, String> {
    let folder = out.join("init");
    let mut cargo = Command::new(env("CARGO"));
    cargo
        .args([
            "build",
            "--profile",
            "small",
            "--package",
            "catamaran-oci-init",
            "--bin",
            "catamaran-oci-init",
        ])
        .args(["--target", target, "--target-dir"])
        .arg(&folder)
        .current_dir(manifest)
        .env("RUSTFLAGS", flags)
        // What cargo set for this crate must not reach the other build: another linter, other flags, other features.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTC_WRAPPER");
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        Ok(folder.join(target).join("small/catamaran-oci-init"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
