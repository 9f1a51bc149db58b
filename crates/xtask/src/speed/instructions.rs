//! Instructions per work item, counted by callgrind, held against those in `crates/sim/benches/instructions.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::shell::{Workspace, typed};

const FILE: &str = "crates/sim/benches/instructions.toml";

/// A compiler of another version does a few per cent more or less; a defect does much more.
const TOLERANCE: f64 = 1.1;

/// Name, arguments, and the argument of the size: small, and large.
const CASES: [(&str, &[&str], &str, [u64; 2]); 6] = [
    ("w1", &["w1", "--tasks", "100"], "--hosts", [5, 25]),
    ("w1-vm", &["w1-vm", "--tasks", "100"], "--hosts", [5, 25]),
    ("w1 unequal", &["w1", "--tasks", "100", "--weights", "1,2,5", "--cap", "0.7"], "--hosts", [5, 25]),
    ("w2, 1,000 pending", &["w2", "--pending", "1000"], "--events", [10_000, 110_000]),
    ("w2, 100,000 pending", &["w2", "--pending", "100000"], "--events", [10_000, 110_000]),
    ("mm1", &["mm1"], "--customers", [10_000, 110_000]),
];

/// Instructions per item, by name.
type Counts = BTreeMap<String, f64>;

/// Counts, and compares or writes down.
pub(super) fn check(workspace: &Workspace, bless: bool) -> Result<bool> {
    if workspace.find("valgrind").is_none() {
        bail!("there is no valgrind to count instructions with: apt-get install valgrind");
    }
    let program = workspace.target().join("release/catamaran");
    let mut found = Counts::new();
    for (name, arguments, size, [small, large]) in CASES {
        let (few, few_items) = count(workspace, &program, arguments, size, small)?;
        let (many, many_items) = count(workspace, &program, arguments, size, large)?;
        // The difference: what starting the program takes is in both.
        found.insert(name.into(), (many - few) / (many_items - few_items));
    }
    let path = workspace.root().join(FILE);
    if bless {
        return write(&path, &found).map(|()| true);
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let kept: Counts = toml::from_str(&text).with_context(|| format!("{FILE} is no table of figures"))?;
    let (text, holds) = compare(&kept, &found);
    print!("{text}");
    Ok(holds)
}

/// Instructions of a run, and its work items.
fn count(
    workspace: &Workspace,
    program: &Path,
    arguments: &[&str],
    size: &str,
    value: u64,
) -> Result<(f64, f64)> {
    let mut valgrind = workspace.command("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    valgrind.arg("bench").args(arguments).args([size, &value.to_string(), "--json"]);
    let output = valgrind.output().with_context(|| format!("could not start `{}`", typed(&valgrind)))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("`{}` gave no answer: {}", typed(&valgrind), said.trim()))?;
    let items = answer.get("work_items").and_then(serde_json::Value::as_f64);
    match (collected(&said), items) {
        (Some(instructions), Some(items)) => Ok((instructions, items)),
        _ => bail!("`{}` counted nothing: {}", typed(&valgrind), said.trim()),
    }
}

/// `==1234== Collected : 56789`.
fn collected(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

fn write(path: &Path, found: &Counts) -> Result<()> {
    let lines = found.iter().map(|(name, count)| format!("{name:?} = {count:.1}\n"));
    let text = format!(
        "# Instructions per work item, by callgrind: `cargo xtask speed --instructions` fails where one takes a tenth more.\n\
         # `--bless` writes them anew.\n{}",
        lines.collect::<String>()
    );
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A table, and whether nothing takes more than it may.
fn compare(kept: &Counts, found: &Counts) -> (String, bool) {
    let mut text = format!("\n{:<22} {:>10} {:>10}\n", "instructions per item", "now", "kept");
    let mut holds = true;
    for (name, now) in found {
        let most = kept.get(name).copied();
        let fits = most.is_some_and(|most| *now <= most * TOLERANCE);
        holds &= fits;
        let most = most.map_or("–".into(), |most| format!("{most:.1}"));
        text += &format!("{name:<22} {now:>10.1} {most:>10}{}\n", if fits { "" } else { "  too many" });
    }
    (text, holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_and_more_than_a_tenth_is_too_many() {
        assert_eq!(collected("==7== Events : Ir\n==7== Collected : 5678\n"), Some(5678.0));
        assert_eq!(collected("valgrind: no such file"), None);
        let counts = |count: f64| Counts::from([("w1".to_owned(), count)]);
        assert!(compare(&counts(100.0), &counts(109.0)).1);
        let (text, holds) = compare(&counts(100.0), &counts(111.0));
        assert!(!holds && text.contains("too many"), "{text}");
        assert!(!compare(&Counts::new(), &counts(1.0)).1, "what was never written down is not kept");
    }
}
