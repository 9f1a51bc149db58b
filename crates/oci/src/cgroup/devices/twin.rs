//! The rules' meaning, said as slowly as can be: what is compiled for either version is held against it.

use proptest::prelude::*;

use super::{Access, Devices, Kind, Rule};

/// What a process wants of a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) kind: Kind,
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) access: Access,
}

/// Whether the rules allow it: each kind of access by the last rule that fits.
pub(super) fn allowed(rules: &[Rule], wish: Wish) -> bool {
    let fits = |rule: &&Rule, access| {
        let Devices { kind, major, minor } = rule.devices;
        kind.is_none_or(|kind| kind == wish.kind)
            && major.is_none_or(|major| major == wish.major)
            && minor.is_none_or(|minor| minor == wish.minor)
            && !rule.access.both(access).is_none()
    };
    let each = [Access::MKNOD, Access::READ, Access::WRITE];
    let wanted = each.into_iter().filter(|access| !wish.access.both(*access).is_none());
    wanted
        .into_iter()
        .all(|access| rules.iter().rev().find(|rule| fits(rule, access)).is_some_and(|rule| rule.allow))
}

/// Few numbers, so that rules meet; among them those that the kernel could take for negative.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0..4_u32, Just(u32::MAX), Just(1 << 31)]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Block), Just(Kind::Char)]
}

fn access() -> impl Strategy<Value = Access> {
    (1..=7_u8).prop_map(Access)
}

/// Rules as a configuration may hold them.
pub(super) fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let devices =
        (proptest::option::of(kind()), proptest::option::of(number()), proptest::option::of(number()))
            .prop_map(|(kind, major, minor)| Devices { kind, major, minor });
    let rule = (any::<bool>(), devices, access()).prop_map(|(allow, devices, access)| Rule {
        allow,
        devices,
        access,
    });
    proptest::collection::vec(rule, 0..8)
}

/// What a process may want.
pub(super) fn wish() -> impl Strategy<Value = Wish> {
    (kind(), number(), number(), access()).prop_map(|(kind, major, minor, access)| Wish {
        kind,
        major,
        minor,
        access,
    })
}

#[test]
fn the_last_rule_that_fits_decides() {
    let all = |allow| Rule {
        allow,
        devices: Devices { kind: None, major: None, minor: None },
        access: Access::ALL,
    };
    let tty = Rule {
        allow: true,
        devices: Devices { kind: Some(Kind::Char), major: Some(5), minor: None },
        access: Access::READ,
    };
    let wish = |minor, access| Wish { kind: Kind::Char, major: 5, minor, access };
    let table = [
        (vec![], wish(0, Access::READ), false),
        (vec![tty], wish(0, Access::READ), true),
        (vec![tty], wish(0, Access::READ | Access::WRITE), false),
        (vec![tty, all(false)], wish(0, Access::READ), false),
        (vec![all(true), all(false), tty], wish(9, Access::READ), true),
        (vec![all(true), Rule { allow: false, ..tty }], wish(9, Access::READ), false),
        (vec![all(true), Rule { allow: false, ..tty }], wish(9, Access::WRITE), true),
    ];
    for (rules, wish, expected) in table {
        assert_eq!(allowed(&rules, wish), expected, "{rules:?} {wish:?}");
    }
}
