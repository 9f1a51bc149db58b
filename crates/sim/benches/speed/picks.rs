//! The exact model at work: how often it picks the next task.

use catamaran_scenario::{Calibration, Plan};
use catamaran_sim::{Options, Outcome, simulate};

/// Hogs in groups of their own and a server between them, on two cores.
const SCENARIO: &str = r#"
schema = "catamaran/scenario/v1"
name = "picks"
seed = 7
duration = "60s"
platforms = ["cgroups"]
[host]
cores = 2
memory = "1GiB"
[[tenant]]
name = "a"
cpu = { request = "500m" }
workload = { kind = "compute", threads = 4, work = "1h" }
[[tenant]]
name = "b"
cpu = { request = "1" }
workload = { kind = "compute", threads = 4, work = "1h" }
[[tenant]]
name = "web"
cpu = { request = "500m" }
workload = { kind = "server", threads = 2, arrivals = { process = "poisson", rate = "800/s" }, service = { cpu = "500us", distribution = "exponential" } }
"#;

/// A scenario, carried out by the exact model on the reference machine.
pub(crate) struct Picks(Plan);

impl Picks {
    pub(crate) fn new() -> Option<Self> {
        Plan::from_toml(SCENARIO, "picks.toml").ok().map(Self)
    }

    pub(crate) fn run(&self, timeline: bool) -> Option<Outcome> {
        let options = Options { timeline, ..Options::default() };
        simulate(&self.0, *self.0.platforms().first()?, &Calibration::reference(), &options).ok()
    }

    /// Stretches of running, each of which began with a pick; picks of the one that runs anyway are not counted.
    pub(crate) fn count(&self) -> Option<u64> {
        self.run(true).map(|outcome| outcome.timeline.slices.len() as u64)
    }
}
