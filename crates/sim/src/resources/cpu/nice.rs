//! What a nice value weighs.
//!
//! **Law.** Each step of nice is 10 % of a core's time between two threads: weights differ by a factor of about 1.25. They count
//! among the entities of one queue alone, so that nice does not reach beyond a thread's group.
//! **Source.** `sched_prio_to_weight` in Linux `kernel/sched/core.c`, the same from 2.6.23 (CFS-12) on; `set_load_weight`.

/// `sched_prio_to_weight`, from nice -20 to 19.
const WEIGHTS: [u64; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, // -20 to -11
    9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277, // -10 to -1
    1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, // 0 to 9
    110, 87, 70, 56, 45, 36, 29, 23, 18, 15, // 10 to 19
];

/// The weight of a thread, scaled as all weights are (`scale_load`).
pub(super) fn weight(nice: i32) -> u64 {
    let place = (nice + 20).clamp(0, WEIGHTS.len() as i32 - 1) as usize;
    WEIGHTS.get(place).copied().unwrap_or_default() << 10
}

#[cfg(test)]
mod tests {
    use super::super::entity::NICE_0_LOAD;
    use super::weight;

    #[test]
    fn a_step_is_a_factor_of_about_one_and_a_quarter() {
        assert_eq!(weight(0), NICE_0_LOAD);
        for nice in -20..19 {
            let factor = weight(nice) as f64 / weight(nice + 1) as f64;
            assert!((1.18..1.31).contains(&factor), "nice {nice}: {factor}");
        }
        assert_eq!((weight(-21), weight(20)), (weight(-20), weight(19)));
    }
}
