//! Request bodies: one JSON object of bounded size.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::problem::{Code, FieldError, Problem};

/// The largest body, in bytes.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// Reads the body; the checks go from the cheapest to the dearest.
pub(super) async fn read(headers: &HeaderMap, body: Body, types: &[&str]) -> Result<Map<String, Value>, Problem> {
    check_type(headers, types)?;
    let too_large = || Problem::new(Code::TooLarge, format!("a body may have {MAX_BYTES} bytes"));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > MAX_BYTES) {
        return Err(too_large());
    }
    let bytes = to_bytes(body, MAX_BYTES).await.map_err(|error| {
        let limit = std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
        if limit { too_large() } else { Problem::new(Code::MalformedJson, "the body ended early") }
    })?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let value = serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(Code::MalformedJson, error.to_string())
            .with("line", error.line().into())
            .with("column", error.column().into())
    })?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(Problem::invalid(&[FieldError { pointer: String::new(), detail: "must be an object".to_owned() }])),
    }
}

fn check_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if types.iter().any(|t| t.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, format!("send Content-Type: {}", types.join(" or "))))
}
