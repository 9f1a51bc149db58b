//! Profiles and calls by chance, against the slow twin.

use oci_spec::runtime::LinuxSeccompOperator as Operator;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::interpreter::{Call, run};
use super::{Table, compile, read, twin};

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        prop::sample::select(vec![
            0,
            1,
            2,
            3,
            16,
            21,
            (7 << 16) | 21,
            0xffff_ffff,
            1 << 32,
            (1 << 32) | 1,
            (2 << 32) | 2,
            u64::MAX
        ]),
        any::<u64>(),
    ]
}

fn action() -> impl Strategy<Value = (&'static str, Option<u32>)> {
    prop_oneof![
        Just(("SCMP_ACT_ALLOW", None)),
        Just(("SCMP_ACT_LOG", None)),
        Just(("SCMP_ACT_TRAP", None)),
        Just(("SCMP_ACT_KILL_PROCESS", None)),
        prop::option::of(0_u32..4096).prop_map(|errno| ("SCMP_ACT_ERRNO", errno)),
        prop::option::of(0_u32..65_536).prop_map(|errno| ("SCMP_ACT_TRACE", errno)),
    ]
}

const NAMES: [&str; 13] = [
    "read",
    "mount",
    "clone",
    "socket",
    "execve",
    "personality",
    "chown32",
    "openat2",
    "no_such",
    "socketcall",
    "ipc",
    "sendmsg",
    "shmat",
];
const ARCHITECTURES: [&str; 5] =
    ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"];
const OPERATORS: [Operator; 7] = [
    Operator::ScmpCmpNe,
    Operator::ScmpCmpLt,
    Operator::ScmpCmpLe,
    Operator::ScmpCmpEq,
    Operator::ScmpCmpGe,
    Operator::ScmpCmpGt,
    Operator::ScmpCmpMaskedEq,
];

fn rule() -> impl Strategy<Value = Value> {
    let test = (0_u32..6, value(), prop::option::of(value()), prop::sample::select(OPERATORS.to_vec())).prop_map(
        |(index, value, second, operator)| json!({"index": index, "value": value, "valueTwo": second, "op": operator.to_string()}),
    );
    let names = prop::sample::subsequence(NAMES.to_vec(), 1..4);
    (names, action(), prop::collection::vec(test, 0..4)).prop_map(|(names, (action, errno), args)| {
        json!({"names": names, "action": action, "errnoRet": errno, "args": args})
    })
}

fn profile() -> impl Strategy<Value = Value> {
    let architectures = prop::sample::subsequence(ARCHITECTURES.to_vec(), 0..=5);
    (action(), architectures, prop::collection::vec(rule(), 0..8)).prop_map(|((action, errno), architectures, rules)| {
        json!({"defaultAction": action, "defaultErrnoRet": errno, "architectures": architectures, "syscalls": rules})
    })
}

fn any_call() -> impl Strategy<Value = Call> {
    let near = (prop::sample::select(NAMES.to_vec()), prop::sample::select(Table::ALL.to_vec()), 0_u32..3)
        .prop_map(|(name, table, off)| {
            (table.number(name).unwrap_or(9).wrapping_add(off).wrapping_sub(1), table.audit())
        });
    let far = (any::<u32>(), prop::sample::select(vec![Table::X86_64.audit(), Table::Arm.audit(), 0]));
    (prop_oneof![4 => near, 1 => far], prop::array::uniform6(value()))
        .prop_map(|((number, architecture), arguments)| Call { number, architecture, arguments })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_profile_decides_any_call_as_its_rules_read_one_by_one(
        profile in profile(), calls in prop::collection::vec(any_call(), 40)
    ) {
        let profile = read(profile);
        let (filter, _) = compile(&profile).unwrap();
        for call in calls {
            prop_assert_eq!(run(&filter.instructions, &call), twin::judge(&profile, &call), "{:?}", call);
        }
    }
}
