//! The same scenario on several platforms at once, to be set side by side.

use std::rc::Rc;

use catamaran_report::Report;
use catamaran_scenario::Platform;
use yew::prelude::*;

use super::client::Client;
use super::protocol::{Answer, Failure, Request};

/// The reports that are there, by platform; those of the scenario before stay until they are replaced.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Eras {
    reports: Vec<(Platform, Result<Rc<Report>, Failure>)>,
}

impl Eras {
    /// The report of a platform, once it is there.
    #[must_use]
    pub fn report(&self, platform: Platform) -> Option<&Rc<Report>> {
        self.reports.iter().find(|(own, _)| *own == platform)?.1.as_ref().ok()
    }
}

impl Reducible for Eras {
    type Action = (Platform, Result<Rc<Report>, Failure>);

    fn reduce(self: Rc<Self>, (platform, result): Self::Action) -> Rc<Self> {
        let mut next = Rc::unwrap_or_clone(self);
        next.reports.retain(|(own, _)| *own != platform);
        next.reports.push((platform, result));
        Rc::new(next)
    }
}

/// Simulates `scenario` on each of `platforms` whenever it changes.
#[hook]
pub fn use_eras(scenario: AttrValue, platforms: Vec<Platform>) -> UseReducerHandle<Eras> {
    let eras = use_reducer(Eras::default);
    let asked = use_mut_ref(Vec::<Platform>::new);
    let client = {
        let (eras, asked) = (eras.dispatcher(), asked.clone());
        use_memo((), |()| {
            Client::new(move |answer: Answer| {
                let platform = asked.borrow().get(answer.id as usize).copied();
                if let Some(platform) = platform {
                    eras.dispatch((platform, answer.result.map(|done| Rc::new(done.report))));
                }
            })
        })
    };
    use_effect_with((scenario, platforms), move |(scenario, platforms)| {
        client.forget();
        for &platform in platforms {
            let mut asked = asked.borrow_mut();
            let id = asked.len() as u32;
            asked.push(platform);
            client.ask(Request { id, scenario: scenario.to_string(), platform, timeline: false });
        }
    });
    eras
}
