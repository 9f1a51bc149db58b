//! youki, which the conformance suite runs beside the others where somebody has it built: its three to four minutes are too many
//! for every run of the tests (decision 1292).

use anyhow::Result;

use crate::shell::Workspace;

/// What its build looks for, by a file that the package brings.
const HEADERS: [(&str, &str); 2] =
    [("libseccomp-dev", "/usr/include/seccomp.h"), ("pkg-config", "/usr/bin/pkg-config")];

pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&str> = HEADERS
        .into_iter()
        .filter(|(_, file)| !std::path::Path::new(file).exists())
        .map(|(package, _)| package)
        .collect();
    if !missing.is_empty() {
        super::apt::install_packages(workspace, &missing)?;
    }
    super::cargo_tools::youki().install(workspace)
}
