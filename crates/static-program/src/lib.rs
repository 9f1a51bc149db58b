//! For build scripts: builds a program of the workspace that is linked statically, so that it runs in every root file system,
//! and hands its path to the crate that carries its bytes. One `cargo build` is enough, and nothing is installed.
//!
//! The build goes to one folder for all such programs (`static` beside `build` of the profile), as they share most of what they
//! are made of: with a folder each, the same crates would be compiled once per program.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Targets to try, the smaller program first; the second links the C library in by a flag. At a place of its own (decision
/// 1260) neither has to be moved before it runs.
const TARGETS: [(&str, &str); 2] = [
    ("x86_64-unknown-linux-musl", "-Crelocation-model=static"),
    ("x86_64-unknown-linux-gnu", "-Ctarget-feature=+crt-static -Crelocation-model=static"),
];

/// A program of the workspace.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Its package.
    pub package: &'a str,
    /// The name of the binary in it.
    pub binary: &'a str,
    /// Folder of the package below the one whose build script this is.
    pub folder: &'a str,
    /// Profile of its build: `release`, or `small` where it is loaded so often that its size counts.
    pub profile: &'a str,
    /// Name of the environment variable that tells the crate where the program is: `include_bytes!(env!("NAME"))`.
    pub variable: &'a str,
}

impl Program<'_> {
    /// Builds it and tells cargo: where it is and what it was made from, or as an error why there is none.
    pub fn build(&self) {
        let manifest = PathBuf::from(env("CARGO_MANIFEST_DIR"));
        for watched in ["src", "Cargo.toml"] {
            println!("cargo::rerun-if-changed={}", manifest.join(self.folder).join(watched).display());
        }
        println!("cargo::rerun-if-changed={}", manifest.join("build.rs").display());
        let out = PathBuf::from(env("OUT_DIR"));
        let mut failures = Vec::new();
        for (target, flags) in TARGETS {
            match self.build_for(&manifest, &out, target, flags) {
                Ok(program) => {
                    println!("cargo::rustc-env={}={}", self.variable, program.display());
                    return;
                }
                Err(failure) => failures.push(format!("--target {target}:\n{failure}")),
            }
        }
        println!(
            "cargo::error=no target builds {}; `rustup target add {}` gives one.\n{}",
            self.binary,
            TARGETS[0].0,
            failures.join("\n").replace('\n', " | ")
        );
    }

    fn build_for(&self, manifest: &Path, out: &Path, target: &str, flags: &str) -> Result<PathBuf, String> {
        let folder = shared(out);
        let mut cargo = Command::new(env("CARGO"));
        cargo
            .args(["build", "--profile", self.profile, "--package", self.package, "--bin", self.binary])
            .args(["--target", target, "--target-dir"])
            .arg(&folder)
            .current_dir(manifest)
            .env("RUSTFLAGS", flags)
            // What cargo set for this crate must not reach the other build: another linter, other flags, other features.
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("RUSTC_WRAPPER");
        let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // A copy of its own: a build of another profile may write the shared one while the crate reads it.
        let own = out.join(self.binary);
        std::fs::copy(folder.join(target).join(self.profile).join(self.binary), &own)
            .map(|_| own)
            .map_err(|error| format!("cannot copy {}: {error}", self.binary))
    }
}

/// `target/PROFILE/static`, where cargo has its usual layout (`target/PROFILE/build/PACKAGE/out`).
fn shared(out: &Path) -> PathBuf {
    let profile = out.ancestors().nth(2).filter(|build| build.ends_with("build")).and_then(Path::parent);
    profile.unwrap_or(out).join("static")
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_one_profile_share_a_folder() {
        let usual = Path::new("/w/target/debug/build/catamaran-oci-0123/out");
        assert_eq!(shared(usual), Path::new("/w/target/debug/static"));
        let strange = Path::new("/elsewhere/out");
        assert_eq!(shared(strange), Path::new("/elsewhere/out/static"));
    }
}
