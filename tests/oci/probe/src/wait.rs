//! Waiting for signals, and for nothing else.

use std::io::Write as _;

use signal_hook::iterator::Signals;

/// Signals that are told and after which the probe goes on waiting.
const TOLD: [i32; 2] = [signal_hook::consts::SIGUSR1, signal_hook::consts::SIGHUP];
/// Signals that are told and end the wait.
const LAST: [i32; 2] = [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT];

/// Says `ready`, then each signal by its number, until one comes that ends it.
pub(crate) fn for_signals() {
    let Ok(mut signals) = Signals::new(TOLD.iter().chain(&LAST)) else { return say("no handlers") };
    say("ready");
    for signal in signals.forever() {
        say(&format!("signal {signal}"));
        if LAST.contains(&signal) {
            return;
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    // Nobody is left to be told where standard output is closed.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
