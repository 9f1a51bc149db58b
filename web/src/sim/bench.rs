//! The simulation that the visitor turns knobs on: the newest request wins, the picture before stays until it is answered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use catamaran_lessons::Stage;
use catamaran_scenario::{Plan, Platform};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use super::client::Client;
use super::protocol::{Answer, Answered, Failure, Request};
use crate::picture::Recording;

/// What is to be simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// TOML.
    pub scenario: String,
    /// On which platform.
    pub platform: Platform,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bench {
    /// The newest simulation, and what it was made of.
    pub done: Option<(Rc<Recording>, Wanted)>,
    /// Whether a newer one is under way.
    pub busy: bool,
    /// Why there is no newer one.
    pub failure: Option<Failure>,
}

impl Bench {
    /// The newest simulation.
    #[must_use]
    pub fn recording(&self) -> Option<&Rc<Recording>> {
        self.done.as_ref().map(|(recording, _)| recording)
    }
}

/// A slider that is being dragged asks once it has stood still for so long (ms).
const DEBOUNCE_MS: u32 = 60;

/// What happens to a [`Bench`].
#[derive(Debug)]
pub enum Move {
    /// A simulation was asked for.
    Asked,
    /// It was answered.
    Answered(Wanted, Result<Rc<Recording>, Failure>),
}

impl Reducible for Bench {
    type Action = Move;

    fn reduce(self: Rc<Self>, action: Move) -> Rc<Self> {
        let mut next = Rc::unwrap_or_clone(self);
        match action {
            Move::Asked => next.busy = true,
            Move::Answered(wanted, result) => {
                next.busy = false;
                match result {
                    Ok(recording) => (next.done, next.failure) = (Some((recording, wanted)), None),
                    Err(failure) => next.failure = Some(failure),
                }
            }
        }
        Rc::new(next)
    }
}

/// The worker and what it was last asked.
struct Asking {
    client: Client,
    newest: Rc<RefCell<Option<(u32, Wanted)>>>,
    next_id: Cell<u32>,
}

impl Asking {
    fn new(bench: UseReducerDispatcher<Bench>, stage: Stage) -> Self {
        let newest: Rc<RefCell<Option<(u32, Wanted)>>> = Rc::default();
        let asked = newest.clone();
        let client = Client::new(move |answer: Answer| {
            let wanted = asked.borrow_mut().take_if(|(id, _)| *id == answer.id);
            // An answer to what is no longer asked is dropped.
            if let Some((_, wanted)) = wanted {
                let nodes = Plan::from_toml(&wanted.scenario, "scenario").map_or(1, |plan| plan.host().nodes);
                let film = |done: Answered| {
                    Rc::new(Recording::new(done.report, done.timeline).on_nodes(nodes).watched(stage))
                };
                let result = answer.result.map(film);
                bench.dispatch(Move::Answered(wanted, result));
            }
        });
        Self { client, newest, next_id: Cell::new(0) }
    }

    fn ask(&self, wanted: &Wanted) {
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        if self.newest.borrow_mut().replace((id, wanted.clone())).is_some() {
            self.client.forget();
        }
        let Wanted { scenario, platform } = wanted.clone();
        self.client.ask(Request { id, scenario, platform, timeline: true });
    }
}

/// Simulates `wanted` whenever it changes; `None` asks for nothing. `stage` is what is drawn of it.
#[hook]
pub fn use_bench(wanted: Option<Wanted>, stage: Stage) -> UseReducerHandle<Bench> {
    let bench = use_reducer(Bench::default);
    let dispatcher = bench.dispatcher();
    let asking = {
        let dispatcher = dispatcher.clone();
        use_memo((), |()| Asking::new(dispatcher, stage))
    };
    let first = bench.done.is_none() && !bench.busy;
    use_effect_with(wanted, move |wanted| {
        let timer = wanted.clone().map(|wanted| {
            dispatcher.dispatch(Move::Asked);
            Timeout::new(if first { 0 } else { DEBOUNCE_MS }, move || asking.ask(&wanted))
        });
        move || drop(timer)
    });
    bench
}
