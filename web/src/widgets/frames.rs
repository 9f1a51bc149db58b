//! A call at each animation frame until dropped.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::window;

type FrameClosure = Closure<dyn FnMut(f64)>;

/// Runs until it is dropped.
pub struct FrameLoop {
    handle: Rc<Cell<i32>>,
    /// Holds the closure that asks for itself again; emptied on drop, which also breaks the cycle.
    closure: Rc<RefCell<Option<FrameClosure>>>,
}

impl FrameLoop {
    /// Calls `frame` with the milliseconds since the frame before (0 for the first).
    #[must_use]
    pub fn start(frame: impl Fn(f64) + 'static) -> Self {
        let handle = Rc::new(Cell::new(0));
        let closure: Rc<RefCell<Option<FrameClosure>>> = Rc::default();
        let last_ms = Cell::new(None::<f64>);
        let (again, next) = (closure.clone(), handle.clone());
        *closure.borrow_mut() = Some(Closure::new(move |now_ms: f64| {
            let elapsed_ms = last_ms.replace(Some(now_ms)).map_or(0.0, |before| now_ms - before);
            next.set(request(&again));
            frame(elapsed_ms);
        }));
        handle.set(request(&closure));
        Self { handle, closure }
    }
}

fn request(closure: &RefCell<Option<FrameClosure>>) -> i32 {
    let closure = closure.borrow();
    let function = closure.as_ref().map(|closure| closure.as_ref().unchecked_ref());
    let asked = function.and_then(|function| window()?.request_animation_frame(function).ok());
    asked.unwrap_or_default()
}

impl Drop for FrameLoop {
    fn drop(&mut self) {
        if let Some(window) = window() {
            // A frame that was already taken back is no error that anybody could act on.
            let _ = window.cancel_animation_frame(self.handle.get());
        }
        // The closure may be running just now (a frame can end its own loop): it is freed after the frame.
        let closure = self.closure.clone();
        gloo_timers::callback::Timeout::new(0, move || drop(closure.borrow_mut().take())).forget();
    }
}
