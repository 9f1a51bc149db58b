//! Licences and sources of everything we build on, by the lists of `deny.toml`.
//!
//! The file is cargo-deny's own, so whoever has that tool can use it; here the two lists that matter are read by ourselves,
//! because building cargo-deny takes longer than all our tests (docs/decisions/0801).

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Fault;
use super::spdx::satisfied;
use super::tree::Tree;
use crate::shell::{Workspace, capture};

const DENY: &str = "deny.toml";
/// As `cargo metadata` writes it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// `None`: of this workspace.
    source: Option<String>,
}

pub(super) fn check(workspace: &Workspace, tree: &Tree) -> Result<Vec<Fault>> {
    let deny: Deny = toml::from_str(tree.text(DENY).context("deny.toml is missing")?).context(DENY)?;
    let text = capture(&mut workspace.cargo(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Metadata = serde_json::from_str(&text).context("what `cargo metadata` printed")?;
    Ok(metadata.packages.iter().filter_map(|package| wrong(package, &deny.licenses.allow)).collect())
}

fn wrong(package: &Package, allowed: &[String]) -> Option<Fault> {
    let place = format!("{} {}", package.name, package.version);
    let foreign = package.source.as_deref().filter(|source| *source != CRATES_IO);
    if let Some(source) = foreign {
        return Some(Fault::new(&place, 0, format!("comes from {source}; only crates.io is a source")));
    }
    let Some(expression) = package.license.as_deref() else {
        return Some(Fault::new(&place, 0, "names no licence"));
    };
    let what = match satisfied(expression, allowed) {
        Some(true) => return None,
        Some(false) => format!("its licence `{expression}` is not allowed by {DENY}"),
        None => format!("its licence `{expression}` can't be read as an SPDX expression"),
    };
    Some(Fault::new(&place, 0, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_and_sources_are_checked() {
        for (license, source, expected) in [
            (Some("MIT"), Some(CRATES_IO), None),
            (Some("MIT"), None, None),
            (Some("GPL-3.0"), Some(CRATES_IO), Some("its licence `GPL-3.0` is not allowed by deny.toml")),
            (Some("("), Some(CRATES_IO), Some("its licence `(` can't be read as an SPDX expression")),
            (None, Some(CRATES_IO), Some("names no licence")),
            (
                Some("MIT"),
                Some("git+https://x.y"),
                Some("comes from git+https://x.y; only crates.io is a source"),
            ),
        ] {
            let package = Package {
                name: "a".into(),
                version: "1.0.0".into(),
                license: license.map(str::to_owned),
                source: source.map(str::to_owned),
            };
            assert_eq!(wrong(&package, &["MIT".to_owned()]).map(|fault| fault.what).as_deref(), expected);
        }
    }
}
