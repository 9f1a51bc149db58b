//! The built page: which folder, with which headers.

use std::path::{Path, PathBuf};

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};

use crate::failure::Failure;

const INDEX: &str = "index.html";

/// Finds the built page: the folder given, else `dist` here, else `dist` of the workspace that this program was built in.
///
/// # Errors
/// Where there is none, saying how to build it.
pub(crate) fn find(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let built = |folder: &PathBuf| folder.join(INDEX).is_file();
    let folder = given.or_else(|| candidates().into_iter().find(built)).unwrap_or_else(|| "dist".into());
    if built(&folder) {
        return Ok(folder);
    }
    Err(Failure::input(format!(
        "the page is not built: there is no {}; build it with `cargo xtask demo`, or name its folder with --dist",
        folder.join(INDEX).display()
    )))
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("dist")];
    if let Ok(program) = std::env::current_exe() {
        folders.extend(program.ancestors().skip(1).take(4).map(|folder| folder.join("dist")));
    }
    folders
}

/// The content security policy of what is answered for `path`. The page is read each time, because it may be built anew meanwhile.
pub(crate) async fn policy_of(folder: &Path, path: &str) -> HeaderValue {
    let html = match path.trim_start_matches('/') {
        "" | INDEX => tokio::fs::read_to_string(folder.join(INDEX)).await.unwrap_or_default(),
        _ => String::new(),
    };
    HeaderValue::from_str(&policy(&html)).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// Scripts only from here, and those written into the page itself by their digest; WebAssembly may be compiled, nothing may be
/// evaluated. Style attributes are how the page moves things. The worker starts from a blob that imports its script.
fn policy(html: &str) -> String {
    let digests = inline_scripts(html)
        .map(|script| format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()))))
        .collect::<String>();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{digests}; worker-src 'self' blob:; \
         connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
         manifest-src 'self'; frame-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'"
    )
}

/// Texts of the `<script>` elements without `src`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (text, _) = rest.split_once("</script")?;
        (!attributes.contains("src=")).then_some(text)
    })
}

/// Headers of every response.
pub(crate) fn dress(path: &str, policy: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (CACHE_CONTROL, cache(path)),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let plain = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let Some(kind) = plain.filter(|kind| kind.starts_with("text/") && !kind.contains("charset"))
        && let Ok(value) = HeaderValue::from_str(&format!("{kind}; charset=utf-8"))
    {
        headers.insert(CONTENT_TYPE, value);
    }
}

/// A file with a digest in its name never changes; another may with the next build; an answer of the API is of the moment.
fn cache(path: &str) -> &'static str {
    if path.starts_with("/api/") {
        "no-store"
    } else if is_hashed(Path::new(path)) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// Trunk writes 16 hexadecimal digits after the last dash (`web-0123456789abcdef_bg.wasm`), or before the first one.
fn is_hashed(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let starts_with_digest = |text: &str, ends: &[char]| {
        let digits = text.chars().take_while(char::is_ascii_hexdigit).count();
        digits == 16 && text.chars().nth(digits).is_some_and(|next| ends.contains(&next))
    };
    starts_with_digest(name, &['-'])
        || name.rsplit_once('-').is_some_and(|(_, tail)| starts_with_digest(tail, &['.', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_files_are_kept_for_ever() {
        let table = [
            ("/web-0123456789abcdef_bg.wasm", "public, max-age=31536000, immutable"),
            ("/style-0123456789abcdef.css", "public, max-age=31536000, immutable"),
            ("/0123456789abcdef-loading.js", "public, max-age=31536000, immutable"),
            ("/worker.js", "no-cache"),
            ("/worker-0123456789abcde.js", "no-cache"),
            ("/a-0123456789abcdef0.js", "no-cache"),
            ("/", "no-cache"),
            ("/api/status", "no-store"),
        ];
        for (path, expected) in table {
            assert_eq!(cache(path), expected, "{path}");
        }
    }

    #[test]
    fn scripts_in_the_page_are_allowed_by_their_digest() {
        let html = r#"<script src="a.js">x</script><script type="module">alert(1)</script>"#;
        assert_eq!(inline_scripts(html).collect::<Vec<_>>(), ["alert(1)"]);
        // echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
        assert!(
            policy(html).contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"),
            "{}",
            policy(html)
        );
    }
}
