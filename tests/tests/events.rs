//! Laws that hold for any valid scenario, whatever happens in it.

#![allow(clippy::panic, reason = "helpers of tests panic as tests do")]

use catamaran_report::report::TenantState;
use catamaran_scenario::arbitrary::computing_toml;
use catamaran_scenario::{Calibration, Plan, Platform, edit};
use catamaran_sim::{Options, Outcome, naive, simulate};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// What happens: which action, to which tenant, at which share of the run (thousandths), and how much of it.
type Happening = (u8, usize, u64, u8);

fn parsed(text: &str) -> Result<Plan, TestCaseError> {
    Plan::from_toml(text, "any.toml").map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))
}

/// The scenario with these events, and with its tenants started again or not.
fn with_events(
    text: &str,
    happenings: &[Happening],
    restarts: &[u8],
) -> Result<(String, Plan), TestCaseError> {
    let plan = parsed(text)?;
    let mut text = text.to_owned();
    for (tenant, restart) in plan.tenants().iter().zip(restarts) {
        let word = ["never", "on-failure", "always"][usize::from(*restart) % 3];
        text = edit::set(&text, &format!("tenant.{}.restart", tenant.name), word)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
    for &(action, tenant, at, amount) in happenings {
        let target = &plan.tenants()[tenant % plan.tenants().len()].name;
        let at_us = plan.duration().0 / 1000 * at / 1000;
        let what = match action % 5 {
            0 => format!("do = \"kill\"\ntarget = \"{target}\""),
            1 => format!("do = \"scale\"\ntarget = \"{target}\"\nreplicas = {}", amount % 4),
            // More than any burst.
            2 => format!("do = \"set-limit\"\ntarget = \"{target}\"\ncpu = \"{}\"", 6 + amount % 3),
            3 => format!(
                "do = \"set-limit\"\ntarget = \"{target}\"\nmemory = \"{}MiB\"",
                1 + u32::from(amount)
            ),
            _ if amount % 4 == 0 => "do = \"fail-node\"\ntarget = 0".to_owned(),
            _ => format!("do = \"kill\"\ntarget = \"{target}\""),
        };
        text.push_str(&format!("[[event]]\nat = \"{at_us}us\"\n{what}\n"));
    }
    let plan = parsed(&text)?;
    Ok((text, plan))
}

fn run(plan: &Plan, platform: Platform, text: &str) -> Result<Option<Outcome>, TestCaseError> {
    let options = Options { timeline: true, ..Options::default() };
    match simulate(plan, platform, &Calibration::reference(), &options) {
        Ok(outcome) => Ok(Some(outcome)),
        // Memory of guests is refused by name.
        Err(error) if platform == Platform::Vm => {
            prop_assert!(error.to_string().contains("memory"), "{error}");
            Ok(None)
        }
        Err(error) => Err(TestCaseError::fail(format!("{error}\n{text}"))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn whatever_happens_nothing_is_lost(
        text in computing_toml(),
        happenings in prop::collection::vec((any::<u8>(), any::<usize>(), 0..1000u64, any::<u8>()), 1..5),
        restarts in prop::collection::vec(any::<u8>(), 4),
    ) {
        let (text, plan) = with_events(&text, &happenings, &restarts)?;
        for &platform in plan.platforms() {
            let Some(outcome) = run(&plan, platform, &text)? else { continue };
            let Outcome { report, timeline } = &outcome;
            prop_assert_eq!(report.unexplained(), Vec::<String>::new());
            prop_assert_eq!(&run(&plan, platform, &text)?.map(|again| again.report), &Some(report.clone()));
            for row in &report.tenants {
                let dead = matches!(row.state, TenantState::OomKilled | TenantState::Failed);
                if let Some(requests) = &row.requests {
                    prop_assert_eq!(requests.sent, requests.completed + requests.failed + requests.in_flight);
                    prop_assert!(!dead || requests.in_flight == 0, "{}: requests of the dead are under way", row.label());
                }
                prop_assert!(row.finished_s.is_none_or(|finished_s| finished_s <= report.elapsed_s + 1e-9));
            }
            for (index, entry) in timeline.trace.iter().enumerate() {
                prop_assert!(entry.because.is_none_or(|cause| (cause as usize) < index), "causes come first");
            }
            for (index, event) in report.events.iter().enumerate() {
                prop_assert!(event.because.is_none_or(|cause| (cause as usize) < index), "causes come first");
            }
            let mut until_ns = vec![0; timeline.cores as usize];
            for slice in &timeline.slices {
                let core = &mut until_ns[slice.core as usize];
                prop_assert!(slice.start_ns >= *core, "two threads on one core");
                *core = slice.end_ns;
            }
        }
        let fluid = naive::fluid(&plan, Platform::BareMetal, &Calibration::reference(), &Options::default());
        prop_assert!(fluid.is_ok());
    }
}
