//! Files that the page hands out.

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, Element, HtmlAnchorElement, Url, XmlSerializer};

const SVG: &str = "http://www.w3.org/2000/svg";

/// Between two drawings of one file (px).
const GAP_PX: f64 = 12.0;

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

/// Drawings of the page, one below the other, as an SVG file of its own: with patterns and styles written into it.
///
/// # Errors
/// What the browser threw.
pub fn svg_text(drawings: &[Element], styles: &str) -> Result<String, JsValue> {
    let document = gloo_utils::document();
    let file = document.create_element_ns(Some(SVG), "svg")?;
    let style = document.create_element_ns(Some(SVG), "style")?;
    style.set_text_content(Some(styles));
    file.append_child(&style)?;
    if let Some(patterns) = document.query_selector("#patterns defs")? {
        file.append_child(&patterns.clone_node_with_deep(true)?)?;
    }
    let (mut top, mut width) = (0.0, 0.0_f64);
    for drawing in drawings {
        let copy: Element = drawing.clone_node_with_deep(true)?.unchecked_into();
        copy.set_attribute("y", &top.to_string())?;
        file.append_child(&copy)?;
        let area = drawing.get_bounding_client_rect();
        top += area.height() + GAP_PX;
        width = width.max(area.width());
    }
    file.set_attribute("width", &width.to_string())?;
    file.set_attribute("height", &top.to_string())?;
    file.set_attribute("viewBox", &format!("0 0 {width} {top}"))?;
    XmlSerializer::new()?.serialize_to_string(&file)
}
