//! The frame around every page: routing, preferences, header and footer.

mod address;
mod failure;
mod frame;
mod preferences;
mod root;

pub use address::{absolute, read, replace, take_token};
pub use preferences::{Preferences, Theme, use_lang, use_preferences};

/// Starts the page in the element `app` of `index.html`.
pub fn start() {
    failure::catch_panics();
    let Some(element) = gloo_utils::document().get_element_by_id("app") else { return };
    yew::Renderer::<root::Root>::with_root(element).render();
    root::keep_for_offline();
}
