//! Setting up a fresh machine: what is there is used, what is missing is installed, pinned, through the package managers
//! that a Rust or Debian machine trusts already (rustup, cargo, apt, npm), and from nowhere else.

mod apt;
mod cargo_tools;
mod engines;
mod guest_kernel;
mod npm;
mod oci_runtimes;
mod qemu;
mod rust;
mod youki;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::shell::{Workspace, wall};

pub(crate) use engines::if_possible as engines_if_possible;
pub(crate) use guest_kernel::image as guest_kernel;
pub(crate) use rust::WASM;

/// Something that a task needs on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// `rustfmt` and `clippy`.
    Components,
    /// The target of the page.
    WasmTarget,
    /// The target of the static worker.
    MuslTarget,
    /// Trunk, which builds the page.
    Trunk,
    /// `wasm-bindgen` and its test runner.
    WasmBindgen,
    /// cargo-fuzz.
    CargoFuzz,
    /// Chromium, its driver, fonts for Korean, Node and npm.
    SystemPackages,
    /// What `tests/browser` needs from npm.
    NodePackages,
    /// QEMU for x86.
    Qemu,
    /// A kernel for guests.
    GuestKernel,
    /// podman, containerd, docker.
    Engines,
    /// runc and crun, beside which ours is tested.
    OciRuntimes,
    /// youki, one more of them.
    Youki,
}

/// What takes minutes to build and is needed by nothing but more tests: installed where somebody asks for it by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Extra {
    /// A fourth runtime for the conformance suite
    Youki,
}

/// All but the extras, in the order of installation.
const ALL: [Need; 12] = [
    Need::Components,
    Need::WasmTarget,
    Need::MuslTarget,
    Need::Trunk,
    Need::WasmBindgen,
    Need::SystemPackages,
    Need::NodePackages,
    Need::Qemu,
    Need::GuestKernel,
    Need::Engines,
    Need::OciRuntimes,
    Need::CargoFuzz,
];

/// What builds the page and `catamaran`.
pub(crate) const TO_SERVE: [Need; 4] = [Need::WasmTarget, Need::MuslTarget, Need::Trunk, Need::WasmBindgen];

/// What was found, or how to install it.
enum State {
    /// It is there: what and where, for the log.
    There(String),
    /// It is missing: what will be done, for the log.
    Missing(String),
}

impl Need {
    fn name(self) -> &'static str {
        match self {
            Self::Components => "rustfmt, clippy",
            Self::WasmTarget => WASM,
            Self::MuslTarget => rust::MUSL,
            Self::Trunk => "trunk",
            Self::WasmBindgen => "wasm-bindgen",
            Self::CargoFuzz => "cargo-fuzz",
            Self::SystemPackages => "system packages",
            Self::NodePackages => "node packages",
            Self::Qemu => "QEMU",
            Self::GuestKernel => "kernel for guests",
            Self::Engines => "container engines",
            Self::OciRuntimes => "OCI runtimes",
            Self::Youki => "youki",
        }
    }

    /// Whether it is built from source where it is missing.
    pub(crate) fn is_built(self) -> bool {
        matches!(self, Self::Trunk | Self::WasmBindgen | Self::CargoFuzz | Self::Youki)
    }

    fn state(self, workspace: &Workspace) -> Result<State> {
        match self {
            Self::Components => rust::components(workspace),
            Self::WasmTarget => rust::target(workspace, WASM),
            Self::MuslTarget => rust::target(workspace, rust::MUSL),
            Self::Trunk => Ok(cargo_tools::trunk().state(workspace)),
            Self::WasmBindgen => Ok(cargo_tools::wasm_bindgen(workspace)?.state(workspace)),
            Self::CargoFuzz => Ok(cargo_tools::fuzz().state(workspace)),
            Self::SystemPackages => Ok(apt::state(workspace)),
            Self::NodePackages => npm::state(workspace),
            Self::Qemu => Ok(qemu::state(workspace)),
            Self::GuestKernel => guest_kernel::state(workspace),
            Self::Engines => Ok(engines::state(workspace)),
            Self::OciRuntimes => Ok(oci_runtimes::state(workspace)),
            Self::Youki => Ok(cargo_tools::youki().state(workspace)),
        }
    }

    fn install(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Components => rust::add_components(workspace),
            Self::WasmTarget => rust::add_target(workspace, WASM),
            Self::MuslTarget => rust::add_target(workspace, rust::MUSL),
            Self::Trunk => cargo_tools::trunk().install(workspace),
            Self::WasmBindgen => cargo_tools::wasm_bindgen(workspace)?.install(workspace),
            Self::CargoFuzz => cargo_tools::fuzz().install(workspace),
            Self::SystemPackages => apt::install(workspace),
            Self::NodePackages => npm::install(workspace),
            Self::Qemu => qemu::install(workspace),
            Self::GuestKernel => guest_kernel::install(workspace),
            Self::Engines => engines::install(workspace),
            Self::OciRuntimes => oci_runtimes::install(workspace),
            Self::Youki => youki::install(workspace),
        }
    }

    /// Sees to it that this need is met, saying what is done.
    pub(crate) fn meet(self, workspace: &Workspace) -> Result<()> {
        let name = self.name();
        match self.state(workspace).with_context(|| format!("setup of {name}"))? {
            State::There(found) => println!("setup  {name}: {found}"),
            State::Missing(plan) => {
                println!("setup  {name}: {plan}");
                let begun = Instant::now();
                self.install(workspace).with_context(|| format!("setup of {name} failed"))?;
                if let State::Missing(still) = self.state(workspace)? {
                    bail!("setup of {name} ended without an error, yet it is still missing: {still}");
                }
                println!("setup  {name}: done in {}", wall(begun.elapsed()));
            }
        }
        Ok(())
    }
}

/// `cargo xtask setup`: everything, for people who want to be offline later, and what is asked for by name.
pub(crate) fn all(workspace: &Workspace, extras: &[Extra]) -> Result<()> {
    some(workspace, &ALL)?;
    extras.iter().try_for_each(|extra| match extra {
        Extra::Youki => Need::Youki.meet(workspace),
    })
}

/// Meets these needs; the first that can't be met ends it.
pub(crate) fn some(workspace: &Workspace, needs: &[Need]) -> Result<()> {
    needs.iter().try_for_each(|need| need.meet(workspace))
}
