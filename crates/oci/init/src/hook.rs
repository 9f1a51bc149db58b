//! Hooks: programs that get the container's state on standard input (config.md, "POSIX-platform Hooks"). The runtime runs some
//! outside, the container's process runs some inside.

use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::order::Hook;

/// Runs hooks in order, up to the first that fails. `kind` is their place in `hooks`: `createRuntime`.
///
/// # Errors
/// Which failed, and how.
pub fn run(hooks: &[Hook], kind: &str, state: &str) -> Result<(), String> {
    hooks.iter().enumerate().try_for_each(|(at, hook)| run_at(at, hook, kind, state))
}

/// Runs all hooks; what failed is said and does not keep the others from running.
#[must_use]
pub fn run_all(hooks: &[Hook], kind: &str, state: &str) -> Vec<String> {
    let ran = hooks.iter().enumerate().map(|(at, hook)| run_at(at, hook, kind, state));
    ran.filter_map(Result::err).collect()
}

fn run_at(at: usize, hook: &Hook, kind: &str, state: &str) -> Result<(), String> {
    run_one(hook, state).map_err(|why| format!("hooks.{kind}[{at}]: {}: {why}", hook.path))
}

fn run_one(hook: &Hook, state: &str) -> Result<(), String> {
    let mut command = Command::new(&hook.path);
    if let Some((name, rest)) = hook.args.split_first() {
        command.arg0(name).args(rest);
    }
    if let Some(environment) = &hook.env {
        command.env_clear().envs(environment.iter().filter_map(|pair| pair.split_once('=')));
    }
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let input = child.stdin.take();
    let limit = hook.timeout_s.map(|seconds| (seconds, Instant::now() + Duration::from_secs(seconds.into())));
    let deadline = limit.map(|(_, deadline)| deadline);
    let pid = Pid::from_raw(child.id().cast_signed()).ok_or("no process")?;
    let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| error.to_string())?;
    if let Some(input) = input {
        feed(input, state.as_bytes(), &handle, deadline).map_err(|error| error.to_string())?;
    }
    let ended = becomes_ready(&mut [PollFd::new(&handle, PollFlags::IN)], deadline);
    if ended != Ok(true) {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if let (Ok(false), Some((seconds, _))) = (ended, limit) {
        return Err(format!("not over after {seconds} s"));
    }
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(format!("exit code {code}")),
        (None, signal) => Err(format!("signal {}", signal.unwrap_or_default())),
    }
}

/// Gives the state to the hook, which need not read it: a pipe holds 64 KiB, a state with annotations may be longer, and who
/// waits for such a hook to read waits beyond its time.
fn feed(
    input: ChildStdin,
    mut state: &[u8],
    handle: &OwnedFd,
    deadline: Option<Instant>,
) -> Result<(), Errno> {
    fcntl_setfl(&input, OFlags::NONBLOCK)?;
    while !state.is_empty() {
        let mut watched = [PollFd::new(&input, PollFlags::OUT), PollFd::new(handle, PollFlags::IN)];
        let is_over = !becomes_ready(&mut watched, deadline)?;
        if is_over || watched.iter().any(|one| one.revents().intersects(PollFlags::ERR | PollFlags::IN)) {
            return Ok(());
        }
        match rustix::io::write(&input, state) {
            Ok(written) => state = state.get(written..).unwrap_or_default(),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::PIPE) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether one of them is ready before the deadline.
fn becomes_ready(watched: &mut [PollFd<'_>], deadline: Option<Instant>) -> Result<bool, Errno> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        match poll(watched, left.as_ref()) {
            Err(Errno::INTR) => {}
            other => return other.map(|ready| ready > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout_s: Option<u32>) -> Hook {
        let args = ["sh", "-c", script].map(str::to_owned).to_vec();
        Hook { path: "/bin/sh".to_owned(), args, env: Some(vec!["WORD=here".to_owned()]), timeout_s }
    }

    #[test]
    fn a_hook_gets_the_state_and_its_environment() {
        let hook =
            shell("read state; test \"$state\" = {} && test $WORD = here && test -z \"$HOME\"", Some(20));
        assert_eq!(run(&[hook], "prestart", "{}\n"), Ok(()));
    }

    #[test]
    fn a_hook_that_does_not_read_ends_in_time_however_long_the_state_is() {
        let state = "x".repeat(1 << 20);
        let asleep = run(&[shell("exec sleep 60", Some(1))], "poststop", &state);
        assert_eq!(asleep.unwrap_err(), "hooks.poststop[0]: /bin/sh: not over after 1 s");
        assert_eq!(run(&[shell("exit 0", None)], "poststop", &state), Ok(()));
        let counts = shell("test $(wc -c) = 1048576", Some(20));
        assert_eq!(run(&[counts], "poststop", &state), Ok(()));
    }

    #[test]
    fn the_first_failure_ends_it_where_it_must() {
        let hooks = [shell("exit 3", None), shell("kill -9 $$", None), shell("exec sleep 60", Some(1))];
        let said = [
            "hooks.poststop[0]: /bin/sh: exit code 3",
            "hooks.poststop[1]: /bin/sh: signal 9",
            "hooks.poststop[2]: /bin/sh: not over after 1 s",
        ];
        assert_eq!(run(&hooks, "poststop", "").unwrap_err(), said[0]);
        assert_eq!(run_all(&hooks, "poststop", ""), said);
        let missing = Hook { path: "/nowhere/hook".to_owned(), ..shell("", None) };
        assert!(
            run(&[missing], "prestart", "")
                .unwrap_err()
                .starts_with("hooks.prestart[0]: /nowhere/hook: No such file")
        );
    }
}
