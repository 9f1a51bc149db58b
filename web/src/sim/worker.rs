//! The worker's side: a scenario in, a simulation out.

use catamaran_scenario::{Calibration, Plan};
use catamaran_sim::{Options, simulate};
use js_sys::{Array, Uint8Array, global};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue, throw_str};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use super::protocol::{Answer, Answered, Failure, Request};

/// Answers requests until the page ends the worker. Does nothing outside of a worker.
pub fn serve() {
    let Ok(scope) = global().dyn_into::<DedicatedWorkerGlobalScope>() else { return };
    let answering = scope.clone();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        // What can't be read or sent is a defect of this program: the page hears of it as the worker's error.
        if let Err(defect) = receive(&answering, &event.data()) {
            throw_str(&defect);
        }
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    // Messages sent before the handler was there are lost; the page waits for this word.
    if scope.post_message(&JsValue::NULL).is_err() {
        throw_str("the page could not be told that the worker is ready");
    }
}

fn receive(scope: &DedicatedWorkerGlobalScope, data: &JsValue) -> Result<(), String> {
    let request: Request = postcard::from_bytes(&Uint8Array::new(data).to_vec())
        .map_err(|error| format!("unreadable request: {error}"))?;
    let answer = Answer { id: request.id, result: carry_out(&request) };
    let bytes = postcard::to_allocvec(&answer).map_err(|error| format!("unwritable answer: {error}"))?;
    let buffer = Uint8Array::from(bytes.as_slice()).buffer();
    scope.post_message_with_transfer(&buffer, &Array::of1(&buffer)).map_err(|error| format!("{error:?}"))
}

fn carry_out(request: &Request) -> Result<Answered, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::Refused(error.to_string());
    let plan = Plan::from_toml(&request.scenario, "scenario").map_err(|error| refused(&error))?;
    let options = Options { timeline: request.timeline, ..Options::default() };
    let outcome = simulate(&plan, request.platform, &Calibration::reference(), &options);
    let outcome = outcome.map_err(|error| refused(&error))?;
    Ok(Answered { report: outcome.report, timeline: outcome.timeline })
}
