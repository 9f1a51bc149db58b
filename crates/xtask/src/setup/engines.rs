//! podman, containerd, docker, LXC and Debian's registry, which the steps `engines` and `native` start for themselves, and what an ordinary user's
//! podman takes.
//!
//! Debian starts a daemon as soon as its package is installed. A file `/usr/sbin/policy-rc.d`, which Debian's tools ask
//! first, says no while we install; one that is there already is left alone.
//!
//! **Source.** Debian, `invoke-rc.d(8)`; `/usr/share/doc/init-system-helpers/README.policy-rc.d.gz`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Need, State, apt};
use crate::shell::{Workspace, capture};

/// Programs, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 8] = [
    ("podman", "podman"),
    ("conmon", "conmon"),
    ("containerd", "containerd"),
    ("dockerd", "docker.io"),
    ("docker-registry", "docker-registry"),
    ("lxc-start", "lxc"),
    ("newuidmap", "uidmap"),
    ("runc", "runc"),
];

/// Oldest releases that were tried: Debian 12's.
const LEAST: [(&str, (u32, u32)); 2] = [("podman", (4, 3)), ("dockerd", (20, 10))];

/// Asked by Debian's tools whether a service may be started; 101 is no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Programs that nobody wants running because of us.
const DAEMONS: [&str; 3] = ["dockerd", "containerd", "docker-registry"];

pub(super) fn state(workspace: &Workspace) -> State {
    let missing = missing(workspace);
    if !missing.is_empty() {
        return State::Missing(format!("installing {} with apt, starting nothing", missing.join(", ")));
    }
    let mut found = Vec::new();
    for (program, least) in LEAST {
        let said = capture(workspace.command(program).arg("--version")).unwrap_or_default();
        let version = version(&said);
        if version < Some(least) {
            let (major, minor) = least;
            return State::Missing(format!("{:?} is too old, {major}.{minor} is needed", said.trim()));
        }
        let (major, minor) = version.unwrap_or_default();
        found.push(format!("{program} {major}.{minor}"));
    }
    State::There(found.join(", "))
}

/// Major and minor in `podman version 4.3.1` or `Docker version 20.10.24+dfsg1, build 297e128`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.split_once("version ")?.1.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn missing(workspace: &Workspace) -> Vec<&'static str> {
    let absent = PROGRAMS.iter().filter(|(program, _)| workspace.find(program).is_none());
    absent.map(|(_, package)| *package).collect()
}

pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let before = running();
    forbid_services(Path::new(POLICY), |_| apt::install_packages(workspace, &missing(workspace)))?;
    let started: Vec<_> = running().into_iter().filter(|daemon| !before.contains(daemon)).collect();
    if !started.is_empty() {
        bail!("installing has started {}: stop what nobody wants", started.join(", "));
    }
    Ok(())
}

/// Installs what is missing where packages can be installed; elsewhere says that nothing is done.
pub(crate) fn if_possible(workspace: &Workspace) -> Result<()> {
    if missing(workspace).is_empty() || (workspace.find("apt-get").is_some() && apt::is_root(workspace)?) {
        return Need::Engines.meet(workspace);
    }
    println!("setup  {}: not here, and apt can't be used by us", missing(workspace).join(", "));
    Ok(())
}

/// Carries out `work` while no service may be started. What we write for that is only in force as long as we are there,
/// so that it does no harm if we are killed.
fn forbid_services(policy: &Path, work: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if policy.exists() {
        return work(policy);
    }
    let us = std::process::id();
    let text = format!(
        "#!/bin/sh\n# Of `cargo xtask test`, while it installs packages: remove it if it is still here.\n\
         [ -d /proc/{us} ] && exit 101\nexit 0\n"
    );
    let written = fs::write(policy, text);
    written.and_then(|()| fs::set_permissions(policy, fs::Permissions::from_mode(0o755))).with_context(
        || format!("{}: without it the packages' services would be started", policy.display()),
    )?;
    let outcome = work(policy);
    let removed = fs::remove_file(policy).with_context(|| policy.display().to_string());
    outcome.and(removed)
}

/// Daemons of engines on this machine, with their process numbers.
fn running() -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let named = processes.filter_map(|process| {
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        let name = name.trim();
        DAEMONS.contains(&name).then(|| format!("{name} ({})", process.file_name().to_string_lossy()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_engines_are_compared_as_numbers() {
        for (said, enough) in [
            ("podman version 4.3.1\n", true),
            ("Docker version 20.10.24+dfsg1, build 297e128", true),
            ("podman version 3.4.4", false),
            ("", false),
        ] {
            assert_eq!(version(said) >= Some((4, 3)), enough, "{said}");
        }
    }

    #[test]
    fn services_are_forbidden_while_packages_are_installed_and_no_longer() {
        let folder = std::env::temp_dir().join(format!("xtask-policy-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let policy = folder.join("policy-rc.d");
        let code = |policy: &Path| std::process::Command::new(policy).status().unwrap().code();
        forbid_services(&policy, |policy| {
            assert_eq!(code(policy), Some(101));
            Ok(())
        })
        .unwrap();
        assert!(!policy.exists());
        assert!(forbid_services(&policy, |_| bail!("apt failed")).is_err());
        assert!(!policy.exists());
        fs::write(&policy, "the machine's own").unwrap();
        forbid_services(&policy, |_| Ok(())).unwrap();
        assert_eq!(fs::read_to_string(&policy).unwrap(), "the machine's own");
        fs::remove_dir_all(&folder).unwrap();
    }
}
