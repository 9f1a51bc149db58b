//! Actions become what a filter answers (`include/uapi/linux/seccomp.h`, `SECCOMP_RET_…`).

use oci_spec::runtime::LinuxSeccompAction as Action;

use crate::Problem;

pub(super) const KILL_PROCESS: u32 = libc::SECCOMP_RET_KILL_PROCESS;
pub(super) const NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;
pub(super) const NOT_THERE: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// Largest error number that the kernel hands on (`include/linux/err.h`, `MAX_ERRNO`).
const LARGEST_ERRNO: u32 = 4095;

/// The answer for `action` with the number `errno` of the field at `at`; EPERM where it is left out.
///
/// # Errors
/// A number for an action that takes none ("the runtime MUST print and error and fail"), or one that the kernel would cut: in
/// the filter's answer its upper bits would be another action.
pub(super) fn answer(action: Action, errno: Option<u32>, at: &str) -> Result<u32, Problem> {
    let number = errno.unwrap_or(libc::EPERM as u32);
    let (base, largest) = match action {
        Action::ScmpActErrno => (libc::SECCOMP_RET_ERRNO, LARGEST_ERRNO),
        Action::ScmpActTrace => (libc::SECCOMP_RET_TRACE, libc::SECCOMP_RET_DATA),
        _ if errno.is_some() => {
            let accepted =
                "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take a number (config-linux.md, \"Seccomp\")";
            return Err(Problem::config(at, format!("{number} for {action}"), accepted));
        }
        Action::ScmpActKill | Action::ScmpActKillThread => return Ok(libc::SECCOMP_RET_KILL_THREAD),
        Action::ScmpActKillProcess => return Ok(KILL_PROCESS),
        Action::ScmpActTrap => return Ok(libc::SECCOMP_RET_TRAP),
        Action::ScmpActNotify => return Ok(NOTIFY),
        Action::ScmpActLog => return Ok(libc::SECCOMP_RET_LOG),
        Action::ScmpActAllow => return Ok(libc::SECCOMP_RET_ALLOW),
    };
    if number > largest {
        return Err(Problem::config(at, number.to_string(), format!("{action} takes at most {largest}")));
    }
    Ok(base | number)
}

/// Whether calls pass by this action; whoever traces is trusted to know what is new.
pub(super) const fn lets_pass(action: Action) -> bool {
    matches!(action, Action::ScmpActAllow | Action::ScmpActLog | Action::ScmpActTrace)
}
