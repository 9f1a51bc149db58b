//! How the API says no.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A request that is not carried out: a status and one clear sentence, as JSON `{ "error": … }`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    /// The request is well-formed, and what it asks for is not acceptable.
    pub(crate) fn unacceptable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.error }))).into_response()
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        let status = rejection.status();
        let error = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!("the body is larger than {} KiB", super::BODY_LIMIT_BYTES / 1024)
            }
            _ => format!(
                "{}; expected a JSON object {{ \"scenario\": TOML text, \"platform\": name }}",
                rejection.body_text()
            ),
        };
        Self::new(status, error)
    }
}
