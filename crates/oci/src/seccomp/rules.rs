//! What a configuration says of each number of each architecture.

use std::collections::{BTreeMap, BTreeSet};

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompOperator, LinuxSyscall,
};

use super::action::{self, answer, lets_pass};
use super::architecture::Table;
use super::multiplex;
use crate::{Problem, Warning};

/// Arguments of a call.
const ARGUMENTS: usize = 6;

/// A test of one argument. Under `MASKED_EQ` the argument's bits in `mask` must be those of `value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) argument: u8,
    pub(super) operator: LinuxSeccompOperator,
    pub(super) value: u64,
    pub(super) mask: u64,
}

/// What is answered if all conditions hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    pub(super) conditions: Vec<Condition>,
    pub(super) answer: u32,
}

/// What becomes of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// One answer.
    Always(u32),
    /// The first alternative that holds.
    Depends { alternatives: Vec<Alternative>, otherwise: u32, wide: bool },
}

/// All numbers of what the kernel calls one architecture (`AUDIT_ARCH_…`): ranges by their first number, from 0 on.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) audit: u32,
    pub(super) ranges: Vec<(u32, Outcome)>,
}

/// One entry of `syscalls`.
#[derive(Debug)]
struct Rule<'a> {
    names: &'a [String],
    answer: u32,
    /// Each suffices; an empty one holds always.
    conditions: Vec<Vec<Condition>>,
}

/// A configuration that was found to be valid.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    default: u32,
    default_passes: bool,
    architectures: Vec<Arch>,
    rules: Vec<Rule<'a>>,
}

const AT: &str = "linux.seccomp";

impl<'a> Rules<'a> {
    /// # Errors
    /// What the specification refuses, by its place.
    pub(super) fn read(seccomp: &'a LinuxSeccomp) -> Result<(Self, Vec<Warning>), Problem> {
        let mut warnings = Vec::new();
        let action = seccomp.default_action();
        if action == Action::ScmpActNotify {
            let accepted = "by then nobody could hand the listener on; name the calls to be notified";
            return Err(Problem::config(format!("{AT}.defaultAction"), action.to_string(), accepted));
        }
        let default = answer(action, seccomp.default_errno_ret(), &format!("{AT}.defaultErrnoRet"))?;
        check_listener(seccomp)?;
        let mut rules = Vec::new();
        for (place, syscall) in seccomp.syscalls().iter().flatten().enumerate() {
            rules.push(read_rule(syscall, &format!("{AT}.syscalls[{place}]"), &mut warnings)?);
        }
        let architectures = seccomp.architectures().clone().unwrap_or_default();
        Ok((Self { default, default_passes: lets_pass(action), architectures, rules }, warnings))
    }

    /// What becomes of each number, architecture by architecture.
    pub(super) fn lines(&self, warnings: &mut Vec<Warning>) -> Vec<Line> {
        let tables = self.tables(warnings);
        self.tell_unknown(warnings);
        let audits: BTreeSet<u32> = tables.iter().copied().map(Table::audit).collect();
        let line = |audit| {
            let mut ranges = Vec::new();
            for (table, first) in Table::within(audit) {
                if tables.contains(table) {
                    self.add_ranges(*table, *first, &mut ranges);
                } else {
                    ranges.push((*first, Outcome::Always(action::KILL_PROCESS)));
                }
            }
            // A tracer that skips a call sets its number to -1, and the filter still sees it.
            ranges.push((u32::MAX, Outcome::Always(self.default)));
            ranges.dedup_by(|next, before| next.1 == before.1);
            Line { audit, ranges }
        };
        audits.into_iter().map(line).collect()
    }

    /// The architectures that are listed, and this machine's, as libseccomp has it.
    fn tables(&self, warnings: &mut Vec<Warning>) -> BTreeSet<Table> {
        let mut tables: BTreeSet<Table> = Table::native().into_iter().collect();
        let mut without = BTreeSet::new();
        for arch in &self.architectures {
            match Table::of(*arch) {
                Some(table) => {
                    tables.insert(table);
                }
                None if *arch == Arch::ScmpArchNative => {}
                None => {
                    without.insert(arch.to_string());
                }
            }
        }
        if !without.is_empty() {
            let names = without.into_iter().collect::<Vec<_>>().join(", ");
            let what = format!(
                "{names} left out: this runtime has no table of its calls, and kills whoever makes one"
            );
            warnings.push(Warning::new(format!("{AT}.architectures"), what));
        }
        tables
    }

    /// Names that no architecture has: calls of newer kernels, slips.
    fn tell_unknown(&self, warnings: &mut Vec<Warning>) {
        let names: BTreeSet<&str> =
            self.rules.iter().flat_map(|rule| rule.names).map(String::as_str).collect();
        let unknown: Vec<&str> = names
            .into_iter()
            .filter(|name| !Table::ALL.iter().any(|table| table.number(name).is_some()))
            .collect();
        if !unknown.is_empty() {
            let what = format!("unknown calls left out: {}", unknown.join(", "));
            warnings.push(Warning::new(format!("{AT}.syscalls"), what));
        }
    }

