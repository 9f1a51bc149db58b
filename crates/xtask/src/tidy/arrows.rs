//! The arrows between crates, read from their manifests: who may depend on whom, and who may speak serde.

use super::Fault;
use super::tree::{File, Tree};

/// A folder with a manifest, and the crates of Catamaran that it may use.
struct House {
    folder: &'static str,
    may_use: &'static [&'static str],
    /// Whether it reads or writes a format of ours. The simulator does not: plans come in and reports go out as values.
    serde: bool,
}

/// The houses, as in ARCHITECTURE.md. A manifest elsewhere is a fault, so that nobody forgets to give it its arrows.
const HOUSES: [House; 20] = [
    House { folder: "crates/scenario", may_use: &[], serde: true },
    House { folder: "crates/report", may_use: &["scenario"], serde: true },
    House { folder: "crates/sim", may_use: &["scenario", "report"], serde: false },
    House { folder: "crates/lessons", may_use: &["scenario"], serde: true },
    House {
        folder: "crates/native",
        may_use: &["scenario", "report", "worker", "static-program", "image", "modules"],
        serde: true,
    },
    House { folder: "crates/native/worker", may_use: &["scenario"], serde: false },
    House { folder: "crates/image", may_use: &[], serde: true },
    House { folder: "crates/modules", may_use: &[], serde: false },
    House { folder: "crates/oci", may_use: &["oci-init", "static-program"], serde: true },
    House { folder: "crates/oci/cli", may_use: &["oci"], serde: true },
    House { folder: "crates/oci/init", may_use: &[], serde: true },
    House {
        folder: "crates/cli",
        may_use: &["scenario", "report", "sim", "lessons", "native", "oci-cli"],
        serde: true,
    },
    House { folder: "web", may_use: &["scenario", "report", "sim", "lessons"], serde: true },
    House { folder: "tests", may_use: &["scenario", "report", "sim", "lessons", "native"], serde: true },
    House { folder: "tests/oci", may_use: &["static-program"], serde: true },
    House { folder: "tests/oci/probe", may_use: &[], serde: true },
    House { folder: "tests/engines", may_use: &["image"], serde: true },
    House { folder: "tests/fuzz", may_use: &["scenario", "report", "sim", "oci", "oci-init"], serde: true },
    House { folder: "crates/static-program", may_use: &[], serde: false },
    House { folder: "crates/xtask", may_use: &["modules"], serde: true },
];

const PREFIX: &str = "catamaran-";

/// Crates that turn values into text and back.
const SERDE: [&str; 4] = ["serde", "serde_json", "toml", "toml_edit"];

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let members = tree.ending("Cargo.toml").filter(|file| file.path != "Cargo.toml");
    members.flat_map(check_manifest).collect()
}

fn check_manifest(file: &File) -> Vec<Fault> {
    let folder = file.path.trim_end_matches("/Cargo.toml");
    let Some(house) = HOUSES.iter().find(|house| house.folder == folder) else {
        return vec![Fault::new(
            &file.path,
            0,
            "this crate has no arrows yet: enter it in crates/xtask/src/tidy/arrows.rs",
        )];
    };
    let manifest: toml::Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![Fault::new(&file.path, 0, error.to_string())],
    };
    let used = dependencies(&manifest);
    let wrong = used.iter().filter_map(|name| wrong(house, name));
    wrong.map(|what| Fault::new(&file.path, 0, what)).collect()
}

fn wrong(house: &House, dependency: &str) -> Option<String> {
    if let Some(name) = dependency.strip_prefix(PREFIX) {
        // A crate's own tests may ask it for a feature.
        let own = house.folder.rsplit('/').next() == Some(name);
        return (!own && !house.may_use.contains(&name)).then(|| {
            let allowed =
                if house.may_use.is_empty() { "none of ours".to_owned() } else { house.may_use.join(", ") };
            format!("{} must not depend on {dependency}; it may use {allowed}", house.folder)
        });
    }
    (!house.serde && SERDE.contains(&dependency)).then(|| {
        format!("{} must not depend on {dependency}: it takes and gives values, not text", house.folder)
    })
}

/// Names of all dependencies of a manifest: normal, for tests, for build scripts, and per target.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets =
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let places = targets.filter_map(toml::Value::as_table).chain([manifest]);
    places
        .flat_map(|place| kinds.iter().filter_map(|kind| place.get(*kind)?.as_table()))
        .flat_map(toml::Table::iter)
        .map(|(key, value)| value.get("package").and_then(|name| name.as_str()).unwrap_or(key).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_one_way() {
        for (path, text, expected) in [
            (
                "crates/report/Cargo.toml",
                "[dependencies]\ncatamaran-scenario.workspace = true\nserde = '1'",
                "",
            ),
            (
                "crates/scenario/Cargo.toml",
                "[dev-dependencies]\ncatamaran-scenario = { path = '.', features = ['x'] }",
                "",
            ),
            (
                "crates/scenario/Cargo.toml",
                "[dependencies]\ncatamaran-report.workspace = true",
                "it may use none of ours",
            ),
            (
                "crates/sim/Cargo.toml",
                "[dev-dependencies]\ncatamaran-native.workspace = true",
                "must not depend on catamaran-native",
            ),
            (
                "web/Cargo.toml",
                "[target.'cfg(unix)'.dependencies]\nn = { package = 'catamaran-native', path = '' }",
                "catamaran-native",
            ),
            ("crates/sim/Cargo.toml", "[dependencies]\nserde = '1'", "takes and gives values"),
            ("crates/new/Cargo.toml", "", "has no arrows yet"),
            ("crates/sim/Cargo.toml", "[dependencies", "TOML"),
        ] {
            let found = check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect::<String>();
            assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{text}: {found}");
        }
    }
}
