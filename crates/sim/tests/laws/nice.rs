//! Nice values weigh among the threads of a group, by the kernel's table, and not beyond it.

use catamaran_scenario::Calibration;

use crate::common::{cpu_s, hog, ideal, ideal_cfs, near, plan, run};

/// What the second of two hogs weighs by the table, where the first has nice 0 and 1024.
const TABLE: [(i32, f64); 6] = [(0, 1024.0), (1, 820.0), (5, 335.0), (19, 15.0), (-5, 3121.0), (-10, 9548.0)];

/// A turn: a slice, and the time to the tick that ends it.
const TURN_S: f64 = 0.007;

/// CPU seconds of tenant b on one core beside tenant a, in ten seconds.
fn beside(calibration: &Calibration, platform: &str, nice: i32) -> f64 {
    let tenants = [hog("a", 1, "1h", ""), hog("b", 1, "1h", &format!("nice = {nice}"))].concat();
    cpu_s(&run(&plan(1, "10s", platform, &tenants), calibration), "b")
}

#[test]
fn nice_divides_a_core_as_the_kernels_table_says() {
    for (nice, weight) in TABLE {
        for platform in ["bare-metal", "chroot", "namespaces"] {
            for (scheduler, calibration) in [("eevdf", ideal()), ("cfs", ideal_cfs())] {
                let what = format!("nice {nice} on {platform} by {scheduler}");
                let expected = 10.0 * weight / (1024.0 + weight);
                // The last turn may be under way, and one of a patient thread is a large part of what it had.
                let tolerance = 0.01 + TURN_S / expected;
                near(&what, beside(&calibration, platform, nice), expected, tolerance);
            }
        }
    }
}

#[test]
fn nice_does_not_reach_beyond_a_group_of_ones_own() {
    for (nice, _) in TABLE {
        for platform in ["cgroups", "container", "docker"] {
            let what = format!("nice {nice} on {platform}");
            near(&what, beside(&ideal(), platform, nice), 5.0, 0.01);
        }
    }
}

/// On a machine with room for all nobody has to be nice.
#[test]
fn nice_takes_nothing_from_a_thread_with_a_core_to_itself() {
    let tenants = [hog("a", 1, "1h", ""), hog("b", 1, "1h", "nice = 19")].concat();
    let outcome = run(&plan(2, "10s", "bare-metal", &tenants), &ideal());
    for name in ["a", "b"] {
        near(name, cpu_s(&outcome, name), 10.0, 1e-6);
    }
}
