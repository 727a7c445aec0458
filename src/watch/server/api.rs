//! The status as JSON. Its schema is `schemas/status.v1.schema.json`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use crate::render::json;

use super::super::status::{AccountStatus, SourceStatus, Stamp};
use super::problem::Problem;
use super::{Shared, commands};

/// The response of `/api/status`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status {
    /// The version of this format: 1.
    pub version: u32,
    /// The version of Strowger.
    pub strowger: &'static str,
    /// When the process started.
    pub started: Stamp,
    /// The time of the response.
    pub now: Stamp,
    /// The source of the files.
    pub source: Arc<SourceStatus>,
    /// All accounts, sorted by name.
    pub accounts: Vec<Arc<AccountStatus>>,
}

pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Response {
    let status = Status {
        version: 1,
        strowger: env!("CARGO_PKG_VERSION"),
        started: shared.started_at.clone(),
        now: shared.setup.clock.stamp(),
        source: shared.setup.status_store.source(),
        accounts: shared.setup.status_store.all(),
    };
    answer(status).await
}

pub(super) async fn account(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<Box<str>>,
) -> Result<Response, Problem> {
    let account = shared.setup.status_store.get(&name).ok_or_else(|| commands::unknown(&name))?;
    Ok(answer(account).await)
}

/// On another thread, because serializing a plan with a hundred thousand changes takes a while.
async fn answer(value: impl Serialize + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(move || json::text(&value)).await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => Problem::busy("the process is stopping").into_response(),
    }
}

/// The JSON Schema of [`Status`].
pub fn schema() -> Value {
    // For serialization: fields that may be left out are not required.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Status>();
    schema.insert("title".to_owned(), "Strowger status, version 1".into());
    schema.insert("$id".to_owned(), "https://strowger.example/schemas/status.v1.schema.json".into());
    schema.to_value()
}
