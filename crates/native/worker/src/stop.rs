//! A test may have a run halt at a stage of its start-up, to kill it there.

use std::io::Write as _;
use std::time::Duration;

/// Environment variable that names a stage; whoever sets it only halts their own runs.
pub const STOP_AT: &str = "CATAMARAN_STOP_AT";

/// How long it halts: longer than a test on a machine that is overloaded takes to come and kill it.
const HALT: Duration = Duration::from_secs(300);

/// Says so on standard error and sleeps for [`HALT`] where [`STOP_AT`] names this stage; else does nothing.
pub fn stop_at(stage: &str) {
    if std::env::var_os(STOP_AT).is_some_and(|wanted| wanted == stage) {
        let _ = writeln!(std::io::stderr(), "stopped at {stage}");
        std::thread::sleep(HALT);
    }
}
