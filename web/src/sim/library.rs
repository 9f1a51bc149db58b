//! The simulations that the figures in the prose are read from; each is run once.

use std::collections::HashMap;
use std::rc::Rc;

use catamaran_lessons::Run;
use catamaran_report::Report;
use yew::prelude::*;

use super::client::Client;
use super::protocol::{Answer, Failure, Request};

/// The reports that are there, by what was run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Library {
    reports: HashMap<Run, Result<Rc<Report>, Failure>>,
}

impl Library {
    /// The report of `run`, once it is there.
    #[must_use]
    pub fn report(&self, run: &Run) -> Option<&Rc<Report>> {
        self.reports.get(run)?.as_ref().ok()
    }

    /// The metric at `path` of `run`'s report.
    #[must_use]
    pub fn value(&self, run: &Run, path: &str) -> Option<f64> {
        self.report(run)?.value(path)
    }

    /// Why a simulation is missing, of the first that is.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.reports.values().find_map(|result| result.as_ref().err())
    }
}

impl Reducible for Library {
    type Action = (Run, Result<Rc<Report>, Failure>);

    fn reduce(self: Rc<Self>, (run, result): Self::Action) -> Rc<Self> {
        let mut next = Rc::unwrap_or_clone(self);
        next.reports.insert(run, result);
        Rc::new(next)
    }
}

/// Simulates each of `runs` once, in their order.
#[hook]
pub fn use_library(runs: Vec<Run>) -> UseReducerHandle<Library> {
    let library = use_reducer(Library::default);
    let asked = use_mut_ref(Vec::<Run>::new);
    let client = {
        let (library, asked) = (library.dispatcher(), asked.clone());
        use_memo((), |()| {
            Client::new(move |answer: Answer| {
                let run = asked.borrow().get(answer.id as usize).copied();
                if let Some(run) = run {
                    library.dispatch((run, answer.result.map(|done| Rc::new(done.report))));
                }
            })
        })
    };
    let library_now = library.dispatcher();
    use_effect_with(runs, move |runs| {
        for run in runs {
            let mut asked = asked.borrow_mut();
            if asked.contains(run) {
                continue;
            }
            asked.push(*run);
            match crate::lesson::changed(run.scenario, run.changes) {
                Ok(scenario) => {
                    let id = asked.len().saturating_sub(1) as u32;
                    client.ask(Request { id, scenario, platform: run.platform, timeline: false });
                }
                Err(refusal) => library_now.dispatch((*run, Err(Failure::Refused(refusal)))),
            }
        }
    });
    library
}
