//! Tools that cargo builds from source into `target/tools`, at one pinned version each.

use anyhow::{Context, Result, bail};

use super::State;
use crate::shell::{Workspace, capture, run};

/// A tool from crates.io.
pub(super) struct Tool {
    /// Name on crates.io.
    package: &'static str,
    /// Programs that must answer to `--version` with [`Self::version`].
    programs: &'static [&'static str],
    version: String,
    /// Features of the package, for its default ones are left out.
    features: &'static [&'static str],
    /// Of the release profile: the tools' own profiles take twice the time for a program that runs for seconds.
    profile: &'static [(&'static str, &'static str)],
    /// CPU time of the build on 2 shared cores, s, so that people know what they wait for.
    cpu_s: u32,
}

/// The newest Trunk that builds with our `rust-version`.
const TRUNK_VERSION: &str = "0.21.14";

/// The newest cargo-fuzz.
const FUZZ_VERSION: &str = "0.13.1";

/// The newest youki; `tests/oci/deviations.toml` speaks of it.
const YOUKI_VERSION: &str = "0.7.0";

/// Trunk, which builds the page.
pub(super) fn trunk() -> Tool {
    Tool {
        package: "trunk",
        programs: &["trunk"],
        version: TRUNK_VERSION.into(),
        features: &[],
        profile: &[
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            // It waits for cargo and wasm-bindgen: half a second more of its own for half the time of its build.
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ],
        cpu_s: 230,
    }
}

/// The command-line tools of wasm-bindgen in the version of our `Cargo.lock`, which must be the same.
pub(super) fn wasm_bindgen(workspace: &Workspace) -> Result<Tool> {
    Ok(Tool {
        package: "wasm-bindgen-cli",
        programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
        version: locked_version(workspace, "wasm-bindgen")?,
        features: &[],
        profile: &[("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")],
        cpu_s: 290,
    })
}

/// cargo-fuzz, which looks for inputs that fail.
pub(super) fn fuzz() -> Tool {
    Tool {
        package: "cargo-fuzz",
        programs: &["cargo-fuzz"],
        version: FUZZ_VERSION.into(),
        features: &[],
        profile: &[("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")],
        cpu_s: 35,
    }
}

/// youki, an OCI runtime that Debian has not got; it takes libseccomp's headers (`super::youki`).
pub(super) fn youki() -> Tool {
    Tool {
        package: "youki",
        programs: &["youki"],
        version: YOUKI_VERSION.into(),
        features: &["v1", "v2", "seccomp"],
        profile: &[("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"), ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")],
        cpu_s: 240,
    }
}

/// The version of a package in `Cargo.lock`.
fn locked_version(workspace: &Workspace, package: &str) -> Result<String> {
    let text = std::fs::read_to_string(workspace.root().join("Cargo.lock")).context("Cargo.lock")?;
    version_in(&text, package).with_context(|| format!("Cargo.lock holds no package {package}"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let lock: toml::Table = lock.parse().ok()?;
    let packages = lock.get("package")?.as_array()?;
    let found =
        packages.iter().find(|entry| entry.get("name").and_then(|name| name.as_str()) == Some(package))?;
    Some(found.get("version")?.as_str()?.to_owned())
}

/// The last word of the first line of `--version`, as in `trunk 1.2.3`.
fn version_said(said: &str) -> Option<&str> {
    said.lines().next()?.split_whitespace().next_back()
}

impl Tool {
    pub(super) fn state(&self, workspace: &Workspace) -> State {
        let wrong = self.programs.iter().find_map(|program| self.wrong(workspace, program));
        match wrong {
            None => State::There(format!("{} at {}", self.version, self.place(workspace))),
            Some(why) => State::Missing(format!(
                "{why}; building {} {} from crates.io into target/tools (about {} s of CPU time, once)",
                self.package, self.version, self.cpu_s
            )),
        }
    }

    fn place(&self, workspace: &Workspace) -> String {
        let program = self.programs.first().and_then(|program| workspace.find(program));
        program.map_or_else(String::new, |file| file.display().to_string())
    }

    /// Why `program` does not do; `None` where it does.
    fn wrong(&self, workspace: &Workspace, program: &str) -> Option<String> {
        if workspace.find(program).is_none() {
            return Some(format!("{program} is not on PATH"));
        }
        let said = capture(workspace.command(program).arg("--version")).unwrap_or_default();
        let found = version_said(&said).unwrap_or("nothing").to_owned();
        (found != self.version).then(|| format!("{program} on PATH is {found}, needed is {}", self.version))
    }

    pub(super) fn install(&self, workspace: &Workspace) -> Result<()> {
        let tools = workspace.root().join("target/tools");
        // A build folder of its own: an interrupted installation goes on where it was.
        let build = tools.join("build");
        let mut cargo = workspace.cargo(["install", "--locked", "--no-default-features", "--force"]);
        cargo.args([self.package, "--version", &self.version, "--features", &self.features.join(",")]);
        cargo.arg("--root").arg(&tools).arg("--target-dir").arg(&build);
        cargo.envs(self.profile.iter().copied());
        run(&mut cargo).context("are crates.io and a C linker (`apt install build-essential`) to be had?")?;
        std::fs::remove_dir_all(&build).with_context(|| format!("removing {}", build.display()))?;
        if let Some(why) = self.programs.iter().find_map(|program| self.wrong(workspace, program)) {
            bail!("{why}, although {} was just installed into {}", self.package, tools.display());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{version_in, version_said};

    #[test]
    fn the_version_is_read_from_the_lock_file() {
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.129"));
        assert_eq!(version_in(lock, "b"), None);
        assert_eq!(version_in("[[package", "a"), None);
    }

    #[test]
    fn the_version_is_at_the_end_of_what_a_tool_says_first() {
        assert_eq!(version_said("trunk 0.21.14\n"), Some("0.21.14"));
        assert_eq!(version_said("youki version: 0.7.0\ncommit: 0\n"), Some("0.7.0"));
        assert_eq!(version_said(""), None);
    }
}
