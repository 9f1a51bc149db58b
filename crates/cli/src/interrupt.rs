//! Ctrl-C and its relatives.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use crate::failure::Failure;

const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// For commands that hold something on the machine: the signals set this flag, however often they come, and whoever works
/// looks at it, ends and cleans up.
pub(crate) fn flag() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        flag::register(signal, Arc::clone(&interrupted)).map_err(|error| cannot(signal, &error))?;
    }
    Ok(interrupted)
}

/// For commands that hold nothing: the first signal ends the process at once with the exit code of an interruption.
pub(crate) fn exit_at_once() -> Result<(), Failure> {
    for signal in SIGNALS {
        let code = i32::from(Failure::Interrupted.code());
        flag::register_conditional_shutdown(signal, code, Arc::new(AtomicBool::new(true)))
            .map_err(|error| cannot(signal, &error))?;
    }
    Ok(())
}

/// Has a file that grows beyond the user's limit (`ulimit -f`) be an error like any other, and not a death that leaves
/// things behind.
pub(crate) fn outlive_file_limits() -> Result<(), Failure> {
    let never_read = Arc::new(AtomicBool::new(false));
    flag::register(SIGXFSZ, never_read).map(drop).map_err(|error| cannot(SIGXFSZ, &error))
}

fn cannot(signal: i32, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot catch signal {signal}: {error}"))
}
