//! What takes minutes of compiling and is needed by the last steps only is compiled ahead, beside test programs that mostly wait.
//!
//! At the priority SCHED_IDLE (sched(7)) it gets the processor time that nobody else wants. Nothing is judged by it: where it
//! failed, the step that needs it does the same once more, and says why.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::build::TestProgram;
use crate::setup::{self, Need};
use crate::shell::{Workspace, run, stop_tree, typed, wall};

/// Test programs that no load disturbs: they assert what the kernel guarantees, what is left behind, or what is said, and no
/// speed. Those that hold one figure of the machine against another are not among them.
const BESIDE: [(&str, &str); 5] = [
    ("tests", "conformance"),
    ("tests/engines", "engines"),
    ("tests", "namespaces"),
    ("crates/native", "kill"),
    ("crates/cli", "failures"),
];

/// Whether other things may be compiled while this test program runs.
pub(super) fn may_be_beside(program: &TestProgram) -> bool {
    BESIDE.iter().any(|&(folder, name)| program.folder == Path::new(folder) && program.name == name)
}

/// What is compiled ahead, once it was begun.
pub(super) struct Ahead {
    /// Whether it has yet to be begun.
    wanted: bool,
    at_work: Option<Work>,
}

/// The program that compiles; it ends with this value.
struct Work {
    child: Child,
    said: PathBuf,
    begun: Instant,
}

impl Ahead {
    /// `wanted` is whether a later step of this run needs it.
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted, at_work: None }
    }

    /// Whether something is being compiled, or just was.
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.is_some()
    }

    /// Begins, where it is wanted and was not begun before.
    pub(super) fn begin(&mut self, workspace: &Workspace) -> Result<()> {
        if !std::mem::take(&mut self.wanted) {
            return Ok(());
        }
        let said = workspace.target().join("ahead.log");
        let out = File::create(&said).with_context(|| said.display().to_string())?;
        let err = out.try_clone().context("a second handle to one file")?;
        let mut command = workspace.command("chrt");
        command.args(["--idle", "0"]).arg(workspace.target().join("debug/xtask")).arg("ahead");
        command.stdout(Stdio::from(out)).stderr(Stdio::from(err));
        println!("$ {} (meanwhile)", typed(&command));
        match command.spawn() {
            Ok(child) => self.at_work = Some(Work { child, said, begun: Instant::now() }),
            Err(error) => println!("`chrt`, which is part of util-linux, did not start: {error}"),
        }
        Ok(())
    }

    /// Waits for its end, but not beyond `until`, and tells what it said.
    pub(super) fn end(&mut self, until: Instant) -> Result<()> {
        let Some(mut work) = self.at_work.take() else { return Ok(()) };
        let waited = Instant::now();
        let status = loop {
            if let Some(status) = work.child.try_wait()? {
                break Some(status);
            }
            if Instant::now() >= until {
                break None;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let said = fs::read(&work.said).with_context(|| work.said.display().to_string())?;
        println!("\n== ahead: what later steps need\n{}", String::from_utf8_lossy(&said));
        let ended =
            status.map_or("was stopped: its time was up".to_owned(), |status| format!("ended with {status}"));
        let (all, waited) = (wall(work.begun.elapsed()), wall(waited.elapsed()));
        println!("== ahead {ended} after {all}, of which it was waited for {waited}");
        Ok(())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            stop_tree(self.child.id());
            // Only its exit status is left, which nobody wants.
            let _ = self.child.wait();
        }
    }
}

/// `cargo xtask ahead`: the tools that are built from source, and the programs of the page.
pub(crate) fn compile(workspace: &Workspace) -> Result<()> {
    setup::some(workspace, &[Need::WasmBindgen, Need::Trunk])?;
    run(&mut crate::demo::page_programs(workspace)).context("compiling the page")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_compare_figures_have_the_machine_to_themselves() {
        let program = |folder: &str, name: &str| TestProgram {
            folder: folder.into(),
            name: name.to_owned(),
            integration: true,
            executable: PathBuf::new(),
        };
        assert!(may_be_beside(&program("tests", "conformance")));
        for (folder, name) in [("tests", "leak"), ("tests", "density"), ("crates/native", "conformance")] {
            assert!(!may_be_beside(&program(folder, name)), "{folder} {name}");
        }
    }
}
