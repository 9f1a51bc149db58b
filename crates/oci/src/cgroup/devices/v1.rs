//! Rules in the words of version 1: a group allows all or nothing, but for a list of exceptions (`devices.allow`,
//! `devices.deny`, `devices.list`; kernel, cgroup-v1/devices.rst).
//!
//! The kernel takes an exception back only where it is named exactly, and ignores anything else without a word. So the list is
//! made up here, what a group of version 1 can't express is refused, and only what differs from the group's own list is written:
//! during an update nothing is refused that is allowed before and after.

use std::collections::BTreeMap;

use super::super::apply::Control;
use super::{AT, Access, Devices, Kind, Rule};
use crate::Problem;

/// What a group of version 1 holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct List {
    /// Whether what is not listed is allowed.
    allows: bool,
    exceptions: BTreeMap<Devices, Access>,
}

pub(super) fn apply(control: &Control, rules: &[Rule]) -> Result<(), Problem> {
    let wanted = List::of(rules)?;
    let now = control.folder.read("devices.list").unwrap_or_default();
    steps(&List::read(&now), &wanted).iter().try_for_each(|(file, text)| control.set(AT, file, text))
}

impl List {
    /// The list that rules amount to.
    fn of(rules: &[Rule]) -> Result<Self, Problem> {
        let mut list = Self::default();
        for rule in rules {
            if rule.is_for_all() {
                list = Self { allows: rule.allow, ..Self::default() };
            } else if rule.devices.kind.is_none() {
                list.add(&Rule { devices: Devices { kind: Some(Kind::Block), ..rule.devices }, ..*rule })?;
                list.add(&Rule { devices: Devices { kind: Some(Kind::Char), ..rule.devices }, ..*rule })?;
            } else {
                list.add(rule)?;
            }
        }
        Ok(list)
    }

    fn add(&mut self, rule: &Rule) -> Result<(), Problem> {
        if rule.allow != self.allows {
            let exception = self.exceptions.entry(rule.devices).or_default();
            *exception = *exception | rule.access;
            return Ok(());
        }
        for (devices, access) in &mut self.exceptions {
            if covers(&rule.devices, devices) {
                *access = access.without(rule.access);
            } else if meet(&rule.devices, devices) && !access.both(rule.access).is_none() {
                let found = format!("{} after {}", text(&rule.devices, rule.access), text(devices, *access));
                let accepted = "control groups version 1 take a part of an exception back only as a whole: list the \
                                devices one by one";
                return Err(Problem::config(AT, found, accepted));
            }
        }
        self.exceptions.retain(|_, access| !access.is_none());
        Ok(())
    }

    /// The list with each exception holding what those around it hold, too: of a group that allows nothing else, the kernel wants
    /// one that has all that is asked for.
    fn gathered(&self) -> BTreeMap<Devices, Access> {
        let around = |inner: &Devices| {
            let covering = self.exceptions.iter().filter(|(devices, _)| covers(devices, inner));
            covering.fold(Access::default(), |all, (_, access)| all | *access)
        };
        self.exceptions.keys().map(|devices| (*devices, around(devices))).collect()
    }

    /// `devices.list`. A group that allows all does not tell its exceptions.
    fn read(text: &str) -> Self {
        let mut list = Self::default();
        for line in text.lines() {
            match exception(line) {
                Some((Devices { kind: None, .. }, _)) => list.allows = true,
                Some((devices, access)) => drop(list.exceptions.insert(devices, access)),
                None => {}
            }
        }
        list
    }
}

/// What has to be written where to get from one list to another: what becomes allowed first.
fn steps(now: &List, wanted: &List) -> Vec<(&'static str, String)> {
    let (allow, deny) = ("devices.allow", "devices.deny");
    if wanted.allows {
        let exceptions = wanted.exceptions.iter().map(|(devices, access)| (deny, text(devices, *access)));
        return std::iter::once((allow, "a".to_owned())).chain(exceptions).collect();
    }
    let anew = now.allows.then(|| (deny, "a".to_owned()));
    let now = if now.allows { BTreeMap::new() } else { now.exceptions.clone() };
    let wanted = wanted.gathered();
    let of = |list: &BTreeMap<Devices, Access>, devices| list.get(devices).copied().unwrap_or_default();
    let more = wanted.iter().map(|(devices, access)| (allow, devices, access.without(of(&now, devices))));
    let less = now.iter().map(|(devices, access)| (deny, devices, access.without(of(&wanted, devices))));
    let steps = more.chain(less).filter(|(_, _, access)| !access.is_none());
    anew.into_iter().chain(steps.map(|(file, devices, access)| (file, text(devices, access)))).collect()
}

/// Whether all devices of `inner` are among those of `outer`.
fn covers(outer: &Devices, inner: &Devices) -> bool {
    let covers = |outer: Option<u32>, inner| outer.is_none() || outer == inner;
    outer.kind == inner.kind && covers(outer.major, inner.major) && covers(outer.minor, inner.minor)
}

/// Whether any device is of both.
fn meet(one: &Devices, other: &Devices) -> bool {
    let meet = |one: Option<u32>, other: Option<u32>| one.is_none() || other.is_none() || one == other;
    one.kind == other.kind && meet(one.major, other.major) && meet(one.minor, other.minor)
}

