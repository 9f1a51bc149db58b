//! All native tests are built by one command, and their programs then run step by step.
//!
//! One build, because a build per step would choose other features of shared crates and compile them again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};
use serde::Deserialize;

use crate::shell::{Workspace, follow};

/// A program that cargo built from tests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestProgram {
    /// Folder of its crate from the top folder: `crates/sim`.
    pub(super) folder: PathBuf,
    /// Name of the library, program or file of tests.
    pub(super) name: String,
    /// Whether it is a file in a folder `tests`.
    pub(super) integration: bool,
    pub(super) executable: PathBuf,
}

/// A line of `cargo test --message-format=json`, as far as it matters.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds every test of the workspace.
pub(super) fn build(workspace: &Workspace, until: Instant) -> Result<Vec<TestProgram>> {
    build_of(workspace, &[], until)
}

/// Builds those that cargo's options choose.
pub(super) fn build_of(workspace: &Workspace, chosen: &[&str], until: Instant) -> Result<Vec<TestProgram>> {
    let mut cargo = workspace.cargo(["test", "--workspace", "--locked", "--no-run"]);
    cargo.args(chosen);
    let mut programs = Vec::new();
    let built = follow(cargo.arg("--message-format=json-render-diagnostics"), until, |line| {
        programs.extend(program(line, workspace.root()));
    })?;
    if !built {
        bail!("the tests do not compile");
    }
    Ok(programs)
}

/// The test program that a message announces.
fn program(line: &str, root: &Path) -> Option<TestProgram> {
    let message: Message = serde_json::from_str(line).ok()?;
    let target = message.target.filter(|_| message.reason == "compiler-artifact")?;
    let folder = message.manifest_path?.parent()?.strip_prefix(root).ok()?.to_path_buf();
    let executable = message.executable.filter(|_| message.profile.is_some_and(|profile| profile.test))?;
    let integration = target.kind.iter().any(|kind| kind == "test");
    Some(TestProgram { folder, name: target.name, integration, executable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_found_among_cargo_s_messages() {
        let root = Path::new("/r");
        let message = |reason: &str, test: bool, executable: &str| {
            format!(
                r#"{{"reason":"{reason}","manifest_path":"/r/crates/sim/Cargo.toml","target":{{"name":"laws","kind":["test"]}},"profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let expected = TestProgram {
            folder: "crates/sim".into(),
            name: "laws".into(),
            integration: true,
            executable: "/t/laws-1".into(),
        };
        assert_eq!(program(&message("compiler-artifact", true, "\"/t/laws-1\""), root), Some(expected));
        for other in [
            message("compiler-artifact", false, "\"/t/catamaran\""),
            message("compiler-artifact", true, "null"),
            message("build-script-executed", true, "\"/t/laws-1\""),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "running 3 tests".to_owned(),
        ] {
            assert_eq!(program(&other, root), None, "{other}");
        }
    }
}
