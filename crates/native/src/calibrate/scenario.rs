//! The small scenarios of the calibration: one head for all, and what each of them is about.

use catamaran_scenario::{Plan, Platform};

use crate::problem::Problem;

/// A scenario; its name in a report begins with `calibrate-`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario<'a> {
    pub(super) name: &'a str,
    pub(super) duration: &'a str,
    pub(super) platforms: &'a [Platform],
    pub(super) cores: usize,
    /// `host.memory`.
    pub(super) memory: &'a str,
    /// What follows in the file: the tenants.
    pub(super) tenants: &'a str,
}

/// One core for a moment; who it is about says whoever takes it.
pub(super) const ON_ONE_CORE: Scenario<'_> = Scenario {
    name: "",
    duration: "1s",
    platforms: &[Platform::BareMetal],
    cores: 1,
    memory: "64MiB",
    tenants: "",
};

impl Scenario<'_> {
    pub(super) fn plan(&self) -> Result<Plan, Problem> {
        let Self { name, duration, platforms, cores, memory, tenants } = self;
        let platforms: Vec<String> = platforms.iter().map(|platform| format!("\"{platform}\"")).collect();
        let text = format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"calibrate-{name}\"\nseed = 1\nduration = \"{duration}\"\n\
             platforms = [{}]\nhost = {{ cores = {cores}, memory = \"{memory}\" }}\n{tenants}\n",
            platforms.join(", ")
        );
        Plan::from_toml(&text, "calibration").map_err(|error| {
            Problem::new(
                format!("a scenario of the calibration is wrong: {error}"),
                "this is a defect of catamaran",
            )
        })
    }
}
