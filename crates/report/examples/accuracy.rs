//! Draws what `cargo xtask accuracy` keeps: files of `catamaran compare --json` in, one SVG on standard output.

use std::error::Error;

use catamaran_report::charts;
use catamaran_report::compare::PlatformComparison;
use catamaran_scenario::Lang;

fn main() -> Result<(), Box<dyn Error>> {
    let mut comparisons: Vec<PlatformComparison> = Vec::new();
    for path in std::env::args_os().skip(1) {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let of_file: Vec<PlatformComparison> =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        comparisons.extend(of_file);
    }
    println!("{}", charts::accuracy(Lang::En, &comparisons)?);
    Ok(())
}
