//! How wide an element is, kept up to date.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, ResizeObserver};
use yew::prelude::*;

/// Width (px) of the element behind `node`; `start_px` until it is known.
#[hook]
pub fn use_width(node: NodeRef, start_px: f64) -> f64 {
    let width = use_state_eq(|| start_px);
    let setter = width.setter();
    use_effect_with(node, move |node| {
        let observer = node.cast::<Element>().and_then(|element| observe(&element, setter));
        move || {
            if let Some((observer, _callback)) = observer {
                observer.disconnect();
            }
        }
    });
    *width
}

fn observe(element: &Element, setter: UseStateSetter<f64>) -> Option<(ResizeObserver, Closure<dyn FnMut()>)> {
    let measured = element.clone();
    let measure = move || setter.set(f64::from(measured.client_width()));
    measure();
    let callback = Closure::<dyn FnMut()>::new(measure);
    let observer = ResizeObserver::new(callback.as_ref().unchecked_ref()).ok()?;
    observer.observe(element);
    Some((observer, callback))
}
