//! The steps of `cargo xtask test`, as good as cheapest first.

use std::path::Path;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;

use super::build::TestProgram;
use super::{Run, Step, ahead, engines, guest, oci};
use crate::setup::{self, Need, WASM};
use crate::tidy;

/// All steps, in their order. Whatever needs tools that are built from source comes after [`ahead`] had time for them.
pub(super) const STEPS: [Step; 17] = [
    Step {
        name: "format",
        about: "rustfmt changes nothing",
        needs: &[Need::Components],
        programs: false,
        patient: false,
        run: format,
    },
    Step { name: "tidy", about: "the house rules", needs: &[], programs: false, patient: false, run: tidy },
    Step {
        name: "clippy",
        about: "no warnings, natively and for the page",
        needs: &[Need::Components, Need::WasmTarget, Need::MuslTarget],
        programs: false,
        patient: false,
        run: clippy,
    },
    Step {
        name: "unit",
        about: "each crate by itself",
        needs: &[Need::MuslTarget],
        programs: true,
        patient: false,
        run: unit,
    },
    Step {
        name: "golden",
        about: "event logs and reports, byte for byte",
        needs: &[Need::MuslTarget],
        programs: true,
        patient: false,
        run: |run| group(run, "golden"),
    },
    Step {
        name: "lessons",
        about: "every lesson keeps its promises",
        needs: &[Need::MuslTarget],
        programs: true,
        patient: false,
        run: |run| group(run, "lessons"),
    },
    Step {
        name: "conformance",
        about: "one body of tests, both backends",
        needs: &[Need::MuslTarget],
        programs: true,
        patient: true,
        run: |run| group(run, "conformance"),
    },
    Step {
        name: "engines",
        about: "podman, containerd and docker run containers through OCI runtimes",
        needs: &[Need::MuslTarget],
        programs: true,
        patient: true,
        run: engines,
    },
    Step {
        name: "native",
        about: "Linux for real",
        needs: &[Need::MuslTarget, Need::Qemu, Need::GuestKernel],
        programs: true,
        patient: true,
        run: |run| group(run, "native"),
    },
    Step {
        name: "oci",
        about: "OCI runtimes beside the clauses of their specification",
        needs: &[Need::MuslTarget, Need::OciRuntimes],
        programs: false,
        patient: false,
        run: oci::oci,
    },
    Step {
        name: "accuracy",
        about: "one short scenario of the corpus, all the way; no figure is asserted",
        needs: &[Need::MuslTarget],
        programs: false,
        patient: false,
        run: accuracy,
    },
    Step {
        name: "native-v2",
        about: "the same on cgroup v2, in an emulated guest",
        needs: &[Need::MuslTarget, Need::Qemu, Need::GuestKernel],
        programs: true,
        patient: false,
        run: guest::native_v2,
    },
    Step {
        name: "oci-v2",
        about: "our OCI runtime on cgroup v2, in an emulated guest",
        needs: &[Need::MuslTarget, Need::Qemu, Need::GuestKernel],
        programs: false,
        patient: false,
        run: oci::oci_v2,
    },
    Step {
        name: "engines-v2",
        about: "podman, containerd, docker and LXC on cgroup v2, in an emulated guest",
        needs: &[Need::MuslTarget, Need::Qemu, Need::GuestKernel],
        programs: false,
        patient: false,
        run: engines::engines_v2,
    },
    Step {
        name: "oci-v2-full",
        about: "the same of runc and crun as well, which takes a quarter of an hour",
        needs: &[Need::MuslTarget, Need::Qemu, Need::GuestKernel, Need::OciRuntimes],
        programs: false,
        patient: false,
        run: oci::oci_v2_full,
    },
    Step {
        name: "golden-wasm",
        about: "the same bytes from WebAssembly in Chromium",
        needs: &[Need::WasmTarget, Need::WasmBindgen, Need::SystemPackages],
        programs: false,
        patient: false,
        run: golden_wasm,
    },
    Step {
        name: "browser",
        about: "the built page in headless Chromium",
        needs: &[
            Need::WasmTarget,
            Need::MuslTarget,
            Need::Trunk,
            Need::WasmBindgen,
            Need::SystemPackages,
            Need::NodePackages,
        ],
        programs: false,
        patient: false,
        run: browser,
    },
];

/// Steps that are too long for every run: whoever wants them names them.
pub(super) const ONLY_WHERE_NAMED: [&str; 1] = ["oci-v2-full"];

/// Steps that run files of `tests/tests` by their names; other files there are unit tests.
const FILES_OF_TESTS: [&str; 3] = ["golden", "lessons", "conformance"];

/// What `--only` and `--skip` accept.
pub(super) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