/// `c 1:3 rwm`
fn text(devices: &Devices, access: Access) -> String {
    let kind = match devices.kind {
        None => 'a',
        Some(Kind::Block) => 'b',
        Some(Kind::Char) => 'c',
    };
    let number = |number: Option<u32>| number.map_or("*".to_owned(), |number| number.to_string());
    let letters = [(Access::READ, 'r'), (Access::WRITE, 'w'), (Access::MKNOD, 'm')];
    let letters: String =
        letters.iter().filter(|(one, _)| !access.both(*one).is_none()).map(|(_, letter)| letter).collect();
    format!("{kind} {}:{} {letters}", number(devices.major), number(devices.minor))
}

fn exception(line: &str) -> Option<(Devices, Access)> {
    let mut words = line.split_ascii_whitespace();
    let kind = match words.next()? {
        "a" => None,
        "b" => Some(Kind::Block),
        "c" => Some(Kind::Char),
        _ => return None,
    };
    let (major, minor) = words.next()?.split_once(':')?;
    let number = |text: &str| if text == "*" { Some(None) } else { text.parse().ok().map(Some) };
    let letters = words.next()?;
    let has = |letter, access| if letters.contains(letter) { access } else { Access::default() };
    let access = has('r', Access::READ) | has('w', Access::WRITE) | has('m', Access::MKNOD);
    Some((Devices { kind, major: number(major)?, minor: number(minor)? }, access))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::DEFAULT;
    use super::super::twin::{Wish, allowed, rules, wish};
    use super::*;

    /// What the kernel allows with such a list (`devcgroup_legacy_check_permission`): among exceptions that allow, one has to
    /// have all that is wanted; among those that deny, none may have any of it.
    fn kernel_allows(list: &List, wish: Wish) -> bool {
        let device = Devices { kind: Some(wish.kind), major: Some(wish.major), minor: Some(wish.minor) };
        let mut fit = list.exceptions.iter().filter(|(devices, _)| covers(devices, &device));
        if list.allows {
            fit.all(|(_, access)| access.both(wish.access).is_none())
        } else {
            fit.any(|(_, access)| wish.access.without(*access).is_none())
        }
    }

    /// A group of the kernel's that is written to.
    fn written(mut list: List, steps: &[(&str, String)]) -> List {
        for (file, text) in steps {
            let allow = *file == "devices.allow";
            if text == "a" {
                list = List { allows: allow, ..List::default() };
                continue;
            }
            let (devices, access) = exception(text).unwrap();
            let old = list.exceptions.get(&devices).copied().unwrap_or_default();
            let new = if allow == list.allows { old.without(access) } else { old | access };
            list.exceptions.insert(devices, new);
            list.exceptions.retain(|_, access| !access.is_none());
        }
        list
    }

    proptest! {
        #[test]
        fn a_list_allows_what_its_rules_allow(before in rules(), rules in rules(), wish in wish()) {
            let (Ok(before), Ok(list)) = (List::of(&before), List::of(&rules)) else { return Ok(()) };
            let steps = steps(&before, &list);
            let kernel = kernel_allows(&written(before, &steps), wish);
            // One kind of access alone; for several at once the kernel may want more of a list than of its rules, never less.
            if wish.access.0.count_ones() == 1 {
                prop_assert_eq!(kernel, allowed(&rules, wish));
            } else {
                prop_assert!(!kernel || allowed(&rules, wish));
            }
        }

        #[test]
        fn what_was_written_can_be_read(rules in rules()) {
            let Ok(list) = List::of(&rules) else { return Ok(()) };
            let text: Vec<String> = list.exceptions.iter().map(|(devices, access)| text(devices, *access)).collect();
            prop_assert_eq!(List::read(&text.join("\n")).exceptions, list.exceptions);
        }
    }

    #[test]
    fn only_what_differs_is_written() {
        let list = List::of(&DEFAULT).unwrap();
        let fresh = steps(&List::read("a *:* rwm\n"), &list);
        assert_eq!(fresh.first(), Some(&("devices.deny", "a".to_owned())));
        assert!(fresh.contains(&("devices.allow", "c 136:* rwm".to_owned())));
        assert!(fresh.contains(&("devices.allow", "b *:* m".to_owned())));
        assert_eq!(fresh.len(), 11);
        let group = List { allows: false, exceptions: list.gathered() };
        assert_eq!(steps(&group, &list), []);
        let more = Rule::allow(Kind::Block, Some(8), Some(0), Access::READ);
        let more = List::of(&[&[more], &DEFAULT[..]].concat()).unwrap();
        assert_eq!(steps(&group, &more), [("devices.allow", "b 8:0 rm".to_owned())]);
        let group = List { allows: false, exceptions: more.gathered() };
        assert_eq!(steps(&group, &list), [("devices.deny", "b 8:0 rm".to_owned())]);
    }

    #[test]
    fn a_hole_in_an_exception_is_refused() {
        let hole = Rule { allow: false, ..Rule::allow(Kind::Char, Some(1), Some(3), Access::ALL) };
        let rules = [Rule::allow(Kind::Char, Some(1), None, Access::READ), hole];
        let problem = List::of(&rules).unwrap_err().to_string();
        assert!(problem.contains("c 1:3 rwm after c 1:* r"), "{problem}");
        assert!(List::of(&[hole]).is_ok(), "nothing is taken back");
    }
}
