//! Taking a process that has ended from the kernel.

use std::os::fd::BorrowedFd;

use rustix::process::{WaitId, WaitIdOptions};

/// Waits for the end of a child by its handle; its exit code, or `signal N`.
///
/// # Errors
/// One sentence: what the kernel answered.
pub fn reap(pidfd: BorrowedFd<'_>) -> Result<String, String> {
    let ended = || rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED);
    let status = rustix::io::retry_on_intr(ended)
        .map_err(|error| format!("cannot wait for the tenant: {error}"))?
        .ok_or("the tenant's end was not told")?;
    Ok(match status.terminating_signal() {
        Some(signal) => format!("signal {signal}"),
        None => status.exit_status().unwrap_or(-1).to_string(),
    })
}
