//! The one door for whoever works on Catamaran: set-up, demo, tests, house rules, golden files.
//!
//! *Architecture invariant*: xtask depends on no crate of Catamaran, so it is built in seconds and works while they do not
//! compile. It starts other programs and reads files; what Catamaran knows stays in Catamaran.

mod accuracy;
mod bench_container;
mod bench_microvm;
mod demo;
mod fuzz;
mod golden;
mod http;
mod published;
mod setup;
mod shell;
mod speed;
mod test;
mod tidy;
mod trace_container;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::shell::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, demo, tests, house rules and golden files of Catamaran")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing: Rust targets, Trunk, wasm-bindgen, Chromium, Node packages
    Setup {
        /// Install this as well, which takes minutes
        #[arg(long, value_name = "EXTRA")]
        with: Vec<setup::Extra>,
    },
    /// Build the page and `catamaran`, and serve the lessons
    Demo(demo::Options),
    /// Check everything that must hold before a change lands
    Test(test::Options),
    /// Compile what `test` needs last
    #[command(hide = true)]
    Ahead,
    /// Write the golden files anew
    Golden,
    /// Time a container that does nothing against runc and crun (as root)
    BenchContainer(bench_container::Options),
    /// Time the first instruction of a microVM's guest, and its speed (with /dev/kvm)
    BenchMicrovm(bench_microvm::Options),
    /// Record the system calls with which our runtime makes a container (as root, with strace)
    TraceContainer,
    /// Hold the simulator against this machine over the corpus in tests/accuracy (as root)
    Accuracy(accuracy::Options),
    /// Say what the simulator predicts of published results, with its reasoning
    Published(published::Options),
    /// Time the simulator natively and in WebAssembly, and count its instructions
    Speed(speed::Options),
    /// Look for scenarios that make the parser or the simulator panic, hang or swell
    Fuzz(fuzz::Options),
    /// Check the house rules
    Tidy {
        /// Lower the ratchet of sizes to what they are now
        #[arg(long)]
        tighten: bool,
    },
}

fn main() -> ExitCode {
    match carry_out(&Arguments::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the task succeeded; a task that answers no has said why.
fn carry_out(task: &Task) -> Result<bool> {
    let workspace = Workspace::here()?;
    match task {
        Task::Setup { with } => setup::all(&workspace, with)?,
        Task::Demo(options) => demo::demo(&workspace, options)?,
        Task::Test(options) => return Ok(test::test(&workspace, options)),
        Task::Ahead => test::compile_ahead(&workspace)?,
        Task::Golden => golden::golden(&workspace)?,
        Task::BenchContainer(options) => return bench_container::bench(&workspace, options),
        Task::BenchMicrovm(options) => return bench_microvm::bench(&workspace, options),
        Task::TraceContainer => trace_container::trace(&workspace)?,
        Task::Accuracy(options) => return accuracy::accuracy(&workspace, options),
        Task::Published(options) => published::published(&workspace, options)?,
        Task::Speed(options) => return speed::speed(&workspace, options),
        Task::Fuzz(options) => return fuzz::fuzz(&workspace, options),
        Task::Tidy { tighten } => tidy::tidy(&workspace, *tighten)?,
    }
    Ok(true)
}
