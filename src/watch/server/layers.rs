//! Middleware: the check of the `Host` header, a time limit, response headers.
//!
//! `Host` must be an IP address, `localhost`, or an allowed name. This prevents DNS rebinding: a foreign web page whose
//! name resolves to this server cannot read the status through a user's browser.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::text::sanitized;

use super::Shared;
use super::problem::Problem;

/// The time limit from the end of a request's head to the beginning of its response.
const DEADLINE: Duration = Duration::from_secs(10);

const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

pub(super) async fn gate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match host(request.headers(), &shared.setup.hosts) {
        Err(problem) => problem.into_response(),
        Ok(()) => match tokio::time::timeout(DEADLINE, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "The request took too long",
                "the request was not complete or not answered within 10 seconds",
            )
            .into_response(),
        },
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn host(headers: &HeaderMap, allowed: &[Box<str>]) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_allowed(host, allowed) {
        return Ok(());
    }
    let detail = format!(
        "the host name {:?} is not allowed: use the IP address or localhost, or start the server with `--allow-host`",
        sanitized(host, 100)
    );
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", "The host name is not allowed", detail))
}

fn is_allowed(host: &str, allowed: &[Box<str>]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let same = |other: &str| name.trim_end_matches('.').eq_ignore_ascii_case(other);
    bare.parse::<IpAddr>().is_ok() || same("localhost") || allowed.iter().any(|allowed| same(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_allowed_names_are_accepted() {
        let allowed: [Box<str>; 1] = ["phones.example.org".into()];
        for host in ["127.0.0.1", "127.0.0.1:9464", "[::1]:9464", "10.1.2.3", "localhost:1", "LOCALHOST"] {
            assert!(is_allowed(host, &allowed), "{host}");
        }
        for host in ["phones.example.org", "Phones.Example.org:443", "phones.example.org."] {
            assert!(is_allowed(host, &allowed), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:9464", "a:b", "::1:x"] {
            assert!(!is_allowed(host, &allowed), "{host}");
        }
    }
}
