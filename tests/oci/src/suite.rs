//! Runs the cases against one runtime, a few at a time.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::bed::Bed;
use crate::check::{Fault, Verdict};
use crate::host::Host;
use crate::leftovers;
use crate::runtime::{Runtime, version};

/// What the names of all beds begin with; the number of the suite's process follows, and that of the case.
pub(crate) const PREFIX: &str = "catamaran-c";

/// One case.
pub(crate) struct Case {
    /// Its name in its chapter: words with underscores.
    pub(crate) name: &'static str,
    /// The clause: file and section of the specification, and what it says in short.
    pub(crate) clause: &'static str,
    /// The version of the specification that brought it; none: it was always there.
    pub(crate) since: Option<&'static str>,
    /// Whether only machines with nothing but control groups of version 2 have what it asks for.
    pub(crate) of_v2: bool,
    pub(crate) run: fn(&mut Bed) -> Verdict,
}

impl Case {
    /// Of a clause that came with that version: a runtime of an older one may fail it.
    pub(crate) const fn since(mut self, version: &'static str) -> Self {
        self.since = Some(version);
        self
    }

    /// Of what control groups of version 2 alone have: asked only there.
    pub(crate) const fn of_v2(mut self) -> Self {
        self.of_v2 = true;
        self
    }
}

/// A case of a clause that every version has.
pub(crate) const fn case(name: &'static str, clause: &'static str, run: fn(&mut Bed) -> Verdict) -> Case {
    Case { name, clause, since: None, of_v2: false, run }
}

/// A chapter of cases.
pub(crate) struct Chapter {
    pub(crate) name: &'static str,
    pub(crate) cases: &'static [Case],
}

/// What came of one case with one runtime.
pub(crate) struct Outcome {
    /// `chapter::case`.
    pub(crate) name: String,
    pub(crate) clause: &'static str,
    pub(crate) runtime: String,
    pub(crate) version: String,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

/// A case to be run, with its full name.
pub(crate) type Chosen<'a> = (String, &'a Case);

/// Runs them all; `tell` hears of each as it ends.
pub(crate) fn run(
    runtime: &Runtime,
    host: &Host,
    probe: &Path,
    chosen: &[Chosen],
    jobs: usize,
    tell: &(dyn Fn(&Outcome) + Sync),
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((name, case)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = one(runtime, host, probe, name, case);
                    tell(&outcome);
                    // A panic of another thread ends the suite anyway.
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push(outcome);
                    }
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_default();
    let place = |name: &str| chosen.iter().position(|(one, _)| one == name);
    outcomes.sort_by_key(|outcome: &Outcome| place(&outcome.name));
    outcomes
}

fn one(runtime: &Runtime, host: &Host, probe: &Path, name: &str, case: &Case) -> Outcome {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = format!("{PREFIX}{}-{number}", std::process::id());
    let begun = Instant::now();
    let verdict = Bed::make(runtime, host, id, probe).and_then(|mut bed| {
        let verdict = (case.run)(&mut bed);
        let cleared = leftovers::clear(&mut bed);
        verdict.and(cleared)
    });
    Outcome {
        name: name.to_owned(),
        clause: case.clause,
        runtime: runtime.name.clone(),
        version: runtime.version.clone(),
        verdict: excused(runtime, case, verdict),
        took: begun.elapsed(),
    }
}

/// A runtime of an older specification may lack what a newer one brought.
fn excused(runtime: &Runtime, case: &Case, verdict: Verdict) -> Verdict {
    let needed = case.since.and_then(version);
    match (verdict, runtime.specification) {
        (Err(Fault::Wrong(why)), Some(of)) if needed.is_some_and(|needed| of < needed) => {
            let (major, minor, patch) = of;
            let since = case.since.unwrap_or_default();
            Err(Fault::Skip(format!(
                "the clause is of {since}, the runtime of {major}.{minor}.{patch}: {why}"
            )))
        }
        (verdict, _) => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_runtime_of_an_older_specification_is_excused() {
        let runtime = |specification| {
            let mut runtime: Runtime = "x=y".parse().unwrap();
            runtime.specification = specification;
            runtime
        };
        let new = case("a", "b", |_| Ok(())).since("1.1.0");
        let wrong = || Err(Fault::Wrong("w".into()));
        assert!(matches!(excused(&runtime(Some((1, 0, 2))), &new, wrong()), Err(Fault::Skip(_))));
        assert_eq!(excused(&runtime(Some((1, 1, 0))), &new, wrong()), wrong());
        assert_eq!(excused(&runtime(None), &new, wrong()), wrong());
        assert_eq!(excused(&runtime(Some((1, 0, 2))), &new, Ok(())), Ok(()));
        let always = case("a", "b", |_| Ok(()));
        assert_eq!(excused(&runtime(Some((1, 0, 2))), &always, wrong()), wrong());
    }
}
