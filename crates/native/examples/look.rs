//! Looks at this machine and a scenario: `look doctor`, `look dry-run FILE PLATFORM`, `look clean`.

use std::error::Error;

use catamaran_scenario::{Plan, Platform};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["doctor"] => println!("{}", serde_json::to_string_pretty(&catamaran_native::doctor())?),
        ["clean"] => println!("{}", serde_json::to_string_pretty(&catamaran_native::clean()?)?),
        ["dry-run", file, platform] => {
            let plan =
                Plan::from_toml(&std::fs::read_to_string(file)?, file).map_err(|error| format!("{error}"))?;
            let platform = Platform::from_name(platform).ok_or("no such platform")?;
            println!("{}", catamaran_native::dry_run(&plan, platform)?.join("\n"));
        }
        _ => return Err("usage: look doctor | look clean | look dry-run FILE PLATFORM".into()),
    }
    Ok(())
}
