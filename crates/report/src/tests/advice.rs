//! Sizes by hand against sizes by [`crate::advice`].

use catamaran_scenario::Plan;

use crate::advice::{SAMPLES_NEEDED, advise};
use crate::report::{BackendKind, Report, Samples, Series, TenantState};

/// One report in which `web` used these cores, and had this peak (MiB).
fn measured(cores: Vec<f64>, peak_mib: u64) -> Report {
    let mut report = super::report(BackendKind::Native, &[("web", 0)]);
    report.tenants[0].memory_peak_bytes = Some(peak_mib << 20);
    report.tenants[0].oom_kills = Some(0);
    let label = report.tenants[0].label();
    let series = |metric: &str, values| Series { tenant: label.clone(), metric: metric.into(), values };
    let series = vec![series("cpu", cores), series("memory", vec![9.0])];
    report.samples = Some(Samples { interval_s: 0.1, series });
    report
}

/// A scenario in which `web` starts at that time.
fn plan(start_at: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"sized\"\nduration = \"20s\"\nplatforms = [\"cgroups\"]\n\
         [[tenant]]\nname = \"web\"\nstart_at = \"{start_at}\"\nworkload = {{ kind = \"idle\" }}\n"
    );
    Plan::from_toml(&text, "advice.rs").unwrap()
}

#[test]
fn sizes_follow_from_percentile_peak_and_margin() {
    // Of 1 to 100 hundredths of a core the 90th is 0.9.
    let cores: Vec<f64> = (1..=100).map(|hundredths| f64::from(hundredths) / 100.0).collect();
    let advice = advise(&plan("0s"), &[measured(cores, 40)]);
    let [web] = advice.as_slice() else { panic!("one tenant") };
    assert_eq!((web.measured.samples, web.measured.cpu_p90_cores), (100, Some(0.9)));
    let sizes: Vec<_> = web.proposed.fields().into_iter().map(|(_, size)| size.unwrap()).collect();
    // 0.9 × 1.15 = 1.035; 1 × 1.15; 40 × 1.15 = 46.
    assert_eq!(sizes, ["1035m", "1150m", "46MiB", "46MiB"]);
    assert_eq!(web.absent.keys().collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn trials_add_up_and_too_few_samples_make_no_percentile() {
    let half = || measured(vec![0.5; SAMPLES_NEEDED / 2], 40);
    let one = advise(&plan("0s"), &[half()]);
    assert_eq!(one[0].proposed.cpu_request, None);
    assert!(one[0].absent["cpu_request"].contains("too few"), "{:?}", one[0].absent);
    assert_eq!(one[0].proposed.cpu_limit.as_deref(), Some("575m"), "a peak needs no percentile");
    let two = advise(&plan("0s"), &[half(), half()]);
    assert_eq!(two[0].proposed.cpu_request.as_deref(), Some("575m"));
}

#[test]
fn a_kill_for_memory_makes_more_of_the_peak() {
    for (peak_mib, expected) in [(64, "189MiB"), (1000, "1380MiB")] {
        let mut report = measured(vec![0.1; SAMPLES_NEEDED], peak_mib);
        report.tenants[0].oom_kills = Some(1);
        let advice = advise(&plan("0s"), &[report]);
        // (64 + 100) × 1.15; 1000 × 1.2 × 1.15.
        assert_eq!(advice[0].proposed.memory_limit.as_deref(), Some(expected));
    }
}

#[test]
fn what_was_not_measured_is_not_proposed_and_what_was_held_back_is_told() {
    let mut report = measured(Vec::new(), 1);
    report.tenants[0].memory_peak_bytes = None;
    report.tenants[0].explain_absence("memory_peak_bytes", "no memory controller");
    report.tenants[0].throttled_periods = Some(7);
    report.tenants[0].state = TenantState::Failed;
    report.tenants[0].error = Some("oh no".into());
    let advice = advise(&plan("0s"), &[report]);
    assert!(advice[0].proposed.fields().iter().all(|(_, size)| size.is_none()), "{advice:?}");
    let absent = &advice[0].absent;
    assert_eq!(absent["memory_limit"], "no memory controller");
    assert!(absent["cpu"].contains("7 periods") && absent["state"].contains("oh no"), "{absent:?}");
    assert!(absent["cpu_request"].contains("not sampled"), "{absent:?}");
}

#[test]
fn samples_before_the_start_and_after_the_end_do_not_count() {
    let busy = |from: usize, to: usize| {
        (0..200).map(|number| if (from..to).contains(&number) { 1.0 } else { 0.0 }).collect::<Vec<f64>>()
    };
    // Busy from 2 s to 13 s, which is when it ends: 110 samples.
    let mut report = measured(busy(20, 130), 40);
    report.tenants[0].finished_s = Some(13.0);
    let advice = advise(&plan("2s"), &[report.clone()]);
    assert_eq!((advice[0].measured.samples, advice[0].measured.cpu_p90_cores), (110, Some(1.0)));
    report.tenants[0].finished_s = None;
    report.tenants[0].state = TenantState::Failed;
    let advice = advise(&plan("2s"), &[report]);
    assert_eq!(advice[0].measured.samples, 110, "what failed used nothing more");
}

#[test]
fn a_limit_is_no_less_than_the_kernel_takes() {
    let advice = advise(&plan("0s"), &[measured(vec![0.001; SAMPLES_NEEDED], 40)]);
    let sizes = &advice[0].proposed;
    // 1 ms in each 100 ms; a request is no quota.
    assert_eq!((sizes.cpu_request.as_deref(), sizes.cpu_limit.as_deref()), (Some("2m"), Some("10m")));
}
