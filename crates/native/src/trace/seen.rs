//! One start, as it was seen.

use std::collections::BTreeMap;

use super::{Call, Event, What};

/// A moment of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A program of that name begins.
    Begins(&'static str),
    /// A child of the program of that name begins another.
    ChildBegins(&'static str),
    /// A process calls itself so.
    Calls(&'static str),
    /// The last program begins before a process calls itself so.
    LastBefore(&'static str),
    /// The first system call of that kind by a program of that name.
    First(&'static str, Call),
    /// The last one before the tenant's process is made.
    Last(&'static str, Call),
    /// A program of that name makes a process.
    Forks(&'static str),
    /// The process that is going to make the tenant's is there.
    MakerBorn,
    /// Whoever makes the tenant's process is about to.
    Making,
    /// The tenant's process is there.
    Born,
    /// The first system call of that kind by the tenant's process.
    Own(Call),
    /// The last one before its program begins.
    LastOwn(Call),
    /// The tenant's own first instruction.
    Instruction,
}

/// What one process did, under the name that it had then.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Act {
    at_ns: u64,
    pid: u32,
    name: String,
    what: What,
}

/// A start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    acts: Vec<Act>,
    tenant: u32,
    /// Why nothing was seen, or not all.
    pub(crate) blind: Option<String>,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let begin_ns = self.acts.first().map_or(0, |act| act.at_ns);
        for Act { at_ns, pid, name, what } in &self.acts {
            writeln!(f, "{:9.3} ms {pid} {name}: {what:?}", (at_ns - begin_ns) as f64 / 1e6)?;
        }
        Ok(())
    }
}

impl Seen {
    /// Nothing, and why.
    pub(crate) fn nothing(why: String) -> Self {
        Self { blind: Some(why), ..Self::default() }
    }

    /// What processes in `present`, by number and name, and their descendants did until the tenant's process, of that number, was there.
    pub(crate) fn of(events: Vec<Event>, present: BTreeMap<u32, String>, tenant: u32) -> Self {
        let mut names = present;
        let mut acts = Vec::new();
        for Event { at_ns, pid, what } in events {
            let Some(name) = names.get(&pid).cloned() else { continue };
            match &what {
                What::Fork { child } => {
                    names.insert(*child, name.clone());
                }
                What::Begins(new) | What::Calls(new) => {
                    names.insert(pid, new.clone());
                }
                What::Call(_) | What::Ends => {}
            }
            acts.push(Act { at_ns, pid, name, what });
        }
        Self { acts, tenant, blind: None }
    }

    /// The instant (ns of the clock) of a mark at `after_ns` or later; that of the first instruction is not seen from here.
    pub(crate) fn at(&self, mark: Mark, after_ns: u64) -> Option<u64> {
        let later = || self.acts.iter().filter(|act| act.at_ns >= after_ns);
        let first = |is: &dyn Fn(&Act) -> bool| later().find(|act| is(act)).map(|act| act.at_ns);
        let last = |before_ns: u64, is: &dyn Fn(&Act) -> bool| {
            later().filter(|act| act.at_ns <= before_ns && is(act)).last().map(|act| act.at_ns)
        };
        let born_ns = || self.born().map(|act| act.at_ns);
        match mark {
            Mark::Begins(name) => first(&|act| matches!(&act.what, What::Begins(new) if new == name)),
            Mark::ChildBegins(name) => {
                let children = self.children_of(name);
                first(&|act| matches!(act.what, What::Begins(_)) && children.contains(&act.pid))
            }
            Mark::Calls(name) => first(&|act| calls(act, name)),
            Mark::LastBefore(name) => {
                let end = later().find(|act| calls(act, name))?;
                let begins = |act: &Act| act.pid == end.pid && matches!(act.what, What::Begins(_));
                last(end.at_ns, &begins)
            }
            Mark::First(name, call) => first(&|act| act.name == name && act.what == What::Call(call)),
            Mark::Last(name, call) => {
                last(born_ns()?, &|act| act.name == name && act.what == What::Call(call))
            }
            Mark::Forks(name) => first(&|act| act.name == name && matches!(act.what, What::Fork { .. })),
            Mark::MakerBorn => {
                let maker = self.born()?.pid;
                first(&|act| act.what == What::Fork { child: maker })
            }
            Mark::Making => {
                let born = self.born()?;
                last(born.at_ns, &|act| act.pid == born.pid && act.what == What::Call(Call::Clone))
            }
            Mark::Born => born_ns().filter(|born_ns| *born_ns >= after_ns),
            Mark::Own(call) => first(&|act| act.pid == self.tenant && act.what == What::Call(call)),
            Mark::LastOwn(call) => {
                let begins = |act: &&Act| act.pid == self.tenant && matches!(act.what, What::Begins(_));
                let program_ns = later().rfind(begins)?.at_ns;
                last(program_ns, &|act| act.pid == self.tenant && act.what == What::Call(call))
            }
            Mark::Instruction => None,
        }
    }

    /// When programs of that name began, and when their processes ended, as far as that was seen (ns of the clock).
    pub(crate) fn lives(&self, program: &str) -> Vec<(u64, Option<u64>)> {
        let begun = self.acts.iter().filter(|act| matches!(&act.what, What::Begins(new) if new == program));
        begun
            .map(|begun| {
                let ends = |act: &&Act| act.pid == begun.pid && act.what == What::Ends;
                (begun.at_ns, self.acts.iter().find(ends).map(|act| act.at_ns))
            })
            .collect()
    }

    /// How the tenant's process was made.
    fn born(&self) -> Option<&Act> {
        self.acts.iter().rfind(|act| act.what == What::Fork { child: self.tenant })
    }

    fn children_of(&self, name: &str) -> Vec<u32> {
        let child = |act: &Act| match act.what {
            What::Fork { child } if act.name == name => Some(child),
            _ => None,
        };
        self.acts.iter().filter_map(child).collect()
    }
}

fn calls(act: &Act, name: &str) -> bool {
    matches!(&act.what, What::Calls(new) if new == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: u32 = 12;

    /// A start by `runc`, as strace showed it, of which one thing happens each ten nanoseconds. 10 is the runtime, 11 `runc init`.
    fn seen() -> Seen {
        let begins = |name: &str| What::Begins(name.to_owned());
        let calls = |name: &str| What::Calls(name.to_owned());
        let all = [
            (1, What::Fork { child: 10 }),
            (10, begins("runc")),
            (10, What::Call(Call::Clone)),
            (10, What::Fork { child: 11 }),
            (99, What::Call(Call::Mount)),
            (11, begins("exe")),
            (11, begins("6")),
            (11, calls("runc:[0:PARENT]")),
            (11, What::Call(Call::Clone)),
            (11, What::Fork { child: TENANT }),
            (TENANT, What::Call(Call::Mount)),
            (TENANT, What::Call(Call::Pivot)),
            (TENANT, What::Call(Call::Pivoted)),
            (TENANT, What::Call(Call::Confine)),
            (TENANT, What::Call(Call::Confine)),
            (TENANT, What::Call(Call::Execute)),
            (TENANT, begins("catamaran-worke")),
            (TENANT, What::Call(Call::Confine)),
        ];
        let events =
            all.into_iter().zip((0..).step_by(10)).map(|((pid, what), at_ns)| Event { at_ns, pid, what });
        Seen::of(events.collect(), BTreeMap::from([(1, "launcher".to_owned())]), TENANT)
    }

    #[test]
    fn marks_of_a_start() {
        let seen = seen();
        let table = [
            (Mark::Begins("runc"), Some(10)),
            (Mark::ChildBegins("runc"), Some(50)),
            (Mark::LastBefore("runc:[0:PARENT]"), Some(60)),
            (Mark::Calls("runc:[0:PARENT]"), Some(70)),
            (Mark::Forks("launcher"), Some(0)),
            (Mark::First("runc", Call::Clone), Some(20)),
            (Mark::Last("runc", Call::Mount), None),
            (Mark::MakerBorn, Some(30)),
            (Mark::Making, Some(80)),
            (Mark::Born, Some(90)),
            (Mark::Own(Call::Mount), Some(100)),
            (Mark::Own(Call::Pivoted), Some(120)),
            (Mark::LastOwn(Call::Confine), Some(140)),
            (Mark::LastOwn(Call::Execute), Some(150)),
            (Mark::Instruction, None),
        ];
        for (mark, expected) in table {
            assert_eq!(seen.at(mark, 0), expected, "{mark:?}");
        }
        assert_eq!(seen.at(Mark::Begins("runc"), 11), None, "what was before does not count");
        assert_eq!(seen.lives("exe"), [(50, None)]);
        assert!(!seen.to_string().contains("99"), "what strangers do is not kept: {seen}");
    }

    #[test]
    fn where_nothing_was_seen_nothing_is_known() {
        let blind = Seen::nothing("no permission".to_owned());
        for mark in [Mark::Born, Mark::Making, Mark::MakerBorn, Mark::Own(Call::Pivot), Mark::Begins("runc")]
        {
            assert_eq!(blind.at(mark, 0), None, "{mark:?}");
        }
    }
}
