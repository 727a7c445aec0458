//! Errors as problem documents of RFC 9457.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Map;

use crate::serve;

#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    /// One sentence. Text from a request must be sanitized.
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into() }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    pub(super) fn method() -> Self {
        let detail = "see the header Allow for what is supported";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", detail)
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request is invalid", detail)
    }

    pub(super) fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, title, detail } = self;
        serve::problem(status, (code, title, &detail), Map::new(), "Bearer realm=\"strowger watch\"")
    }
}
