//! The slow twin: the rules of a profile read one by one for each call.

use oci_spec::runtime::{
    LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompOperator as Operator, LinuxSyscall,
};

use super::interpreter::Call;
use super::{KILL, NOT_THERE, Table, X32};

/// What `profile` says of `call`.
pub(super) fn judge(profile: &LinuxSeccomp, call: &Call) -> u32 {
    let default = profile.default_action().as_u32(profile.default_errno_ret());
    let listed = listed(profile);
    if !listed.iter().any(|table| table.audit() == call.architecture) {
        return KILL;
    }
    if call.number == u32::MAX {
        return default;
    }
    let Some(table) =
        listed.into_iter().find(|table| table.audit() == call.architecture && is_of(*table, call.number))
    else {
        return KILL;
    };
    let rules = profile.syscalls().as_deref().unwrap_or_default();
    let newest = rules.iter().flat_map(LinuxSyscall::names).filter_map(|name| table.number(name)).max();
    let passes = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"]
        .contains(&profile.default_action().to_string().as_str());
    if !passes && newest.is_some_and(|newest| call.number > newest) {
        return NOT_THERE;
    }
    let about: Vec<&LinuxSyscall> = rules
        .iter()
        .filter(|rule| said(rule) != default)
        .filter(|rule| is_named(rule, table, call) || is_meant(rule, table, call))
        .collect();
    if let Some(always) = about.iter().find(|rule| tests(rule).is_empty() && is_named(rule, table, call)) {
        return said(always);
    }
    let holds = |rule: &&&LinuxSyscall| {
        let tests = tests(rule);
        let mut indices: Vec<usize> = tests.iter().map(LinuxSeccompArg::index).collect();
        indices.sort_unstable();
        if indices.windows(2).any(|two| two[0] == two[1]) {
            tests.iter().any(|one| test(one, table, call))
        } else {
            tests.iter().all(|one| test(one, table, call))
        }
    };
    about.iter().find(holds).map_or(default, |rule| said(rule))
}

/// A rule that names the call.
fn is_named(rule: &LinuxSyscall, table: Table, call: &Call) -> bool {
    rule.names().iter().any(|name| table.number(name) == Some(call.number))
}

/// A rule without tests of a call for which 32-bit x86 has another call, and the first argument says that it is this one.
fn is_meant(rule: &LinuxSyscall, table: Table, call: &Call) -> bool {
    let meant = match (call.number, call.arguments[0] as u32) {
        (102, 1) => "socket",
        (102, 16) => "sendmsg",
        (117, first) if first & 0xffff == 21 => "shmat",
        _ => return false,
    };
    table == Table::X86
        && rule.args().iter().flatten().count() == 0
        && rule.names().iter().any(|name| name == meant)
}

fn listed(profile: &LinuxSeccomp) -> Vec<Table> {
    let named = profile.architectures().iter().flatten().filter_map(|one| Table::of(*one));
    Table::native().into_iter().chain(named).collect()
}

/// x32 calls are those of x86-64's architecture with bit 30.
fn is_of(table: Table, number: u32) -> bool {
    match table {
        Table::X86_64 => number < X32,
        Table::X32 => number >= X32,
        _ => true,
    }
}

fn said(rule: &LinuxSyscall) -> u32 {
    let action: LinuxSeccompAction = rule.action();
    action.as_u32(rule.errno_ret())
}

fn tests<'a>(rule: &&'a LinuxSyscall) -> &'a [LinuxSeccompArg] {
    rule.args().as_deref().unwrap_or_default()
}

fn test(one: &LinuxSeccompArg, table: Table, call: &Call) -> bool {
    let width = if matches!(table, Table::X86_64 | Table::Aarch64) { u64::MAX } else { 0xffff_ffff };
    let (argument, value) = (call.arguments[one.index()] & width, one.value() & width);
    match one.op() {
        Operator::ScmpCmpEq => argument == value,
        Operator::ScmpCmpNe => argument != value,
        Operator::ScmpCmpGt => argument > value,
        Operator::ScmpCmpGe => argument >= value,
        Operator::ScmpCmpLt => argument < value,
        Operator::ScmpCmpLe => argument <= value,
        Operator::ScmpCmpMaskedEq => argument & value == one.value_two().unwrap_or(0) & value,
    }
}
