//! What only the system's package manager has: the browser, its driver, fonts for Korean, Node.

use anyhow::{Context, Result, bail};

use super::State;
use crate::shell::{Workspace, capture, run};

/// Programs, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 4] =
    [("chromium", "chromium"), ("chromedriver", "chromium-driver"), ("node", "nodejs"), ("npm", "npm")];

/// Without it Korean text is drawn as boxes in the screenshots.
const KOREAN_FONTS: &str = "fonts-noto-cjk";

/// Oldest Node whose test runner has reporters and that playwright-core accepts.
const LEAST_NODE: (u32, u32) = (18, 15);

pub(super) fn state(workspace: &Workspace) -> State {
    let missing = missing(workspace);
    if !missing.is_empty() {
        return State::Missing(format!("installing {} with apt", missing.join(", ")));
    }
    let version = |program, flag| capture(workspace.command(program).arg(flag)).unwrap_or_default();
    let (browser, node) = (version("chromium", "--version"), version("node", "--version"));
    if browser.trim().is_empty() {
        return State::Missing(
            "the `chromium` on PATH does not start (Ubuntu's package is a stub that asks for snap): put a working one first on PATH"
                .into(),
        );
    }
    if node_version(&node) < Some(LEAST_NODE) {
        let (major, minor) = LEAST_NODE;
        return State::Missing(format!("Node {} is too old, {major}.{minor} is needed", node.trim()));
    }
    State::There(format!("{}, Node {}", browser.trim(), node.trim()))
}

fn node_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Debian packages that are missing.
fn missing(workspace: &Workspace) -> Vec<&'static str> {
    let absent = PROGRAMS.iter().filter(|(program, _)| workspace.find(program).is_none());
    let mut packages: Vec<_> = absent.map(|(_, package)| *package).collect();
    if !has_korean_fonts(workspace) {
        packages.push(KOREAN_FONTS);
    }
    packages
}

/// Whether any font covers Korean, or ours is installed (`fc-list` itself need not be there).
fn has_korean_fonts(workspace: &Workspace) -> bool {
    let fonts = capture(workspace.command("fc-list").arg(":lang=ko")).unwrap_or_default();
    let mut dpkg = workspace.command("dpkg-query");
    let package = capture(dpkg.args(["-W", "-f=${db:Status-Status}", KOREAN_FONTS])).unwrap_or_default();
    !fonts.trim().is_empty() || package == "installed"
}

pub(super) fn install(workspace: &Workspace) -> Result<()> {
    install_packages(workspace, &missing(workspace))
}

/// Installs Debian packages; who may not is told what to type.
pub(super) fn install_packages(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if workspace.find("apt-get").is_none() {
        bail!("this is not Debian or Ubuntu: install by its own means what `{by_hand}` would");
    }
    if !is_root(workspace)? {
        bail!("system packages are installed by root: type `sudo {by_hand}`, then this command again");
    }
    let apt = |action: &[&str]| {
        let mut command = workspace.command("apt-get");
        // Another apt (unattended upgrades) may hold the lock for minutes.
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-q", "-o", "DPkg::Lock::Timeout=300"])
            .args(action);
        run(&mut command)
    };
    apt(&["update"]).context("is the package archive to be had?")?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// Whether packages may be installed by whoever we are.
pub(super) fn is_root(workspace: &Workspace) -> Result<bool> {
    Ok(capture(workspace.command("id").arg("-u")).context("who are we?")?.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_compared_as_numbers() {
        for (said, enough) in
            [("v18.20.4\n", true), ("v18.9.0", false), ("v20.0.0", true), ("", false), ("v9", false)]
        {
            assert_eq!(node_version(said) >= Some(LEAST_NODE), enough, "{said}");
        }
    }
}