/// The step that runs a test program.
fn step_of(program: &TestProgram) -> &'static str {
    if program.folder == Path::new("tests")
        && ["leak", "density", "namespaces"].contains(&program.name.as_str())
    {
        // Both backends, in files of their own.
        return "conformance";
    }
    if program.folder == Path::new("tests") {
        return FILES_OF_TESTS.into_iter().find(|step| program.name == *step).unwrap_or("unit");
    }
    if program.folder == Path::new("tests/engines") && program.integration {
        return "engines";
    }
    // The program itself under real failures.
    let failures = program.folder == Path::new("crates/cli") && program.name == "failures";
    let runs = program.folder == Path::new("crates/native") && program.integration;
    if runs || failures { "native" } else { "unit" }
}

/// Runs the test programs of a step, each in its crate's folder, as `cargo test` would.
fn group(run: &mut Run, step: &str) -> Result<()> {
    let mut programs: Vec<_> = run.programs.iter().filter(|program| step_of(program) == step).collect();
    if programs.is_empty() {
        bail!("no test program belongs to this step");
    }
    // All that something is compiled beside comes in one piece, also across steps.
    programs.sort_by_key(|program| ahead::may_be_beside(program) != run.ahead.is_at_work());
    for program in programs {
        if ahead::may_be_beside(program) {
            run.ahead.begin(run.workspace)?;
        } else {
            run.ahead.end(run.until)?;
        }
        let workspace = run.workspace;
        let command = || {
            let folder = workspace.root().join(&program.folder);
            let mut command = workspace.command(&program.executable.to_string_lossy());
            // Tests that can't do their work here say so on their standard output.
            command.current_dir(&folder).arg("--show-output");
            command.env("CARGO_MANIFEST_DIR", &folder).env("CARGO", "cargo");
            command
        };
        println!("\n{}, {}", program.folder.display(), program.name);
        if uses_the_machine(step, program) {
            run.tests_of_the_machine(&mut command(), |failed| {
                let mut again = command();
                again.args(["--test-threads=1", "--exact"]).args(failed);
                again
            })?;
        } else {
            run.tests(&mut command())?;
        }
    }
    Ok(())
}

/// Whether its tests hold the machine to something; all others say the same whatever else the machine does.
fn uses_the_machine(step: &str, program: &TestProgram) -> bool {
    ["conformance", "engines", "native"].contains(&step)
        || ["crates/native", "crates/oci", "crates/cli"]
            .iter()
            .any(|folder| program.folder == Path::new(folder))
}

/// Where the engines are missing and can't be installed, each test says that it is skipped.
fn engines(run: &mut Run) -> Result<()> {
    setup::engines_if_possible(run.workspace)?;
    group(run, "engines")
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
    page.args(["--target", WASM, "--", "-D", "warnings"]);
    run.check("clippy for WebAssembly", &mut page)
}

fn unit(run: &mut Run) -> Result<()> {
    group(run, "unit")?;
    run.tests(&mut run.workspace.cargo(["test", "--workspace", "--doc", "--locked"]))
}

fn golden_wasm(run: &mut Run) -> Result<()> {
    let mut cargo = run.workspace.cargo(["test", "--package", "catamaran-tests", "--locked"]);
    run.tests(cargo.args(["--test", "golden", "--test", "steps", "--target", WASM]))
}

fn accuracy(run: &mut Run) -> Result<()> {
    const NAME: &str = "a short pass over the corpus";
    catamaran_builds(run)?;
    if !run.tally.failed.is_empty() {
        bail!("there is nothing to make a pass with");
    }
    let program = run.workspace.target().join("debug/catamaran");
    let current = crate::published::is_current(run.workspace, &program)?;
    run.tally.check("docs/published.md says what the simulator says", current);
    match crate::accuracy::smoke(run.workspace, &program)? {
        None => run.tally.check(NAME, true),
        Some(why) => run.tally.line(&format!("test {NAME} ... ignored, {}", why.replace('\n', " "))),
    }
    Ok(())
}

/// With the features of the whole workspace, as for the other tests: nothing is compiled twice.
fn catamaran_builds(run: &mut Run) -> Result<()> {
    let mut cargo = run.workspace.cargo(["build", "--workspace", "--bin", "catamaran", "--locked"]);
    run.check("catamaran builds", &mut cargo)
}

/// The page as it is shipped, served by `catamaran serve` and as plain files.
fn browser(run: &mut Run) -> Result<()> {
    run.check("the page's programs build", &mut crate::demo::page_programs(run.workspace))?;
    run.check("the page builds", &mut crate::demo::page_build(run.workspace))?;
    catamaran_builds(run)?;
    if !run.tally.failed.is_empty() {
        bail!("there is nothing to open in a browser");
    }
    let mut node = run.workspace.command("node");
    node.current_dir(run.workspace.root().join("tests/browser"));
    node.arg("run.mjs");
    node.env("CATAMARAN_PROGRAM", run.workspace.target().join("debug/catamaran"));
    node.env("CATAMARAN_CHROMIUM", run.workspace.find("chromium").unwrap_or_default());
    run.tests(&mut node)
}
