//! The API of `catamaran serve`, on the page's own origin.

use catamaran_report::Report;
use catamaran_scenario::Platform;
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The header that carries the token.
const TOKEN_HEADER: &str = "X-Catamaran-Token";

/// What the token was refused with.
const UNAUTHORIZED: u16 = 401;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServeError {
    /// Nobody there.
    Gone,
    /// Another server than the one that gave the token.
    Token,
    /// It said no, and why.
    Said(String),
}

/// `GET /api/status`, as far as the page needs it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Status {
    /// Version of the program.
    pub(super) version: String,
    /// What was tried on this machine.
    pub(super) platforms: Vec<Check>,
}

/// A platform, or a part of one, that was tried.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) works: bool,
    pub(super) found: String,
    pub(super) remedy: Option<String>,
}

/// `POST /api/run`.
#[derive(Debug, Deserialize)]
struct Started {
    id: String,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// `GET /api/run/<id>`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Job {
    pub(super) state: State,
    pub(super) elapsed_s: f64,
    pub(super) total_s: f64,
    pub(super) report: Option<Report>,
    pub(super) error: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// The server that served this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    token: String,
}

impl Server {
    pub(super) fn new(token: String) -> Self {
        Self { token }
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(TOKEN_HEADER, &self.token)
    }

    pub(super) async fn status(&self) -> Result<Status, ServeError> {
        read(self.with_token(Request::get("./api/status")).send().await).await
    }

    /// The id of the run that was started.
    pub(super) async fn start(&self, scenario: &str, platform: Platform) -> Result<String, ServeError> {
        let body = json!({ "scenario": scenario, "platform": platform });
        let request = self.with_token(Request::post("./api/run")).json(&body);
        let request = request.map_err(|error| ServeError::Said(error.to_string()))?;
        let started: Started = read(request.send().await).await?;
        Ok(started.id)
    }

    pub(super) async fn job(&self, id: &str) -> Result<Job, ServeError> {
        read(self.with_token(Request::get(&format!("./api/run/{id}"))).send().await).await
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<Job, ServeError> {
        read(self.with_token(Request::delete(&format!("./api/run/{id}"))).send().await).await
    }
}

async fn read<T: DeserializeOwned>(response: Result<Response, gloo_net::Error>) -> Result<T, ServeError> {
    let response = response.map_err(|_| ServeError::Gone)?;
    if response.status() == UNAUTHORIZED {
        return Err(ServeError::Token);
    }
    if !response.ok() {
        let said = response.json::<Refusal>().await.map(|refusal| refusal.error);
        return Err(ServeError::Said(said.unwrap_or_else(|_| format!("HTTP {}", response.status()))));
    }
    response.json().await.map_err(|error| ServeError::Said(error.to_string()))
}
