//! QEMU, which boots the guests of the platform `vm` and of the tests on cgroup v2.

use anyhow::Result;

use super::State;
use crate::shell::{Workspace, capture};

/// The program, and the Debian package that brings it with the firmware of its `microvm` machine.
const PROGRAM: (&str, &str) = ("qemu-system-x86_64", "qemu-system-x86");

/// Oldest release that was tried: Debian 12's.
const LEAST: (u32, u32) = (7, 2);

pub(super) fn state(workspace: &Workspace) -> State {
    let (program, package) = PROGRAM;
    if workspace.find(program).is_none() {
        return State::Missing(format!("installing {package} with apt"));
    }
    let said = capture(workspace.command(program).arg("--version")).unwrap_or_default();
    if version(&said) < Some(LEAST) {
        let (major, minor) = LEAST;
        return State::Missing(format!("{} is too old, {major}.{minor} is needed", first_line(&said)));
    }
    State::There(first_line(&said).to_owned())
}

pub(super) fn install(workspace: &Workspace) -> Result<()> {
    super::apt::install_packages(workspace, &[PROGRAM.1])
}

/// Major and minor in `QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.split_once("version ")?.1.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn first_line(said: &str) -> &str {
    said.lines().next().unwrap_or("QEMU that does not start")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_qemu_are_compared_as_numbers() {
        for (said, enough) in [
            ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright", true),
            ("QEMU emulator version 10.0.2", true),
            ("QEMU emulator version 6.9.1", false),
            ("", false),
        ] {
            assert_eq!(version(said) >= Some(LEAST), enough, "{said}");
        }
    }
}
