//! The steps of `cargo xtask test`, cheapest first.

use anyhow::Result;
use clap::builder::PossibleValuesParser;

use super::{Run, Step};
use crate::setup::Need;
use crate::tidy;

/// All steps, in their order.
pub(super) const STEPS: [Step; 4] = [
    Step { name: "format", about: "rustfmt changes nothing", needs: &[Need::Components], run: format },
    Step { name: "tidy", about: "the house rules", needs: &[], run: tidy },
    Step {
        name: "clippy",
        about: "no warnings, natively and for the page",
        needs: &[Need::Components, Need::WasmTarget],
        run: clippy,
    },
    Step { name: "unit", about: "unit tests of every crate", needs: &[Need::MuslTarget], run: unit },
];

/// What `--only` and `--skip` accept.
pub(super) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

fn format(run: &mut Run) -> Result<()> {
    let mut command = run.workspace.cargo(["fmt", "--all", "--check"]);
    run.check("rustfmt", &mut command)
}

fn tidy(run: &mut Run) -> Result<()> {
    for (rule, faults) in tidy::faults(run.workspace)? {
        faults.iter().for_each(|fault| println!("{fault}"));
        run.tally.check(rule, faults.is_empty());
    }
    Ok(())
}

fn clippy(run: &mut Run) -> Result<()> {
    let mut native = run.workspace.cargo(["clippy", "--workspace", "--all-targets", "--locked"]);
    native.args(["--", "-D", "warnings"]);
    run.check("clippy", &mut native)?;
    let mut page = run.workspace.cargo(["clippy", "--package", "catamaran-web", "--all-targets", "--locked"]);
    page.args(["--target", crate::setup::WASM, "--", "-D", "warnings"]);
    run.check("clippy for WebAssembly", &mut page)
}

fn unit(run: &mut Run) -> Result<()> {
    let mut command =
        run.workspace.cargo(["test", "--workspace", "--lib", "--bins", "--no-fail-fast", "--locked"]);
    run.tests(&mut command)
}
