//! What an application weighs on a platform, and how long it takes to be there, from a report.

use catamaran_report::Report;
use catamaran_report::report::{StageRow, TenantState};
use catamaran_scenario::Platform;

use super::View;

/// What the axis of starts shows beyond the longest of them: a ninth, so that it is seen to run.
const BEYOND: u64 = 9;

/// A part of what is held in memory for one application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The application itself.
    App,
    /// What the guest's kernel keeps.
    Kernel,
    /// The program that plays the machine.
    Monitor,
    /// Monitor and guest together, where the report does not tell them apart.
    Guest,
}

/// One platform's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Which.
    pub platform: Platform,
    /// What is held for one application (bytes).
    pub parts: Vec<(Part, u64)>,
    /// The start-up of the first application.
    pub stages: Vec<StageRow>,
    /// From the request to the first own instruction (s).
    pub startup_s: Option<f64>,
    /// Applications that are there.
    pub living: usize,
    /// Applications for which there was no room.
    pub killed: usize,
    /// The accelerator of the guests, where there are any.
    pub accelerator: Option<String>,
}

impl Weight {
    /// Weighs what a report says; `app_bytes` is what the application holds where it is no guest.
    #[must_use]
    pub fn of(report: &Report, app_bytes: Option<u64>) -> Self {
        let killed = report.tenants.iter().filter(|tenant| tenant.state == TenantState::OomKilled).count();
        let first = report.tenants.first();
        let living = report.tenants.len() - killed;
        let mut parts = Vec::new();
        match report.platform {
            Platform::Vm => parts.extend(guest_parts(report, living)),
            _ => parts
                .extend(first.and_then(|tenant| tenant.memory_peak_bytes).map(|bytes| (Part::App, bytes))),
        }
        if report.platform == Platform::Vm {
            parts.extend(app_bytes.map(|bytes| (Part::App, bytes)));
        }
        Self {
            platform: report.platform,
            parts,
            stages: first.map(|tenant| tenant.startup_stages.clone()).unwrap_or_default(),
            startup_s: first.and_then(|tenant| tenant.startup_s),
            living,
            killed,
            accelerator: fact(report, "accelerator").map(str::to_owned),
        }
    }

    /// All parts together (bytes).
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Whether its guests were emulated, which says nothing of a hypervisor.
    #[must_use]
    pub fn is_emulated(&self) -> bool {
        self.accelerator.as_ref().is_some_and(|name| name.starts_with("tcg"))
    }
}

/// What of a view concerns starts: nothing after the longest one, however long the run goes on. Where none is known, the view.
#[must_use]
pub fn view_of_starts<'a>(view: View, weights: impl IntoIterator<Item = &'a Weight>, end_ns: u64) -> View {
    let longest_s = weights.into_iter().filter_map(|weight| weight.startup_s).reduce(f64::max);
    let Some(longest_s) = longest_s.filter(|&longest_s| longest_s > 0.0) else { return view };
    let longest_ns = (longest_s * 1e9).round() as u64;
    let last_ns = longest_ns.saturating_add(longest_ns.div_ceil(BEYOND)).min(end_ns).max(1);
    let window_ns = view.window_ns.min(last_ns);
    View { start_ns: view.start_ns.min(last_ns - window_ns), window_ns }
}

fn fact<'a>(report: &'a Report, name: &str) -> Option<&'a str> {
    report.identity.machine.as_ref()?.get(name).map(String::as_str)
}

/// What a guest holds beside its application.
fn guest_parts(report: &Report, living: usize) -> Vec<(Part, u64)> {
    let each = report.host.overhead_memory_bytes.map(|bytes| bytes / living.max(1) as u64);
    let kernel = fact(report, "guest_kernel_bytes").and_then(|bytes| bytes.parse::<u64>().ok());
    match (each, kernel) {
        (Some(each), Some(kernel)) => {
            vec![(Part::Monitor, each.saturating_sub(kernel)), (Part::Kernel, kernel)]
        }
        (Some(each), None) => vec![(Part::Guest, each)],
        (None, _) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::{Calibration, Plan};
    use catamaran_sim::{Options, simulate};

    use super::*;

    fn weight(platform: Platform, replicas: &str) -> Weight {
        let lesson = catamaran_lessons::find("vm-weight").unwrap();
        let text = catamaran_scenario::edit::set(lesson.scenario(), "tenant.app.replicas", replicas).unwrap();
        let plan = Plan::from_toml(&text, "scenario").unwrap();
        let answer = simulate(&plan, platform, &Calibration::reference(), &Options::default()).unwrap();
        Weight::of(&answer.report, Some(500_000))
    }

    #[test]
    fn a_guest_weighs_its_monitor_its_kernel_and_the_application() {
        let vm = weight(Platform::Vm, "2");
        let parts: Vec<Part> = vm.parts.iter().map(|(part, _)| *part).collect();
        assert_eq!(parts, [Part::Monitor, Part::Kernel, Part::App]);
        assert!(vm.bytes() > 150 << 20 && !vm.is_emulated(), "{vm:?}");
        assert_eq!((vm.living, vm.killed), (2, 0));
        let container = weight(Platform::Container, "2");
        assert_eq!(container.parts.iter().map(|(part, _)| *part).collect::<Vec<_>>(), [Part::App]);
        assert!(container.bytes() < 2 << 20 && container.startup_s < vm.startup_s, "{container:?}");
        assert_eq!(container.accelerator, None);
    }

    #[test]
    fn the_axis_of_starts_ends_soon_after_the_longest() {
        let takes = |startup_s: Option<f64>| Weight {
            platform: Platform::Vm,
            parts: Vec::new(),
            stages: Vec::new(),
            startup_s,
            living: 1,
            killed: 0,
            accelerator: None,
        };
        let starts = [takes(Some(9e-8)), takes(None), takes(Some(9e-7))];
        let of = |start_ns, window_ns, end_ns| {
            let view = view_of_starts(View { start_ns, window_ns }, &starts, end_ns);
            (view.start_ns, view.window_ns)
        };
        assert_eq!(of(0, 500, 9000), (0, 500), "a near view stays");
        assert_eq!(of(400, 500, 9000), (400, 500));
        assert_eq!(of(8500, 500, 9000), (500, 500), "up to 1000 ns, a ninth after the longest");
        assert_eq!(of(4000, 5000, 9000), (0, 1000), "nothing wider");
        assert_eq!(of(0, 5000, 950), (0, 950), "nor beyond the run");
        let view = View { start_ns: 4000, window_ns: 5000 };
        for none in [&starts[1..2], &[], &[takes(Some(0.0))]] {
            assert_eq!(view_of_starts(view, none, 9000), view, "nothing is known of a start");
        }
    }

    #[test]
    fn guests_without_room_are_not_counted_among_the_living() {
        let vm = weight(Platform::Vm, "120");
        assert!(vm.killed > 0 && vm.living + vm.killed == 120, "{} {}", vm.living, vm.killed);
        let fits = (16_u64 << 30)
            / vm.parts.iter().filter(|part| part.0 != Part::App).map(|part| part.1).sum::<u64>();
        assert!((vm.living as u64).abs_diff(fits) <= 1, "{} live, {fits} fit", vm.living);
    }
}