    /// The ranges of `table`, whose numbers begin with `first`.
    fn add_ranges(&self, table: Table, first: u32, ranges: &mut Vec<(u32, Outcome)>) {
        let default = Outcome::Always(self.default);
        ranges.push((first, default.clone()));
        for (number, outcome) in self.outcomes(table) {
            match ranges.last_mut() {
                Some(last) if last.0 == number => last.1 = outcome,
                _ => ranges.push((number, outcome)),
            }
            ranges.push((number + 1, default.clone()));
        }
        let newest =
            self.rules.iter().flat_map(|rule| rule.names).filter_map(|name| table.number(name)).max();
        let newer = newest.filter(|_| !self.default_passes).map(|number| number + 1);
        if let Some(newer) = newer {
            // Behind the newest call's own range, if it has one, begins the default's.
            ranges.pop_if(|last| last.0 == newer);
            ranges.push((newer, Outcome::Always(action::NOT_THERE)));
        }
    }

    /// By number, what differs from the default.
    fn outcomes(&self, table: Table) -> BTreeMap<u32, Outcome> {
        let mut always: BTreeMap<u32, u32> = BTreeMap::new();
        let mut sometimes: BTreeMap<u32, Vec<Alternative>> = BTreeMap::new();
        for rule in self.rules.iter().filter(|rule| rule.answer != self.default) {
            if rule.conditions.iter().any(Vec::is_empty) {
                for (number, condition) in rule.names.iter().filter_map(|name| multiplex::of(table, name)) {
                    let alternative = Alternative { conditions: vec![condition], answer: rule.answer };
                    sometimes.entry(number).or_default().push(alternative);
                }
            }
            for number in rule.names.iter().filter_map(|name| table.number(name)) {
                for conditions in &rule.conditions {
                    if conditions.is_empty() {
                        always.entry(number).or_insert(rule.answer);
                    } else {
                        let alternative = Alternative { conditions: conditions.clone(), answer: rule.answer };
                        sometimes.entry(number).or_default().push(alternative);
                    }
                }
            }
        }
        let mut outcomes: BTreeMap<u32, Outcome> = sometimes
            .into_iter()
            .map(|(number, alternatives)| {
                (number, Outcome::Depends { alternatives, otherwise: self.default, wide: table.is_wide() })
            })
            .collect();
        outcomes.extend(always.into_iter().map(|(number, answer)| (number, Outcome::Always(answer))));
        outcomes
    }
}

/// `listenerPath` and `listenerMetadata` ("Seccomp").
fn check_listener(seccomp: &LinuxSeccomp) -> Result<(), Problem> {
    let notifies = seccomp.syscalls().iter().flatten().any(|rule| rule.action() == Action::ScmpActNotify);
    let path = seccomp.listener_path().as_ref().filter(|path| !path.as_os_str().is_empty());
    let at = format!("{AT}.listenerPath");
    match path {
        None if notifies => {
            Err(Problem::config(at, "absent", "SCMP_ACT_NOTIFY needs the socket of whoever answers; name it"))
        }
        None if seccomp.listener_metadata().as_ref().is_some_and(|data| !data.is_empty()) => {
            let accepted = "it \"MUST NOT be set if `listenerPath` is not set\"";
            Err(Problem::config(format!("{AT}.listenerMetadata"), "set", accepted))
        }
        Some(path) if notifies && !path.is_absolute() => {
            Err(Problem::config(at, path.display().to_string(), "an absolute path"))
        }
        _ => Ok(()),
    }
}

fn read_rule<'a>(
    syscall: &'a LinuxSyscall,
    at: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Rule<'a>, Problem> {
    let names = syscall.names();
    if names.is_empty() || names.iter().any(String::is_empty) {
        let accepted = "\"MUST contain at least one entry\", each the name of a call";
        return Err(Problem::config(format!("{at}.names"), "an empty list or name", accepted));
    }
    // The listener is handed on after the filter was loaded, by these calls; runc refuses `write` for the same reason.
    let needed = names.iter().find(|name| matches!(name.as_str(), "write" | "sendmsg"));
    if let (Some(name), Action::ScmpActNotify) = (needed, syscall.action()) {
        let accepted = "the runtime needs it to hand the listener on; notify another call";
        return Err(Problem::config(format!("{at}.names"), format!("SCMP_ACT_NOTIFY for {name}"), accepted));
    }
    let answer = answer(syscall.action(), syscall.errno_ret(), &format!("{at}.errnoRet"))?;
    let mut conditions = Vec::new();
    for (place, argument) in syscall.args().iter().flatten().enumerate() {
        conditions.push(read_condition(argument, &format!("{at}.args[{place}]"))?);
    }
    let tested: BTreeSet<u8> = conditions.iter().map(|condition| condition.argument).collect();
    let conditions = if tested.len() < conditions.len() {
        let what = "tests an argument twice: each test counts by itself, as runc and crun have it";
        warnings.push(Warning::new(format!("{at}.args"), what));
        conditions.into_iter().map(|condition| vec![condition]).collect()
    } else {
        vec![conditions]
    };
    Ok(Rule { names, answer, conditions })
}

fn read_condition(argument: &LinuxSeccompArg, at: &str) -> Result<Condition, Problem> {
    let index = argument.index();
    if index >= ARGUMENTS {
        return Err(Problem::config(format!("{at}.index"), index.to_string(), "a call has arguments 0 to 5"));
    }
    let (value, mask) = match argument.op() {
        LinuxSeccompOperator::ScmpCmpMaskedEq => {
            // `value` is the mask, `valueTwo` what must be left; bits outside of the mask don't count.
            (argument.value_two().unwrap_or(0) & argument.value(), argument.value())
        }
        _ => (argument.value(), u64::MAX),
    };
    Ok(Condition { argument: index as u8, operator: argument.op(), value, mask })
}
