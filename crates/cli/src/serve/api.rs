//! The routes under `/api`.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use catamaran_native::Check;
use catamaran_scenario::Plan;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task;

use super::caps::{self, Caps};
use super::jobs::{JobView, Jobs};
use super::refusal::Refusal;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) jobs: Jobs,
    pub(crate) caps: Caps,
    checks: Arc<OnceCell<Vec<Check>>>,
}

impl Api {
    /// Nothing run and nothing tried yet.
    pub(crate) fn new(jobs: Jobs, caps: Caps) -> Self {
        Self { jobs, caps, checks: Arc::default() }
    }

    /// What this machine can run, found by trying, once.
    async fn checks(&self) -> Result<&[Check], Refusal> {
        let tried = self.checks.get_or_try_init(|| task::spawn_blocking(catamaran_native::doctor)).await;
        tried.map(Vec::as_slice).map_err(|error| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot try this machine: {error}"))
        })
    }
}

/// The routes, without door.
pub(crate) fn routes(api: Api) -> Router {
    let limit = api.caps.body_bytes;
    Router::new()
        .route("/status", get(status))
        .route("/run", post(start))
        .route("/run/{id}", get(view).delete(cancel))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(limit))
        .with_state(api)
}

#[derive(Debug, Serialize)]
struct Status<'a> {
    version: &'static str,
    platforms: &'a [Check],
    running: Option<String>,
    caps: Caps,
}

async fn status(State(api): State<Api>) -> Result<Json<Value>, Refusal> {
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        platforms: api.checks().await?,
        running: api.jobs.running().map(|id| id.to_string()),
        caps: api.caps,
    };
    Ok(Json(json!(status)))
}

/// The body of `POST /api/run`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunRequest {
    scenario: String,
    platform: String,
}

async fn start(
    State(api): State<Api>,
    body: Result<Json<RunRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let Json(request) = body?;
    let plan = Plan::from_toml(&request.scenario, "scenario")
        .map_err(|diagnostic| Refusal::unacceptable(diagnostic.to_string()))?;
    api.caps.check(&plan)?;
    let platform = caps::platform(&request.platform, api.checks().await?)?;
    catamaran_native::dry_run(&plan, platform).map_err(|error| Refusal::unacceptable(error.to_string()))?;
    let id = api.jobs.start(plan, platform)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id.to_string() }))))
}

async fn view(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<JobView>, Refusal> {
    api.jobs.view(&id).map(Json)
}

async fn cancel(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<JobView>, Refusal> {
    api.jobs.cancel(&id).await.map(Json)
}

async fn unknown() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "there is no such route; there are /api/status, /api/run and /api/run/<id>",
    )
}

async fn wrong_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this route does not know that method")
}
