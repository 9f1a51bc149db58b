//! The address bar.

use gloo_storage::{SessionStorage, Storage};
use wasm_bindgen::JsValue;
use web_sys::window;

use crate::link::Link;

/// Where the token of `catamaran serve` is kept until the tab is closed.
const TOKEN_KEY: &str = "catamaran.token";

/// What the address says now.
#[must_use]
pub fn read() -> Link {
    let hash = window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
    Link::from_hash(&hash)
}

/// Writes the link into the address without a new entry in the history.
pub fn replace(link: &Link) {
    let Some(history) = window().and_then(|window| window.history().ok()) else { return };
    // Browsers refuse more than some hundred changes in half a minute; the next change writes the newest state anyway.
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&link.to_hash()));
}

/// The link as others can open it.
#[must_use]
pub fn absolute(link: &Link) -> String {
    let address = window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    let base = address.split('#').next().unwrap_or_default();
    format!("{base}{}", link.to_hash())
}

/// Takes the token out of the address, if it is there, and gives the one of this tab.
#[must_use]
pub fn take_token() -> Option<String> {
    let mut link = read();
    if let Some(token) = link.token.take() {
        // Without session storage the token lives in this page only, and asking again is all that is lost.
        let _ = SessionStorage::set(TOKEN_KEY, &token);
        replace(&link);
        return Some(token);
    }
    SessionStorage::get(TOKEN_KEY).ok()
}
