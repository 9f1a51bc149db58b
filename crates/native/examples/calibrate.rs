//! Measures this machine: `calibrate OUTFILE` writes `host.toml`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("usage: calibrate OUTFILE")?;
    let mut note = |what: &str, share: f64| eprintln!("{:3.0} % {what}", share * 100.0);
    let calibration = catamaran_native::calibrate(&std::sync::Arc::default(), &mut note)?;
    std::fs::write(&out, toml::to_string_pretty(&calibration)?)?;
    println!("{out}");
    Ok(())
}
