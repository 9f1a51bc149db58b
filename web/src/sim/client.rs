//! The page's side of the worker.
//!
//! This is not `gloo-worker`, because the page must be able to end a worker that computes what nobody waits for any more,
//! and must hear when one breaks; that crate hides both (decision record 0501).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::protocol::{Answer, Failure, Request};

/// Address of the worker's loader, as Trunk writes it.
const LOADER: &str = "./worker_loader.js";

/// A worker with a queue of requests, answered one after the other.
#[derive(Clone)]
pub struct Client(Rc<Inner>);

struct Inner {
    answered: Box<dyn Fn(Answer)>,
    worker: RefCell<Option<Running>>,
    waiting: RefCell<VecDeque<Request>>,
    /// Id of the request at work.
    at_work: Cell<Option<u32>>,
    ready: Cell<bool>,
}

/// A worker that ends with this value.
struct Running {
    worker: Worker,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl Client {
    /// A client that tells `answered` of each answer. The worker starts with the first request.
    #[must_use]
    pub fn new(answered: impl Fn(Answer) + 'static) -> Self {
        Self(Rc::new(Inner {
            answered: Box::new(answered),
            worker: RefCell::default(),
            waiting: RefCell::default(),
            at_work: Cell::default(),
            ready: Cell::default(),
        }))
    }

    /// Puts a request at the end of the queue.
    pub fn ask(&self, request: Request) {
        self.0.waiting.borrow_mut().push_back(request);
        if self.0.worker.borrow().is_none() {
            self.start();
        }
        self.0.send_next();
    }

    /// Forgets every request; one at work is ended with its worker, and its answer never comes.
    pub fn forget(&self) {
        self.0.waiting.borrow_mut().clear();
        if self.0.at_work.take().is_some() {
            self.0.stop();
        }
    }

    fn start(&self) {
        match Running::new(Rc::downgrade(&self.0)) {
            Ok(running) => *self.0.worker.borrow_mut() = Some(running),
            Err(reason) => self.0.fail(&reason),
        }
    }
}

impl Running {
    fn new(client: std::rc::Weak<Inner>) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(LOADER, &options).map_err(|error| format!("{error:?}"))?;
        let told = client.clone();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(client) = told.upgrade() {
                client.hear(&event);
            }
        });
        let on_error = Closure::<dyn Fn(ErrorEvent)>::new(move |event: ErrorEvent| {
            event.prevent_default();
            if let Some(client) = client.upgrade() {
                client.fail(&reason(&event));
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }
}

/// What an error event of a worker says; a script that could not be loaded says nothing at all.
fn reason(event: &ErrorEvent) -> String {
    let message = js_sys::Reflect::get(event, &"message".into()).ok().and_then(|message| message.as_string());
    message.filter(|message| !message.is_empty()).unwrap_or_else(|| format!("{LOADER} could not be loaded"))
}

impl Inner {
    fn hear(&self, event: &MessageEvent) {
        let data = event.data();
        if data.is_null() {
            self.ready.set(true);
        } else {
            self.at_work.set(None);
            match postcard::from_bytes::<Answer>(&Uint8Array::new(&data).to_vec()) {
                Ok(answer) => (self.answered)(answer),
                Err(error) => return self.fail(&format!("unreadable answer: {error}")),
            }
        }
        self.send_next();
    }

    fn send_next(&self) {
        if !self.ready.get() || self.at_work.get().is_some() {
            return;
        }
        let Some(request) = self.waiting.borrow_mut().pop_front() else { return };
        self.at_work.set(Some(request.id));
        if let Err(reason) = self.post(&request) {
            self.fail(&reason);
        }
    }

    fn post(&self, request: &Request) -> Result<(), String> {
        let bytes = postcard::to_allocvec(request).map_err(|error| error.to_string())?;
        let buffer = Uint8Array::from(bytes.as_slice()).buffer();
        let worker = self.worker.borrow();
        let running = worker.as_ref().ok_or("the worker is not running")?;
        let posted = running.worker.post_message_with_transfer(&buffer, &Array::of1(&buffer));
        posted.map_err(|error| format!("{error:?}"))
    }

    /// The worker can't go on: whoever waits is told, and the next request starts another.
    fn fail(&self, reason: &str) {
        let at_work = self.at_work.take();
        let waiting: Vec<Request> = self.waiting.borrow_mut().drain(..).collect();
        self.stop();
        for id in at_work.into_iter().chain(waiting.into_iter().map(|request| request.id)) {
            (self.answered)(Answer { id, result: Err(Failure::Broken(reason.to_owned())) });
        }
    }

    fn stop(&self) {
        self.ready.set(false);
        let Some(running) = self.worker.borrow_mut().take() else { return };
        running.worker.terminate();
        // It may be the worker's own handler that runs just now: its closures are freed after it.
        gloo_timers::callback::Timeout::new(0, move || drop(running)).forget();
    }
}
