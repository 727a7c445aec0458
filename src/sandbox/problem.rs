//! Errors of the API: RFC 9457 problem documents, for every failure without exception.
//!
//! Two codes divide the work. **422**: the body is wrong by itself and can never succeed; everything it checks
//! can be written in JSON Schema, and is. **409**: the body is fine, the account's present state forbids it
//! (unknown reference, name taken, still in use). Responses contain no internals: the cause of an internal error is logged.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::serve;

/// What kind of failure: a stable code, its status and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    MalformedJson,
    InvalidParameter,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    UnknownReference,
    NameTaken,
    NumberTaken,
    InUse,
    DefaultNumber,
    Exhausted,
    Owned,
    Conflict,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    IdempotencyMismatch,
    RateLimited,
    Internal,
    Unavailable,
}

impl Code {
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::MalformedJson => (StatusCode::BAD_REQUEST, "malformed_json", "The body is not JSON"),
            Self::InvalidParameter => (StatusCode::BAD_REQUEST, "invalid_parameter", "A parameter is wrong"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "A valid token is needed"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "The token may only read"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "Nothing is here"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not supported here")
            }
            Self::UnknownReference => (StatusCode::CONFLICT, "unknown_reference", "A referenced object does not exist"),
            Self::NameTaken => (StatusCode::CONFLICT, "name_taken", "The name is taken"),
            Self::NumberTaken => (StatusCode::CONFLICT, "number_taken", "The number is taken"),
            Self::InUse => (StatusCode::CONFLICT, "in_use", "Something still points at the object"),
            Self::DefaultNumber => {
                (StatusCode::CONFLICT, "default_number", "The default number must stay, and stay mapped")
            }
            Self::Exhausted => (StatusCode::CONFLICT, "exhausted", "No free number is left"),
            Self::Owned => (StatusCode::CONFLICT, "owned", "Another owner has claimed this"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "The account's state does not allow it"),
            Self::PreconditionFailed => {
                (StatusCode::PRECONDITION_FAILED, "precondition_failed", "The object has changed")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be JSON")
            }
            Self::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The body is not valid"),
            Self::IdempotencyMismatch => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_mismatch",
                "The idempotency key was used for another body",
            ),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server is not available"),
        }
    }
}

/// One wrong member of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct FieldError {
    /// JSON Pointer into the request body.
    pub(super) pointer: String,
    pub(super) detail: String,
}

/// An object that points at the one to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Referrer {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) field: String,
}

#[derive(Debug)]
struct Inner {
    code: Code,
    detail: String,
    extra: Map<String, Value>,
    header: Option<(header::HeaderName, String)>,
}

/// A failure on its way to the client. Boxed, because nearly every function here may return one.
#[derive(Debug)]
pub(super) struct Problem(Box<Inner>);

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, detail: detail.into(), extra: Map::new(), header: None }))
    }

    /// 422 for the listed members.
    pub(super) fn invalid(errors: &[FieldError]) -> Self {
        let detail = errors.iter().map(|e| format!("{} {}", e.pointer, e.detail)).collect::<Vec<_>>().join("; ");
        Self::new(Code::Invalid, detail).with("errors", json!(errors))
    }

    /// A conflict caused by one member of the body.
    pub(super) fn conflict_at(code: Code, pointer: &str, detail: impl Into<String>) -> Self {
        let error = FieldError { pointer: pointer.to_owned(), detail: detail.into() };
        Self::new(code, format!("{pointer} {}", error.detail)).with("errors", json!([error]))
    }

    /// 409 naming what still points at the object.
    pub(super) fn in_use(what: &str, referrers: &[Referrer]) -> Self {
        let named: Vec<_> = referrers.iter().map(|r| format!("{} {} ({})", r.kind, r.name, r.field)).collect();
        Self::new(Code::InUse, format!("{what} is used by {}", named.join(", "))).with("referrers", json!(referrers))
    }

    pub(super) fn is_invalid(&self) -> bool {
        self.0.code == Code::Invalid
    }

    pub(super) fn not_found() -> Self {
        Self::new(Code::NotFound, "no such resource")
    }

    /// 500. The cause goes to the log, never to the client.
    pub(super) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "sandbox request failed");
        Self::new(Code::Internal, "an unexpected error occurred")
    }

    /// Adds an extension member.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.0.extra.insert(name.to_owned(), value);
        self
    }

    /// Adds a response header.
    pub(super) fn with_header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.0.header = Some((name, value.into()));
        self
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        // Every rule is checked before the write, so a constraint that fires is a rule without a better message.
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            tracing::warn!(%error, "a constraint caught what no check did");
            return Self::new(Code::Conflict, "the change would break the account's integrity");
        }
        Self::internal(&error)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { code, detail, extra, header: extra_header } = *self.0;
        let (status, name, title) = code.parts();
        let mut response = serve::problem(status, (name, title, &detail), extra, "Bearer realm=\"account\"");
        if let Some((name, value)) = extra_header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
