//! Hooks: programs that get the container's state on standard input (config.md, "POSIX-platform Hooks"). The runtime runs some
//! outside, the container's process runs some inside.

#![allow(unsafe_code)]

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
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
    command.stdin(Stdio::from(input(state).map_err(|error| error.to_string())?));
    // SAFETY: between fork and exec only one system call is made, which takes numbers and closes nothing now.
    unsafe { command.pre_exec(keep_streams_alone) };
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let status = wait(&mut child, hook.timeout_s)?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(format!("exit code {code}")),
        (None, signal) => Err(format!("signal {}", signal.unwrap_or_default())),
    }
}

/// The state as a file in memory: a hook need not read it, and a pipe that nobody reads would hold us beyond every timeout.
fn input(state: &str) -> std::io::Result<File> {
    let mut file = File::from(memfd_create("state", MemfdFlags::CLOEXEC)?);
    file.write_all(state.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

/// What whoever called the runtime has left open is none of the hook's business.
fn keep_streams_alone() -> std::io::Result<()> {
    const FIRST: libc::c_uint = 3;
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
    // SAFETY: takes numbers.
    let done = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC) };
    if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn wait(child: &mut Child, timeout_s: Option<u32>) -> Result<ExitStatus, String> {
    if let Some(seconds) = timeout_s {
        let pid = Pid::from_raw(child.id().cast_signed()).ok_or("no process")?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| error.to_string())?;
        let limit = Timespec { tv_sec: seconds.into(), tv_nsec: 0 };
        let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&limit));
        if ended == Ok(0) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("not over after {seconds} s"));
        }
    }
    child.wait().map_err(|error| error.to_string())
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
        // More than a pipe holds, and nobody reads it.
        let long = "x".repeat(1 << 20);
        assert_eq!(run_all(&hooks[2..], "poststop", &long), [said[2].replace("[2]", "[0]")]);
        let missing = Hook { path: "/nowhere/hook".to_owned(), ..shell("", None) };
        assert!(
            run(&[missing], "prestart", "")
                .unwrap_err()
                .starts_with("hooks.prestart[0]: /nowhere/hook: No such file")
        );
    }
}
