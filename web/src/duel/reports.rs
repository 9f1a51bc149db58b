//! Simulations of which only the reports are wanted: all of them anew whenever one changes.

use std::rc::Rc;

use catamaran_report::Report;
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use crate::sim::{Answer, Client, Failure, Request, Wanted};

/// A slider that is being dragged asks once it has stood still for so long (ms).
const REST_MS: u32 = 120;

/// What was asked and what was answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Reports {
    first_id: u32,
    asked: Vec<Wanted>,
    answers: Vec<Option<Result<Rc<Report>, Failure>>>,
}

/// What happens to them.
#[derive(Debug)]
pub(super) enum Told {
    /// These were asked, with ids from this one on.
    Asked(u32, Vec<Wanted>),
    /// One was answered.
    Answered(u32, Result<Rc<Report>, Failure>),
}

impl Reports {
    /// The answer to `wanted`, once it is there.
    pub(super) fn answer(&self, wanted: &Wanted) -> Option<&Result<Rc<Report>, Failure>> {
        let index = self.asked.iter().position(|asked| asked == wanted)?;
        self.answers.get(index)?.as_ref()
    }
}

impl Reducible for Reports {
    type Action = Told;

    fn reduce(self: Rc<Self>, told: Told) -> Rc<Self> {
        match told {
            Told::Asked(first_id, asked) => {
                let answers = vec![None; asked.len()];
                Rc::new(Self { first_id, asked, answers })
            }
            Told::Answered(id, result) => {
                let mut next = Rc::unwrap_or_clone(self);
                let index = id.wrapping_sub(next.first_id) as usize;
                // An answer to what is no longer asked is dropped.
                if let Some(answer) = next.answers.get_mut(index) {
                    *answer = Some(result);
                }
                Rc::new(next)
            }
        }
    }
}

/// Simulates each of `wanted`, one after the other.
#[hook]
pub(super) fn use_reports(wanted: Vec<Wanted>) -> UseReducerHandle<Reports> {
    let reports = use_reducer(Reports::default);
    let client = {
        let reports = reports.dispatcher();
        use_memo((), |()| {
            Client::new(move |answer: Answer| {
                let result = answer.result.map(|done| Rc::new(done.report));
                reports.dispatch(Told::Answered(answer.id, result));
            })
        })
    };
    let next_id = use_mut_ref(|| 0_u32);
    let told = reports.dispatcher();
    use_effect_with(wanted, move |wanted| {
        let wanted = wanted.clone();
        let timer = Timeout::new(REST_MS, move || {
            let first_id = next_id.replace_with(|id| id.wrapping_add(wanted.len() as u32));
            client.forget();
            told.dispatch(Told::Asked(first_id, wanted.clone()));
            for (number, Wanted { scenario, platform }) in (0..).zip(wanted) {
                let id = first_id.wrapping_add(number);
                client.ask(Request { id, scenario, platform, timeline: false });
            }
        });
        move || drop(timer)
    });
    reports
}

#[cfg(test)]
mod tests {
    use catamaran_scenario::Platform;

    use super::*;

    fn wanted(name: &str) -> Wanted {
        Wanted { scenario: name.into(), platform: Platform::Container }
    }

    #[test]
    fn an_answer_belongs_to_what_was_asked_last() {
        let broken = |why: &str| Err(Failure::Broken(why.into()));
        let reports = Rc::new(Reports::default())
            .reduce(Told::Asked(5, vec![wanted("a"), wanted("b")]))
            .reduce(Told::Answered(6, broken("b")))
            .reduce(Told::Answered(4, broken("old")));
        assert_eq!(reports.answer(&wanted("a")), None);
        assert_eq!(reports.answer(&wanted("b")), Some(&broken("b")));
        let reports =
            reports.reduce(Told::Asked(7, vec![wanted("c")])).reduce(Told::Answered(6, broken("b")));
        assert_eq!((reports.answer(&wanted("b")), reports.answer(&wanted("c"))), (None, None));
    }
}
