//! When the page itself breaks: said where it can be seen, with what to do.

use std::panic;

/// A panic can't be recovered from in WebAssembly: the page is replaced by what happened.
pub(super) fn catch_panics() {
    panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&info.to_string().into());
        let document = gloo_utils::document();
        let Ok(notice) = document.create_element("div") else { return };
        notice.set_class_name("crash");
        let _ = notice.set_attribute("role", "alert");
        notice.set_text_content(Some(&format!(
            "The page stopped: {info}. Reload it; the link in the address bar keeps your place. \
             페이지가 멈췄어요. 새로 고치면 주소의 링크대로 다시 열려요."
        )));
        let _ = gloo_utils::body().prepend_with_node_1(&notice);
    }));
}
