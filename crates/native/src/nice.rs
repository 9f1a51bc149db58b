//! The nice value of a tenant's threads: added to our own, as nice(1) does, within what this process may.

use crate::machine;

/// Most that a nice value can be.
const MOST: i32 = 19;

/// What a tenant's process is given; none where it is our own.
pub(crate) fn applied(wanted: i32) -> Option<i32> {
    let (own, least) = machine::nice_and_least();
    Some(within(wanted, own, least)).filter(|applied| *applied != own)
}

/// Why it is not what the scenario asks for, where it is not.
pub(crate) fn not_applied(wanted: i32) -> Option<String> {
    let (own, least) = machine::nice_and_least();
    let applied = within(wanted, own, least) - own;
    let why = match applied - wanted {
        0 => return None,
        1.. => format!("without CAP_SYS_NICE it may not be lowered: {applied} was applied"),
        _ => format!("catamaran itself has {own}, and {MOST} is the most: {applied} was applied"),
    };
    tracing::warn!(wanted, applied, "nice: {why}");
    Some(why)
}

fn within(wanted: i32, own: i32, least: i32) -> i32 {
    (own + wanted).clamp(least.min(MOST), MOST)
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn it_is_added_to_our_own_within_what_we_may() {
        // (wanted, our own, least) and what comes of it.
        let table = [
            ((0, 0, 0), 0),
            ((5, 0, 0), 5),
            ((-5, 0, 0), 0),
            ((-5, 0, -20), -5),
            ((-5, 5, 5), 5),
            ((5, 5, 5), 10),
            ((19, 5, -20), 19),
            ((-20, -3, -20), -20),
        ];
        for ((wanted, own, least), expected) in table {
            assert_eq!(within(wanted, own, least), expected, "{wanted} from {own}, at least {least}");
        }
    }
}
