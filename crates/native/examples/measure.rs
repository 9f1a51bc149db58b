//! Measures a scenario: `measure FILE PLATFORM[,PLATFORM…] TRIALS OUTDIR`.
//!
//! Writes one report a trial to `OUTDIR/SCENARIO-PLATFORM-TRIAL.json`, trials interleaved over platforms.

use std::error::Error;
use std::path::Path;

use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::Backend as _;
use catamaran_scenario::{Plan, Platform};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, platforms, trials, out] = arguments.as_slice() else {
        return Err("usage: measure FILE PLATFORM[,PLATFORM…] TRIALS OUTDIR".into());
    };
    let plan = Plan::from_toml(&std::fs::read_to_string(file)?, file).map_err(|error| format!("{error}"))?;
    let platforms: Option<Vec<Platform>> = platforms.split(',').map(Platform::from_name).collect();
    let platforms = platforms.ok_or("no such platform")?;
    let speed = std::env::var("TURNS_PER_CPU_S").ok().map(|speed| speed.parse()).transpose()?;
    let mut runner = Runner::new(RunnerOptions { turns_per_cpu_s: speed, ..RunnerOptions::default() })?;
    std::fs::create_dir_all(out)?;
    for trial in 0..trials.parse()? {
        for &platform in &platforms {
            let report = runner.run(&plan, platform, trial)?;
            let path = Path::new(out).join(format!("{}-{platform}-{trial}.json", plan.name()));
            std::fs::write(&path, serde_json::to_vec_pretty(&report)?)?;
            println!("{}", path.display());
        }
    }
    Ok(())
}
