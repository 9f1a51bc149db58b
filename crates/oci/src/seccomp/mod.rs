//! A seccomp configuration becomes a program of classic BPF.
//!
//! **Source.** Runtime specification 1.2, config-linux.md "Seccomp"; seccomp(2).
//! **Law.** Of each call the kernel shows the filter its architecture, its number and six arguments. The rules of a call are
//! taken as libseccomp takes them, through which runc and crun build their filters ([decision 1210]): all conditions of a rule
//! must hold; one of several rules suffices; a rule without conditions outranks those with; a rule with the default's action
//! says nothing. Calls of an architecture that is not listed kill the process. A call newer than the newest that the profile
//! names fails with ENOSYS, if the default is a refusal: C libraries then fall back, as they do on an older kernel.
//! **Judge.** The tests run the program on an interpreter and compare it with the rules read one by one, and load it once.
//!
//! [decision 1210]: ../../../../docs/decisions/1210-a-filter-of-our-own-making.md

mod action;
mod architecture;
mod assemble;
mod multiplex;
mod rules;

use catamaran_oci_init::filter::{Filter, Listener};
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompFilterFlag};

use crate::{Problem, Warning};
use rules::Rules;

/// Instructions that the kernel takes at most (`BPF_MAXINSNS`).
const MOST: usize = 4096;

/// The filter that `seccomp` describes, and what of it was left out.
///
/// # Errors
/// What the specification or the kernel refuses, by its place; a program that is longer than the kernel takes.
pub fn compile(seccomp: &LinuxSeccomp) -> Result<(Filter, Vec<Warning>), Problem> {
    let (rules, mut warnings) = Rules::read(seccomp)?;
    if architecture::Table::native().is_none() {
        // Every call would be one of an architecture that is not listed, and kill.
        let accepted = "this runtime knows the calls of x86-64 and aarch64 machines; leave the field out";
        return Err(Problem::config("linux.seccomp", "a profile on another architecture", accepted));
    }
    let lines = rules.lines(&mut warnings);
    let instructions = assemble::program(&lines);
    if instructions.len() > MOST {
        let found = format!("a filter of {} instructions", instructions.len());
        return Err(Problem::config(
            "linux.seccomp.syscalls",
            found,
            format!("the kernel takes {MOST}: merge rules"),
        ));
    }
    let notifies = instructions.iter().any(|one| one.code == assemble::RETURN && one.k == action::NOTIFY);
    let filter = Filter {
        instructions,
        flags: flags(seccomp, notifies, &mut warnings),
        listener: listener(seccomp, notifies),
    };
    Ok((filter, warnings))
}

/// Refuses what [`compile`] would refuse for what is written, not for its length.
///
/// # Errors
/// See [`compile`].
pub(crate) fn validate(seccomp: &LinuxSeccomp) -> Result<(), Problem> {
    Rules::read(seccomp).map(|_| ())
}

/// Without the field, speculation stays allowed, as runc has had it since 1.2: the mitigation costs every program and protects
/// none from itself.
fn flags(seccomp: &LinuxSeccomp, notifies: bool, warnings: &mut Vec<Warning>) -> u64 {
    const SPEC_ALLOW: u64 = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    let named = seccomp.flags().as_deref();
    let mut flags = if named.is_none() { SPEC_ALLOW } else { 0 };
    for flag in named.unwrap_or_default() {
        flags |= match flag {
            LinuxSeccompFilterFlag::SeccompFilterFlagLog => libc::SECCOMP_FILTER_FLAG_LOG,
            LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => SPEC_ALLOW,
            // The filter is loaded by a process of one thread: there is nothing to synchronize, and with a listener the
            // kernel would refuse the flag.
            LinuxSeccompFilterFlag::SeccompFilterFlagTsync => 0,
            LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv if notifies => {
                libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
            }
            LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => {
                let what = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV left out: no call is notified";
                warnings.push(Warning::new("linux.seccomp.flags", what));
                0
            }
        };
    }
    if notifies { flags | libc::SECCOMP_FILTER_FLAG_NEW_LISTENER } else { flags }
}

/// "If the `SCMP_ACT_NOTIFY` action is not used this value is ignored."
fn listener(seccomp: &LinuxSeccomp, notifies: bool) -> Option<Listener> {
    let path = seccomp.listener_path().as_ref().filter(|_| notifies)?;
    let metadata = seccomp.listener_metadata().clone().unwrap_or_default();
    Some(Listener { path: path.to_string_lossy().into_owned(), metadata })
}

#[cfg(test)]
mod tests;
