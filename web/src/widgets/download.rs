//! Files that the page hands out.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, Element, HtmlAnchorElement, Url, XmlSerializer};

/// Lets the browser save `text` as `name`.
///
/// # Errors
/// What the browser threw.
pub fn download(name: &str, media_type: &str, text: &str) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &options)?;
    let address = Url::create_object_url_with_blob(&blob)?;
    let anchor: HtmlAnchorElement = gloo_utils::document().create_element("a")?.unchecked_into();
    anchor.set_href(&address);
    anchor.set_download(name);
    anchor.click();
    Url::revoke_object_url(&address)
}

/// The drawing inside `holder` as an SVG file of its own: with the page's colours written into it.
///
/// # Errors
/// What the browser threw; an empty text where there is no drawing.
pub fn svg_text(holder: &Element, styles: &str) -> Result<String, JsValue> {
    let Some(svg) = holder.query_selector("svg")? else { return Ok(String::new()) };
    let copy: Element = svg.clone_node_with_deep(true)?.unchecked_into();
    copy.set_attribute("xmlns", "http://www.w3.org/2000/svg")?;
    let style = gloo_utils::document().create_element_ns(Some("http://www.w3.org/2000/svg"), "style")?;
    style.set_text_content(Some(styles));
    copy.insert_before(&style, copy.first_child().as_ref())?;
    if let Some(patterns) = gloo_utils::document().query_selector("#patterns defs")? {
        copy.insert_before(&patterns.clone_node_with_deep(true)?, copy.first_child().as_ref())?;
    }
    XmlSerializer::new()?.serialize_to_string(&copy)
}
