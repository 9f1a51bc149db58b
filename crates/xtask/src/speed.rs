//! `cargo xtask speed`: how fast the simulator is here, natively and in WebAssembly, beside bare loops in the same run; and
//! whether it takes more instructions than it did.
//!
//! Times depend on the machine and on who else is at work, so they are printed. Instructions do not, so they are a ratchet.

mod instructions;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::setup::WASM;
use crate::shell::{Workspace, follow, run};

/// What is done.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Count instructions alone (valgrind), and time nothing
    #[arg(long)]
    instructions: bool,
    /// Write down today's instruction counts as those to keep to
    #[arg(long)]
    bless: bool,
}

/// Ample for a release build on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Whether it takes no more instructions than was written down.
pub(crate) fn speed(workspace: &Workspace, options: &Options) -> Result<bool> {
    if !options.instructions {
        let native = timings(workspace, None)?;
        let wasm = timings(workspace, Some(WASM))?;
        print!("{}", table(&native, &wasm));
    }
    run(&mut workspace.cargo(["build", "--release", "--package", "catamaran-cli", "--locked"]))?;
    instructions::check(workspace, options.bless)
}

/// Millions of items per second by name.
type Timings = BTreeMap<String, f64>;

fn timings(workspace: &Workspace, target: Option<&str>) -> Result<Timings> {
    let mut cargo = workspace.cargo(["test", "--package", "catamaran-sim", "--test", "timings"]);
    match target {
        // As the page's simulator is built.
        Some(target) => cargo.args(["--profile", "wasm-release", "--target", target]),
        None => cargo.arg("--release"),
    };
    cargo.args(["--locked", "--", "--nocapture"]);
    let mut found = Timings::new();
    let success = follow(&mut cargo, Instant::now() + PATIENCE, |line| found.extend(timing(line)))?;
    if !success || found.is_empty() {
        bail!("the timings were not taken");
    }
    Ok(found)
}

/// `timing NAME FIGURE`, with whatever a test runner puts before it.
fn timing(line: &str) -> Option<(String, f64)> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "timing").skip(1);
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

/// Everything beside the bare loop of its own run.
fn table(native: &Timings, wasm: &Timings) -> String {
    let mut text = format!(
        "\n{:<20} {:>14} {:>14} {:>14} {:>14}\n",
        "millions per second", "native", "bare by it", "WebAssembly", "native by it"
    );
    for (name, millions) in native {
        let bare = name.rsplit_once('/').and_then(|(size, _)| native.get(&format!("{size}/bare")));
        let ratio = |other: Option<f64>| other.map_or("–".into(), |other| format!("{other:.2}"));
        let in_wasm = wasm.get(name).copied();
        text += &format!(
            "{name:<20} {millions:>14.2} {:>14} {:>14} {:>14}\n",
            ratio(bare.map(|bare| bare / millions)),
            ratio(in_wasm),
            ratio(in_wasm.map(|in_wasm| millions / in_wasm)),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timings_are_read_and_put_beside_the_bare_loop_and_webassembly() {
        let lines =
            ["timing w1/10/bare 20.0", "    timing w1/10/engine 10.0", "test timings ... ok", "timing x"];
        let native: Timings = lines.iter().filter_map(|line| timing(line)).collect();
        let wasm = Timings::from([("w1/10/engine".into(), 8.0)]);
        let table = table(&native, &wasm);
        let words: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["w1/10/engine", "10.00", "2.00", "8.00", "1.25"]);
        assert_eq!(native.len(), 2);
    }
}
